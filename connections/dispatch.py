"""Sending tasks: their names and queues, after the transaction has committed. Imports no task.

A message holds ids only; a sweep with many ids puts several into one message (``database`` lists what that gains). If
the broker is down, the send gives up quickly: the next sweep finds what is still due. ``count_waiting`` tells a sweep
how much the workers have left, and ``waiting_tasks`` the metrics how long.
"""

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from celery import Celery

logger = structlog.get_logger(__name__)

_Answer = TypeVar("_Answer")

AWAY_SECONDS = 1.0  # after a failed send, this process sends nothing to that broker for so long


class Task(StrEnum):
    """The name of every task, as written in messages and in the beat schedule."""

    REFRESH = "connections.refresh"
    PROBE = "connections.probe"
    REVOKE = "connections.revoke"
    SWEEP_REFRESHES = "connections.sweep_refreshes"
    SWEEP_PROBES = "connections.sweep_probes"
    SWEEP_REVOCATIONS = "connections.sweep_revocations"
    RECOVER = "connections.recover"
    REREAD_CHANGED = "connections.reread_changed"
    DISCARD_EXPIRED = "connections.discard_expired"
    END_EXPIRED = "connections.end_expired"
    SWEEP_OLD = "connections.sweep_old"
    TAKE_FIGURES = "connections.take_figures"
    DELETE_TENANTS = "connections.delete_tenants"
    OFFBOARD_END_USERS = "connections.offboard_end_users"
    ATTEND_INCIDENTS = "connections.attend_incidents"
    RETRY_UNDECRYPTABLE = "connections.retry_undecryptable"
    LOOK_AT_DOMAINS = "connections.look_at_domains"
    RENEW_REGISTRATIONS = "connections.renew_registrations"
    CONTINUE_IMPORTS = "connections.continue_imports"
    CONTINUE_BULK = "connections.continue_bulk"
    SEAL_AUDIT = "connections.seal_audit"
    VERIFY_AUDIT = "connections.verify_audit"
    DELIVER = "connections.deliver"
    SWEEP_WEBHOOKS = "connections.sweep_webhooks"
    SEND_NOTICES = "connections.send_notices"
    WATCH_USE = "connections.watch_use"
    ACT_ON_PUSH = "connections.act_on_push"
    SWEEP_PUSHES = "connections.sweep_pushes"
    FORETELL = "connections.foretell"
    READ_CLIENT_SECRETS = "connections.read_client_secrets"


SENT_AT = "latchkey_sent_at"  # the header that says when a message was sent, as seconds since the epoch
_QUEUES = {
    Task.REFRESH: "refresh",
    Task.PROBE: "probe",
    Task.REVOKE: "celery",
    Task.DELIVER: "webhooks",
    Task.SEND_NOTICES: "celery",
    Task.ACT_ON_PUSH: "celery",
    Task.READ_CLIENT_SECRETS: "celery",
}


@dataclass(slots=True)
class _Broker:
    """Whether this process can reach one broker. ``away_until``: no send before then, by the monotonic clock."""

    away_until: float = 0.0

    def leave(self) -> None:
        """Leave the broker alone for a second."""
        self.away_until = time.monotonic() + AWAY_SECONDS


_brokers: defaultdict[str, _Broker] = defaultdict(_Broker)  # by URL


def refresh_later(*connection_ids: uuid.UUID) -> None:
    """Send one task, on commit, that refreshes these connections one after the other. Never raises for the broker."""
    _send_on_commit(Task.REFRESH, connection_ids)


def probe_later(*connection_ids: uuid.UUID) -> None:
    """Send one task, on commit, that probes these connections one after the other. Never raises for the broker."""
    _send_on_commit(Task.PROBE, connection_ids)


def revoke_later(*connection_ids: uuid.UUID) -> None:
    """Send one task, on commit, that revokes these connections at their provider. Never raises for the broker."""
    _send_on_commit(Task.REVOKE, connection_ids)


def deliver_later(endpoint_id: uuid.UUID) -> None:
    """Send one task, on commit, that delivers to this webhook endpoint. Never raises for the broker."""
    _send_on_commit(Task.DELIVER, (endpoint_id,))


def send_notices_later() -> None:
    """Send one task, on commit, that mails the notices that are due. Never raises for the broker."""
    _send_on_commit(Task.SEND_NOTICES, ())


def act_on_push_later(push_id: uuid.UUID) -> None:
    """Send one task, on commit, that acts on a received push. Never raises for the broker."""
    _send_on_commit(Task.ACT_ON_PUSH, (push_id,))


def read_client_secrets_later() -> None:
    """Send one task, on commit, that reads the client secrets that are due. Never raises for the broker."""
    _send_on_commit(Task.READ_CLIENT_SECRETS, ())


def count_waiting(task: Task) -> int | None:
    """Return how many messages wait in the queue of ``task`` for a worker; None if the broker does not answer.

    One round trip to the broker. What a worker has taken is not counted.
    """
    return _ask(lambda channel: int(channel.queue_declare(_QUEUES[task]).message_count))


def waiting_tasks() -> dict[str, tuple[int, float]] | None:
    """Return for each queue how many messages wait, and the age in seconds of the one that is next; None as above.

    Two round trips a queue. The age is 0 where none waits, and where a message does not say when it was sent.
    """
    return _ask(lambda channel: {queue: _look(channel, queue) for queue in sorted(set(_QUEUES.values()))})


def _look(channel: Any, queue: str) -> tuple[int, float]:
    count = int(channel.queue_declare(queue).message_count)
    try:
        sent_at = json.loads(channel.client.lindex(queue, -1))["headers"][SENT_AT]
        return count, max(0.0, time.time() - float(sent_at))
    except (TypeError, ValueError, KeyError):
        return count, 0.0


def _ask(question: Callable[[Any], _Answer]) -> _Answer | None:
    """Ask the broker by an open channel, which kombu's stubs do not know."""
    from kombu.exceptions import OperationalError  # noqa: PLC0415 (a part of Celery: see ``application``)
    from redis import RedisError  # noqa: PLC0415 (as Celery's transport raises it from a connection that was open)

    celery = application()
    broker = _brokers[str(celery.conf.broker_write_url)]
    if time.monotonic() < broker.away_until:
        return None
    try:
        with celery.producer_pool.acquire(block=True) as producer:
            return question(producer.channel)
    except (OperationalError, RedisError) as error:
        broker.leave()
        logger.warning("queue_not_counted", error=type(error).__name__)
        return None


def _send_on_commit(task: Task, ids: tuple[uuid.UUID, ...]) -> None:
    transaction.on_commit(lambda: _send(task, [str(id_) for id_ in ids]))


def application() -> "Celery":
    """Return the Celery application that sends the tasks. Imports Celery at the first call: most commands send none."""
    found: Celery = import_string(settings.TASKS_APPLICATION)
    return found


def _send(task: Task, ids: list[str]) -> None:
    from kombu.exceptions import OperationalError  # noqa: PLC0415 (a part of Celery, as above)

    celery = application()
    broker = _brokers[str(celery.conf.broker_write_url)]
    if time.monotonic() < broker.away_until:
        return
    try:
        celery.send_task(task.value, args=ids, queue=_QUEUES[task], retry=False)
    except OperationalError as error:
        broker.leave()
        logger.warning("task_not_sent", task=task.value, ids=ids, error=type(error).__name__)
