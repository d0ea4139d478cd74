"""The Celery application. Its settings are Django's, with the prefix ``CELERY_``; the schedule is ``config.schedule``.

The schedule is static, so beat keeps no store (``celery -A config beat -S celery.beat:Scheduler``). Task arguments are
ids, never values.
"""

import os

from celery import Celery

from config import alive, broker, crash_reports, metering, traces  # noqa: F401 (all but `broker` connect to signals)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Django's checks, which Celery would run as well, import every page and API route: half of a worker's start and memory.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("latchkey")
broker.install(app)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["connections"])
