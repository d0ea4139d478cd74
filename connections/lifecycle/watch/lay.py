"""Lay canaries: connections that lead nowhere, so that whoever touches one has no business there.

To a caller a canary looks like any other connection. Its credential is random and opens nothing. It is never sent
anywhere, refreshed or probed: it is always paused, and what would call the provider is told that the provider is away.
Where the real ones of its app are refreshed, the canary's is replaced when it would be due, so that its times move too.
"""

import re
import secrets
import string
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import IntegrityError
from django.db.models import Q
from pydantic import SecretStr

from connections.access.secrets import current_data_key
from connections.access.targets import access_of, entry_named
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.journal import audit, events
from connections.journal.event_types import EventType
from connections.lifecycle.credentials.versions import make_current, row_of, seal_version
from connections.lifecycle.health.status import change_status
from connections.models import (
    VENDS,
    Connection,
    CredentialVersion,
    OwnerKind,
    ProviderApp,
    Reason,
    Stage,
    Status,
    Tenant,
)
from connections.refusals import AppMisconfigured, InvalidRequest, NotFound, Refusal
from connections.vault.sealing import Unreadable
from providers.errors import MisconfiguredProvider
from providers.values import Credential, Obtained

logger = structlog.get_logger(__name__)

_SECRET_BYTES = 32
_TRIES = 20
# Which bits of a UUID differ between two of a kind, by version; at 1 the lowest of the time, at 6 and 7 none of it.
_RANDOM_IN_UUID = {
    1: 0xFFFFFFFF << 96,
    4: (1 << 128) - 1 ^ 0xF << 76 ^ 0b11 << 62,
    6: (1 << 62) - 1,
    7: (1 << 62) - 1 | 0xFFF << 64,
}


@dataclass(frozen=True, slots=True)
class Canary:
    """What a canary is to look like. ``end_user`` is "" for one of the whole tenant; ``account`` is shown as a name."""

    end_user: str = ""
    label: str = ""
    account: str = ""


def lay_canary(canary: Canary, *, tenant: Tenant, app: ProviderApp, now: datetime, actor: audit.Actor) -> Connection:
    """Make a canary among the connections of ``tenant`` at ``app``, and return it. One short transaction, no HTTP.

    What the end user would have named, such as a host, is as in the newest connection that the tenant has there. The
    audit row that says who laid it is the operator's, not the tenant's. Raises ``NotFound`` for an app of another
    tenant's, and ``InvalidRequest`` where no such connection could be vended, or another has the label.
    """
    if app.tenant_id not in (None, tenant.id):
        raise NotFound("There is no such provider app.")
    if app.is_draft:
        raise InvalidRequest("The provider app is a draft: nobody connects to it.", field="provider_app")
    liked = Connection.objects.for_tenant(tenant.id).filter(provider_app=app, is_canary=False, status__in=VENDS).first()
    try:
        with short_transaction():
            connection = Connection.objects.create(
                tenant=tenant,
                provider_app=app,
                provider=app.provider,
                owner_kind=OwnerKind.END_USER if canary.end_user else OwnerKind.TENANT,
                end_user=canary.end_user,
                label=canary.label,
                params={} if liked is None else liked.params,
                provider_account_id=_number() if liked is None else _account_like(liked),
                provider_account_name=canary.account,
                paused_at=now,
                is_canary=True,
            )
            with connection.saved_once():
                connection.lead_to(None if liked is None else liked.party)
                requested, granted = _scopes_like(liked, app)
                _replace(connection, granted, requested=requested, grant_id=uuid.uuid4(), now=now, by="connect")
                change_status(connection, Status.ACTIVE, Reason.CONNECTED, now=now, told={"renewed": False})
            audit.record(
                "canary.laid", actor=actor, detail={"connection": str(connection.id), "tenant": str(tenant.id)}
            )
    except IntegrityError:
        raise InvalidRequest("Another connection of this owner has the label.", field="label") from None
    return connection


def renew_canaries(*, now: datetime) -> int:
    """Replace the credentials of canaries that a real connection would have refreshed by now. Return how many.

    A short transaction for each. Sends nothing.
    """
    due = Connection.objects.filter(is_canary=True, status__in=VENDS, refresh_due_at__lt=now)
    renewed = 0
    for connection_id in due.values_list("id", flat=True):
        try:
            renewed += _renew(connection_id, now=now)
        except (Refusal, Unreadable) as error:  # of its app, or of its key: the others are renewed all the same
            logger.warning("canary_not_renewed", connection=str(connection_id), error=type(error).__name__)
    return renewed


def _renew(connection_id: uuid.UUID, *, now: datetime) -> bool:
    with short_transaction():
        locked = lock_connection(connection_id)
        if locked is None or locked.grant_id is None or locked.refresh_due_at is None:
            return False
        if locked.status not in VENDS or locked.refresh_due_at >= now:
            return False
        with locked.saved_once():
            granted = _granted_to(locked)
            _replace(locked, granted, requested=None, grant_id=locked.grant_id, now=now, by="refresh")
            events.emit(EventType.REFRESHED, locked)
        return True


