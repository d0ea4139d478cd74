"""Own: the connections that a visit reaches: its end user's, at its tenant. Every step of the page asks here first.

Connections of the whole tenant are left out: they are not one person's to end. So are pending ones, which nobody has
confirmed yet.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from connections.models import LIVE, Connection, ManagementSession, OwnerKind, Status
from connections.models.failures import Failure
from connections.refusals import SessionUnusable

ENDED_FOR = timedelta(days=30)
MOST_SHOWN = 200


def own_connections(session: ManagementSession, *, now: datetime) -> Sequence[Connection]:
    """Return what the page lists: live connections by provider, then those that ended within 30 days.

    At most 200, each with its tenant, provider app and scopes. Four queries.
    """
    ended = _of(session).filter(status=Status.DISCONNECTED, status_changed_at__gt=now - ENDED_FOR)
    live = _of(session).filter(status__in=LIVE).order_by("provider", "-is_default", "label", "created_at")
    return [*live[:MOST_SHOWN], *ended.order_by("-status_changed_at")[:MOST_SHOWN]][:MOST_SHOWN]


def own_connection(session: ManagementSession, connection_id: uuid.UUID) -> Connection:
    """Return one of them with its scopes. Two queries.

    Raises ``SessionUnusable`` ("gone") for what is not theirs as for what does not exist.
    """
    found = _of(session).filter(id=connection_id).first()
    if found is None:
        raise SessionUnusable(Failure.GONE)
    return found


def _of(session: ManagementSession) -> QuerySet[Connection]:
    return (
        Connection.objects.for_callers_of(session.tenant_id)
        .filter(owner_kind=OwnerKind.END_USER, end_user=session.end_user)
        .exclude(status=Status.PENDING)
        .select_related("tenant", "provider_app", "registered_client")
        .prefetch_related("scopes")
    )
