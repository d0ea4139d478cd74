"""What provider apps have registered without hands, as operators see it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.register_app import register_itself
from connections.lifecycle.registration.sealed import management_of, secrets_of
from connections.models import AuditEvent, ProviderApp, RegisteredClient, Tenant
from providers.catalog.additions import derive_server_entry, store_entry
from providers.catalog.loader import configure_catalog
from providers.catalog.methods import AuthorizationCodeMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.admin.conftest import list_url, page_url, press_url

STYLE = AuthorizationCodeMethod.style


@pytest.fixture
def tools(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[SandboxProcess]:
    """The sandbox's MCP server as the provider tools, which registers clients."""
    sandbox.control.settings(registration=["dynamic"], mcp_server="one", registration_lifetime=3600)
    store_entry("tools", derive_server_entry(f"{sandbox.url}/mcp"), folder=tmp_path)
    configure_catalog(tmp_path)
    with override_settings(CATALOG_DIR=tmp_path):
        yield sandbox
    configure_catalog(None)
    sandbox.control.settings(registration=["document", "dynamic"], registration_lifetime=0)


@pytest.fixture
def row(tools: SandboxProcess, acme: Tenant) -> RegisteredClient:
    app = save_provider_app(Registration(provider="tools", auth_style=STYLE), tenant=acme, actor=SYSTEM)
    client = register_itself(app, actor=SYSTEM).client
    assert client is not None
    return client


def test_shows_where_it_is_registered_and_no_secret(olga: Client, row: RegisteredClient) -> None:
    page, listed = (olga.get(url).content.decode() for url in (page_url(row), list_url(RegisteredClient)))
    assert row.issuer in page and row.redirect_uri in page and row.client_id in listed
    management = management_of(row)
    assert management is not None
    for secret in (*secrets_of(row), management.token):
        assert secret.get_secret_value() not in page + listed
    assert "one for each registered client" in olga.get(page_url(row.provider_app)).content.decode()


def test_an_operator_renews_it(olga: Client, row: RegisteredClient, tools: SandboxProcess) -> None:
    answer = olga.post(press_url(row, "renew"), follow=True)
    assert "the client id is the same" in answer.content.decode()
    assert [entry.outcome for entry in tools.control.log(endpoint="register")] == ["registered", "updated"]
    assert AuditEvent.objects.get(action="provider_app.registration_renewed").operator == "olga"


def test_a_refused_renewal_is_told(olga: Client, row: RegisteredClient, tools: SandboxProcess) -> None:
    tools.control.fault("error", endpoint="register", error="access_denied", status=403, times=0)
    assert "access_denied" in olga.post(press_url(row, "renew"), follow=True).content.decode()
    assert "Not renewed yet" in olga.get(page_url(row)).content.decode()
    tools.control.clear_faults()


def test_the_form_registers_an_app_and_says_how(olga: Client, tools: SandboxProcess, acme: Tenant) -> None:
    address = f"/admin/connections/providerapp/add/?provider=tools&auth_style={STYLE}"
    answer = olga.post(address, {"tenant": str(acme.id), "name": "Tools"}, follow=True)
    assert "Registered by Dynamic registration" in answer.content.decode()
    assert ProviderApp.objects.get().registers_itself
