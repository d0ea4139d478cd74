"""Sending tasks: their names and queues, after the transaction has committed. Imports no task.

Only ids travel. Where the broker is down the send is given up quickly: the next sweep finds what is still due.
"""

import time
import uuid
from dataclasses import dataclass
from functools import lru_cache

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)

REFRESH = "connections.refresh"
PROBE = "connections.probe"
REVOKE = "connections.revoke"

AWAY_SECONDS = 1.0  # how long a broker that could not be reached is left alone

_QUEUES = {REFRESH: "refresh", PROBE: "probe", REVOKE: "celery"}


@dataclass(slots=True)
class _Broker:
    away_until: float = 0.0


@lru_cache(maxsize=4)
def _broker(url: str) -> _Broker:
    """Return what this process knows of the way to the broker at ``url``."""
    return _Broker()


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
    broker = _broker(str(current_app.conf.broker_write_url))
    if time.monotonic() < broker.away_until:
        return
    try:
        current_app.send_task(task, args=[str(connection_id)], queue=_QUEUES[task], retry=False)
    except OperationalError as error:
        broker.away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("task_not_sent", task=task, connection=str(connection_id), error=type(error).__name__)
