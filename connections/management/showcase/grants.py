"""The connections of the showcase, each with a credential that is sealed as a real one is, and with its scopes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from connections.access.targets import access_of
from connections.lifecycle.credentials.versions import row_of, seal_version
from connections.management.showcase.chance import Chance
from connections.management.showcase.ground import App, Ground
from connections.management.showcase.names import LABELS, NAMED
from connections.management.showcase.rows import write
from connections.management.showcase.troubles import WELL, Condition, afflict, condition_of
from connections.models import (
    VENDS,
    Binding,
    Connection,
    CredentialVersion,
    OwnerKind,
    Reason,
    Scope,
    Stage,
    Status,
    Tenant,
)
from connections.models.states import LIVE
from providers.catalog.schema import CatalogEntry
from providers.values import Credential, Obtained
from providers.vocabulary import ParamScope

_SOON = timedelta(days=12)
_CANARIES = 3


@dataclass(frozen=True, slots=True)
class Granted:
    """A connection of the showcase, with what its history needs to know."""

    connection: Connection
    app: App
    tenant: Tenant
    condition: Condition
    version_id: uuid.UUID | None
    scopes: tuple[str, ...]


def grant_all(chance: Chance, ground: Ground, *, count: int) -> list[Granted]:
    """Write ``count`` connections with their versions and scopes, and return them, the oldest first."""
    sizes = [chance.share() ** 2 + 0.05 for _ in ground.tenants]
    grantors: dict[tuple[uuid.UUID, str], str] = {}
    taken: set[tuple[object, ...]] = set()
    made: list[Granted] = []
    versions: list[CredentialVersion] = []
    for created_at in sorted(chance.before(timedelta(days=400)) for _ in range(count)):
        tenant = chance.one_of(ground.tenants, sizes)
        apps = ground.apps_of(tenant)
        app = chance.one_of(apps, [one.liked.weight for one in apps])
        granted, version = _grant(chance, ground, tenant, app, created_at=created_at, taken=taken, grantors=grantors)
        made.append(granted)
        versions += [version] if version is not None else []
    _lay_canaries(chance, made)
    write([granted.connection for granted in made])
    write(versions)
    write([scope for granted in made for scope in _scopes(granted, chance)])
    return made


def _lay_canaries(chance: Chance, made: Sequence[Granted]) -> None:
    """Make canaries of a few: nobody uses them, and nothing is sent for them."""
    quiet = [one.connection for one in made if one.condition is WELL and one.connection.end_user]
    for connection in chance.some_of(quiet, _CANARIES):
        connection.is_canary, connection.paused_at, connection.last_vended_at = True, chance.now, None


def _grant(
    chance: Chance,
    ground: Ground,
    tenant: Tenant,
    app: App,
    *,
    created_at: datetime,
    taken: set[tuple[object, ...]],
    grantors: dict[tuple[uuid.UUID, str], str],
) -> tuple[Granted, CredentialVersion | None]:
    condition = condition_of(chance)
    first, last = chance.person()
    of_tenant = chance.falls(0.12)
    user = f"{first}.{last}{chance.number(1, 99)}".lower()
    connection = Connection(
        id=chance.id(),
        tenant=tenant,
        provider_app=app.row,
        provider=app.row.provider,
        owner_kind=OwnerKind.TENANT if of_tenant else OwnerKind.END_USER,
        end_user="" if of_tenant else user,
        granted_by=user if of_tenant else "",
        binding=chance.one_of((Binding.COMPLETION, Binding.IMPORTED, Binding.NONE), (90, 8, 2)),
        params=named_params(app.entry, tenant.slug),
        status=condition.status,
        reason=_reason(condition, app, chance),
        grant_id=chance.id(),
        created_at=created_at,
        provider_account_id=f"{chance.number(10**6, 10**9)}",
        provider_account_name=f"{first} {last}" if chance.falls(0.4) else f"{user}@{tenant.slug}.example",
    )
    _name(connection, chance, taken)
    version = _credential(connection, ground, app, condition, chance, grantors)
    scopes = tuple(version.scopes) if version is not None else app.entry.default_scopes
    return Granted(connection, app, tenant, condition, connection.current_version_id, scopes), version


def _reason(condition: Condition, app: App, chance: Chance) -> Reason:
    """Return why it is so: of what was revoked, providers that push have often told it themselves."""
    if condition.status is Status.REVOKED and app.told_ends and chance.falls(0.8):
        return Reason.PROVIDER_NOTIFIED
    return condition.reason


def _name(connection: Connection, chance: Chance, taken: set[tuple[object, ...]]) -> None:
    """Give it a label, and the default, where the owner's other live connections leave room."""
    owner = (connection.tenant_id, connection.provider, connection.end_user)
    is_live = connection.status in LIVE
    if (label := chance.one_of(LABELS)) and (*owner, label) not in taken:
        connection.label = label
        taken.add((*owner, label))
    if is_live and owner not in taken:
        connection.is_default = True
        taken.add(owner)


