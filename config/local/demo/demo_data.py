"""The demo's data: an operator, the tenant acme, the sandbox's provider apps, the customer app's key.

Every function may run at every start: it makes what is missing, updates addresses that have changed, and keeps what
people have changed since. The state folder keeps the logins (mode 0600, beside the keys of the vault), so that each
start can show them again.
"""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User

from config.local.supervisor.state import read_record, write_record
from connections.access.secrets import digest
from connections.access.targets import redirect_uri
from connections.brand.profile import BrandProfile
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import issue_key, save_api_client
from connections.lifecycle.provision.domains import add_domain, file_of
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.models import ApiKey, Permission, ProviderApp, Tenant
from providers.catalog.loader import entry
from providers.sandbox.client import SandboxControl

OPERATOR = "operator"
TENANT = "acme"
SCOPES = ("profile.read", "files.read", "files.write")
# The sandbox takes a replaced refresh token for this long; the catalogue's entry says the same.
GRACE_SECONDS = 30
_LOGO = Path(__file__).parent / "customer_app" / "static" / "logo.svg"
_COLOR = "#b3420b"
_KEY_MUST_LAST = timedelta(days=1)


class NotForDemos(Exception):
    """The installation is not a development one: it must not get an operator with a password on disk."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stack's three servers are, as origins."""

    web: str
    sandbox: str
    customer_app: str


@dataclass(frozen=True, slots=True)
class SandboxClient:
    """Latchkey's client at the sandbox, and how long its access tokens live."""

    id: str
    secret: str = field(repr=False)
    access_seconds: int


def lay_out(*, state: Path, addresses: Addresses, client: SandboxClient) -> dict[str, Any]:
    """Make or update all of the demo's data and return its logins.

    ``tenant`` is its slug; ``operator`` has username, password (None where a person has set another since) and url;
    ``api_key`` is that of the customer app; ``notes`` are lines for people. Calls the sandbox (HTTP). Raises
    ``NotForDemos``, ``Unreadable`` and ``requests.RequestException``.
    """
    if not settings.DEVELOPMENT:
        raise NotForDemos("Demo data is for LATCHKEY_ENV=development only.")
    notes: list[str] = []
    operator = _operator(state / "operator.json", notes)
    record = read_record(state / "customer_app.json")
    tenant = _tenant(addresses.customer_app, before=str(record.get("url", "")))
    _sandbox_apps(addresses.sandbox, client)
    record |= {
        "url": addresses.customer_app,
        "api_key": _customer_app_key(tenant, str(record.get("api_key", ""))),
        "session_key": record.get("session_key") or secrets.token_urlsafe(32),
        "domain_line": _domain_line(tenant, addresses.customer_app),
    }
    write_record(state / "customer_app.json", record)
    return {
        "tenant": tenant.slug,
        "operator": {**operator, "url": f"{addresses.web}/admin/"},
        "api_key": record["api_key"],
        "notes": notes,
    }


def _operator(path: Path, notes: list[str]) -> dict[str, str | None]:
    """Return the operator's login, making it if there is none that this folder knows of."""
    user = User.objects.filter(username=OPERATOR).first()
    password = str(read_record(path).get("password", ""))
    if user is not None and password:
        if user.check_password(password):
            return {"username": OPERATOR, "password": password}
        notes.append(f"The operator's password was changed since; delete {path} to get a new one at the next start.")
        return {"username": OPERATOR, "password": None}
    password = secrets.token_urlsafe(12)
    user = user or User(username=OPERATOR, is_staff=True, is_superuser=True)
    user.set_password(password)
    user.save()
    write_record(path, {"password": password})
    return {"username": OPERATOR, "password": password}


def _tenant(customer_app: str, *, before: str) -> Tenant:
    """Make acme, or let its addresses follow the customer app from ``before``; further ones of people's stay."""
    made = Tenant.objects.filter(slug=TENANT).first()
    if made is None:
        logo = f"data:image/svg+xml;base64,{base64.b64encode(_LOGO.read_bytes()).decode()}"
        profile = TenantProfile(
            name="Acme",
            brand=BrandProfile(colors={"accent": _COLOR}, logo=logo),
            allowed_origins=[customer_app],
            return_urls=[_return_url(customer_app)],
            reconnect_url=_reconnect_url(customer_app),
        )
    elif customer_app in made.allowed_origins and _return_url(customer_app) in made.return_urls:
        return made
    else:
        follows = made.reconnect_url in ("", _reconnect_url(before))
        profile = TenantProfile(
            name=made.name,
            allowed_origins=[*(url for url in made.allowed_origins if url != before), customer_app],
            return_urls=[*(url for url in made.return_urls if url != _return_url(before)), _return_url(customer_app)],
            reconnect_url=_reconnect_url(customer_app) if follows else made.reconnect_url,
        )
    return upsert_tenant(TENANT, profile, actor=SYSTEM)


def _domain_line(tenant: Tenant, customer_app: str) -> str:
    """Return what the app has to serve so that the widget vouches for its host."""
    return file_of(add_domain(tenant, urlsplit(customer_app).netloc, actor=SYSTEM))[1]


def _return_url(customer_app: str) -> str:
    return f"{customer_app}/connected"


def _reconnect_url(customer_app: str) -> str:
    return f"{customer_app}/reconnect?connection={{connection}}"


def _sandbox_apps(sandbox: str, client: SandboxClient) -> None:
    """Make the shared apps for signing in and for API keys, and register the first at the sandbox."""
    methods = entry("sandbox").methods.values()
    by_consent = next(method.style for method in methods if method.redirects)
    by_key = next(method.style for method in methods if not method.registers_client)
    app = _save_app(by_consent, sandbox, client_id=client.id, client_secrets=[client.secret])
    _save_app(by_key, sandbox, name="Sandbox, by API key")
    SandboxControl(sandbox).register_client(
        client.id,
        client_secret=client.secret,
        name="Acme",
        redirect_uris=[redirect_uri(app.id)],
        scopes=list(SCOPES),
        access_lifetime=client.access_seconds,
        grace_seconds=GRACE_SECONDS,
    )


def _save_app(style: str, sandbox: str, **registration: Any) -> ProviderApp:
    return save_provider_app(
        Registration(provider="sandbox", auth_style=style, params={"issuer": sandbox}, **registration),
        tenant=None,
        actor=SYSTEM,
    )


def _customer_app_key(tenant: Tenant, kept: str) -> str:
    """Return the customer app's API key: the one it has, if that still works, else a new one."""
    client = save_api_client(
        "customer-app",
        tenant=tenant,
        permissions=(Permission.CONNECT, Permission.READ, Permission.VEND, Permission.MANAGE),
        actor=SYSTEM,
    )
    now = database_now()
    usable = ApiKey.objects.filter(
        client=client, key_hash=digest(kept), revoked_at=None, expires_at__gt=now + _KEY_MUST_LAST
    )
    return kept if usable.exists() else issue_key(client, now=now, actor=SYSTEM).key
