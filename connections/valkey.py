"""Valkey, or Redis: clients of the server that ``REDIS_URL`` names, or that its sentinels name as the primary.

``redis+sentinel://[USER][:PASSWORD]@HOST:PORT,HOST:PORT…/NAME/0`` names sentinels, the name under which they watch the
server, and its database. ``REDIS_SENTINEL_PASSWORD`` is the sentinels' own. Nothing of it is encrypted.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from pydantic import SecretStr

if TYPE_CHECKING:
    import redis

_SCHEME = "redis+sentinel"
_PORT = 26379


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that ``sentinels`` watch under ``name``; how to log in to it, and which of its databases is ours."""

    sentinels: tuple[tuple[str, int], ...]
    name: str
    database: int
    credentials: dict[str, SecretStr]

    def broker_url(self) -> str:
        """Return the URL of the sentinels as Celery's transport wants it. There is no password in it."""
        return ";".join(f"sentinel://{_named(host)}:{port}/{self.database}" for host, port in self.sentinels)


def watched(url: str) -> Watched | None:
    """Return what a URL says of sentinels; None for one that names the server itself. No I/O.

    Raises ``ValueError``, with a message that holds no password.
    """
    parts = urlsplit(url)
    if parts.scheme != _SCHEME:
        return None
    user, _, hosts = parts.netloc.rpartition("@")
    name, _, database = parts.path.removeprefix("/").partition("/")
    try:
        sentinels = tuple(_address(host) for host in hosts.split(","))
    except ValueError:
        sentinels = ()
    if not sentinels or not name or not database.isdecimal() or parts.query:
        raise ValueError(
            f"REDIS_URL names sentinels, and then has to be {_SCHEME}://:PASSWORD@HOST:PORT,HOST:PORT/NAME/0."
        )
    username, _, password = user.partition(":")
    given = {"username": username, "password": password}
    secrets = {key: SecretStr(unquote(value)) for key, value in given.items() if value}
    return Watched(sentinels, name, int(database), secrets)


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError("a host without a name")
    return parts.hostname, parts.port or _PORT


def client_of(url: str, **options: Any) -> "redis.Redis":
    """Return a client of the server, with redis-py's ``options``. Opens no connection yet.

    One whose server is watched asks the sentinels for the primary with each connection that it opens, and opens others
    when that has become a replica.
    """
    from redis import Redis  # noqa: PLC0415 (most commands need no client)
    from redis.sentinel import Sentinel  # noqa: PLC0415 (likewise)

    found = watched(url)
    if found is None:
        return Redis.from_url(url, **options)
    timeouts = {name: value for name, value in options.items() if name.endswith("timeout")}
    sentinels = Sentinel(  # type: ignore[no-untyped-call]  # redis-py has no types there, and below
        found.sentinels, sentinel_kwargs=timeouts | opened(settings.SENTINEL_CREDENTIALS)
    )
    client: Redis = sentinels.master_for(  # type: ignore[no-untyped-call]
        found.name, db=found.database, **opened(found.credentials), **options
    )
    return client


def opened(credentials: dict[str, SecretStr]) -> dict[str, str]:
    """Return the options by which redis-py logs in. No I/O."""
    return {name: secret.get_secret_value() for name, secret in credentials.items()}
