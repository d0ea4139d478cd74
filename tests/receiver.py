"""A receiver of webhooks on loopback, and events for it: it answers as a test tells, and remembers what came."""

import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal import events
from connections.journal.audit import SYSTEM
from connections.lifecycle.webhooks.endpoints import Terms, add_endpoint
from connections.models import OutboxEvent, Tenant, WebhookEndpoint
from tests.upstream import Seen, Upstream, Wire, ok, upstream

__all__ = ["Receiver", "add", "emit", "receiver", "upstream"]

Answer = Callable[[dict[str, Any]], "bytes | None"]


@dataclass
class Receiver:
    """``answer`` gets each event and returns what to answer; None breaks the connection without an answer."""

    server: Upstream
    answer: Answer = lambda event: ok(status="204 No Content")
    came: list[dict[str, Any]] = field(default_factory=list)
    secret: str = ""

    @property
    def url(self) -> str:
        return f"{self.server.url}/hooks"

    @property
    def seen(self) -> list[Seen]:
        return self.server.seen

    def handle(self, wire: Wire) -> None:
        event = json.loads(wire.read_body())
        self.came.append(event)
        with suppress(OSError):
            if (said := self.answer(event)) is not None:
                wire.answer(said)

    def answers(self, status: str, *headers: str) -> None:
        """Answer everything with this status from now on."""
        said = ok(b"", *headers, status=status)
        self.answer = lambda event: said

    def numbers(self, connection: uuid.UUID | None = None) -> list[int]:
        """Return the numbers of the events that came, as ``emit`` counted them; of one connection, if it is given."""
        wanted = None if connection is None else str(connection)
        return [event["data"]["number"] for event in self.came if wanted in (None, event["connection"])]


@pytest.fixture
def receiver(upstream: Upstream) -> Receiver:
    """A receiver that takes everything."""
    made = Receiver(upstream)
    upstream.handle = made.handle
    return made


def add(receiver: Receiver, tenant: Tenant | None, **terms: Any) -> WebhookEndpoint:
    """Add the receiver as an endpoint, and let it know its secret."""
    issued = add_endpoint(Terms(receiver.url, **terms), tenant=tenant, now=database_now(), actor=SYSTEM)
    receiver.secret = issued.secret.get_secret_value()
    return issued.endpoint


def emit(
    tenant: Tenant | None, *numbers: int, connection: uuid.UUID | None = None, type_: str = "connection.refreshed"
) -> list[OutboxEvent]:
    """Write an event for each number, about a connection that need not be."""
    before = OutboxEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    for number in numbers:
        events.emit_of_tenant(
            type_, tenant.id if tenant else None, connection_id=connection, payload={"number": number}
        )
    return list(OutboxEvent.objects.filter(id__gt=before).order_by("id"))
