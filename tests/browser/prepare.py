"""Data for the browser tests of the widget: ``python -m tests.browser.prepare ORIGIN`` in a stack's environment.

Makes acme with the operator's addresses at ORIGIN, and a second origin that may embed the widget; its app at a provider
whose grants open several teams, one that takes API keys, and one that shows codes. Prints the backend's key.
"""

import os
import sys

import django

django.setup()

from connections.brand.profile import BrandProfile  # noqa: E402 - the apps must be ready
from providers.catalog.device_method import DeviceAuthorizationMethod  # noqa: E402 - the apps must be ready
from providers.catalog.methods import ApiKeyMethod  # noqa: E402 - the apps must be ready
from providers.sandbox.client import SandboxControl  # noqa: E402 - the apps must be ready
from tests.connections.consent.teams import NORTH_AND_SOUTH  # noqa: E402 - the apps must be ready
from tests.factories import make_caller, make_sandbox_app_at, make_tenant  # noqa: E402 - the apps must be ready


def prepare(origin: str, sandbox: str) -> str:
    """Make everything, and return the key."""
    tenant = make_tenant(
        "acme",
        brand=BrandProfile(colors={"accent": "#0f766e"}),
        allowed_origins=[origin, origin.replace("localhost", "127.0.0.1")],
        return_urls=[f"{origin}/connected"],
    )
    make_sandbox_app_at(sandbox, tenant=tenant, provider="teams", client_scopes=["profile.read"])
    make_sandbox_app_at(sandbox, tenant=tenant, style=ApiKeyMethod.style)
    make_sandbox_app_at(sandbox, tenant=tenant, provider="codes", style=DeviceAuthorizationMethod.style)
    SandboxControl(sandbox).settings(workspaces={"alice": NORTH_AND_SOUTH}, device_interval=1)
    return make_caller(tenant).key


if __name__ == "__main__":
    print(prepare(sys.argv[1], os.environ["SANDBOX_URL"]))
