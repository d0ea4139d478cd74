"""Crowd: some providers keep a few grants of one account for one client, and end the oldest for the next.

The entry says how many (``most_grants_of_account``). What is counted is our connections, of whichever tenant: the room
is the provider app's. A grant that another program made for the same client is not known here.
"""

import uuid
from datetime import datetime

from django.db.models import QuerySet

from connections.access.targets import entry_named
from connections.models import VENDS, Connection
from connections.refusals import AppMisconfigured

_MOST_SETTLED = 500


def note_crowd(connection: Connection, *, now: datetime) -> None:
    """Mark the connections that the next grants of this one's account would end, and take the mark off the others.

    Changes one row at a time, each by a statement of its own that waits for no other: call it without a transaction.
    """
    most = _room_of(connection)
    if most is None or not connection.provider_account_id:
        return
    known = list(_of_account(connection).values_list("id", "crowded_at"))
    at_risk = known[: max(0, len(known) - most + 1)]
    for row_id, crowded_at in known:
        is_at_risk = any(row_id == other for other, _ in at_risk)
        if is_at_risk is (crowded_at is None):
            _mark(row_id, now if is_at_risk else None)


def settle_crowds(*, now: datetime) -> None:
    """Look again at what is marked: others of the account may have ended since. A few queries for each."""
    marked = Connection.objects.filter(crowded_at__isnull=False).select_related("provider_app").order_by("crowded_at")
    for connection in marked[:_MOST_SETTLED]:
        if connection.status not in VENDS:
            _mark(connection.id, None)
        else:
            note_crowd(connection, now=now)


def _of_account(connection: Connection) -> "QuerySet[Connection]":
    """Return the connections that hold a grant of the same account at the same app, the oldest grant first."""
    same = Connection.objects.filter(provider_account_id=connection.provider_account_id, status__in=VENDS)
    return same.filter(provider_app_id=connection.provider_app_id).order_by("authorized_at", "id")


def _mark(connection_id: uuid.UUID, at: datetime | None) -> None:
    Connection.objects.filter(id=connection_id).crowd(at)


def _room_of(connection: Connection) -> int | None:
    try:
        method = entry_named(connection.provider).methods.get(connection.provider_app.auth_style)
    except AppMisconfigured:  # its entry has gone
        return None
    return None if method is None else method.refresh_tokens.most_grants
