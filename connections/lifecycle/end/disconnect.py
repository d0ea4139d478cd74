"""Disconnect: vends stop at once. The secrets stay for the revocation alone, for 24 hours at the most.

Where a revocation would also end another connection (``siblings``), Latchkey does not ask for it and destroys the
secrets at once: it may not end other people's connections. The last connection to leave a grant revokes it.
"""

import uuid
from datetime import datetime

from connections import dispatch
from connections.access.targets import Access, access_of
from connections.database.locks import RowCheck, lock_connections
from connections.database.pool import short_transaction
from connections.journal import audit, events
from connections.lifecycle.credentials.promote import SECRETS_KEPT
from connections.lifecycle.credentials.subject_tokens import forget_subject_tokens
from connections.lifecycle.credentials.unread import forget_unread
from connections.lifecycle.end.siblings import can_be_narrowed, reaches_siblings, siblings_of
from connections.lifecycle.health.status import change_status
from connections.lifecycle.policy.revoke import revoke_grants
from connections.models import AccessGrant, Connection, CredentialVersion, Reason, Revocation, Status
from connections.refusals import AppMisconfigured, NotFound, Pending

_OVER = (Revocation.CONFIRMED, Revocation.UNCONFIRMED, Revocation.IGNORED, Revocation.WITHHELD)


def disconnect(
    connection_id: uuid.UUID, *, now: datetime, actor: audit.Actor, keep: bool = False, check: RowCheck | None = None
) -> Connection:
    """End a connection, and order the revocation of its grant at the provider (``revoke`` does and verifies it).

    With ``keep`` the connection becomes ``revoked``, and the end user can connect it anew; otherwise it becomes
    ``disconnected``, for good, and the access grants on it are revoked. Repeating it changes nothing. Where another
    connection lives on the same grant, nothing is revoked (``withheld``). Short transactions that lock the connection;
    no HTTP. Raises ``NotFound``, ``Pending`` where there is no grant yet that it could ``keep``, and what ``check``
    raises of the locked connection.
    """
    status, reason = (
        (Status.REVOKED, Reason.REVOKED_BY_OPERATOR) if keep else (Status.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST)
    )
    witness_id = _witness_of(connection_id)
    with short_transaction():
        # Lock the witness: otherwise two connections that leave one grant at once would each rely on the other to stay.
        locked = lock_connections([connection_id, *([] if witness_id is None else [witness_id])])
        connection = locked.get(connection_id)
        if connection is None:
            raise NotFound("There is no such connection.")
        if check is not None:
            check(connection)
        if connection.status in (status, Status.DISCONNECTED):
            return connection
        if keep and connection.status == Status.PENDING:
            raise Pending("It waits for its confirmation, so there is no grant to revoke yet: disconnect it instead.")
        audit.record("connection.disconnect", actor=actor, connection=connection, detail={"keep": keep})
        change_status(connection, status, reason, now=now)
        forget_subject_tokens(connection)
        if not keep:
            on_it = AccessGrant.objects.filter(connection=connection)
            revoke_grants(on_it, why="disconnected", now=now, actor=actor)
        has_secrets = CredentialVersion.objects.filter(connection=connection).exists()
        before = Revocation(connection.revocation)
        access = _access_of(connection)
        is_withheld = has_secrets and _is_needed(connection, access, witness_id)
        # An entry that does not resolve may be mended within the 24 hours.
        can_be = not connection.is_canary and (access is None or access.capabilities.revokes)
        revocable = has_secrets and not is_withheld and can_be
        left = Revocation.WITHHELD if is_withheld else Revocation.UNSUPPORTED
        if not has_secrets and before in _OVER:
            left = before
        if revocable:
            connection.end(Revocation.PENDING, now=now, deadline=now + SECRETS_KEPT)
        else:
            connection.end(left)
        if revocable:
            dispatch.revoke_later(connection.id)
        else:
            destroy_secrets(connection)
        if is_withheld:
            events.emit(f"connection.revocation_{Revocation.WITHHELD}", connection)
            audit.record("connection.revocation", decision=Revocation.WITHHELD.value, connection=connection)
    return connection


def foresee(connection_id: uuid.UUID) -> Revocation:
    """Return what ``disconnect`` would order now: a revocation (``pending``), or why none (``withheld``…). No lock."""
    connection = Connection.objects.select_related("provider_app", "tenant").filter(id=connection_id).first()
    if connection is None or not CredentialVersion.objects.filter(connection=connection).exists():
        return Revocation.NOT_ASKED
    access = _access_of(connection)
    if connection.is_canary or (access is not None and not access.capabilities.revokes):
        return Revocation.UNSUPPORTED
    is_withheld = _is_needed(connection, access, _witness_of(connection_id))
    return Revocation.WITHHELD if is_withheld else Revocation.PENDING


def destroy_secrets(*connections: Connection) -> None:
    """Destroy every credential version and every unread answer of the locked ``connections``."""
    forget_unread(*connections)
    CredentialVersion.objects.filter(connection__in=connections).delete()
    for connection in connections:
        connection.lose_secrets()


def _access_of(connection: Connection) -> Access | None:
    try:
        return access_of(connection)
    except AppMisconfigured:
        return None


def _witness_of(connection_id: uuid.UUID) -> uuid.UUID | None:
    """Return the id of a connection that may live on the same grant, or None. Takes no lock."""
    connection = Connection.objects.select_related("provider_app", "tenant").filter(id=connection_id).first()
    access = None if connection is None else _access_of(connection)
    if connection is None or access is None or not reaches_siblings(access):
        return None
    return siblings_of(connection, access).values_list("id", flat=True).first()


def _is_needed(connection: Connection, access: Access | None, witness_id: uuid.UUID | None) -> bool:
    """Whether the locked witness lives on the grant of the locked ``connection``, and no narrower revocation helps.

    Further connections may live on the grant too; ``revoke`` finds them when it begins.
    """
    if access is None or witness_id is None or not access.capabilities.revokes or can_be_narrowed(access):
        return False
    return siblings_of(connection, access).filter(id=witness_id).exists()
