"""Sending tasks: their names and queues, after the transaction has committed. Imports no task.

Only ids travel. Where the broker is down the send is given up quickly: the next sweep finds what is still due.
"""

import uuid

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)

REFRESH = "connections.refresh"
PROBE = "connections.probe"
REVOKE = "connections.revoke"

_QUEUES = {REFRESH: "refresh", PROBE: "probe", REVOKE: "celery"}


def refresh_later(connection_id: uuid.UUID) -> None:
    """Send a refresh of one connection."""
    _send_on_commit(REFRESH, connection_id)


def probe_later(connection_id: uuid.UUID) -> None:
    """Send a probe of one connection."""
    _send_on_commit(PROBE, connection_id)


def revoke_later(connection_id: uuid.UUID) -> None:
    """Send the revocation of one connection at its provider."""
    _send_on_commit(REVOKE, connection_id)


def _send_on_commit(task: str, connection_id: uuid.UUID) -> None:
    transaction.on_commit(lambda: _send(task, connection_id))


def _send(task: str, connection_id: uuid.UUID) -> None:
    try:
        current_app.send_task(task, args=[str(connection_id)], queue=_QUEUES[task], retry=False)
    except OperationalError as error:
        logger.warning("task_not_sent", task=task, connection=str(connection_id), error=type(error).__name__)
