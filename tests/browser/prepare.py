"""Data for the browser tests of the widget: ``python -m tests.browser.prepare ORIGIN...`` in a stack's environment.

Makes acme, and globex, which offers many providers. Pages at each ORIGIN may embed the widget, and return URLs are at
the first. acme has an app at a provider whose grants open several teams, one that takes API keys, one
that shows codes, and one that asks for a name first. Prints what ``prepare`` returns.
"""

import json
import os
import sys
from typing import Any

import django

django.setup()

from connections.brand.profile import BrandProfile  # noqa: E402 - the apps must be ready
from connections.journal.audit import SYSTEM  # noqa: E402 - the apps must be ready
from connections.lifecycle.provision.brands import save_brand  # noqa: E402 - the apps must be ready
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app  # noqa: E402 - likewise
from connections.models import Permission, Tenant  # noqa: E402 - the apps must be ready
from connections.models.failures import Failure  # noqa: E402 - the apps must be ready
from providers.catalog.device_method import DeviceAuthorizationMethod  # noqa: E402 - the apps must be ready
from providers.catalog.methods import ApiKeyMethod  # noqa: E402 - the apps must be ready
from providers.catalog.signed_methods import SignedJwtMethod  # noqa: E402 - the apps must be ready
from providers.sandbox.client import SandboxControl  # noqa: E402 - the apps must be ready
from tests.connections.consent.teams import NORTH_AND_SOUTH  # noqa: E402 - the apps must be ready
from tests.factories import BACKEND, make_caller, make_sandbox_app_at, make_tenant  # noqa: E402 - the apps must be ready
from tests.pictures import data_uri  # noqa: E402 - the apps must be ready

MANY = (
    *("activecampaign", "algolia", "anthropic", "brevo", "circleci", "datadog", "deepl"),
    *("freshsales", "jotform", "mapbox", "okta", "pagerduty", "pandadoc"),
)
_LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="11" fill="#7c2d92"/>'
    b'<circle cx="24" cy="24" r="12" fill="none" stroke="#ffffff" stroke-width="5"/>'
    b'<rect x="22" y="22" width="14" height="5" fill="#ffffff"/></svg>'
)


def prepare(origins: list[str], sandbox: str) -> dict[str, Any]:
    """Make everything. Returns ``key``, ``globex_key``, ``agent_key``, the widget's ``failures``, and ``apps``.

    The keys are those of the backends, and of a service of acme's for agents. ``apps`` are ids by ``tenant/provider``.
    """
    acme, globex = _tenant("acme", origins), _tenant("globex", origins)
    save_brand(acme, BrandProfile(colors={"accent": "#0f766e"}), actor=SYSTEM)
    look = BrandProfile(
        colors={"accent": "#7c2d92"},
        logo=data_uri(_LOGO, "image/svg+xml"),
        support_url="https://help.globex.example/connecting",
        privacy_url="https://globex.example/privacy",
    )
    save_brand(globex, look, actor=SYSTEM)
    apps = [
        make_sandbox_app_at(sandbox, tenant=acme, provider="teams", client_scopes=["profile.read"]),
        make_sandbox_app_at(sandbox, tenant=acme, provider="shops", client_scopes=["profile.read", "files.read"]),
        make_sandbox_app_at(sandbox, tenant=acme, style=ApiKeyMethod.style),
        make_sandbox_app_at(sandbox, tenant=acme, provider="codes", style=DeviceAuthorizationMethod.style),
        make_sandbox_app_at(sandbox, tenant=globex),
        make_sandbox_app_at(sandbox, tenant=globex, style=ApiKeyMethod.style),
        make_sandbox_app_at(sandbox, tenant=globex, style=SignedJwtMethod.style),
    ]
    for slug in MANY:
        registration = Registration(provider=slug, auth_style=ApiKeyMethod.style)
        apps.append(save_provider_app(registration, tenant=globex, actor=SYSTEM))
    SandboxControl(sandbox).settings(workspaces={"alice": NORTH_AND_SOUTH}, device_interval=1)
    return {
        "key": make_caller(acme, permissions=(*BACKEND, Permission.GRANT)).key,
        "agent_key": make_caller(acme, "Report writer", [Permission.VEND]).key,
        "globex_key": make_caller(globex, "globex").key,
        "failures": list(Failure),
        "apps": {f"{app.tenant.slug}/{app.provider}": str(app.id) for app in apps if app.tenant is not None},
    }


def _tenant(slug: str, origins: list[str]) -> Tenant:
    return make_tenant(slug, allowed_origins=origins, return_urls=[f"{origins[0]}/connected"])


if __name__ == "__main__":
    print(json.dumps(prepare(sys.argv[1:], os.environ["SANDBOX_URL"])))
