"""``manage.py provider_apps``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from connections.access.secrets import open_client_secrets
from connections.models import ProviderApp, Tenant
from providers.catalog.loader import configure_catalog
from providers.sandbox.client import SandboxProcess
from tests.connections.management.conftest import Run

SECRET = "s3cret-that-is-never-shown"
ISSUER = "issuer=http://127.0.0.1:8090"


def secrets_of(app: ProviderApp) -> list[str]:
    return [secret.get_secret_value() for secret in open_client_secrets(app)]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "client.secret"
    path.write_text(f"{SECRET}\n\n  older-{SECRET}  \n")
    return path


def test_a_draft_needs_no_client_id_and_prints_the_redirect_uri(run: Run) -> None:
    ran = run("provider_apps", "add", "sandbox", "--param", ISSUER, "--json")
    app = ProviderApp.objects.get()
    assert ran.data["draft"] is True
    assert ran.data["redirect_uri"] == f"http://testserver/connect/callback/{app.id}"
    assert "It is a draft" in run("provider_apps", "add", "sandbox").out


def test_completing_a_draft_keeps_its_redirect_uri_and_parameters(run: Run, secret_file: Path) -> None:
    draft = run("provider_apps", "add", "sandbox", "--param", ISSUER, "--scopes", "files.read", "--json").data
    ran = run("provider_apps", "add", "sandbox", "--client-id", "c1", "--client-secret-file", secret_file, "--json")
    assert ran.data["redirect_uri"] == draft["redirect_uri"]
    assert ran.data | {"created": True} == ran.data | {
        "created": True,
        "client_id": "c1",
        "client_secrets": "set",
        "draft": False,
        "scopes": ["files.read"],
        "params": {"issuer": "http://127.0.0.1:8090"},
    }


def test_secrets_keep_their_order_and_are_never_printed(run: Run, secret_file: Path) -> None:
    arguments = ("provider_apps", "add", "sandbox", "--param", ISSUER, "--client-id", "c1")
    printed = run(*arguments, "--client-secret-file", secret_file).out
    printed += run(*arguments, "--client-secret-file", secret_file, "--json").out
    printed += run("provider_apps", "list").out + run("provider_apps", "list", "--json").out
    assert secrets_of(ProviderApp.objects.get()) == [SECRET, f"older-{SECRET}"]
    assert SECRET not in printed
    assert "client_secrets      set" in printed


def test_secrets_come_from_standard_input_too(run: Run) -> None:
    ran = run(
        *("provider_apps", "add", "sandbox", "--param", ISSUER, "--client-id", "c1", "--client-secret-file", "-"),
        stdin=f"{SECRET}\n",
    )
    assert ran.code == 0
    assert secrets_of(ProviderApp.objects.get()) == [SECRET]


def test_a_change_without_a_secret_keeps_the_stored_one(run: Run, secret_file: Path) -> None:
    run("provider_apps", "add", "sandbox", "--param", ISSUER, "--client-id", "c1", "--client-secret-file", secret_file)
    assert run("provider_apps", "add", "sandbox", "--name", "Renamed").code == 0
    app = ProviderApp.objects.get()
    assert (app.name, app.client_id) == ("Renamed", "c1")
    assert secrets_of(app)[0] == SECRET


@pytest.mark.parametrize("moved", [("--param", "issuer=http://127.0.0.1:9555"), ("--client-id", "c2")])
def test_a_change_of_where_the_secrets_go_asks_for_them_again(
    run: Run, secret_file: Path, moved: tuple[str, str]
) -> None:
    first = ("provider_apps", "add", "sandbox", "--param", ISSUER, "--client-id", "c1")
    run(*first, "--client-secret-file", secret_file)
    ran = run("provider_apps", "add", "sandbox", *moved)
    assert ran.code == 1
    assert "enter them again" in ran.err
    app = ProviderApp.objects.get()
    assert (app.params, app.client_id) == ({"issuer": "http://127.0.0.1:8090"}, "c1")
    assert run("provider_apps", "add", "sandbox", *moved, "--client-secret-file", secret_file).code == 0


def test_rebinding_tells_where_credentials_would_go_before_it_sends_them_there(run: Run, secret_file: Path) -> None:
    first = ("provider_apps", "add", "sandbox", "--param", ISSUER, "--client-id", "c1")
    run(*first, "--client-secret-file", secret_file)
    ran = run("provider_apps", "rebind", "sandbox")
    assert "http://127.0.0.1:8090/token" in ran.out
    assert "add --yes" in ran.out
    assert run("provider_apps", "rebind", "sandbox", "--yes", "--json").data["moved"] == 0


def test_there_is_no_option_for_a_secret_on_the_command_line(run: Run) -> None:
    ran = run("provider_apps", "add", "sandbox", "--client-secret", SECRET)
    assert ran.code != 0
    assert not ProviderApp.objects.exists()


def test_an_app_of_one_tenant_stands_beside_the_shared_one(run: Run, acme: Tenant) -> None:
    run("provider_apps", "add", "sandbox", "--param", ISSUER)
    run("provider_apps", "add", "sandbox", "--param", ISSUER, "--tenant", "acme")
    assert {row["tenant"] for row in run("provider_apps", "list", "--json").data} == {None, "acme"}
    assert [row["tenant"] for row in run("provider_apps", "list", "--tenant", "acme", "--json").data] == ["acme"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nope",), "providers list"),
        (("sandbox",), "issuer"),
        (("sandbox", "--param", "issuer"), "NAME=VALUE"),
        (("sandbox", "--param", "issuer=nonsense"), "issuer"),
        (("sandbox", "--param", ISSUER, "--param", "shop=x"), "shop"),
        (("sandbox", "--param", ISSUER, "--tenant", "nobody"), "tenants list"),
        (("sandbox", "--param", ISSUER, "--client-secret-file", "/nowhere/at/all"), "cannot be read"),
        (("sandbox", "--param", ISSUER, "--client-secret-file", "-"), "holds no secret"),
        (("oidc", "--param", "issuer=http://127.0.0.1:1"), "metadata"),
    ],
)
def test_an_error_says_what_to_do_and_makes_nothing(run: Run, arguments: tuple[str, ...], says: str) -> None:
    ran = run("provider_apps", "add", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert not ProviderApp.objects.exists()


def test_lists_nothing_in_a_sentence(run: Run) -> None:
    assert "provider_apps add" in run("provider_apps", "list").out


def test_a_legacy_style_is_off_until_it_is_allowed(run: Run, transactional_db: None) -> None:
    said = ("sandbox", "--auth-style", "oauth2_password", "--param", "issuer=http://127.0.0.1:9", "--client-id", "c")
    refused = run("provider_apps", "add", *said)
    assert (refused.code, "allow it for this app" in refused.err) == (1, True)
    assert run("provider_apps", "add", *said, "--allow-legacy", "--json").data["allows_legacy"] is True
    assert run("provider_apps", "add", *said, "--name", "Renamed", "--json").data["allows_legacy"] is True


@pytest.fixture
def tools(run: Run, sandbox: SandboxProcess, tmp_path: Path) -> Iterator[SandboxProcess]:
    """The sandbox's MCP server, added as the provider tools."""
    sandbox.control.settings(registration=["dynamic"], mcp_server="one", registration_lifetime=0)
    with override_settings(CATALOG_DIR=tmp_path):
        assert run("providers", "add", "--mcp", f"{sandbox.url}/mcp", "--slug", "tools").code == 0
        yield sandbox
    configure_catalog(None)
    sandbox.control.settings(registration=["document", "dynamic"])


