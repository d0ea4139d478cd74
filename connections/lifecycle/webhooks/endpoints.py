"""Endpoints: add, change, disable, enable and remove them, and rotate their secrets. Each with its audit row."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from pydantic import SecretStr

from connections.access.secrets import seal_webhook_secret
from connections.database.locks import RowCheck, lock_webhook_endpoint
from connections.database.pool import short_transaction
from connections.journal import audit, events, notices
from connections.journal.event_types import EventType
from connections.lifecycle.webhooks.signing import new_secret
from connections.models import DisabledReason, Tenant, WebhookEndpoint, WebhookSecret
from connections.refusals import InvalidRequest, NotFound
from providers.egress import may_call

MOST_ENDPOINTS = 20
MOST_SECRETS = 5
DEFAULT_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
_WHY = {
    DisabledReason.GONE: "It answered 410: whoever runs it wants no more events",
    DisabledReason.FAILING: "It has taken nothing for three days",
}
_DISABLED = """The webhook endpoint at {host}, for events of {owner}, was disabled. {why}.

What it means: events are kept for it, and it is told of none. What falls out of the outbox meanwhile is lost to it.

What to do: have the receiver mended, then press "Enable" on its page: what is kept is delivered in order.

{page}
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an endpoint is told, and where. ``event_types`` None is every type, also those that come to be later,
    but for what providers push.
    """

    url: str
    description: str = ""
    event_types: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A fresh signing secret, shown only here: the database keeps it sealed."""

    endpoint: WebhookEndpoint
    secret: SecretStr


def add_endpoint(terms: Terms, *, tenant: Tenant | None, now: datetime, actor: audit.Actor) -> IssuedSecret:
    """Have the events of ``tenant`` (None: of all tenants) delivered to an address, from now on.

    One transaction, the caller's if one is open. Raises ``InvalidRequest``, which names the field. Makes no request.
    """
    check_terms(terms)
    with transaction.atomic():
        if WebhookEndpoint.objects.filter(tenant=tenant).count() >= MOST_ENDPOINTS:
            raise InvalidRequest(f"There may be up to {MOST_ENDPOINTS} endpoints: remove one.", field="url")
        endpoint = WebhookEndpoint.objects.create(
            tenant=tenant,
            url=terms.url,
            description=terms.description,
            event_types=types_of(terms),
            position=events.last_id(),
        )
        secret = _give_secret(endpoint)
        _record("webhook_endpoint.added", endpoint, actor=actor, **_told(endpoint))
    return IssuedSecret(endpoint, secret)


def change_endpoint(
    endpoint_id: uuid.UUID, terms: Terms, *, actor: audit.Actor, check: RowCheck | None = None
) -> WebhookEndpoint:
    """Give an endpoint other terms. What waits for it goes to the new address, signed with the secrets it has.

    One transaction, the caller's if one is open. Raises ``InvalidRequest``, ``NotFound``, and what ``check`` raises of
    the locked endpoint.
    """
    check_terms(terms)
    with transaction.atomic():
        endpoint = _locked(endpoint_id, check)
        endpoint.change(url=terms.url, description=terms.description, event_types=types_of(terms))
        _record("webhook_endpoint.changed", endpoint, actor=actor, **_told(endpoint))
    return endpoint


def remove_endpoint(endpoint_id: uuid.UUID, *, actor: audit.Actor, check: RowCheck | None = None) -> None:
    """Delete an endpoint, its secrets and its deliveries. One short transaction. Raises as ``change_endpoint``."""
    with short_transaction():
        endpoint = _locked(endpoint_id, check)
        _record("webhook_endpoint.removed", endpoint, actor=actor, **_told(endpoint))
        WebhookEndpoint.objects.filter(id=endpoint.id).delete()


def disable_endpoint(
    endpoint_id: uuid.UUID, *, now: datetime, actor: audit.Actor, check: RowCheck | None = None
) -> WebhookEndpoint:
    """Deliver nothing to an endpoint until it is enabled. Repeating it changes nothing.

    Raises as ``change_endpoint``.
    """
    with short_transaction():
        endpoint = _locked(endpoint_id, check)
        if endpoint.disabled_at is None:
            disable(endpoint, DisabledReason.OPERATOR, now=now, actor=actor)
    return endpoint


def disable(
    endpoint: WebhookEndpoint, reason: DisabledReason, *, now: datetime, actor: audit.Actor = audit.SYSTEM, **why: Any
) -> None:
    """Disable a locked endpoint, in the caller's transaction, with an event and an audit row.

    ``why`` adds members to both, JSON-ready.
    """
    endpoint.disable(reason, now=now)
    told = {"reason": str(reason), **why}
    _record("webhook_endpoint.disabled", endpoint, actor=actor, decision=str(reason), **told)
    tell(EventType.WEBHOOK_ENDPOINT_DISABLED, endpoint, **told)
    if reason != DisabledReason.OPERATOR:
        _notify(endpoint, reason, now=now)


