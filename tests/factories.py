"""Named tenants, callers and provider apps, made by the same use cases that the product makes them by."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from connections.access.targets import redirect_uri
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import issue_key, save_api_client
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.models import ApiClient, Permission, ProviderApp, Tenant
from providers.catalog.methods import AuthorizationCodeMethod
from providers.sandbox.client import SandboxControl, SandboxProcess

RETURN_URL = "https://app.{slug}.example/connected"
ORIGIN = "https://app.{slug}.example"


def make_tenant(slug: str = "acme", **changes: Any) -> Tenant:
    """Make a tenant with one return URL and one embedding origin of its own."""
    profile: dict[str, Any] = {
        "name": slug.capitalize(),
        "allowed_origins": [ORIGIN.format(slug=slug)],
        "return_urls": [RETURN_URL.format(slug=slug)],
        **changes,
    }
    return upsert_tenant(slug, TenantProfile(**profile), actor=SYSTEM)


@dataclass
class Caller:
    """An API client with its key."""

    client: ApiClient
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The header that authenticates it."""
        return {"Authorization": f"Bearer {self.key}"}


BACKEND = (Permission.CONNECT, Permission.READ, Permission.VEND, Permission.MANAGE)


def make_caller(
    tenant: Tenant | None,
    name: str = "backend",
    permissions: Sequence[Permission] = BACKEND,
    *,
    allows_unbound: bool = False,
    proxy_rules: Sequence[str] = (),
) -> Caller:
    """Make an API client with a fresh key; operator-wide for no tenant."""
    client = save_api_client(
        name,
        tenant=tenant,
        permissions=permissions,
        allows_unbound=allows_unbound,
        proxy_rules=proxy_rules,
        actor=SYSTEM,
    )
    return Caller(client, issue_key(client, now=database_now(), actor=SYSTEM).key)


def make_sandbox_app(sandbox: SandboxProcess, *, at: str = "", **options: Any) -> ProviderApp:
    """Do as ``make_sandbox_app_at`` for a sandbox that this process runs. ``at`` is another of its addresses."""
    return make_sandbox_app_at(at or sandbox.url, control=sandbox.control, **options)


def make_sandbox_app_at(
    sandbox_url: str,
    *,
    tenant: Tenant | None = None,
    provider: str = "sandbox",
    style: str = AuthorizationCodeMethod.style,
    scopes: Sequence[str] = (),
    client_scopes: Sequence[str] = ("profile.read", "files.read", "files.write"),
    allows_legacy: bool = False,
    control: SandboxControl | None = None,
    **client: object,
) -> ProviderApp:
    """Register a client of its own at the sandbox, and the provider app for it here.

    ``provider`` is the catalogue entry that is played by the sandbox. ``scopes`` are what the app asks for,
    ``client_scopes`` what the client may have.
    """
    client_id, secret = f"client-{uuid.uuid4().hex[:12]}", f"secret-{uuid.uuid4().hex}"
    app = save_provider_app(
        Registration(
            provider=provider,
            auth_style=style,
            client_id=client_id,
            client_secrets=[secret],
            params={"issuer": sandbox_url},
            scopes=scopes,
            allows_legacy=allows_legacy,
        ),
        tenant=tenant,
        actor=SYSTEM,
    )
    steered = control or SandboxControl(sandbox_url, ca_file=settings.EGRESS_CA_FILE)
    steered.register_client(
        client_id,
        client_secret=secret,
        redirect_uris=[redirect_uri(app.id)],
        scopes=list(client_scopes),
        **client,
    )
    return app
