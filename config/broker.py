"""Invalid messages in the queues: this drops and reports them, so that the worker goes on.

Kombu and Celery trust the shape of a message. One that is no JSON, or whose body is not a list of three, ends the
worker. If it was not acknowledged, the broker delivers it to the next worker, which ends as well. So each item is
checked before kombu parses it; an error in kombu's code, or in ours, is not the message's fault and is raised.
``Channel`` also notices at the first try that the broker is down, where redis-py would try for seconds.
``config.celery`` installs all this.

It relies on private methods of kombu. For that reason ``pyproject.toml`` bounds kombu's releases.
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
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.retry import Retry

from connections.valkey import opened

logger = structlog.get_logger(__name__)

_NOTHING = b"null"
_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError)


class Channel(redis.Channel):
    """A channel that drops invalid items, tries once, and keeps its client, which kombu would make anew each time."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            client: Any = super()._create_client(asynchronous=True)  # type: ignore[misc]  # kombu's stubs lack it
            client.parse_response = _without_rubbish(client.parse_response)
            return client
        # A new client costs more than its one command. Clients share the pool's connections anyway.
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]  # kombu's stubs lack it
        return self._kept

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]  # kombu's stubs lack it
        return parameters | {"retry": Retry(NoBackoff(), 0)}


def _without_rubbish(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``parse``, a client's method that reads an answer, so that an invalid item becomes an empty answer."""

    def parse_response(connection: Any, command: str, **options: Any) -> Any:
        answer = parse(connection, command, **options)
        if command != "BRPOP" or not answer or is_message(answer[1]):
            return answer
        logger.error("message_dropped", bytes=len(answer[1]))
        return answer[0], _NOTHING

    return parse_response


def is_message(item: bytes) -> bool:
    """Whether an item of a queue is a message's envelope that kombu can parse; kombu itself does not check. No I/O."""
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
    """Kombu's Redis transport, with our ``Channel``."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        if message is not None:
            super()._deliver(message, queue)


class WatchedChannel(Channel, redis.SentinelChannel):
    """The same where sentinels watch the server. Their URL has no password: the options have its own and theirs."""

    from_transport_options = (*redis.SentinelChannel.from_transport_options, "credentials", "sentinel_credentials")
    credentials: dict[str, SecretStr]
    sentinel_credentials: dict[str, SecretStr]

    @property
    def sentinel_kwargs(self) -> dict[str, Any]:
        """How to ask the sentinels."""
        timeouts = {"socket_timeout": self.socket_timeout, "socket_connect_timeout": self.socket_connect_timeout}
        return timeouts | opened(self.sentinel_credentials)

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        return super()._connparams(asynchronous) | opened(self.credentials)


class WatchedTransport(Transport):
    """Kombu's transport by way of sentinels, with our channel."""

    Channel = WatchedChannel


def strategy(task: Any, app: Celery, consumer: Any, **options: Any) -> Callable[..., None]:
    """Return Celery's own handler of a task's messages, but one that rejects a misshapen message as an invalid task."""
    handle = default(task, app, consumer, **options)

    def handle_or_reject(*arguments: Any, **further: Any) -> None:
        try:
            handle(*arguments, **further)
        except _MISSHAPEN as error:
            # Celery logs this with its cause, so that nobody mistakes a fault of our own for the message's.
            raise InvalidTaskError(f"The message is misshapen ({type(error).__name__}).") from error

    return handle_or_reject


def install(app: Celery) -> None:
    """Give ``app`` and its workers this transport and strategy. Call it before any connection is opened."""
    TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:WatchedTransport"
    app.Task.Strategy = f"{__name__}:strategy"
