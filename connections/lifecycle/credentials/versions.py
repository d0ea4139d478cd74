"""Seal credential versions, and make one current. ``make_current`` and ``promote_query`` alone do the last.

What a refresh brings is first inserted as ``received`` (``store``), at once and without a lock, because it may hold the
only live token. It becomes current in a second transaction, with the connection locked. What a new grant brings is in
its connect session by then, and is inserted when it becomes current.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from connections.access.secrets import credential_place
from connections.lifecycle.credentials.due import (
    ASSUMED_LIFETIME_SECONDS,
    probe_at_the_end,
    probe_intervals,
    refresh_moment,
)
from connections.lifecycle.credentials.grant_end import GrantEnds, ends_after, grant_ends_at, refresh_ends_at
from connections.lifecycle.credentials.lifetime import grant_lifetimes
from connections.lifecycle.credentials.scopes import sync_scopes
from connections.lifecycle.credentials.unread import forget_unread
from connections.models import Connection, CredentialVersion, Stage
from connections.vault.keyring import DataKey
from connections.vault.sealing import fingerprint, seal
from providers.oauth.expiry import LONGEST_SECONDS
from providers.values import Obtained


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """A version, sealed and ready to insert. It is safe to store anywhere, also in the spool."""

    id: uuid.UUID
    connection_id: uuid.UUID
    grant_id: uuid.UUID
    parent_id: uuid.UUID | None
    attempt_id: uuid.UUID | None
    secrets: bytes
    data_key_id: uuid.UUID
    fingerprint: bytes
    scopes: tuple[str, ...]
    is_refreshable: bool
    lifetime_seconds: int | None
    received_at: datetime
    refresh_lifetime_seconds: int | None = None
    refresh_expires_at: datetime | None = None
    grant_expires_at: datetime | None = None


def seal_version(
    obtained: Obtained,
    *,
    tenant_id: uuid.UUID,
    connection_id: uuid.UUID,
    grant_id: uuid.UUID,
    key: DataKey,
    scopes: tuple[str, ...],
    is_refreshable: bool,
    received_at: datetime,
    grantor: str,
    parent_id: uuid.UUID | None = None,
    attempt_id: uuid.UUID | None = None,
    before: GrantEnds = GrantEnds(),
) -> SealedVersion:
    """Return ``obtained`` sealed as a new version. ``scopes`` are those granted with it. No I/O.

    ``grantor`` names the party that issued the credential. It is sealed together with the secrets, so that a change of
    a plain column cannot redirect them. ``before`` are the ends of the grant that the parent version knew.
    """
    ends = ends_after(obtained, before, received_at=received_at)
    version_id = uuid.uuid4()
    credential = replace(obtained.credential, granted_by=grantor)
    place = credential_place(tenant_id=tenant_id, connection_id=connection_id, version_id=version_id)
    return SealedVersion(
        id=version_id,
        connection_id=connection_id,
        grant_id=grant_id,
        parent_id=parent_id,
        attempt_id=attempt_id,
        secrets=seal(credential.to_bytes(), key=key, place=place),
        data_key_id=key.id,
        fingerprint=fingerprint(obtained.credential.main_secret(), key=key),
        scopes=scopes,
        is_refreshable=is_refreshable,
        lifetime_seconds=obtained.lifetime_seconds or (_unsaid_lifetime(obtained) if is_refreshable else None),
        received_at=received_at,
        refresh_lifetime_seconds=ends.idle_seconds,
        refresh_expires_at=ends.refresh_expires_at,
        grant_expires_at=ends.grant_expires_at,
    )


def _unsaid_lifetime(obtained: Obtained) -> int:
    """Return for how many seconds to use a refreshable token that never ends, or whose end is unknown."""
    return LONGEST_SECONDS if obtained.is_endless else ASSUMED_LIFETIME_SECONDS


def columns_of(sealed: SealedVersion) -> dict[str, Any]:
    """Return the columns of ``sealed`` as a row of the stage ``received``, by their names; ``secrets`` as sealed."""
    lifetime = sealed.lifetime_seconds
    return {
        "id": sealed.id,
        "connection_id": sealed.connection_id,
        "grant_id": sealed.grant_id,
        "parent_id": sealed.parent_id,
        "attempt_id": sealed.attempt_id,
        "stage": Stage.RECEIVED,
        "secrets": sealed.secrets,
        "data_key_id": sealed.data_key_id,
        "fingerprint": sealed.fingerprint,
        "scopes": list(sealed.scopes),
        "is_refreshable": sealed.is_refreshable,
        "access_expires_at": None if lifetime is None else sealed.received_at + timedelta(seconds=lifetime),
        "lifetime_seconds": lifetime,
        "received_at": sealed.received_at,
        "refresh_lifetime_seconds": sealed.refresh_lifetime_seconds,
        "refresh_expires_at": sealed.refresh_expires_at,
        "grant_expires_at": sealed.grant_expires_at,
    }


def row_of(sealed: SealedVersion) -> CredentialVersion:
    """Return the row of ``sealed``, for ``make_current`` to insert. No I/O."""
    return CredentialVersion(**columns_of(sealed))


def set_lifetime(version: CredentialVersion, lifetime_seconds: int) -> None:
    """Record the lifetime, in seconds, that became known after the received version was stored."""
    version.lifetime_seconds = lifetime_seconds
    version.access_expires_at = version.received_at + timedelta(seconds=lifetime_seconds)
    version.save(update_fields=["lifetime_seconds", "access_expires_at"])


def ends_of(version: CredentialVersion | SealedVersion) -> GrantEnds:
    """Return the ends of the grant as ``version`` has them. No I/O."""
    return GrantEnds(version.refresh_lifetime_seconds, version.refresh_expires_at, version.grant_expires_at)


def outlive(connection: Connection, version: CredentialVersion, *, now: datetime) -> None:
    """Forget the announced end of a credential that cannot be refreshed and was proved alive after that end.

    The proof counts for more than the announcement. Call it with ``connection`` locked.
    """
    if version.is_refreshable or version.access_expires_at is None or version.access_expires_at > now:
        return
    version.access_expires_at = None
    version.save(update_fields=["access_expires_at"])
    connection.outlive_its_end()


def make_current(
    connection: Connection, version: CredentialVersion, *, now: datetime, requested: Sequence[str] | None = None
) -> None:
    """Make ``version`` the current one; insert it if it is not stored yet. Call it with ``connection`` locked.

    ``requested`` are the scopes that were requested for it; None: the same as before. The version that was current
    becomes ``previous``. Older previous versions and orphans of other grants are deleted. Due times follow from the new
    lifetime; failures and evidence are cleared. The status does not change here (``health.status``). Granted scopes
    follow the version, with an event where some were lost.
    """
    is_new = connection.is_new
    if not is_new:
        siblings = CredentialVersion.objects.filter(connection=connection).exclude(id=version.id)
        of_older_grants = ~Q(grant_id=version.grant_id) & ~Q(stage=Stage.CURRENT)
        siblings.filter(Q(stage=Stage.PREVIOUS) | of_older_grants).delete()
        siblings.filter(stage=Stage.CURRENT).update(stage=Stage.PREVIOUS)
    version.stage = Stage.CURRENT
    if version._state.adding:
        version.save(force_insert=True)
    else:
        version.save(update_fields=["stage"])
    app = connection.provider_app
    lifetimes = grant_lifetimes(app.provider, app.auth_style, refresh_lifetime_seconds=version.refresh_lifetime_seconds)
    authorized_at = connection.authorized_at if version.grant_id == connection.grant_id else version.received_at
    ends = ends_of(version)
    connection.use(
        version,
        authorized_at=authorized_at,
        refresh_expires_at=refresh_ends_at(ends, lifetimes=lifetimes, received_at=version.received_at),
        grant_expires_at=grant_ends_at(ends, lifetimes=lifetimes, authorized_at=authorized_at),
        refresh_due_at=refresh_moment(version, spread=random.random(), lifetimes=lifetimes),
        probe_due_at=probe_at_the_end(
            now + probe_intervals().after(connection.last_vended_at or now, now=now),
            ends_at=version.access_expires_at,
            is_refreshable=version.is_refreshable,
            now=now,
        ),
    )
    if not is_new:
        forget_unread(connection, but_of=version.id)
    sync_scopes(connection, [] if is_new else connection.scopes.all(), granted=version.scopes, requested=requested)
