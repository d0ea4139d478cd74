"""Promote (T2b): what becomes of a credential version that a refresh received.

The fence is the credential version, never the lease: if the version that bought this one is still current, this one is
the only live token there is, however late it comes.
"""

import random
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from connections.lifecycle import events
from connections.lifecycle.intervals import probe_intervals
from connections.lifecycle.locking import lock_if_free
from connections.lifecycle.policy import GrantLifetimes, refresh_moment
from connections.lifecycle.promote_query import begin_plain_promotion, end_plain_promotion
from connections.lifecycle.versions import SealedVersion, make_current, row_of
from connections.models import (
    AttemptState,
    Connection,
    CredentialVersion,
    Reason,
    RefreshAttempt,
    Revocation,
    Stage,
    Status,
)

SECRETS_KEPT = timedelta(hours=24)  # for the revocation of a connection that has ended


def promote(connection: Connection, version: CredentialVersion, *, now: datetime) -> bool:
    """Make the received ``version`` current, keep it as an orphan, or destroy it; return whether it is current now.

    Call it with ``connection`` locked. A version of an older grant is destroyed; one of a disconnected connection is
    kept for its revocation alone.
    """
    promoted = False
    if version.grant_id != connection.grant_id:
        version.delete()
    elif connection.status in (Status.DISCONNECTED, Status.REVOKED):
        _leave_to_revocation(connection, version, now=now)
    elif version.parent_id != connection.current_version_id:
        _set_aside(version)
    else:
        _promote(connection, version, now=now)
        promoted = True
    RefreshAttempt.objects.filter(Q(id=version.attempt_id)).update(
        state=AttemptState.PROMOTED if promoted else AttemptState.SUPERSEDED, ended_at=now
    )
    return promoted


def _set_aside(version: CredentialVersion) -> None:
    version.stage = Stage.ORPHAN
    version.save(update_fields=["stage"])


def _leave_to_revocation(connection: Connection, version: CredentialVersion, *, now: datetime) -> None:
    """Keep what came after the connection's end for its revocation alone, which begins anew if it was over."""
    if connection.revocation == Revocation.UNSUPPORTED:
        version.delete()
        return
    _set_aside(version)
    if connection.revocation != Revocation.PENDING:
        connection.change(
            revocation=Revocation.PENDING, revocation_due_at=now, revocation_deadline_at=now + SECRETS_KEPT
        )


def promote_plainly(sealed: SealedVersion, *, lifetimes: GrantLifetimes) -> bool:
    """Promote the stored version of a healthy connection in a transaction of its own (``promote_query``).

    Return False, with nothing changed, where anything is unusual or the row is locked: that is for ``promote``.
    """
    with transaction.atomic(durable=True):
        if sealed.attempt_id is None or not lock_if_free(sealed.connection_id):
            return False
        plain = begin_plain_promotion(sealed.id)
        if plain is None:
            return False
        end_plain_promotion(
            plain,
            version_id=sealed.id,
            attempt_id=sealed.attempt_id,
            refresh_due_at=refresh_moment(row_of(sealed), spread=random.random(), lifetimes=lifetimes),
            probe_due_at=plain.now + probe_intervals().after(plain.last_vended_at or plain.now, now=plain.now),
            event="connection.refreshed",
            payload=events.identity(
                plain.connection_id,
                provider=plain.provider,
                end_user=plain.end_user,
                status=plain.status,
                reason=plain.reason,
            ),
        )
    return True


def promote_orphan(connection: Connection, *, now: datetime) -> bool:
    """Make the newest orphan of the current grant the current version, if there is one: it may be the live one."""
    orphan = (
        CredentialVersion.objects.filter(connection=connection, stage=Stage.ORPHAN)
        .filter(Q(grant_id=connection.grant_id))
        .order_by("-received_at")
        .first()
    )
    if orphan is None:
        return False
    make_current(connection, orphan, status=Status(connection.status), reason=Reason(connection.reason), now=now)
    connection.change(refresh_due_at=now)
    return True


def _promote(connection: Connection, version: CredentialVersion, *, now: datetime) -> None:
    was_healthy = connection.status == Status.ACTIVE
    make_current(
        connection,
        version,
        status=Status.ACTIVE,
        reason=Reason(connection.reason) if was_healthy else Reason.RECOVERED,
        now=now,
        verified_at=version.received_at,
        verified_by="refresh",
    )
    events.emit("connection.refreshed" if was_healthy else "connection.recovered", connection)
