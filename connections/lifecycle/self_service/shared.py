"""Shared: who else may use a connection of the visit, by which access grants; its owner may end those on it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connections.journal import audit
from connections.lifecycle.policy.revoke import revoke_grant
from connections.lifecycle.self_service.own import own_connection
from connections.models import AccessGrant, ApiClient, Connection, ManagementSession, SubjectKind
from connections.models.failures import Failure
from connections.refusals import SessionUnusable

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Share:
    """One access grant. ``name`` is whom it names, as people call it. ``may_end``: it is on this connection alone."""

    grant: AccessGrant
    name: str
    may_end: bool


def shares_of(connection: Connection, *, now: datetime) -> Sequence[Share]:
    """Return the grants by which others may use ``connection`` now. A query, or two where API clients are named.

    Those on all connections of a provider are the operator's to end.
    """
    standing = AccessGrant.objects.for_tenant(connection.tenant_id).standing().exclude(expires_at__lte=now)
    grants = list(standing.on(connection.id, provider=connection.provider).order_by("created_at", "id")[:MOST_SHOWN])
    ids = [grant.subject for grant in grants if grant.subject_kind == SubjectKind.API_CLIENT]
    clients = {str(id_): name for id_, name in ApiClient.objects.filter(id__in=ids).values_list("id", "name")}
    return [
        Share(
            grant,
            clients.get(grant.subject, "") if grant.subject_kind == SubjectKind.API_CLIENT else grant.subject,
            may_end=grant.connection_id == connection.id,
        )
        for grant in grants
    ]


def end_share(
    session: ManagementSession, connection_id: uuid.UUID, grant_id: uuid.UUID, *, now: datetime, actor: audit.Actor
) -> None:
    """End one access grant on a connection of theirs. Repeating it changes nothing. Raises ``SessionUnusable``."""
    connection = own_connection(session, connection_id)
    if not AccessGrant.objects.filter(id=grant_id, connection=connection).exists():
        raise SessionUnusable(Failure.GONE)
    revoke_grant(grant_id, now=now, actor=actor)
