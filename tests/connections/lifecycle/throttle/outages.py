"""What a provider does that the throttle learns from, and the passing of time there."""

import uuid

import redis
from django.conf import settings

from connections.lifecycle.throttle import scripts
from connections.lifecycle.throttle.admission import Server, note
from providers.errors import (
    Evidence,
    ProviderUnavailable,
)

GENEROUS = 60_000
AS, RS = Server.AUTHORIZATION, Server.RESOURCE


def outage(*, retry_after: float | None = None, status: int | None = 503) -> ProviderUnavailable:
    return ProviderUnavailable(Evidence("down", status=status), retry_after_seconds=retry_after)


def fail(app: uuid.UUID, times: int, *, server: Server = AS, connection: uuid.UUID | None = None) -> None:
    for _ in range(times):
        note(app, connection_id=connection or uuid.uuid4(), failure=outage(), server=server)


def later(app: uuid.UUID, seconds: float) -> None:
    """Let time pass for an app: all that is kept of it was, and ends, so much sooner."""
    key = f"{scripts.PREFIX}:app:{app}"
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        for name, moment in server.hgetall(key).items():
            if name.endswith((b"_at", b"_until")):
                server.hset(key, name, float(moment) - seconds)
        for side in Server:
            for kind in ("held", "tripped"):
                server.zadd(f"{scripts.PREFIX}:{kind}:{side}", {str(app): -seconds}, xx=True, incr=True)
