"""The Celery application. Its settings are Django's, with the prefix ``CELERY_``; the schedule is ``config.schedule``.

The schedule is static, so beat keeps no store (``celery -A config beat -S celery.beat:Scheduler``). Task arguments are
ids, never values.
"""

import os

from celery import Celery

from config import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("latchkey")
broker.install(app)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["connections"])
