"""Judge: what a row means here, or why it cannot be used. Changes nothing.

The same judgement makes the report of a dry run, decides which rows are taken, and prepares what is stored: a row that
was good when it was taken may have become bad since.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connections.access.secrets import current_data_key
from connections.access.targets import Access, access_to
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.row_key import row_key
from connections.models import OwnerKind, ProviderApp, Tenant
from connections.refusals import AppMisconfigured
from connections.vault.keyring import DataKey
from providers.brought import columns, nango
from providers.brought.connection import BroughtConnection, RowFault
from providers.catalog.loader import UnknownProvider, entry, meant_by
from providers.errors import FieldInvalid
from providers.lines import plain_line
from providers.values import Credential

_MOST_KEPT = 2000  # accesses of connections whose parameters differ


@dataclass(frozen=True, slots=True)
class Plan:
    """A row that can be used: whose connection it becomes, at which app, with which credential.

    ``is_refreshable``: the credential can bring the next one. ``rotates``: that ends the copy at the source.
    ``is_valid``: its access token can be used until ``brought.expires_at``. ``notes`` are sentences for the report.
    """

    brought: BroughtConnection
    tenant: Tenant
    app: ProviderApp
    access: Access
    credential: Credential = field(repr=False)
    owner: OwnerKind
    end_user: str
    params: Mapping[str, str]
    is_refreshable: bool
    rotates: bool
    is_valid: bool
    key: bytes = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The label that the row gives the connection, or ""."""
        return self.brought.label


