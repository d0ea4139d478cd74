"""What everything else stands on: tenants with brands, provider apps, API clients and their keys, webhook endpoints."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from connections.access.secrets import current_data_key
from connections.brand.profile import BrandProfile
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import issue_key, save_api_client
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.lifecycle.webhooks.endpoints import Terms, add_endpoint
from connections.management.showcase.chance import Chance
from connections.management.showcase.names import COLORS, COMPANIES, LIKED, Liked
from connections.models import ApiClient, ApiKey, Permission, ProviderApp, Tenant, WebhookEndpoint
from connections.vault.keyring import DataKey
from providers.catalog.loader import entry
from providers.catalog.schema import CatalogEntry

_YEAR = timedelta(days=365)
_APPS_OF_THEIR_OWN = 12
_CALLERS: tuple[tuple[str, tuple[Permission, ...]], ...] = (
    ("backend", (Permission.CONNECT, Permission.READ, Permission.VEND, Permission.MANAGE)),
    ("agents", (Permission.READ, Permission.PROXY)),
    ("nightly-jobs", (Permission.READ, Permission.VEND, Permission.VEND_WITHOUT_USER)),
)


@dataclass(frozen=True, slots=True)
class App:
    """A provider app of the showcase, its entry, and what is known of the provider."""

    row: ProviderApp
    entry: CatalogEntry
    liked: Liked

    @property
    def told_ends(self) -> Sequence[str]:
        """The types of what its provider pushes by itself when a grant has ended."""
        events = () if self.entry.push is None else self.entry.push.events
        return [event.type for event in events if event.means == "ended"]


@dataclass(slots=True)
class Ground:
    """What there is before the first connection. ``callers``, ``keys`` and ``endpoints`` are by the tenant's slug."""

    tenants: list[Tenant]
    apps: list[App]
    callers: dict[str, list[ApiClient]] = field(default_factory=dict)
    keys: dict[str, DataKey] = field(default_factory=dict)
    endpoints: dict[str, WebhookEndpoint] = field(default_factory=dict)

    def apps_of(self, tenant: Tenant) -> Sequence[App]:
        """Return the app at each provider that connections of ``tenant`` use: its own where it has one."""
        own = {app.row.provider: app for app in self.apps if app.row.tenant_id == tenant.id}
        return [own.get(app.row.provider, app) for app in self.apps if app.row.tenant_id is None]


def slug_of(company: str) -> str:
    """Return the slug of a company."""
    return re.sub(r"[^a-z0-9]+", "-", company.lower()).strip("-")


def lay_ground(chance: Chance, *, tenants: int, is_paused: bool) -> Ground:
    """Make what everything else stands on. Writes by the use cases of the lifecycle; calls nobody."""
    made = [_tenant(chance, company) for company in COMPANIES[:tenants]]
    ground = Ground(made, [_app(chance, liked, None) for liked in LIKED])
    for tenant in chance.some_of(made, _APPS_OF_THEIR_OWN):
        ground.apps.append(_app(chance, chance.one_of(LIKED[:8]), tenant))
    if is_paused:
        ProviderApp.objects.filter(id__in=[app.row.id for app in ground.apps]).update(paused_at=chance.now)
    for tenant in made:
        ground.keys[tenant.slug] = current_data_key(tenant.id)
        ground.callers[tenant.slug] = _callers(chance, tenant)
        if chance.falls(0.7):
            ground.endpoints[tenant.slug] = _endpoint(chance, tenant)
    save_api_client("operations", tenant=None, permissions=(Permission.READ, Permission.AUDIT), actor=SYSTEM)
    return ground


def _tenant(chance: Chance, company: str) -> Tenant:
    slug = slug_of(company)
    origin = f"https://app.{slug}.example"
    tenant = upsert_tenant(
        slug,
        TenantProfile(
            name=company,
            allowed_origins=[origin],
            return_urls=[f"{origin}/settings/integrations"],
            reconnect_url=f"{origin}/reconnect?connection={{connection}}" if chance.falls(0.5) else "",
            brand=BrandProfile(colors={"accent": chance.one_of(COLORS)}, support_url=f"{origin}/help"),
        ),
        actor=SYSTEM,
    )
    Tenant.objects.filter(id=tenant.id).update(created_at=chance.before(2 * _YEAR))
    return tenant


def _app(chance: Chance, liked: Liked, tenant: Tenant | None) -> App:
    described = entry(liked.slug)
    style = next(iter(described.methods))
    registers = described.methods[style].registers_client
    row = save_provider_app(
        Registration(
            provider=liked.slug,
            auth_style=style,
            name=f"{described.name} for {tenant.name}" if tenant else "",
            client_id=f"{liked.slug}-{chance.number(10**7, 10**8)}" if registers else "",
            client_secrets=[chance.token()] if registers else (),
        ),
        tenant=tenant,
        actor=SYSTEM,
    )
    ProviderApp.objects.filter(id=row.id).update(created_at=chance.before(2 * _YEAR))
    return App(ProviderApp.objects.get(id=row.id), described, liked)  # with its secrets as they are stored


def _callers(chance: Chance, tenant: Tenant) -> list[ApiClient]:
    made = []
    for name, permissions in _CALLERS[: chance.number(1, len(_CALLERS))]:
        rules = ("* GET /**",) if Permission.PROXY in permissions else ()
        client = save_api_client(name, tenant=tenant, permissions=permissions, proxy_rules=rules, actor=SYSTEM)
        issued = issue_key(client, now=chance.now, lifetime=timedelta(days=chance.number(5, 360)), actor=SYSTEM)
        ApiKey.objects.filter(id=issued.id).update(created_at=chance.before(_YEAR))
        made.append(client)
    return made


def _endpoint(chance: Chance, tenant: Tenant) -> WebhookEndpoint:
    terms = Terms(f"https://hooks.{tenant.slug}.example/latchkey", description=f"Events of {tenant.name}")
    return add_endpoint(terms, tenant=tenant, now=chance.now, actor=SYSTEM).endpoint
