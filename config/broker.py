"""Rubbish in the queues: what is no message, or no task's message, is dropped and reported, and the worker goes on.

Kombu and Celery take a message's shape on trust: one that is no JSON, or whose body is not a list of three, ends the
worker, and an unacknowledged one is delivered again to the next, which ends as well. And a broker that is away is
noticed at the first try: redis-py would try for seconds. Installed by ``config.celery``.
"""

from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery
from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default
from kombu.transport import TRANSPORT_ALIASES, redis
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = structlog.get_logger(__name__)

_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError)


class Channel(redis.Channel):
    """A channel that survives what is no message, tries once, and keeps the client that kombu makes anew each time."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # kombu's stubs lack it
        # A client costs more than the command that it is made for; what it uses is the pool.
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]  # kombu's stubs lack it
        return self._kept

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]  # kombu's stubs lack it
        return parameters | {"retry": Retry(NoBackoff(), 0)}

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # kombu's stubs lack it
        except _MISSHAPEN as error:
            logger.error("message_dropped", error=type(error).__name__)
            return True


class Transport(redis.Transport):
    """Redis, with that channel."""

    Channel = Channel


def strategy(task: Any, app: Celery, consumer: Any, **options: Any) -> Callable[..., None]:
    """Return Celery's own handler of a task's messages, for which a misshapen one is an invalid task: rejected."""
    handle = default(task, app, consumer, **options)

    def handle_or_reject(*arguments: Any, **further: Any) -> None:
        try:
            handle(*arguments, **further)
        except _MISSHAPEN as error:
            raise InvalidTaskError(f"The message is misshapen ({type(error).__name__}).") from None

    return handle_or_reject


def install(app: Celery) -> None:
    """Make ``app`` and its workers so. Call it before a connection is opened."""
    TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
    app.Task.Strategy = f"{__name__}:strategy"