class Judge:
    """Judges the rows of one import. Keeps what many rows share: tenants, apps, opened client secrets.

    ``tenant`` is that of all rows, or None where each names its own. Use it for a short time: it does not notice what
    is changed meanwhile.
    """

    def __init__(self, options: Options, *, tenant: Tenant | None) -> None:
        self._options = options
        self._tenant = tenant
        self._tenants: dict[str, Tenant | None] = {}
        self._apps: dict[tuple[uuid.UUID, str], Sequence[ProviderApp]] = {}
        self._accesses: dict[tuple[Any, ...], Access] = {}
        self._keys: dict[uuid.UUID, DataKey] = {}

    def key_of(self, tenant: Tenant) -> DataKey:
        """Return the current data key of ``tenant``. One query the first time."""
        if tenant.id not in self._keys:
            self._keys[tenant.id] = current_data_key(tenant.id)
        return self._keys[tenant.id]

    def read(self, row: Any) -> BroughtConnection:
        """Return what the row says. Raises ``RowFault``. No I/O."""
        if self._options.form == "nango":
            return nango.connection_of(row)
        if isinstance(row, Mapping):
            named = self._options.columns
            row = {named.get(name, name): value for name, value in row.items() if named.get(name, name) or not name}
        return columns.connection_of(row)

    def unknown_columns(self, row: Any) -> list[str]:
        """Return the columns of a row that nothing is done with. No I/O."""
        if self._options.form == "nango" or not isinstance(row, Mapping):
            return []
        named = (name for name in row if name and name.isprintable() and name not in self._options.columns)
        return columns.unknown_columns(dict.fromkeys(named, ""))

    def tenant_of(self, brought: BroughtConnection) -> Tenant:
        """Return the tenant whose connection it becomes. One query the first time. Raises ``RowFault``."""
        named = self._options.tenants.get(brought.tenant, brought.tenant)
        if self._tenant is not None:
            translated = brought.tenant in self._options.tenants
            if named and named != self._tenant.slug and (self._options.form != "nango" or translated):
                raise RowFault("wrong_tenant", "The row names another tenant than this import.", field="tenant")
            return self._tenant
        if not named:
            raise RowFault("missing_field", "Name the tenant, in the row or for all rows.", field="tenant")
        if named not in self._tenants:
            self._tenants[named] = Tenant.objects.filter(slug=named).first()
        tenant = self._tenants[named]
        if tenant is None or tenant.shred_at is not None:
            raise RowFault("unknown_tenant", "There is no such tenant: add it first.", field="tenant")
        return tenant

    def plan(self, brought: BroughtConnection, *, now: datetime) -> Plan:
        """Return what is to be stored of a row. Raises ``RowFault``. A few queries the first time for each app."""
        tenant = self.tenant_of(brought)
        owner, end_user = self._owner(brought)
        slug, style = self._provider(brought)
        fault: RowFault | None = None
        for app in self._usable(tenant, slug, style):
            try:
                return self._plan_at(app, brought, tenant=tenant, owner=owner, end_user=end_user, now=now)
            except RowFault as found:
                fault = fault or found
        if fault is not None:
            raise fault
        raise RowFault(
            "no_provider_app",
            "The tenant has no provider app for it, and none is shared: add the one that the credential was issued to.",
            field="provider",
        )

    def _owner(self, brought: BroughtConnection) -> tuple[OwnerKind, str]:
        named = brought.owner or ("tenant" if self._options.for_tenant else "end_user")
        if named not in ("end_user", "tenant"):
            raise RowFault("bad_field", "The owner is end_user or tenant.", field="owner")
        end_user = brought.end_user or self._options.end_user
        if named == "end_user" and not end_user:
            raise RowFault("missing_field", "Name the end user to whom the connection belongs.", field="end_user")
        if brought.label and plain_line(brought.label) != brought.label:
            raise RowFault("bad_field", "The label holds marks that nobody sees.", field="label")
        return OwnerKind(named), end_user

    def _provider(self, brought: BroughtConnection) -> tuple[str, str]:
        names = [brought.provider, *brought.other_names] if brought.provider else [self._options.provider]
        for name in names:
            if not name:
                continue
            slug, style = meant_by(self._options.providers.get(name, name))
            try:
                entry(slug)
            except UnknownProvider:
                continue
            return slug, brought.auth_style or style or self._options.auth_style
        if not any(names):
            raise RowFault("missing_field", "Name the provider, in the row or for all rows.", field="provider")
        raise RowFault(
            "unknown_provider", "The catalogue has no such provider: say which one is meant.", field="provider"
        )

    def _usable(self, tenant: Tenant, slug: str, style: str) -> Sequence[ProviderApp]:
        if (tenant.id, slug) not in self._apps:
            self._apps[tenant.id, slug] = list(ProviderApp.objects.usable_by(tenant).filter(provider=slug))
        found: dict[str, ProviderApp] = {}
        for app in self._apps[tenant.id, slug]:  # the tenant's own come first and hide the shared one
            found.setdefault(app.auth_style, app)
        return [app for app in found.values() if not style or app.auth_style == style]

    def _plan_at(
        self,
        app: ProviderApp,
        brought: BroughtConnection,
        *,
        tenant: Tenant,
        owner: OwnerKind,
        end_user: str,
        now: datetime,
    ) -> Plan:
        if brought.client_id and brought.client_id != app.client_id:
            raise RowFault(
                "other_client",
                "The credential was issued to another client than that of the provider app: it would be refused here.",
                field="client_id",
            )
        described = entry(app.provider)
        known = {param.name: param for param in described.params}
        loose = {name: value for name, value in brought.loose_params.items() if name in known}
        params = {**loose, **brought.params}
        if unknown := sorted(params.keys() - known.keys()):
            raise RowFault("bad_field", "The provider has no such parameter.", field=f"param.{unknown[0]}")
        access = self._access(app, params)
        if access.target.lacks_workspace:
            wanted = "" if described.workspaces is None else described.workspaces.key
            raise RowFault("missing_field", "Say which workspace the connection is about.", field=f"param.{wanted}")
        try:
            credential = access.strategy.bring(access.target, brought.credential)
        except FieldInvalid as error:
            raise RowFault("bad_field", error.evidence.detail, field=error.field) from None
        is_refreshable = access.strategy.can_refresh(access.target, credential)
        has_ended = brought.expires_at is not None and brought.expires_at <= now
        notes = []
        if not is_refreshable and has_ended:
            raise RowFault(
                "expired",
                "It has ended and cannot be refreshed: let the end user connect anew.",
                field="expires_at",
            )
        if not is_refreshable and access.capabilities.needs_refresh_token:
            notes.append("It has no refresh token: it ends with its access token.")
        if brought.scopes is None and access.target.method.takes_scopes:
            notes.append("It names no scopes: those that the provider app asks for are assumed.")
        owner_name = f"{owner} {end_user if owner is OwnerKind.END_USER else ''} {brought.label} {app.id}"
        return Plan(
            brought=brought,
            tenant=tenant,
            app=app,
            access=access,
            credential=credential,
            owner=owner,
            end_user=end_user,
            params=params,
            is_refreshable=is_refreshable,
            rotates=is_refreshable and access.capabilities.rotates,
            is_valid=_is_usable(credential) and not has_ended and not (is_refreshable and brought.expires_at is None),
            key=row_key(credential, owner=owner_name, key=self.key_of(tenant)),
            notes=tuple(notes),
        )

    def _access(self, app: ProviderApp, params: Mapping[str, str]) -> Access:
        named = (app.id, *sorted(params.items()))
        if named not in self._accesses:
            try:
                found = access_to(app, params)
            except AppMisconfigured as refusal:
                raise RowFault("app_misconfigured", refusal.detail, field="provider") from None
            if len(self._accesses) >= _MOST_KEPT:
                self._accesses.clear()
            self._accesses[named] = found
        return self._accesses[named]


def _is_usable(credential: Credential) -> bool:
    return credential.access_token is not None or bool(credential.fields)


def with_scopes(plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the scopes to record as granted and as requested. No I/O.

    An export seldom says what was asked for. What was granted then counts as asked for too; where it says neither, what
    the provider app asks for counts as both, as in an answer that names no scope (RFC 6749 §5.1).
    """
    if plan.brought.scopes is not None:
        return plan.brought.scopes, plan.brought.scopes
    described = plan.access.target.entry
    if not plan.access.target.method.takes_scopes:
        return (), ()
    assumed = described.with_required_scopes(
        [*(plan.app.scopes or described.default_scopes), *plan.app.required_scopes]
    )
    return assumed, assumed
