"""Forward: what a provider pushes of anything but grants becomes an event of its connection, for whoever asked for it.

No event is written where no endpoint has chosen its type by name. What the provider said is kept beside the event,
sealed under the tenant's key, until the endpoints that chose it have it (``webhooks.content``).
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from connections.journal import events
from connections.journal.event_types import EventType
from connections.lifecycle.pushes.concern import Whose, concerned
from connections.lifecycle.webhooks.content import keep_content, tenants_that_asked
from connections.models import Connection, ProviderApp
from providers.catalog.pushes import PushRules
from providers.pushes.read import PushedEvent

MOST_CONNECTIONS = 50


def forward(app: ProviderApp, rules: PushRules, pushed: Sequence[PushedEvent], *, now: datetime) -> int:
    """Write the events of ``pushed``, in the caller's transaction. Return how many. A query for each, and none locks.

    An account with very many connections is told for the first fifty.
    """
    written = 0
    asked = tenants_that_asked() if pushed else None
    for event in pushed:
        if not event.accounts or (asked is not None and asked.is_nobody):
            continue
        for connection in _theirs(app, rules, event)[:MOST_CONNECTIONS]:
            if asked is not None and asked.includes(connection.tenant_id):
                _write(connection, event, now=now)
                written += 1
    return written


def _theirs(app: ProviderApp, rules: PushRules, event: PushedEvent) -> QuerySet[Connection]:
    """Return the connections that ``event`` is about, without operators' trials. No query yet."""
    return concerned(app.id, Whose(event.accounts, rules.account_param)).filter(is_trial=False)


def _write(connection: Connection, event: PushedEvent, *, now: datetime) -> None:
    occurred_at = None if event.occurred_at is None else event.occurred_at.isoformat()
    row = events.emit(EventType.PROVIDER_EVENT, connection, provider_event=event.type, occurred_at=occurred_at)
    keep_content(row, event.content, tenant_id=connection.tenant_id, now=now)
