"""Alive: a file that a worker touches every two seconds while it takes tasks from the broker, for health checks.

It proves what nobody can ask a worker for, since it takes no remote control: that its loop turns, and that it has the
broker. While the broker is away the file grows old. An orderly end removes it.
"""

from pathlib import Path

from celery.signals import heartbeat_sent, worker_shutdown
from django.conf import settings


@heartbeat_sent.connect
def _touch(**_: object) -> None:
    if settings.ALIVE_FILE:
        Path(settings.ALIVE_FILE).touch()


@worker_shutdown.connect
def _remove(**_: object) -> None:
    if settings.ALIVE_FILE:
        Path(settings.ALIVE_FILE).unlink(missing_ok=True)
