"""Keep the tokens that act for subjects: sealed, one exchange at a time for each subject, forgotten with their grant.

Only this module changes ``SubjectToken``. Each step is one conditional statement, so no row stays locked, least of all
while the provider is asked. ``vend.for_subject`` asks it.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from connections.access.secrets import current_data_key, open_stored, subject_place
from connections.journal import audit
from connections.models import ApiClient, Connection, ProviderApp, SubjectToken, Tenant
from connections.vault.sealing import Unreadable, fingerprint, seal
from providers.values import Credential, Obtained

LEASE = timedelta(seconds=60)  # every request has its answer, or reaches its deadline, before that
# A token whose end nobody names, or that never ends, is kept so long at the most: the subject may be gone.
UNKNOWN_FOR = timedelta(minutes=1)
LONGEST_KEPT = timedelta(hours=1)

Owner = Tenant | ProviderApp | ApiClient | Connection


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token that acts for a subject, opened. ``expires_at`` is None where nobody said."""

    credential: Credential
    version_id: uuid.UUID
    scopes: tuple[str, ...]
    expires_at: datetime | None
    obtained_at: datetime
    fingerprint: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ask the provider for what was asked, which nobody else has meanwhile."""

    connection_id: uuid.UUID
    asked: bytes
    claim_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Failed:
    """How an exchange failed: the code of ``providers.errors``, and what may be told of it."""

    code: str
    error: str = ""
    claims: str = ""
    retry_after_seconds: float | None = None


def asked_of(token: str, *, end_user: str | None, scopes: Sequence[str]) -> bytes:
    """Return the digest of what a caller asks: for another token, end user or scope it is another one. No I/O."""
    said = json.dumps([token, end_user, sorted(set(scopes))])
    return hashlib.sha256(said.encode()).digest()


def find_subject_token(
    connection: Connection, asked: bytes, *, grantor: str, now: datetime, for_seconds: float
) -> HeldToken | None:
    """Return the kept token that lives for ``for_seconds`` more, None if there is none. Two queries.

    Also one that never lived for so long: another exchange would bring no other. One that does not open, or that
    another party than ``grantor`` issued, counts as none.
    """
    span = timedelta(seconds=max(for_seconds, 0.0))
    lives = Q(access_expires_at=None) | Q(access_expires_at__gt=now + span)
    never_did = Q(access_expires_at__gt=now, access_expires_at__lte=F("obtained_at") + span)
    row = _row(connection.id, asked).filter(lives | never_did, secrets__isnull=False, kept_until__gt=now).first()
    if row is None or row.version_id is None or row.obtained_at is None or row.fingerprint is None:
        return None
    place = subject_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=row.version_id)
    try:
        credential = Credential.from_bytes(open_stored(row.secrets, place=place))
    except Unreadable:
        return None
    if credential.granted_by != grantor:
        return None
    return HeldToken(
        credential=credential,
        version_id=row.version_id,
        scopes=tuple(row.scopes),
        expires_at=row.access_expires_at,
        obtained_at=row.obtained_at,
        fingerprint=bytes(row.fingerprint),
    )


def claim_exchange(connection_id: uuid.UUID, asked: bytes, *, end_user: str | None, now: datetime) -> Claim | None:
    """Return the claim to ask the provider for ``end_user``, None while somebody else has it. Two statements."""
    claim, until = Claim(connection_id, asked, uuid.uuid4()), now + LEASE
    named = None if end_user is None else _hash_of(end_user)
    made = SubjectToken(connection_id=connection_id, asked=asked, end_user_hash=named, kept_until=until)
    SubjectToken.objects.bulk_create([made], ignore_conflicts=True)
    free = _row(connection_id, asked).filter(Q(claim_id=None) | Q(claimed_until__lte=now))
    # A token that is kept stays, for those who need it for less long.
    return claim if free.update(claim_id=claim.claim_id, claimed_until=until) else None


def keep_subject_token(
    connection: Connection,
    claim: Claim,
    obtained: Obtained,
    *,
    scopes: tuple[str, ...],
    grantor: str,
    now: datetime,
) -> HeldToken:
    """Seal and keep what the exchange of this claim brought, and return it. Two queries; one more for an audit row.

    Keeps nothing where it was forgotten meanwhile: a switch was thrown, or the connection is gone.
    """
    key = current_data_key(connection.tenant_id)
    version_id, seconds = uuid.uuid4(), obtained.lifetime_seconds
    ends_at = None if seconds is None else now + timedelta(seconds=seconds)
    credential = replace(obtained.credential, granted_by=grantor)
    place = subject_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=version_id)
    mark = fingerprint(credential.main_secret(), key=key)
    _claimed(claim).update(
        claim_id=None,
        claimed_until=None,
        version_id=version_id,
        secrets=seal(credential.to_bytes(), key=key, place=place),
        data_key_id=key.id,
        fingerprint=mark,
        scopes=list(scopes),
        access_expires_at=ends_at,
        obtained_at=now,
        failure={},
        failed_at=None,
        kept_until=min(now + UNKNOWN_FOR if ends_at is None else ends_at, now + LONGEST_KEPT),
    )
    audit.record("credential.exchange", connection=connection, version_id=version_id, scopes=scopes)
    return HeldToken(credential, version_id, scopes, ends_at, now, mark)


def give_up_exchange(
    connection: Connection, claim: Claim, failed: Failed, *, evidence: Mapping[str, Any], now: datetime
) -> None:
    """End the claim of an exchange that failed, and tell those who wait for it. One statement, and an audit row.

    ``evidence`` has the keys of ``providers.errors.Evidence``: ``detail``, ``status``, ``error`` and ``sent``.
    """
    _claimed(claim).update(claim_id=None, claimed_until=None, failure=asdict(failed), failed_at=now)
    audit.record(
        "credential.exchange", decision=failed.code, connection=connection, detail={"evidence": dict(evidence)}
    )


def failure_since(connection_id: uuid.UUID, asked: bytes, moment: datetime) -> Failed | None:
    """Return how an exchange failed that ended after ``moment``, None if none did. One query."""
    row = _row(connection_id, asked).filter(failed_at__gt=moment).first()
    return None if row is None else Failed(**row.failure)


def is_under_way(connection_id: uuid.UUID, asked: bytes, *, now: datetime) -> bool:
    """Whether somebody asks the provider just now. One query."""
    return _row(connection_id, asked).filter(claim_id__isnull=False, claimed_until__gt=now).exists()


def forget_subject_tokens(of: Owner | Sequence[Connection]) -> None:
    """Forget every token that acts for a subject through ``of``, in the caller's transaction. One statement.

    An exchange that is under way brings nothing that is kept.
    """
    match of:
        case Connection():
            SubjectToken.objects.filter(connection=of).delete()
        case [*connections]:
            SubjectToken.objects.filter(connection__in=connections).delete()
        case ProviderApp():
            SubjectToken.objects.filter(connection__provider_app=of).delete()
        case Tenant():
            SubjectToken.objects.filter(connection__tenant=of).delete()
        case ApiClient():  # what others asked for stays theirs
            return


def forget_tokens_of_end_user(tenant_id: uuid.UUID, end_user: str) -> int:
    """Forget every token that acts for an end user who leaves. Return how many. One statement.

    Whoever has got their old subject's token then has to have it exchanged anew, which the provider can refuse.
    """
    theirs = SubjectToken.objects.filter(connection__tenant_id=tenant_id, end_user_hash=_hash_of(end_user))
    return theirs.delete()[0]


def useless_tokens(*, now: datetime) -> QuerySet[SubjectToken]:
    """Return the rows that serve nobody any more, for housekeeping."""
    return SubjectToken.objects.filter(Q(claim_id=None) | Q(claimed_until__lte=now), kept_until__lt=now)


def forget_reported(connection_id: uuid.UUID, version_id: uuid.UUID) -> None:
    """Forget the one token that a caller saw refused. One statement."""
    SubjectToken.objects.filter(connection_id=connection_id, version_id=version_id).delete()


def _hash_of(end_user: str) -> bytes:
    return hashlib.sha256(end_user.encode()).digest()


def _claimed(claim: Claim) -> QuerySet[SubjectToken]:
    return _row(claim.connection_id, claim.asked).filter(claim_id=claim.claim_id)


def _row(connection_id: uuid.UUID, asked: bytes) -> QuerySet[SubjectToken]:
    return SubjectToken.objects.filter(connection_id=connection_id, asked=asked)