@pytest.mark.parametrize(
    ("ways", "way", "told"),
    [
        (["document", "dynamic"], "metadata_document", "Registered by Client ID Metadata Document"),
        (["dynamic"], "dynamic", "Registered by Dynamic registration"),
    ],
)
def test_an_app_registers_itself_as_the_server_offers_and_says_how(
    run: Run, tools: SandboxProcess, ways: list[str], way: str, told: str
) -> None:
    tools.control.settings(registration=ways)
    ran = run("provider_apps", "add", "tools")
    assert told in ran.out
    [row] = run("provider_apps", "list", "--json").data
    assert (row["draft"], row["registers_itself"], row["redirect_uri"]) == (False, True, None)
    [registered] = row["registered"]
    assert (registered["way"], registered["issuer"]) == (way, f"{tools.url}/as/one")
    assert run("provider_apps", "add", "tools", "--json").data["registered"] == [registered]


def test_by_hand_where_the_server_offers_nothing(run: Run, tools: SandboxProcess, secret_file: Path) -> None:
    tools.control.settings(registration=[])
    ran = run("provider_apps", "add", "tools")
    assert "It is a draft" in ran.out
    made = run("provider_apps", "add", "tools", "--client-id", "c1", "--client-secret-file", secret_file, "--json")
    assert (made.data["draft"], made.data["registered"]) == (False, [])


