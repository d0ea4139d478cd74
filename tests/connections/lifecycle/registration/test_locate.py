import pytest

from connections.access.targets import access_to, registrar_of
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.register_app import register_itself
from connections.lifecycle.registration.locate import has_to_locate, locate, typed_server
from connections.models import ProviderApp, RegisteredClient, Tenant
from connections.refusals import AppMisconfigured, InvalidRequest, ProviderDown
from providers.catalog.loader import entry
from providers.catalog.methods import AuthorizationCodeMethod
from providers.sandbox.client import SandboxProcess

STYLE = AuthorizationCodeMethod.style


def test_finds_resource_scopes_and_client(app: ProviderApp, sandbox: SandboxProcess) -> None:
    found = locate(app, {"server": f"{sandbox.url}/mcp"}, actor=SYSTEM)
    assert found.params == {"resource": f"{sandbox.url}/mcp"}
    assert found.scopes == ("profile.read", "files.read")
    assert found.client == RegisteredClient.objects.get()


@pytest.mark.parametrize("fault", ["wrong_resource", "silent_about_pkce"])
def test_a_server_that_cannot_be_used_is_told_at_its_field(
    app: ProviderApp, sandbox: SandboxProcess, fault: str
) -> None:
    endpoint = "resource_metadata" if fault == "wrong_resource" else "metadata"
    sandbox.control.fault(fault, endpoint=endpoint, times=0)
    with pytest.raises(InvalidRequest) as refused:
        locate(app, {"server": f"{sandbox.url}/mcp"}, actor=SYSTEM)
    assert refused.value.extra["field"] == "server"
    assert sandbox.control.log(endpoint="register") == []


@pytest.mark.parametrize("server", ["http://169.254.169.254/mcp", "https://10.0.0.1/mcp", "http://[fd00:ec2::254]/mcp"])
def test_an_end_user_cannot_aim_us_at_an_address_of_the_inside(app: ProviderApp, server: str) -> None:
    with pytest.raises(InvalidRequest, match=r"may be called|Only https"):
        locate(app, {"server": server}, actor=SYSTEM)


def test_a_server_that_is_away_is_told_as_that(app: ProviderApp, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", endpoint="mcp", status=503)
    with pytest.raises(ProviderDown):
        locate(app, {"server": f"{sandbox.url}/mcp"}, actor=SYSTEM)


def test_apps_of_a_fixed_party_ask_nobody(acme: Tenant) -> None:
    assert not has_to_locate(ProviderApp(tenant=acme, provider="hubspot", auth_style=STYLE))
    assert typed_server(entry("hubspot"), STYLE) == ""
    assert typed_server(entry("mcp"), STYLE) == "server"


def test_an_app_for_any_server_takes_no_client_id_of_one(acme: Tenant) -> None:
    described = Registration(provider="mcp", auth_style=STYLE, client_id="mine", client_secrets=["planted"])
    with pytest.raises(InvalidRequest) as refused:
        save_provider_app(described, tenant=acme, actor=SYSTEM)
    assert refused.value.extra["field"] == "client_id"


def test_a_client_serves_its_own_issuer_alone(app: ProviderApp, sandbox: SandboxProcess) -> None:
    told = register_itself(app, actor=SYSTEM)
    assert (told.client, told.by_hand) == (None, False)
    with pytest.raises(AppMisconfigured, match="not registered"):
        access_to(app, {})
    one = locate(app, {"server": f"{sandbox.url}/mcp"}, actor=SYSTEM).client
    sandbox.control.settings(mcp_server="two")
    two = locate(app, {"server": f"{sandbox.url}/mcp"}, actor=SYSTEM).client
    assert one is not None and two is not None
    assert registrar_of(app, one) != registrar_of(app, two)
    stolen = RegisteredClient.objects.get(id=one.id)
    stolen.discovered = two.discovered  # a plain column, changed behind our back
    params = {"server": f"{sandbox.url}/mcp", "resource": f"{sandbox.url}/mcp"}
    with pytest.raises(AppMisconfigured, match="enter them again"):
        access_to(app, params, client=stolen)
