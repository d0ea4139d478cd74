"""Revoke access grants. They allow nothing from the next request on; their rows stay, so that the trail can be read."""

import uuid
from datetime import datetime

from connections.database.locks import RowCheck, lock_to_compare
from connections.database.pool import short_transaction
from connections.journal import audit, events
from connections.models import AccessGrant
from connections.models.access_grant import AccessGrantQuerySet


def revoke_grant(grant_id: uuid.UUID, *, now: datetime, actor: audit.Actor, check: RowCheck | None = None) -> bool:
    """Revoke one access grant. Return False if it was revoked already, or there is none. One short transaction.

    Raises what ``check`` raises of the locked grant.
    """
    with short_transaction():
        if check is not None and (grant := AccessGrant.objects.filter(id=grant_id).first()) is not None:
            lock_to_compare(grant, check)
        return bool(revoke_grants(AccessGrant.objects.filter(id=grant_id), why="by_request", now=now, actor=actor))


def revoke_grants(
    grants: AccessGrantQuerySet, *, why: str, now: datetime, actor: audit.Actor
) -> list[dict[str, object]]:
    """Revoke those of ``grants`` that stand, in the caller's transaction, each with an audit row and an event.

    ``why`` is a stable word: "by_request", "disconnected", "account_changed" or "offboarded". Returns of each what its
    audit row says of the grant (``AccessGrant.told``).
    """
    told = []
    for grant in grants.standing().order_by("id"):
        # Another transaction may be faster: then the grant is revoked there, and told of there.
        if not AccessGrant.objects.filter(id=grant.id, revoked_at=None).update(revoked_at=max(now, grant.created_at)):
            continue
        said = {**grant.told(), "why": why}
        audit.record(
            "access_grant.revoked",
            actor=actor,
            tenant_id=grant.tenant_id,
            connection_id=grant.connection_id,
            detail=said,
        )
        events.emit_of_tenant("access_grant.revoked", grant.tenant_id, connection_id=grant.connection_id, payload=said)
        told.append(grant.told())
    return told
