"""Hand out: the exit bundle of a tenant, and the tenant standing still from then on if it moves.

A move suspends the tenant first, for good: from that transaction on nothing of it is vended, refreshed, probed or
connected here. Then it waits for what is in flight, because its answer may hold the only live refresh token, and reads.
A copy leaves the source as it is. Its importer must not refresh what it holds: the first of two houses that rotates a
grant ends the other's, and a strict provider ends both.
"""

import base64
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BinaryField, Q

from connections.access.installation_key import installation_key, public_text
from connections.access.secrets import open_credential, open_registration
from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.database.pool import release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.promote import promote_received
from connections.lifecycle.port.bundle_file import Locks, check_size, write_bundle
from connections.lifecycle.steer.switches import suspend_within
from connections.models import (
    EXCHANGE_LIMIT,
    LIVE,
    AccessGrant,
    AttemptState,
    AuditEvent,
    Brand,
    Bundle,
    BundleWay,
    Connection,
    ConnectSession,
    CredentialVersion,
    ProviderApp,
    RefreshAttempt,
    SessionState,
    Stage,
    SubjectKind,
    Tenant,
)
from connections.models.bundle import moves_of
from connections.models.quarantine import holds
from connections.refusals import InvalidRequest, RefreshInProgress
from connections.vault.sealing import Unreadable