def test_by_hand_where_the_server_lets_us_not_in(run: Run, tools: SandboxProcess) -> None:
    tools.control.fault("error", endpoint="register", error="invalid_redirect_uri")
    ran = run("provider_apps", "add", "tools")
    assert "invalid_redirect_uri" in ran.out
    assert "It is a draft" in ran.out
    app = ProviderApp.objects.get()
    assert (app.is_draft, app.registers_itself) == (True, False)


def test_any_server_is_registered_at_when_somebody_connects(run: Run, acme: Tenant) -> None:
    ran = run("provider_apps", "add", "mcp", "--tenant", "acme")
    assert "registered without hands. At each server's authorization server" in ran.out
    assert "(by itself)" in run("provider_apps", "list").out
    assert "leave the client id out" in run("provider_apps", "add", "mcp", "--client-id", "c1").err


def test_renews_what_is_registered(run: Run, tools: SandboxProcess) -> None:
    tools.control.settings(registration_lifetime=3600)
    run("provider_apps", "add", "tools")
    ran = run("provider_apps", "renew", "tools")
    assert f"{tools.url}/as/one: the same client id" in ran.out
    assert [entry.outcome for entry in tools.control.log(endpoint="register")] == ["registered", "updated"]
    run("provider_apps", "add", "sandbox", "--param", ISSUER)
    assert "no client without hands" in run("provider_apps", "renew", "sandbox").out


@pytest.mark.parametrize(
    ("arguments", "secret", "told"),
    [
        (("--client-id", "c\x00"), "", "characters that OAuth does not know"),
        (("--client-id", "c\r\nX-Header: 1"), "", "characters that OAuth does not know"),
        (("--client-id", "c\udcff"), "", "no text in this terminal's encoding"),
        (("--client-id", "c1", "--scopes", "files.read", "b\udcff"), "", "no text in this terminal's encoding"),
        (("--client-id", "c1", "--name", "\udcff"), "", "no text in this terminal's encoding"),
        (("--client-id", "c1", "--scopes", "a\u200b"), "", "characters that OAuth does not know"),
        (("--client-id", "c1", "--scopes", "a" * 256), "", "too long"),
        (("--client-id", "c1"), "se\ufeffcret", "characters that OAuth does not know"),
        (("--client-id", "c1"), "secret\x00", "characters that OAuth does not know"),
    ],
)
def test_what_no_request_can_carry_is_refused(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], secret: str, told: str
) -> None:
    path = tmp_path / "client.secret"
    path.write_text(secret)
    given = ("--client-secret-file", path) if secret else ()
    ran = run("provider_apps", "add", "sandbox", "--param", ISSUER, *arguments, *given)
    assert (ran.code, told in ran.err) == (1, True), ran
    assert not ProviderApp.objects.exists()