def enable_endpoint(
    endpoint_id: uuid.UUID, *, now: datetime, actor: audit.Actor, check: RowCheck | None = None
) -> tuple[WebhookEndpoint, int]:
    """Go on where an endpoint stood, and return it and how many events fell out of the outbox meanwhile.

    What is still kept is delivered, in its order. One short transaction. An enabled one that waits after failures is
    tried at once. Raises as ``change_endpoint``.
    """
    with short_transaction():
        endpoint = _locked(endpoint_id, check)
        missed, was_disabled, failures = endpoint.missed_events, endpoint.disabled_at is not None, endpoint.failures
        endpoint.enable(now=now)
        endpoint.deliveries.filter(next_attempt_at__isnull=False).update(next_attempt_at=None, failing_since=None)
        if was_disabled or missed:
            _record("webhook_endpoint.enabled", endpoint, actor=actor, missed_events=missed)
            tell(EventType.WEBHOOK_ENDPOINT_ENABLED, endpoint, missed_events=missed)
        elif failures:
            _record("webhook_endpoint.retried", endpoint, actor=actor, failures=failures)
    return endpoint, missed


def rotate_secret(
    endpoint_id: uuid.UUID, *, now: datetime, overlap: timedelta = DEFAULT_OVERLAP, actor: audit.Actor
) -> IssuedSecret:
    """Give an endpoint a fresh secret. Until ``overlap`` is over, the earlier ones sign as well.

    One short transaction. Raises ``NotFound``, and ``InvalidRequest`` for too many or too long overlaps.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidRequest("Secrets may overlap for up to 30 days.", field="overlap_seconds")
    with short_transaction():
        endpoint = _locked(endpoint_id)
        ends_at = now + overlap
        endpoint.secrets.filter(ends_at__lte=now).delete()
        earlier = list(endpoint.secrets.all())
        if overlap and len(earlier) >= MOST_SECRETS:
            raise InvalidRequest(
                f"{MOST_SECRETS} secrets are in use already: rotate without an overlap, or wait until one ends.",
                field="overlap_seconds",
            )
        for secret in earlier:
            if secret.ends_at is None or secret.ends_at > ends_at:
                WebhookSecret.objects.filter(id=secret.id).update(ends_at=ends_at)
        fresh = _give_secret(endpoint)
        _record("webhook_endpoint.secret_rotated", endpoint, actor=actor, earlier_secrets_end_at=ends_at.isoformat())
    return IssuedSecret(endpoint, fresh)


def check_terms(terms: Terms) -> None:
    """Raise ``InvalidRequest`` for an endpoint that cannot be. No I/O."""
    try:
        parts = urlsplit(terms.url)
    except ValueError:
        parts = urlsplit("")
    if len(terms.url) > 1000 or not terms.url.isascii() or not terms.url.isprintable() or " " in terms.url:
        raise InvalidRequest("Write the address in ASCII, without spaces, up to 1000 characters.", field="url")
    if parts.fragment or not may_call(terms.url):
        raise InvalidRequest(
            "This address may not be called from here: it has to be public, https, and without a user name.",
            field="url",
        )
    if len(terms.description) > 200:
        raise InvalidRequest("Describe it in up to 200 characters.", field="description")
    if terms.event_types is not None:
        unknown = sorted(set(terms.event_types) - {*EventType})
        if unknown:
            raise InvalidRequest(
                f"There is no event of the type {unknown[0]!r}. Types: {', '.join(EventType)}.", field="event_types"
            )
        if not terms.event_types:
            raise InvalidRequest("Choose at least one type of event, or leave them out for all.", field="event_types")


def tell(type_: EventType, endpoint: WebhookEndpoint, **payload: Any) -> None:
    """Write one event about ``endpoint``, of its tenant or of the operator, in the caller's transaction."""
    named = {"webhook_endpoint": str(endpoint.id), "host": _host(endpoint)}
    events.emit_of_tenant(type_, endpoint.tenant_id, payload=named | payload)


def _notify(endpoint: WebhookEndpoint, reason: DisabledReason, *, now: datetime) -> None:
    owner = endpoint.tenant.slug if endpoint.tenant else "all tenants"
    page = notices.admin_page(endpoint)
    body = _DISABLED.format(host=_host(endpoint), owner=owner, why=_WHY[reason], page=page)
    cause = f"webhook_endpoint.disabled:{endpoint.id}:{now.isoformat()}"
    notices.tell(cause, f"Webhook endpoint at {_host(endpoint)} disabled", body, now=now)


def _locked(endpoint_id: uuid.UUID, check: RowCheck | None = None) -> WebhookEndpoint:
    endpoint = lock_webhook_endpoint(endpoint_id)
    if endpoint is None:
        raise NotFound("There is no such webhook endpoint.")
    if check is not None:
        check(endpoint)
    return endpoint


def _give_secret(endpoint: WebhookEndpoint) -> SecretStr:
    secret, secret_id = new_secret(), uuid.uuid4()
    sealed = seal_webhook_secret(endpoint, secret_id, secret)
    WebhookSecret.objects.create(id=secret_id, endpoint=endpoint, secret=sealed)
    return secret


def types_of(terms: Terms) -> list[str] | None:
    """Return the types as they are stored: sorted, each once; None for every type. No I/O."""
    return None if terms.event_types is None else sorted({str(type_) for type_ in terms.event_types})


def _told(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {"host": _host(endpoint), "event_types": endpoint.event_types}


def _host(endpoint: WebhookEndpoint) -> str:
    """Return the part of the address that is no secret of the receiver's: its path and query may be one."""
    return urlsplit(endpoint.url).netloc


def _record(
    action: str, endpoint: WebhookEndpoint, *, actor: audit.Actor, decision: str = audit.ALLOWED, **detail: Any
) -> None:
    audit.record(
        action,
        decision=decision,
        actor=actor,
        tenant_id=endpoint.tenant_id,
        detail={"webhook_endpoint": str(endpoint.id), **detail},
    )
