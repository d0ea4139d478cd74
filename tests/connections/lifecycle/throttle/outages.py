"""What a provider does that the throttle learns from."""

import uuid

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
