"""Receive: a tenant from the exit bundle of another installation. Ids stay; secrets are sealed under a key made here.

The tenant is suspended until all of it is stored, and any process that has the bundle goes on where another was killed.
What has moved is then refreshed once, so that its rotation is ours (``prove``). What is a copy is paused: the source
still refreshes it, and whoever is second would end the grant.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, ProgrammingError

from connections.access.secrets import current_data_key
from connections.access.targets import Access, access_to
from connections.brand.palette import ROLES
from connections.brand.profile import BrandProfile
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.credentials.grant_end import GrantEnds
from connections.lifecycle.credentials.versions import make_current, row_of, seal_version
from connections.lifecycle.health.status import change_status
from connections.lifecycle.port.hand_out import (
    CONNECTION_COLUMNS,
    FORMAT,
    VERSION_COLUMNS,
)
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.receive_beside import apps_here, moment, store_grants
from connections.lifecycle.provision.tenants import Prepared, TenantProfile, prepare_tenant, store_tenant
from connections.models import (
    Bundle,
    BundleWay,
    Connection,
    ImportRow,
    ImportRun,
    ImportState,
    ProviderApp,
    Reason,
    RowState,
    Status,
    Tenant,
)
from connections.models.switches import PAUSE
from connections.refusals import AppMisconfigured, BundleRefused, InvalidRequest
from connections.vault.keyring import DataKey
from providers.catalog.loader import UnknownProvider, entry
from providers.values import Credential, Obtained

SLICE = 25
_TIMES = ("_at",)


@dataclass(frozen=True, slots=True)
class Received:
    """What came: the tenant, the import that goes on with its refreshes, and what was left out and why."""

    tenant: Tenant
    run_id: uuid.UUID
    is_move: bool
    connections: int
    left: list[tuple[str, str]]
    without_secrets: list[str]  # names of provider apps whose client secrets did not come


def receive(document: Mapping[str, Any], *, signer: str, slug: str = "", actor: audit.Actor) -> Received:
    """Store the tenant of a bundle that was read and verified. ``slug`` gives it another name here. No HTTP.

    Raises ``BundleRefused``, whose ``reason`` says whether it was imported before, was made here, holds no tenant, or
    whose tenant, slug or providers do not fit. Short transactions; repeating it after a kill goes on.
    """
    try:
        bundle_id = uuid.UUID(document["id"])
        if document["format"] != FORMAT:
            raise KeyError
        return _receive(document, bundle_id, signer=signer, slug=slug or document["tenant"]["slug"], actor=actor)
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        ValidationError,
        DataError,
        ProgrammingError,
    ):
        raise BundleRefused("The bundle does not hold what a bundle holds.", reason="no_bundle") from None
    except IntegrityError:
        raise BundleRefused(
            "The bundle contradicts itself, or another import of it is under way: look at that first.",
            reason="no_bundle",
        ) from None


def _receive(
    document: Mapping[str, Any], bundle_id: uuid.UUID, *, signer: str, slug: str, actor: audit.Actor
) -> Received:
    is_move = bool(document["is_move"])
    left: list[tuple[str, str]] = []
    tenant = _begun(bundle_id) or _begin(document, bundle_id, signer=signer, slug=slug, left=left, actor=actor)
    run = ImportRun.objects.get(digest=bundle_id.bytes)
    apps, without_secrets = apps_here(document["provider_apps"], tenant, actor=actor)
    store = _Store(tenant, run, apps, is_move=is_move, left=left, actor=actor)
    known = set(ImportRow.objects.filter(run=run).values_list("line", flat=True))
    rows = [(line, one) for line, one in enumerate(document["connections"], start=1) if line not in known]
    for begin in range(0, len(rows), SLICE):
        with short_transaction() as now:
            for line, one in rows[begin : begin + SLICE]:
                store.connection(line, one, now=now)
    left += store_grants(document["access_grants"], tenant, actor=actor)
    with short_transaction() as now:
        if not document["tenant"]["suspended"]:
            Tenant.objects.filter(id=tenant.id).update(suspended_at=None)
        Bundle.objects.get(id=bundle_id).finish(now)
        stored = Connection.objects.for_tenant(tenant.id).count()
        audit.record(
            "tenant.imported",
            actor=actor,
            tenant_id=tenant.id,
            detail={"bundle": str(bundle_id), "signer": signer, "move": is_move, "connections": stored},
        )
    tenant.refresh_from_db()
    return Received(tenant, run.id, is_move, stored, left, without_secrets)


def _begun(bundle_id: uuid.UUID) -> Tenant | None:
    """Return the tenant of an unfinished import of this bundle. Raises ``BundleRefused`` if it was finished."""
    bundle = Bundle.objects.filter(id=bundle_id).first()
    if bundle is None:
        return None
    if bundle.way == BundleWay.OUT:
        raise BundleRefused(
            "The bundle was made by this very installation: `manage.py tenants take-back` sets its tenant going again.",
            reason="made_here",
        )
    if bundle.done_at is not None:
        raise BundleRefused(
            "The bundle was imported here already. Its refresh tokens have been replaced since: have a new one made.",
            reason="replayed",
        )
    tenant = Tenant.objects.filter(id=bundle.tenant_id).first()
    if tenant is None:
        raise BundleRefused(
            "The tenant was deleted before its import was done. Refresh tokens of the bundle may have been replaced"
            " since: have a new one made.",
            reason="tenant_gone",
        )
    return tenant


def _begin(
    document: Mapping[str, Any],
    bundle_id: uuid.UUID,
    *,
    signer: str,
    slug: str,
    left: list[tuple[str, str]],
    actor: audit.Actor,
) -> Tenant:
    described = document["tenant"]
    tenant_id = uuid.UUID(described["id"])
    if Tenant.objects.filter(id=tenant_id).exists():
        raise BundleRefused(
            "The tenant is here already: delete it first, if this is to take its place.", reason="tenant"
        )
    if Tenant.objects.filter(slug=slug).exists():
        raise BundleRefused(f"Another tenant is called {slug!r} here: give this one another name.", reason="slug")
    _check_providers(document["provider_apps"])
    profile = TenantProfile(
        **{name: described[name] for name in ("name", "allowed_origins", "return_urls", "reconnect_url")}
    )
    prepared = _prepared(slug, profile, document["brand"], left=left)
    prepared.tenant.id = tenant_id
    if prepared.brand is not None:
        prepared.brand.tenant = prepared.tenant  # which has another id now
    with short_transaction() as now:
        prepared.tenant.suspended_at = now
        tenant = store_tenant(prepared, actor=actor)
        Bundle.objects.create(
            id=bundle_id,
            way=BundleWay.IN,
            tenant_id=tenant_id,
            slug=slug,
            signer=signer,
            is_move=bool(document["is_move"]),
            made_at=document["made_at"],
        )
        ImportRun.objects.create(
            tenant=tenant,
            state=ImportState.PROVING,
            options=Options(form="json").as_json(),
            digest=bundle_id.bytes,
            operator=actor.operator,
            created_at=now,
        )
    return tenant


def _check_providers(apps: Sequence[Mapping[str, Any]]) -> None:
    missing = []
    for app in apps:
        try:
            if app["auth_style"] not in entry(app["provider"]).methods:
                missing.append(f"{app['provider']} by {app['auth_style']}")
        except UnknownProvider:
            missing.append(app["provider"])
    if missing:
        raise BundleRefused(
            f"The catalogue here lacks what the tenant is connected to: {', '.join(sorted(set(missing)))}. Add the"
            " entries first.",
            reason="providers",
        )


def _prepared(
    slug: str, profile: TenantProfile, brand: Mapping[str, Any] | None, *, left: list[tuple[str, str]]
) -> Prepared:
    """Return the tenant as it will be stored, with its brand where that may be shown here. Raises ``InvalidRequest``.

    A brand is checked and its pictures are drawn anew as for everybody: pages of ours show them, to all tenants.
    """
    if brand is not None:
        try:
            return prepare_tenant(slug, replace(profile, brand=_brand_profile(brand)))
        except InvalidRequest as refusal:
            prepared = prepare_tenant(slug, profile)  # which raises where it is not about the brand
            left.append(("brand", refusal.detail))
            return prepared
    return prepare_tenant(slug, profile)


def _brand_profile(described: Mapping[str, Any]) -> BrandProfile:
    uris = {name: f"data:image/any;base64,{described[name]}" if described[name] else "" for name in ("logo", "favicon")}
    return BrandProfile(
        colors={role: described[role] for role in ROLES if described[role]},
        dark_colors={role: described[f"dark_{role}"] for role in ROLES if described[f"dark_{role}"]},
        **{name: described[name] for name in ("radius", "font", "texts", "support_url", "privacy_url", "locale")},
        logo=uris["logo"],
        favicon=uris["favicon"],
    )


class _Store:
    """Stores the connections of one bundle. ``left`` gets those that cannot be, each with a sentence."""

    def __init__(
        self,
        tenant: Tenant,
        run: ImportRun,
        apps: Mapping[str, ProviderApp],
        *,
        is_move: bool,
        left: list[tuple[str, str]],
        actor: audit.Actor,
    ) -> None:
        self._tenant, self._run, self._apps, self._is_move, self._actor = tenant, run, apps, is_move, actor
        self._key: DataKey = current_data_key(tenant.id)
        self.left = left

    def connection(self, line: int, one: Mapping[str, Any], *, now: datetime) -> None:
        """Store one connection, in the caller's transaction, with a row of the import."""
        credential = Credential.from_bytes(one["credential"].encode())
        if Connection.objects.filter(id=uuid.UUID(one["id"])).exists():
            self.left.append((one["id"], "A connection has this id here already, of this tenant or another."))
            return
        app = self._apps.get(one["provider_app"])
        if app is None:
            self.left.append((one["id"], "There is no provider app of its registration here."))
            return
        try:
            access = access_to(app, one["params"])
        except AppMisconfigured as refusal:
            self.left.append((one["id"], refusal.detail))
            return
        if access.target.grantor != credential.granted_by:
            told = "The entry here leads to other endpoints than those that gave the credential: make them the same."
            self.left.append((one["id"], told))
            return
        self._store(line, one, app, access, credential, now=now)

    def _store(
        self,
        line: int,
        one: Mapping[str, Any],
        app: ProviderApp,
        access: Access,
        credential: Credential,
        *,
        now: datetime,
    ) -> None:
        values = {name: one[name] for name in CONNECTION_COLUMNS if name not in ("status", "reason")}
        values |= {name: moment(values[name]) for name in values if name.endswith(_TIMES)}
        grant_id, known = uuid.uuid4(), one["version"]
        connection = Connection.objects.create(
            id=uuid.UUID(one["id"]), tenant=self._tenant, provider_app=app, grant_id=grant_id, **values
        )
        version = row_of(_sealed(connection, credential, known, access=access, key=self._key))
        status, reason = Status(one["status"]), Reason(one["reason"])
        works = status in (Status.ACTIVE, Status.SUSPECT)
        with connection.saved_once():
            requested = [scope["name"] for scope in one["scopes"] if scope["is_requested"]]
            make_current(connection, version, now=now, requested=requested)
            change_status(connection, Status.ACTIVE, Reason.CONNECTED, now=now, told={"imported": True})
            if not works:
                change_status(connection, status, reason, now=now)
            connection.lead_to(access.party_id)
            if not self._is_move:
                connection.turn(PAUSE, connection.paused_at or now)
            elif version.is_refreshable and works:
                connection.refresh_at(now)
        is_left = not self._is_move or not works
        told = "" if works else "It had to be connected anew at the source already."
        if not self._is_move:
            told = "A copy: it is paused here, because the source refreshes it. Unpause it once the source has ended."
        ImportRow.objects.create(
            id=uuid.uuid4(),
            run=self._run,
            line=line,
            tenant=self._tenant,
            state=RowState.SETTLED if is_left else RowState.STORED,
            code="stored" if is_left else "imported",
            detail=told,
            provider=connection.provider,
            end_user=connection.end_user,
            source_id=one["id"],
            rotates=version.is_refreshable and access.capabilities.rotates,
            connection=connection,
            version_id=version.id,
        )
        audit.record(
            "connection.imported",
            actor=self._actor,
            connection=connection,
            version_id=version.id,
            scopes=version.scopes,
            detail={"import": str(self._run.id), "line": line},
        )


def _sealed(
    connection: Connection, credential: Credential, known: Mapping[str, Any], *, access: Access, key: DataKey
) -> Any:
    wanted = {name: known[name] for name in VERSION_COLUMNS}
    received_at = moment(wanted["received_at"])
    if received_at is None or connection.grant_id is None:
        raise ValueError("A version has no time.")
    return seal_version(
        Obtained(credential, wanted["lifetime_seconds"], tuple(wanted["scopes"])),
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        grant_id=connection.grant_id,
        key=key,
        scopes=tuple(wanted["scopes"]),
        is_refreshable=bool(wanted["is_refreshable"]),
        received_at=received_at,
        grantor=access.target.grantor,
        before=GrantEnds(
            wanted["refresh_lifetime_seconds"],
            moment(wanted["refresh_expires_at"]),
            moment(wanted["grant_expires_at"]),
        ),
    )


def trail_of(document: Mapping[str, Any]) -> list[str]:
    """Return the audit rows that came with a bundle as JSON Lines: they are kept apart, and enter no trail here."""
    return [json.dumps(row, ensure_ascii=False) for row in document.get("audit") or ()]
