"""What providers push of anything but grants, beside its event: sealed, and only until those who asked for it have it.

The outbox says that there was such an event, and of what type. What the provider said travels in the webhook alone.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from connections.access.secrets import current_data_key, open_stored, push_content_place
from connections.journal.event_types import EventType
from connections.lifecycle.webhooks.schedule import GIVE_UP_AFTER
from connections.models import DeliveryState, OutboxEvent, PushContent, WebhookDelivery, WebhookEndpoint
from connections.vault.sealing import Unreadable, seal

LARGEST_BYTES = 262_144
CONTENT_STAYS = GIVE_UP_AFTER

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose endpoints have chosen to be told what providers push. ``everybody``: the operator's own has."""

    tenants: frozenset[uuid.UUID]
    everybody: bool

    @property
    def is_nobody(self) -> bool:
        """Whether no endpoint has."""
        return not self.everybody and not self.tenants

    def includes(self, tenant_id: uuid.UUID) -> bool:
        """Whether what is about ``tenant_id`` has somebody to be told to."""
        return self.everybody or tenant_id in self.tenants


def tenants_that_asked() -> Asking:
    """Return who has chosen this type of event by its name. One query."""
    owners = set(_chosen().values_list("tenant_id", flat=True))
    return Asking(frozenset(owner for owner in owners if owner is not None), None in owners)


def keep_content(event: OutboxEvent, content: Any, *, tenant_id: uuid.UUID, now: datetime) -> None:
    """Keep what the provider said beside ``event``, in the caller's transaction. One query more.

    What is larger than 256 KiB is left out.
    """
    said = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(said) > LARGEST_BYTES or event.connection_id is None:
        return
    place = push_content_place(tenant_id=tenant_id, connection_id=event.connection_id, event_id=event.event_id)
    sealed = seal(said, key=current_data_key(tenant_id), place=place)
    PushContent.objects.create(event=event, tenant_id=tenant_id, content=sealed, created_at=now)


def contents_of(events: Iterable[OutboxEvent]) -> dict[int, Any]:
    """Return what providers said, by the id of the event; nothing of events that have none any more.

    One query, and one more for each content.
    """
    asked = {event.id: event for event in events if event.type == EventType.PROVIDER_EVENT}
    found: dict[int, Any] = {}
    for row in PushContent.objects.filter(event_id__in=asked) if asked else ():
        event = asked[row.event_id]
        if event.connection_id is None:
            continue
        place = push_content_place(tenant_id=row.tenant_id, connection_id=event.connection_id, event_id=event.event_id)
        try:
            found[row.event_id] = json.loads(open_stored(row.content, place=place))
        except Unreadable:
            logger.error("push_content_unreadable", outbox_event=str(event.event_id))
    return found


def forget_delivered(delivery_ids: Iterable[uuid.UUID]) -> None:
    """Destroy what was said in events of these deliveries, where nobody who chose it has still to get it. One query."""
    theirs = Q(tenant_id=OuterRef("tenant_id")) | Q(tenant=None)
    behind = _chosen().filter(theirs, position__lt=OuterRef("event_id"))
    waiting = WebhookDelivery.objects.filter(event_id=OuterRef("event_id"), state=DeliveryState.PENDING)
    PushContent.objects.filter(~Exists(behind), ~Exists(waiting), event__deliveries__in=list(delivery_ids)).delete()


def _chosen() -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(event_types__contains=[EventType.PROVIDER_EVENT.value])
