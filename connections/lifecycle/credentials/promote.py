"""Promote (T2b): decide whether a credential version that a refresh received becomes current.

The fence is the credential version, never the lease. If the parent, the version whose refresh token was spent for the
new one, is still current, then the new version holds the only live token, however late it arrives.
"""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from connections.journal import events
from connections.lifecycle.credentials.due import GrantLifetimes, probe_intervals, refresh_moment
from connections.lifecycle.credentials.grant_end import refresh_ends_at
from connections.lifecycle.credentials.promote_query import PlainPromotion, run_plain_promotions
from connections.lifecycle.credentials.versions import SealedVersion, ends_of, make_current
from connections.lifecycle.health.status import change_status
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
    """Make the received ``version`` current, keep it as an orphan, or destroy it. Return whether it is current now.

    Call it with ``connection`` locked; no HTTP. A version of an older grant is destroyed. A version of a disconnected
    connection is kept for the revocation alone.
    """
    promoted = False
    if version.grant_id != connection.grant_id:
        version.delete()
    elif connection.status in (Status.DISCONNECTED, Status.REVOKED):
        _leave_to_revocation(connection, version, now=now)
    elif not _replaces_current(connection, version):
        _set_aside(version)
    else:
        _promote(connection, version, now=now)
        promoted = True
    RefreshAttempt.objects.filter(Q(id=version.attempt_id)).update(
        state=AttemptState.PROMOTED if promoted else AttemptState.SUPERSEDED, ended_at=now
    )
    return promoted


def _replaces_current(connection: Connection, version: CredentialVersion) -> bool:
    """Whether ``version`` was obtained with the refresh token of the current version.

    The parent shows that; or the attempt, where a later version has inherited the token (``inherit``).
    """
    return (
        version.parent_id == connection.current_version_id
        or RefreshAttempt.objects.filter(
            Q(id=version.attempt_id), parent_version_id=connection.current_version_id
        ).exists()
    )


def _set_aside(version: CredentialVersion) -> None:
    version.stage = Stage.ORPHAN
    version.save(update_fields=["stage"])


def _leave_to_revocation(connection: Connection, version: CredentialVersion, *, now: datetime) -> None:
    """Keep a version that arrived after the connection's end, for the revocation alone. Begin that anew if it ended."""
    if connection.revocation == Revocation.UNSUPPORTED:
        version.delete()
        return
    _set_aside(version)
    if connection.revocation != Revocation.PENDING:
        connection.begin_revocation(now=now, deadline=now + SECRETS_KEPT)


def promote_plainly(stored: Sequence[tuple[SealedVersion, GrantLifetimes]]) -> set[uuid.UUID]:
    """Promote stored versions of healthy connections in one statement (``promote_query``). Return the ids of these.

    ``stored`` are the versions, each of another connection, and how long their grants live by the catalogue. Leaves
    as they are those whose connection's row is locked or whose case is not the plain one: ``promote`` is for them.
    """
    promotions = [_plain_promotion(sealed, lifetimes) for sealed, lifetimes in stored]
    return run_plain_promotions(promotions, probes=probe_intervals()) if promotions else set()


def _plain_promotion(sealed: SealedVersion, lifetimes: GrantLifetimes) -> PlainPromotion:
    ends = ends_of(sealed)
    return PlainPromotion(
        version_id=sealed.id,
        refresh_due_at=refresh_moment(sealed, spread=random.random(), lifetimes=lifetimes),
        refresh_expires_at=refresh_ends_at(ends, lifetimes=lifetimes, received_at=sealed.received_at),
        announced_end=ends.grant_expires_at,
        absolute_seconds=lifetimes.absolute,
    )


def promote_orphan(connection: Connection, *, now: datetime) -> bool:
    """Make the newest orphan of the current grant the current version, if there is one. It may hold the live token.

    The connection's status does not change here: a refresh of the orphan is due at once, and its outcome decides. Call
    it with ``connection`` locked.
    """
    orphan = newest_orphan(connection)
    if orphan is None:
        return False
    make_current(connection, orphan, now=now)
    connection.refresh_at(now)
    return True


def newest_orphan(connection: Connection) -> CredentialVersion | None:
    """Return the newest orphan of the current grant, or None."""
    orphans = CredentialVersion.objects.filter(connection=connection, stage=Stage.ORPHAN)
    return orphans.filter(Q(grant_id=connection.grant_id)).order_by("-received_at").first()


def _promote(connection: Connection, version: CredentialVersion, *, now: datetime) -> None:
    _discard_overtaken(version)
    heir = connection.current_version
    is_overtaken = heir is not None and version.parent_id != heir.id
    if heir is not None and is_overtaken:
        # The end user consented anew after this was asked for: that is what is granted, and this token may differ.
        version.grant(heir.scopes)
    make_current(connection, version, now=now)
    if is_overtaken:
        connection.refresh_at(now)
    connection.verify(version.received_at, by="refresh")
    if connection.status == Status.ACTIVE:
        events.emit("connection.refreshed", connection)
    else:
        change_status(connection, Status.ACTIVE, Reason.RECOVERED, now=now)


def _discard_overtaken(version: CredentialVersion) -> None:
    """Delete the orphans that are older than the refresh that obtained ``version``. Nothing needs them any more.

    The plain promotion does the same in SQL (``promote_query``).
    """
    orphans = CredentialVersion.objects.filter(connection_id=version.connection_id, stage=Stage.ORPHAN)
    attempt = RefreshAttempt.objects.filter(Q(id=version.attempt_id))
    orphans.filter(received_at__lte=attempt.values("claimed_at")[:1]).delete()


def promote_received(connection: Connection, *, now: datetime) -> int:
    """Promote every received version of the locked ``connection`` that is not promoted yet. Return how many."""
    received = CredentialVersion.objects.filter(
        connection=connection, stage=Stage.RECEIVED, attempt_id__isnull=False
    ).order_by("received_at")
    return len([promote(connection, version, now=now) for version in received])
