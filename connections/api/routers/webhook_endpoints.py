"""``/webhook-endpoints``: where events are delivered, how far that has come, and how to have it done again.

Without ``tenant`` a tenant's client means the endpoints of its tenant, and an operator-wide one the operator's own.
"""

import uuid
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from connections.api.auth import Caller, caller_of
from connections.api.conditional import say_tag_of, unchanged
from connections.api.idempotency import keep_without
from connections.api.pages import Cursor, Limit, page_of
from connections.api.texts import Slug
from connections.api.webhooks import (
    NewWebhookEndpointOut,
    WebhookDeliveryOut,
    WebhookDeliveryPage,
    WebhookEndpointIn,
    WebhookEndpointOut,
    WebhookEndpointPage,
    WebhookReplayIn,
    WebhookReplayOut,
    WebhookSecretIn,
    WebhookSecretOut,
    WebhookSwitchIn,
    WebhookSwitchOut,
    WebhookTestOut,
    delivery_out,
    endpoint_out,
    new_endpoint_out,
    outcome_out,
)
from connections.database.clock import database_now
from connections.lifecycle.webhooks.endpoints import (
    add_endpoint,
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from connections.lifecycle.webhooks.resend import resend_from, resend_one
from connections.lifecycle.webhooks.trial import send_test
from connections.models import DeliveryState, Permission, WebhookEndpoint
from connections.refusals import NotFound

router = Router(tags=["webhooks"])


@router.post("", response={201: NewWebhookEndpointOut}, summary="Add a webhook endpoint")
def create_webhook_endpoint(
    request: HttpRequest, response: HttpResponse, body: WebhookEndpointIn, tenant: Slug | None = None
) -> Status[NewWebhookEndpointOut]:
    """Have events delivered to an address from now on, signed as Standard Webhooks asks with the `secret` shown here.

    Each event comes at least once: know a repeated one by its `id`. What is about one connection comes in its order.
    """
    caller = caller_of(request, may=Permission.WEBHOOKS)
    owner, now = caller.owner(tenant), database_now()
    issued = add_endpoint(body.terms(), tenant=owner, now=now, actor=caller.actor)
    response["Cache-Control"] = "no-store"
    keep_without(request, "secret")
    return Status(201, new_endpoint_out(issued))


@router.get("", response=WebhookEndpointPage, summary="List webhook endpoints")
def list_webhook_endpoints(
    request: HttpRequest, tenant: Slug | None = None, cursor: Cursor | None = None, limit: Limit = 50
) -> WebhookEndpointPage:
    """List the endpoints of a tenant, or the operator's own, the newest first."""
    caller = caller_of(request, may=Permission.WEBHOOKS)
    found = WebhookEndpoint.objects.select_related("tenant").filter(tenant=caller.owner(tenant))
    page, following = page_of(found, cursor, limit=limit)
    return WebhookEndpointPage(items=[endpoint_out(row) for row in page], next=following)


@router.get("/{endpoint_id}", response=WebhookEndpointOut, summary="Show one webhook endpoint")
def get_webhook_endpoint(
    request: HttpRequest, endpoint_id: uuid.UUID, tenant: Slug | None = None
) -> WebhookEndpointOut:
    """Show one endpoint: whether it is enabled, since when it fails, and what it has missed."""
    return endpoint_out(_endpoint(caller_of(request, may=Permission.WEBHOOKS), endpoint_id, tenant))


@router.put("/{endpoint_id}", response=WebhookEndpointOut, summary="Change a webhook endpoint")
def put_webhook_endpoint(
    request: HttpRequest, endpoint_id: uuid.UUID, body: WebhookEndpointIn, tenant: Slug | None = None
) -> WebhookEndpointOut:
    """Replace the address, the description and the types. What waits goes to the new address; the secrets stay."""
    caller = caller_of(request, may=Permission.WEBHOOKS, conditional=True)
    endpoint, seen = _endpoint(caller, endpoint_id, tenant), unchanged(request, endpoint_out)
    return endpoint_out(change_endpoint(endpoint.id, body.terms(), actor=caller.actor, check=seen))


@router.delete("/{endpoint_id}", response={204: None}, summary="Remove a webhook endpoint")
def delete_webhook_endpoint(request: HttpRequest, endpoint_id: uuid.UUID, tenant: Slug | None = None) -> Status[None]:
    """Remove an endpoint, its secrets and its deliveries. What was to be delivered is not."""
    caller = caller_of(request, may=Permission.WEBHOOKS, conditional=True)
    endpoint, seen = _endpoint(caller, endpoint_id, tenant), unchanged(request, endpoint_out)
    remove_endpoint(endpoint.id, actor=caller.actor, check=seen)
    return Status(204, None)


@router.put("/{endpoint_id}/switches", response=WebhookSwitchOut, summary="Disable or enable a webhook endpoint")
def put_webhook_switches(
    request: HttpRequest,
    response: HttpResponse,
    endpoint_id: uuid.UUID,
    body: WebhookSwitchIn,
    tenant: Slug | None = None,
) -> WebhookSwitchOut:
    """Disable an endpoint, so that events wait, or enable it, so that it goes on where it stood, at once.

    Events wait as long as the outbox keeps them: `fell_out` says how many did not.
    """
    caller = caller_of(request, may=Permission.WEBHOOKS, conditional=True)
    endpoint, now, fell_out = _endpoint(caller, endpoint_id, tenant), database_now(), 0
    seen = unchanged(request, endpoint_out)
    if body.enabled:
        endpoint, fell_out = enable_endpoint(endpoint.id, now=now, actor=caller.actor, check=seen)
    else:
        endpoint = disable_endpoint(endpoint.id, now=now, actor=caller.actor, check=seen)
    shown = endpoint_out(endpoint)
    say_tag_of(response, shown)
    return WebhookSwitchOut(**shown.model_dump(), fell_out=fell_out)


@router.post("/{endpoint_id}/secrets", response={201: WebhookSecretOut}, summary="Rotate a webhook's secret")
def rotate_webhook_secret(
    request: HttpRequest,
    response: HttpResponse,
    endpoint_id: uuid.UUID,
    body: WebhookSecretIn,
    tenant: Slug | None = None,
) -> Status[WebhookSecretOut]:
    """Give an endpoint a fresh signing secret, which only this answer shows. Until the overlap ends, both sign."""
    caller = caller_of(request, may=Permission.WEBHOOKS)
    endpoint, now = _endpoint(caller, endpoint_id, tenant), database_now()
    overlap = timedelta(seconds=body.overlap_seconds)
    issued = rotate_secret(endpoint.id, now=now, overlap=overlap, actor=caller.actor)
    response["Cache-Control"] = "no-store"
    keep_without(request, "secret")
    return Status(201, WebhookSecretOut(secret=issued.secret.get_secret_value()))


@router.post("/{endpoint_id}/test", response=WebhookTestOut, summary="Send a test event")
def send_test_event(request: HttpRequest, endpoint_id: uuid.UUID, tenant: Slug | None = None) -> WebhookTestOut:
    """Send an event of the type `webhook.test` now, and say what came of it. It waits for up to 10 seconds."""
    caller = caller_of(request, may=Permission.WEBHOOKS)
    endpoint = _endpoint(caller, endpoint_id, tenant)
    return outcome_out(send_test(endpoint.id, now=database_now(), actor=caller.actor))


@router.post("/{endpoint_id}/replay", response=WebhookReplayOut, summary="Deliver events once more")
def replay_webhook_events(
    request: HttpRequest, endpoint_id: uuid.UUID, body: WebhookReplayIn, tenant: Slug | None = None
) -> WebhookReplayOut:
    """Deliver every event once more that was written at `since` or later, also from before the endpoint was made."""
    caller = caller_of(request, may=Permission.WEBHOOKS)
    endpoint = _endpoint(caller, endpoint_id, tenant)
    count = resend_from(endpoint.id, body.since, now=database_now(), actor=caller.actor)
    return WebhookReplayOut(events=count)


@router.get("/{endpoint_id}/deliveries", response=WebhookDeliveryPage, summary="List an endpoint's deliveries")
def list_webhook_deliveries(
    request: HttpRequest,
    endpoint_id: uuid.UUID,
    tenant: Slug | None = None,
    state: DeliveryState | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> WebhookDeliveryPage:
    """List what was delivered to an endpoint, or is to be, the newest first."""
    endpoint = _endpoint(caller_of(request, may=Permission.WEBHOOKS), endpoint_id, tenant)
    found = endpoint.deliveries.select_related("event")
    if state is not None:
        found = found.filter(state=state)
    page, following = page_of(found, cursor, limit=limit)
    return WebhookDeliveryPage(items=[delivery_out(row, endpoint=endpoint) for row in page], next=following)


@router.post(
    "/{endpoint_id}/deliveries/{delivery_id}/resend", response=WebhookDeliveryOut, summary="Deliver one event once more"
)
def resend_webhook_delivery(
    request: HttpRequest, endpoint_id: uuid.UUID, delivery_id: uuid.UUID, tenant: Slug | None = None
) -> WebhookDeliveryOut:
    """Deliver one event once more, under the same id, ahead of later ones of its connection."""
    caller = caller_of(request, may=Permission.WEBHOOKS)
    endpoint, now = _endpoint(caller, endpoint_id, tenant), database_now()
    delivery = resend_one(endpoint.id, delivery_id, now=now, actor=caller.actor)
    endpoint.refresh_from_db(fields=["held_until"])
    return delivery_out(delivery, endpoint=endpoint)


def _endpoint(caller: Caller, endpoint_id: uuid.UUID, slug: str | None) -> WebhookEndpoint:
    """Return one endpoint of the owner whom the call is about. Raises ``NotFound``, always in the same words."""
    owned = WebhookEndpoint.objects.select_related("tenant").filter(tenant=caller.owner(slug))
    found = owned.filter(id=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such webhook endpoint.")
    return found
