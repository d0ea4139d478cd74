"""Rubbish in the queues: what is no message, or no task's message, is dropped and reported, and the worker goes on.

Kombu and Celery take a message's shape on trust: one that is no JSON, or whose body is not a list of three, ends the
worker, and an unacknowledged one is delivered again to the next, which ends as well. What came out of a queue is looked
at before kombu is: an error of kombu's own code, or of ours, is none of the message's and rises. And a broker that is
away is noticed at the first try: redis-py would try for seconds. Installed by ``config.celery``.

This stands on private methods of kombu, whose releases are bounded in ``pyproject.toml`` for that reason.
"""

import base64
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery
from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = structlog.get_logger(__name__)

_NOTHING = b"null"
_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError)


class Channel(redis.Channel):
    """A channel that survives what is no message, tries once, and keeps the client that kombu makes anew each time."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            client: Any = super()._create_client(asynchronous=True)  # type: ignore[misc]  # kombu's stubs lack it
            client.parse_response = _without_rubbish(client.parse_response)
            return client
        # A client costs more than the command that it is made for; what it uses is the pool.
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]  # kombu's stubs lack it
        return self._kept

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]  # kombu's stubs lack it
        return parameters | {"retry": Retry(NoBackoff(), 0)}


def _without_rubbish(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``parse``, a client's reading of an answer, with nothing in place of an item that is no message."""

    def parse_response(connection: Any, command: str, **options: Any) -> Any:
        answer = parse(connection, command, **options)
        if command != "BRPOP" or not answer or is_message(answer[1]):
            return answer
        logger.error("message_dropped", bytes=len(answer[1]))
        return answer[0], _NOTHING

    return parse_response


def is_message(item: bytes) -> bool:
    """Whether an item of a queue is the envelope of a message, as kombu reads it without looking. No I/O."""
    try:
        message = loads(bytes_to_str(item))
        properties, headers, body = message["properties"], message.get("headers"), message.get("body")
        delivery = properties["delivery_info"]
        texts = (properties["delivery_tag"], delivery["exchange"], delivery["routing_key"])
        if properties.get("body_encoding") and body:
            base64.b64decode(body)
        readable = properties.get("body_encoding") in (None, "", "base64") and isinstance(body, str | None)
    except Exception:  # noqa: BLE001 (kombu's JSON raises whatever its values make it raise; nothing else is called here)
        return False
    return readable and isinstance(headers, dict | None) and all(isinstance(text, str) for text in texts)


class Transport(redis.Transport):
    """Redis, with that channel."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        if message is not None:
            super()._deliver(message, queue)


def strategy(task: Any, app: Celery, consumer: Any, **options: Any) -> Callable[..., None]:
    """Return Celery's own handler of a task's messages, for which a misshapen one is an invalid task: rejected."""
    handle = default(task, app, consumer, **options)

    def handle_or_reject(*arguments: Any, **further: Any) -> None:
        try:
            handle(*arguments, **further)
        except _MISSHAPEN as error:
            # Celery logs it with its cause, so that a fault of our own is not taken for the message's.
            raise InvalidTaskError(f"The message is misshapen ({type(error).__name__}).") from error

    return handle_or_reject


def install(app: Celery) -> None:
    """Make ``app`` and its workers so. Call it before a connection is opened."""
    TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
    app.Task.Strategy = f"{__name__}:strategy"
