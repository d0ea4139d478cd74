"""Sending tasks: their names and queues, after the transaction has committed. Imports no task.

Only ids travel, several in one message where a sweep has many: what Celery costs a message is more than a refresh
itself. Where the broker is down the send is given up quickly: the next sweep finds what is still due.
"""

import time
import uuid
from collections import defaultdict
from dataclasses import dataclass

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
    """What this process knows of the way to a broker."""

    away_until: float = 0.0


_brokers: defaultdict[str, _Broker] = defaultdict(_Broker)  # by URL


def refresh_later(*connection_ids: uuid.UUID) -> None:
    """Send one task that refreshes these connections, one after the other."""
    _send_on_commit(REFRESH, connection_ids)


def probe_later(*connection_ids: uuid.UUID) -> None:
    """Send one task that probes these connections, one after the other."""
    _send_on_commit(PROBE, connection_ids)


def revoke_later(*connection_ids: uuid.UUID) -> None:
    """Send one task that revokes these connections at their provider, one after the other."""
    _send_on_commit(REVOKE, connection_ids)


def _send_on_commit(task: str, connection_ids: tuple[uuid.UUID, ...]) -> None:
    transaction.on_commit(lambda: _send(task, [str(connection_id) for connection_id in connection_ids]))


def _send(task: str, connection_ids: list[str]) -> None:
    broker = _brokers[str(current_app.conf.broker_write_url)]
    if time.monotonic() < broker.away_until:
        return
    try:
        current_app.send_task(task, args=connection_ids, queue=_QUEUES[task], retry=False)
    except OperationalError as error:
        broker.away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("task_not_sent", task=task, connections=connection_ids, error=type(error).__name__)
