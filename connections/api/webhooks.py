"""How webhook endpoints and their deliveries travel over the API."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from connections.api.pages import Page
from connections.api.texts import Moment, Request, Text
from connections.journal.event_types import EventType
from connections.lifecycle.webhooks.endpoints import IssuedSecret, Terms
from connections.lifecycle.webhooks.post import Outcome
from connections.models import WebhookDelivery, WebhookEndpoint


class WebhookEndpointIn(Request):
    """Where events go, and which. What is left out is the default again."""

    url: Annotated[Text, Field(max_length=1000)] = Field(description="where events are sent: https and public")
    description: Annotated[Text, Field(max_length=200)] = ""
    event_types: Annotated[list[EventType], Field(min_length=1, max_length=100)] | None = Field(
        None, description="the types that it is told; null is every type, also those of later versions"
    )

    def terms(self) -> Terms:
        """Return what the use cases take."""
        return Terms(self.url, self.description, self.event_types)


class WebhookEndpointOut(BaseModel):
    """One endpoint. ``tenant`` is null for the operator's own, which is told the events of all tenants."""

    id: uuid.UUID
    tenant: str | None
    url: str
    description: str
    event_types: list[str] | None
    enabled: bool
    disabled_reason: Literal["operator", "gone", "failing"] | None
    disabled_at: datetime | None
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_success_at: datetime | None
    missed_events: int
    created_at: datetime


class NewWebhookEndpointOut(WebhookEndpointOut):
    """A new endpoint. ``secret`` is in this answer and never shown again.

    It is null where a call is repeated with its ``Idempotency-Key``: rotate the secret if the first answer is lost.
    """

    secret: str | None


class WebhookEndpointPage(Page[WebhookEndpointOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class WebhookSwitchIn(Request):
    """Whether an endpoint gets events."""

    enabled: bool = Field(description="false: events wait; true: what waits is delivered from where it stood")


class WebhookSwitchOut(WebhookEndpointOut):
    """The endpoint, and what it will never get."""

    fell_out: int = Field(description="how many events the outbox no longer kept when it was enabled")


class WebhookSecretIn(Request):
    """A rotation."""

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * 86_400)] = Field(
        86_400, description="for how much longer the earlier secrets sign as well"
    )


class WebhookSecretOut(BaseModel):
    """A new signing secret, in this answer alone; null where a call is repeated with its ``Idempotency-Key``."""

    secret: str | None


class WebhookTestOut(BaseModel):
    """What came of a test event. ``status`` is null where no answer came."""

    delivered: bool
    status: int | None
    error: str
    seconds: float


class WebhookReplayIn(Request):
    """From when on events are delivered once more."""

    since: Moment


class WebhookReplayOut(BaseModel):
    """How many events are delivered once more."""

    events: int


class WebhookDeliveryOut(BaseModel):
    """One event on its way to one endpoint. Of answers nothing is kept but their status."""

    id: uuid.UUID
    event: uuid.UUID
    type: str
    connection: uuid.UUID | None
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    status: int | None
    error: str
    attempted_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime


class WebhookDeliveryPage(Page[WebhookDeliveryOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def endpoint_out(endpoint: WebhookEndpoint) -> WebhookEndpointOut:
    """Return what the API shows of an endpoint. No I/O if its tenant is loaded."""
    return WebhookEndpointOut(
        id=endpoint.id,
        tenant=endpoint.tenant.slug if endpoint.tenant else None,
        url=endpoint.url,
        description=endpoint.description,
        event_types=endpoint.event_types,
        enabled=endpoint.disabled_at is None,
        disabled_reason=endpoint.disabled_reason or None,
        disabled_at=endpoint.disabled_at,
        failing_since=endpoint.failing_since,
        next_attempt_at=endpoint.held_until,
        last_success_at=endpoint.last_success_at,
        missed_events=endpoint.missed_events,
        created_at=endpoint.created_at,
    )


def new_endpoint_out(issued: IssuedSecret) -> NewWebhookEndpointOut:
    """Return a new endpoint with its secret. No I/O."""
    shown = endpoint_out(issued.endpoint).model_dump()
    return NewWebhookEndpointOut(**shown, secret=issued.secret.get_secret_value())


def outcome_out(outcome: Outcome) -> WebhookTestOut:
    """Return what the API shows of one request. No I/O."""
    return WebhookTestOut(
        delivered=outcome.is_taken, status=outcome.status, error=outcome.error, seconds=round(outcome.seconds, 3)
    )


def delivery_out(delivery: WebhookDelivery, *, endpoint: WebhookEndpoint) -> WebhookDeliveryOut:
    """Return what the API shows of a delivery to ``endpoint``. No I/O if its event is loaded."""
    waits = delivery.state == "pending" and endpoint.disabled_at is None
    return WebhookDeliveryOut(
        id=delivery.id,
        event=delivery.event.event_id,
        type=delivery.event.type,
        connection=delivery.event.connection_id,
        state=delivery.state,
        attempts=delivery.attempts,
        status=delivery.answer_status,
        error=delivery.error,
        attempted_at=delivery.attempted_at,
        next_attempt_at=(delivery.next_attempt_at or endpoint.held_until) if waits else None,
        created_at=delivery.created_at,
    )
