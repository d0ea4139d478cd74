"""Disconnect: vends stop at once; the secrets stay for the revocation alone, for 24 hours at the most."""

import uuid
from datetime import datetime

from connections import dispatch
from connections.lifecycle import audit
from connections.lifecycle.locking import lock_connection, short_transaction
from connections.lifecycle.outcomes import AppMisconfigured, NotFound
from connections.lifecycle.promote import SECRETS_KEPT
from connections.lifecycle.status import change_status
from connections.lifecycle.targets import access_to
from connections.lifecycle.unread import forget_unread
from connections.models import Connection, CredentialVersion, Reason, Revocation, Status


def disconnect(connection_id: uuid.UUID, *, now: datetime, actor: audit.Actor, keep: bool = False) -> Connection:
    """End a connection, and have its grant revoked at the provider and that verified.

    With ``keep`` it becomes ``revoked``, and the end user can connect it anew; otherwise ``disconnected``, for good.
    Repeating it changes nothing. Raises ``NotFound``.
    """
    status, reason = (
        (Status.REVOKED, Reason.REVOKED_BY_OPERATOR) if keep else (Status.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST)
    )
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None:
            raise NotFound("There is no such connection.")
        if connection.status in (status, Status.DISCONNECTED):
            return connection
        audit.record("connection.disconnect", actor=actor, connection=connection, detail={"keep": keep})
        change_status(connection, status, reason, now=now)
        has_secrets = CredentialVersion.objects.filter(connection=connection).exists()
        revocable = has_secrets and _can_revoke(connection)
        connection.change(
            refresh_due_at=None,
            refresh_failing_at=None,
            next_attempt_at=None,
            probe_due_at=None,
            undecryptable_at=None,
            revocation=Revocation.PENDING if revocable else Revocation.UNSUPPORTED,
            revocation_due_at=now if revocable else None,
            revocation_deadline_at=now + SECRETS_KEPT if revocable else None,
            revocation_failures=0,
        )
        if revocable:
            dispatch.revoke_later(connection.id)
        else:
            destroy_secrets(connection)
    return connection


def destroy_secrets(connection: Connection) -> None:
    """Destroy every credential version of the locked ``connection``."""
    forget_unread(connection)
    CredentialVersion.objects.filter(connection=connection).delete()
    connection.change(current_version_id=None, access_expires_at=None, undecryptable_at=None)


def _can_revoke(connection: Connection) -> bool:
    try:
        return access_to(connection.provider_app, connection.params).capabilities.revokes
    except AppMisconfigured:
        return True  # it may be mended within the 24 hours
