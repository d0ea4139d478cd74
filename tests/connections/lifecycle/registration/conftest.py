"""A sandbox whose MCP server registers clients in one way, and an app that registers itself there."""

import pytest

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import ProviderApp, Tenant
from providers.catalog.methods import AuthorizationCodeMethod
from providers.oauth.protected_resource import discover_server
from providers.sandbox.client import SandboxProcess


@pytest.fixture
def sandbox(sandbox: SandboxProcess) -> SandboxProcess:
    sandbox.control.settings(registration=["dynamic"], mcp_server="one", mcp_stream=False)
    sandbox.control.settings(registration_lifetime=0, registration_managed=True)
    return sandbox


@pytest.fixture
def app(sandbox: SandboxProcess, acme: Tenant) -> ProviderApp:
    described = Registration(provider="mcp", auth_style=AuthorizationCodeMethod.style)
    return save_provider_app(described, tenant=acme, actor=SYSTEM)


@pytest.fixture
def discovered(sandbox: SandboxProcess) -> dict[str, str]:
    return look(sandbox)


def look(sandbox: SandboxProcess) -> dict[str, str]:
    """Return what the authorization server before the sandbox's MCP server says of itself now."""
    return dict(discover_server(f"{sandbox.url}/mcp").discovered)