_A_CONNECTION, _AN_AUDIT_ROW = 800, 300
WAIT_SECONDS = 75.0  # longer than a lease
FORMAT = "latchkey.tenant"
APP_COLUMNS = (
    *("provider", "auth_style", "name", "client_id", "params", "discovered", "scopes", "required_scopes"),
    *("allowed_scopes", "allows_legacy"),
)
APP_SWITCHES = ("paused_at", "suspended_at")
SECRETS_END = ("other_secrets_end_at", "secret_expires_at")
CONNECTION_COLUMNS = (
    *("provider", "owner_kind", "end_user", "granted_by", "grants_only", "binding", "params", "metadata", "label"),
    *("is_default", "status", "reason", "provider_account_id", "provider_account_name", "lacks_refresh_token"),
    *("authorized_at", "paused_at", "suspended_at", "created_at"),
)
VERSION_COLUMNS = (
    *("scopes", "is_refreshable", "access_expires_at", "lifetime_seconds", "received_at"),
    *("refresh_lifetime_seconds", "refresh_expires_at", "grant_expires_at"),
)
GRANT_COLUMNS = tuple(
    column.attname
    for column in AccessGrant._meta.concrete_fields
    if column.attname not in ("tenant_id",) and not isinstance(column, BinaryField)
)
_BRAND_COLUMNS = tuple(
    column.name for column in Brand._meta.concrete_fields if column.name not in ("id", "tenant", "created_at")
)
_AUDIT_COLUMNS = tuple(
    column.name for column in AuditEvent._meta.concrete_fields if not isinstance(column, BinaryField)
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What goes into a bundle beside the tenant and its connections, and whether the tenant moves."""

    is_move: bool = False
    with_client_secrets: bool = False
    with_audit: bool = False


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A bundle, and what is in it. ``left`` lists the ids of connections that are not, each with a sentence.

    ``kept`` lists the names of provider apps whose client secrets were wished for, and stay: they are read from where
    the operator keeps them, and so are the operator's to hand over.
    """

    id: uuid.UUID
    content: bytes
    signer: str
    connections: int
    left: list[tuple[str, str]]
    kept: list[str]


def hand_out(tenant: Tenant, *, locks: Locks, wishes: Wishes, actor: audit.Actor) -> HandedOut:
    """Return the bundle of ``tenant``. Waits for what is in flight, if it moves; no HTTP. Short transactions.

    Raises ``InvalidRequest`` for locks that lock nothing or a tenant that is being deleted, and ``RefreshInProgress``
    if something is still in flight after the wait: the tenant is suspended by then; call it again.
    """
    if tenant.shred_at is not None:
        raise InvalidRequest("This tenant is being deleted: nothing of it leaves any more.", field="tenant")
    key = installation_key()
    write_bundle({}, signer=key, locks=locks)  # refuses bad locks before anything stands still
    check_size(_size_at_least(tenant, wishes))
    was_suspended = _was_suspended(tenant)
    bundle_id = uuid.uuid4()
    with short_transaction() as now:
        if wishes.is_move:
            suspend_within(tenant, now=now, actor=actor)
        Bundle.objects.create(
            id=bundle_id,
            way=BundleWay.OUT,
            tenant_id=tenant.id,
            slug=tenant.slug,
            signer=public_text(key),
            is_move=wishes.is_move,
            made_at=now,
        )
        audit.record(
            "tenant.exported",
            actor=actor,
            tenant_id=tenant.id,
            detail={
                "bundle": str(bundle_id),
                "move": wishes.is_move,
                "client_secrets": wishes.with_client_secrets,
                "audit": wishes.with_audit,
            },
        )
    if wishes.is_move:
        _wait_until_still(tenant)
    taken = _Taken()
    document = {
        "format": FORMAT,
        "id": str(bundle_id),
        "made_at": now,
        "made_by": settings.PUBLIC_URL,
        "is_move": wishes.is_move,
        "tenant": {
            "id": tenant.id,
            **{name: getattr(tenant, name) for name in ("slug", "name", "allowed_origins", "return_urls")},
            "reconnect_url": tenant.reconnect_url,
            "suspended": was_suspended,
        },
        "brand": _brand(tenant),
        "connections": _connections(tenant, taken),
        "provider_apps": _apps(tenant, taken, with_secrets=wishes.with_client_secrets),  # behind what names them
        "access_grants": _grants(tenant),
        "audit": _trail(tenant) if wishes.with_audit else None,
    }
    plain = {name: map(_plain, of) if isinstance(of, Iterator) else _plain(of) for name, of in document.items()}
    content = write_bundle(plain, signer=key, locks=locks)
    with short_transaction() as done_at:
        Bundle.objects.get(id=bundle_id).finish(done_at)
    return HandedOut(bundle_id, content, public_text(key), taken.connections, taken.left, taken.kept)


def _was_suspended(tenant: Tenant) -> bool:
    """Whether an operator has suspended it. So does a move, at the moment of its bundle: it may be made once more."""
    since = tenant.suspended_at
    return since is not None and not moves_of(tenant.id).filter(made_at=since).exists()


@dataclass(slots=True)
class _Taken:
    """What went into a bundle so far: how many connections, of which apps; the others as for ``HandedOut``."""

    connections: int = 0
    apps: set[uuid.UUID] = field(default_factory=set)
    left: list[tuple[str, str]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def _size_at_least(tenant: Tenant, wishes: Wishes) -> int:
    """Return how many bytes the document will have at least: what a connection and an audit row take. Two queries."""
    size = _A_CONNECTION * Connection.objects.for_callers_of(tenant.id).filter(status__in=LIVE).count()
    if wishes.with_audit:
        size += _AN_AUDIT_ROW * AuditEvent.objects.filter(tenant_id=tenant.id).count()
    return size


def take_back(tenant: Tenant, *, now: datetime, actor: audit.Actor) -> int:
    """Let a tenant that has moved be resumed here. Return how many moves are void; ``switches.resume`` does the rest.

    Right where the bundle was never imported, or is destroyed there: else two houses refresh the same grants.
    """
    with short_transaction():
        moves = moves_of(tenant.id)
        count = moves.update(taken_back_at=now)
        if count:
            audit.record("tenant.taken_back", actor=actor, tenant_id=tenant.id, detail={"bundles": count})
    return count


def _wait_until_still(tenant: Tenant) -> None:
    """Wait for the refreshes and exchanges in flight, and store what they brought. Raises ``RefreshInProgress``."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while _in_flight(tenant):
        release_database()
        if time.monotonic() > give_up_at:
            raise RefreshInProgress(
                "A refresh or an exchange has not ended yet, and its answer may hold the only live token. The tenant is"
                " suspended: export it again in a minute.",
                retry_after_seconds=60,
            )
        time.sleep(0.2)
    spool.replay()
    waiting = CredentialVersion.objects.filter(connection__tenant=tenant, stage=Stage.RECEIVED)
    for connection_id in list(waiting.values_list("connection_id", flat=True).distinct()):
        with short_transaction() as now:
            connection = lock_connection(connection_id)
            if connection is not None:
                promote_received(connection, now=now)


def _in_flight(tenant: Tenant) -> bool:
    sent = RefreshAttempt.objects.filter(connection__tenant=tenant, state=AttemptState.SENT)
    now = database_now()
    exchanging = ConnectSession.objects.filter(tenant=tenant, state=SessionState.EXCHANGING)
    under_way = exchanging.filter(exchange_started_at__gt=now - EXCHANGE_LIMIT)
    return sent.filter(deadline_at__gt=now).exists() or under_way.exists()


def _connections(tenant: Tenant, taken: _Taken) -> Iterator[dict[str, Any]]:
    left = taken.left
    rows = Connection.objects.for_callers_of(tenant.id).filter(status__in=LIVE, current_version_id__isnull=False)
    rows = rows.filter(is_canary=False)  # it would be a real one there
    for connection in rows.select_related("current_version").order_by("id").iterator(chunk_size=500):
        version = connection.current_version
        if connection.registered_client_id is not None:
            left.append((str(connection.id), "Its client registered itself, for this installation's address alone."))
            continue
        if version is None:
            continue
        if holds(connection):
            left.append((str(connection.id), "Its refresh token waits in quarantine: release it, or connect it again."))
            continue
        try:
            credential = open_credential(connection, version)
        except Unreadable:
            left.append((str(connection.id), "Its credential does not open."))
            continue
        in_doubt = RefreshAttempt.objects.filter(connection=connection, state=AttemptState.IN_DOUBT).exists()
        taken.connections += 1
        taken.apps.add(connection.provider_app_id)
        yield {
            "id": connection.id,
            "provider_app": connection.provider_app_id,
            **{name: getattr(connection, name) for name in CONNECTION_COLUMNS},
            "in_doubt": in_doubt,
            "credential": credential.to_bytes().decode(),
            "version": {name: getattr(version, name) for name in VERSION_COLUMNS},
            "scopes": list(connection.scopes.values("name", "is_requested", "is_granted", "is_observed")),
        }


def _apps(tenant: Tenant, taken: _Taken, *, with_secrets: bool) -> Iterator[dict[str, Any]]:
    """Yield the tenant's apps, and those of the connections that were taken."""
    for app in ProviderApp.objects.filter(Q(tenant=tenant) | Q(id__in=taken.apps)):
        if with_secrets and app.secret_source:
            taken.kept.append(app.name)
        yield _app(app, with_secrets=with_secrets and not app.secret_source)


def _grants(tenant: Tenant) -> Iterator[dict[str, Any]]:
    """Yield the access grants but those of API clients: these stay, and their ids mean nothing elsewhere."""
    kept = AccessGrant.objects.for_tenant(tenant.id).filter(revoked_at=None)
    for grant in kept.exclude(subject_kind=SubjectKind.API_CLIENT):
        yield {name: getattr(grant, name) for name in GRANT_COLUMNS}


def _app(app: ProviderApp, *, with_secrets: bool) -> dict[str, Any]:
    secrets: list[str] | None = None
    if with_secrets:
        secrets = [one.get_secret_value() for one in open_registration(app).secrets]
    return {
        "id": app.id,
        "is_shared": app.tenant_id is None,
        **{name: getattr(app, name) for name in (*APP_COLUMNS, *APP_SWITCHES)},
        "client_secrets": secrets,
        "secrets_end": {name: getattr(app, name) for name in SECRETS_END} if secrets else None,
    }


def _brand(tenant: Tenant) -> dict[str, Any] | None:
    brand = Brand.objects.filter(tenant=tenant).first()
    return None if brand is None else {name: getattr(brand, name) for name in _BRAND_COLUMNS}


def _trail(tenant: Tenant) -> Iterator[dict[str, Any]]:
    rows = AuditEvent.objects.filter(tenant_id=tenant.id).order_by("id").values(*_AUDIT_COLUMNS)
    yield from rows.iterator(chunk_size=1000)


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON has it: times as ISO 8601, ids as text, bytes in base64."""
    if isinstance(value, dict):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return DjangoJSONEncoder().default(value)