def _credential(
    connection: Connection,
    ground: Ground,
    app: App,
    condition: Condition,
    chance: Chance,
    grantors: dict[tuple[uuid.UUID, str], str],
) -> CredentialVersion | None:
    """Seal a credential for ``connection``, and set the times that follow from it. None where it has been destroyed."""
    lifetime = app.liked.lifetime_seconds
    age = chance.now - connection.created_at
    received_at = chance.before(min(timedelta(seconds=(lifetime or 86_400) * 0.6), age))
    changed_at = connection.created_at if condition.detail == "" else chance.before(min(condition.since, age))
    if condition.status not in VENDS:
        changed_at = chance.before(min(condition.since, age))
        received_at = max(connection.created_at, changed_at - timedelta(seconds=lifetime or 86_400))
    connection.authorized_at = connection.created_at
    connection.verified_at = chance.before(min(timedelta(hours=5), age))
    connection.verified_by = chance.one_of(("probe", "refresh", "vend"), (5, 3, 1))
    connection.last_vended_at = chance.before(min(timedelta(days=3), age)) if chance.falls(0.8) else None
    if condition.status in VENDS:
        connection.probe_due_at = chance.after(timedelta(hours=6))
    if lifetime is not None:
        connection.access_expires_at = received_at + timedelta(seconds=lifetime)
        connection.refresh_due_at = received_at + timedelta(seconds=lifetime * (0.7 + 0.15 * chance.share()))
        if chance.falls(0.03):
            connection.grant_expires_at = chance.after(_SOON)
    elif chance.falls(0.05):
        connection.access_expires_at = chance.after(_SOON)
    if condition.status in VENDS and lifetime is not None and chance.falls(0.015):
        connection.lacks_refresh_token, connection.refresh_due_at = True, None
    afflict(connection, condition, chance, changed_at=changed_at)
    if condition.status is Status.DISCONNECTED:
        return None
    version = row_of(
        seal_version(
            Obtained(_secrets(app, chance), lifetime_seconds=lifetime),
            tenant_id=connection.tenant_id,
            connection_id=connection.id,
            grant_id=connection.grant_id or uuid.uuid4(),
            key=ground.keys[connection.tenant.slug],
            scopes=app.entry.default_scopes,
            is_refreshable=lifetime is not None and not connection.lacks_refresh_token,
            received_at=received_at,
            grantor=_grantor(connection, grantors),
        )
    )
    version.stage = Stage.CURRENT
    version.access_expires_at = connection.access_expires_at
    connection.current_version_id = version.id
    return version


def named_params(described: CatalogEntry, slug: str) -> dict[str, str]:
    """Return what the end user, or the provider, named for a connection of the tenant ``slug``: hosts, accounts."""
    own = {"subdomain": slug, "shop": slug}
    return {
        param.name: param.default or own.get(param.name) or NAMED.get(param.name) or param.example
        for param in described.params
        if param.scope is not ParamScope.APP
    }


def _secrets(app: App, chance: Chance) -> Credential:
    typed = app.entry.methods[app.row.auth_style].typed_fields
    if typed:
        return Credential(fields={field.name: SecretStr(chance.token()) for field in typed})
    return Credential(access_token=SecretStr(chance.token()), refresh_token=SecretStr(chance.token()))


def _grantor(connection: Connection, known: dict[tuple[uuid.UUID, str], str]) -> str:
    """Return the party to which the credential is bound: the same for all that named the same host."""
    key = (connection.provider_app_id, str(connection.params))
    if key not in known:
        known[key] = access_of(connection).target.grantor
    return known[key]


def _scopes(granted: Granted, chance: Chance) -> list[Scope]:
    now = chance.now
    lacks = len(granted.scopes) > 1 and chance.falls(0.04)
    return [
        Scope(
            connection=granted.connection,
            name=name,
            is_requested=True,
            is_granted=not (lacks and place == len(granted.scopes) - 1),
            updated_at=now,
        )
        for place, name in enumerate(dict.fromkeys(granted.scopes))
    ]