def _replace(
    connection: Connection,
    granted: Sequence[str],
    *,
    requested: Sequence[str] | None,
    grant_id: uuid.UUID,
    now: datetime,
    by: str,
) -> None:
    """Give the locked ``connection`` a random credential that lives as long as those of its app."""
    try:
        access = access_of(connection)
        typed = access.target.entry.methods[connection.provider_app.auth_style].typed_fields
        lifetime = _lifetime_at(connection.provider_app)
        credential = Credential(fields={field.name: _random() for field in typed})
        if not typed:
            credential = Credential(access_token=_random(), refresh_token=None if lifetime is None else _random())
        access.strategy.present(access.target, credential)
    except (AppMisconfigured, MisconfiguredProvider):
        raise InvalidRequest(
            "No connection of this tenant at this app could be vended: let somebody connect there first.",
            field="provider_app",
        ) from None
    version = row_of(
        seal_version(
            Obtained(credential, lifetime, tuple(granted)),
            tenant_id=connection.tenant_id,
            connection_id=connection.id,
            grant_id=grant_id,
            key=current_data_key(connection.tenant_id),
            scopes=tuple(granted),
            is_refreshable=lifetime is not None and not typed,
            received_at=now,
            grantor=access.target.grantor,
        )
    )
    make_current(connection, version, now=now, requested=requested)
    connection.verify(now, by=by)


def _account_like(liked: Connection) -> str:
    """Return a made-up account id that looks like that of ``liked``, beside which it is listed. No I/O.

    What stands before the last colon or slash stays, such as a team, which all of a tenant have in common; and what
    is behind an @. The id is never that of ``liked``.
    """
    real = liked.provider_account_id
    found = re.fullmatch(r"(.*[:/]|@)?([^@]+)(@.*)?", real, re.DOTALL)
    if found is None:
        return _number() if real else ""
    before, own, behind = found[1] or "", found[2], found[3] or ""
    for known in [own] * _TRIES + [own + string.ascii_lowercase + string.ascii_uppercase] * _TRIES:
        made = _uuid_like(own) or _letter_by_letter(own, known)
        if made != own:
            return before + made + behind
    return before + _number() + behind


def _uuid_like(own: str) -> str:
    """Return another UUID of the version of ``own`` and written like it, "" if ``own`` is none.

    Of those that hold a time (RFC 9562), what tells it stays: the canary seems made when the real one was.
    """
    try:
        real = uuid.UUID(own)
    except ValueError:
        return ""
    for write in (str, str.upper):
        for form in (str, _hex):
            if write(form(real)) == own and real.version is not None:
                return write(form(_another_uuid(real)))
    return ""


def _hex(one: uuid.UUID) -> str:
    return one.hex


def _another_uuid(real: uuid.UUID) -> uuid.UUID:
    made = uuid.uuid4()
    changed = _RANDOM_IN_UUID.get(real.version or 0, _RANDOM_IN_UUID[4])
    return uuid.UUID(int=real.int & ~changed | made.int & changed)


def _letter_by_letter(own: str, known: str) -> str:
    """Return ``own`` with other digits and letters where they stand there, of those in ``known``: hexadecimal stays so.

    A number does not begin with 0. How a part begins often says what it is: ``acct_``, ``T`` and a number. So the
    letters with which one begins stay, unless nothing else would differ.
    """
    begins = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]+")
    kept = {place for found in begins.finditer(own) for place in range(*found.span())}
    if all(place in kept or not one.isalnum() for place, one in enumerate(own)):
        kept = set()
    firsts = {found.start() for found in re.finditer(r"(?<![A-Za-z0-9])[1-9][0-9]*(?![A-Za-z0-9])", own)}
    return "".join(
        one if place in kept else _another(one, known, is_first=place in firsts) for place, one in enumerate(own)
    )


def _another(one: str, known: str, *, is_first: bool) -> str:
    if one in string.digits:
        return secrets.choice(string.digits[1:] if is_first else string.digits)
    for alike in (string.ascii_lowercase, string.ascii_uppercase):
        if one in alike:
            return str(secrets.choice(sorted({*known} & {*alike})))
    return one


def _number() -> str:
    return str(10**8 + secrets.randbelow(9 * 10**8))


def _scopes_like(liked: Connection | None, app: ProviderApp) -> tuple[list[str], list[str]]:
    """Return which scopes to have requested and granted: those of ``liked``, else those that ``app`` asks for."""
    if liked is None:
        asked = list(app.scopes or entry_named(app.provider).default_scopes)
        return asked, asked
    requested = list(liked.scopes.filter(is_requested=True).values_list("name", flat=True))
    return requested, _granted_to(liked)


def _granted_to(connection: Connection) -> list[str]:
    """Return the scopes of the current credential, in their order."""
    version = connection.current_version
    return [] if version is None else list(version.scopes)


def _random() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(_SECRET_BYTES))


def _lifetime_at(app: ProviderApp) -> int | None:
    """Return for how many seconds the newest credential of a real connection of ``app`` lives; None for no end."""
    versions = CredentialVersion.objects.filter(Q(connection__provider_app=app, connection__is_canary=False))
    newest = versions.filter(stage=Stage.CURRENT, connection__status__in=VENDS).order_by("-received_at")
    return newest.values_list("lifetime_seconds", flat=True).first()
