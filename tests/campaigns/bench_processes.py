"""The web process and the worker, without the detour that the environment names.

``granian … tests.campaigns.bench_processes:application`` and ``celery -A tests.campaigns.bench_processes worker``.
"""

import os

import django

django.setup()

from tests.campaigns.ordinary import WITHOUT, set_attributes  # noqa: E402 - the apps must be ready

set_attributes(os.environ.get(WITHOUT, ""))

from config.asgi import application  # noqa: E402, F401 - likewise
from config.celery import app  # noqa: E402, F401 - after that
