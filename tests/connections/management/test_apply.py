"""``manage.py apply``: what a file declares is made as a whole, told as a diff, and the second time there is none."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from connections.access.secrets import open_client_secrets
from connections.database.clock import database_now
from connections.models import (
    AccessGrant,
    ApiClient,
    AuditEvent,
    Brand,
    CallerRule,
    OutboxEvent,
    ProviderApp,
    RegisteredClient,
    Tenant,
    TrustedIssuer,
    WebhookEndpoint,
)
from providers.catalog.loader import configure_catalog
from providers.sandbox.client import SandboxProcess
from tests.connections.management.conftest import Run
from tests.connections.management.test_provider_apps import tools
from tests.sources import Folder

__all__ = ["tools"]

SECRET = "s3cret-in-the-environment"
ENTRY = """name = "Acme ERP"
base_url = "https://api.acme.example"

[authorization_code]
authorization_url = "https://acme.example/authorize"
token_url = "https://acme.example/token"
"""
DOCUMENT = """
[brand]
name = "Operator Inc."

[tenants.acme]
name = "Acme Inc."
allowed_origins = ["https://app.acme.example"]
return_urls = ["https://app.acme.example/connected"]
[tenants.acme.brand]
support_url = "https://acme.example/help"

[tenants.globex]
name = "Globex"

[own_providers.acme-erp]
file = "acme-erp.toml"

[[provider_apps]]
provider = "acme-erp"
client_id = "ours"
client_secrets = [{ env = "ACME_SECRET" }, { file = "older.secret" }]

[[provider_apps]]
provider = "hubspot"
tenant = "acme"

[[api_clients]]
name = "backend"
tenant = "acme"
permissions = ["connect", "read", "vend", "manage"]
networks = ["10.0.0.0/8"]

[[api_clients]]
name = "deploy"
permissions = ["tenants", "read"]

[[trusted_issuers]]
use = "caller"
issuer = "https://ci.example.com"
audience = "latchkey"
[[trusted_issuers.rules]]
client = "deploy"
conditions = [{ claim = "sub", matches = "repo:acme/*" }]

[[access_grants]]
tenant = "acme"
subject = { kind = "end_user", id = "bob" }
provider = "hubspot"
methods = ["GET"]

[[webhooks]]
tenant = "acme"
url = "https://hooks.acme.example/a-secret-path"
event_types = ["connection.revoked", "connection.needs_reauth"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the document and what it names, and another for entries of the operator's own."""
    (tmp_path / "latchkey.toml").write_text(DOCUMENT)
    (tmp_path / "acme-erp.toml").write_text(ENTRY)
    (tmp_path / "older.secret").write_text("older-secret\n")
    monkeypatch.setenv("ACME_SECRET", SECRET)
    own = tmp_path / "own"
    configure_catalog(own)
    with override_settings(CATALOG_DIR=own):
        yield tmp_path
    configure_catalog(settings.CATALOG_DIR)


def rows() -> list[object]:
    """Return all that applying could change."""
    named = (Tenant, Brand, ProviderApp, ApiClient, TrustedIssuer, CallerRule, AccessGrant, WebhookEndpoint)
    tables = (*named, AuditEvent, OutboxEvent)
    return [str(list(table._default_manager.order_by("pk").values_list())) for table in tables]


def edited(folder: Path, old: str, new: str) -> Path:
    file = folder / "latchkey.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file


def test_all_that_is_declared_is_made(run: Run, folder: Path) -> None:
    ran = run("apply", folder / "latchkey.toml")
    assert ran.code == 0, ran.err
    acme = Tenant.objects.get(slug="acme")
    assert (acme.name, acme.return_urls) == ("Acme Inc.", ["https://app.acme.example/connected"])
    assert Brand.objects.get(tenant=acme).support_url == "https://acme.example/help"
    assert Brand.objects.get(tenant=None).name == "Operator Inc."
    app = ProviderApp.objects.get(provider="acme-erp", tenant=None)
    assert [secret.get_secret_value() for secret in open_client_secrets(app)] == [SECRET, "older-secret"]
    assert ProviderApp.objects.get(tenant=acme).is_draft
    backend = ApiClient.objects.get(tenant=acme)
    assert (backend.permissions, backend.networks) == (["connect", "read", "vend", "manage"], ["10.0.0.0/8"])
    assert CallerRule.objects.get().client.name == "deploy"
    assert AccessGrant.objects.get().methods == ["GET"]
    hook = WebhookEndpoint.objects.get()
    assert (hook.tenant, hook.event_types) == (acme, ["connection.needs_reauth", "connection.revoked"])
    assert hook.secrets.count() == 1
    for line in (
        "+ tenant acme",
        "+ provider app acme-erp (shared)",
        "+ API client backend (acme)",
        "    client_secrets: set",
        "+ webhook endpoint at hooks.acme.example (acme)",
        "13 made",
    ):
        assert line in ran.out, ran.out
    assert "manage.py api_clients rotate 'backend' --tenant acme" in ran.out
    assert SECRET not in ran.out + ran.err + str(rows())
    assert "a-secret-path" not in ran.out + ran.err
    assert AuditEvent.objects.filter(action="tenant.saved").first().operator.endswith("(command line)")  # type: ignore[union-attr]


def test_applying_it_again_changes_nothing(run: Run, folder: Path) -> None:
    run("apply", folder / "latchkey.toml")
    before = rows()
    again = run("apply", folder / "latchkey.toml")
    assert again.code == 0, again.err
    assert "0 made, 0 changed, 13 left alone." in again.out
    assert {line[0] for line in again.out.splitlines() if not line.startswith((" ", "0"))} == {"="}
    assert rows() == before


def test_a_dry_run_tells_the_same_and_changes_nothing(run: Run, folder: Path) -> None:
    before = rows()
    told = run("apply", folder / "latchkey.toml", "--dry-run")
    assert told.code == 0, told.err
    assert "Nothing was changed: this is a dry run." in told.out
    assert "+ own provider acme-erp" in told.out
    assert "it is checked when the entry is stored" in told.out
    assert rows() == before
    assert not (folder / "own" / "acme-erp.toml").exists()
    assert SECRET not in told.out


def test_what_was_changed_by_hand_is_shown_and_put_back(run: Run, folder: Path) -> None:
    run("apply", folder / "latchkey.toml")
    Tenant.objects.filter(slug="acme").update(name="Renamed", return_urls=["https://evil.example/"])
    ApiClient.objects.filter(name="backend").update(networks=[], permissions=["read", "vend_without_user"])
    run("provider_apps", "add", "acme-erp", "--client-secret-file", "-", stdin="another-secret")
    TrustedIssuer.objects.update(leeway_seconds=300)
    told = run("apply", folder / "latchkey.toml", "--dry-run").out
    for line in (
        "~ tenant acme",
        '    name: "Renamed" → "Acme Inc."',
        '    return_urls: ["https://evil.example/"] → ["https://app.acme.example/connected"]',
        "~ API client backend (acme)",
        '    networks: [] → ["10.0.0.0/8"]',
        "~ provider app acme-erp (shared)",
        "    client_secrets: changed",
        "    leeway_seconds: 300 → 30",
        "= tenant globex",
    ):
        assert line in told.splitlines(), told
    assert "secret-" not in told
    assert "another-secret" not in told
    assert run("apply", folder / "latchkey.toml").code == 0
    assert Tenant.objects.get(slug="acme").name == "Acme Inc."
    assert "0 to make, 0 to change" in run("apply", folder / "latchkey.toml", "--dry-run").out


def test_programs_read_the_changes_as_json(run: Run, folder: Path) -> None:
    run("apply", folder / "latchkey.toml")
    Tenant.objects.filter(slug="globex").update(name="Other")
    data = run("apply", folder / "latchkey.toml", "--dry-run", "--json").data
    (changed,) = [change for change in data["changes"] if change["what"] != "leave"]
    assert (data["dry_run"], changed["name"]) == (True, "globex")
    assert changed["columns"] == {"name": {"old": "Other", "new": "Globex"}}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "Globex"', 'name = ""', "tenants.globex.name"),
        ('"https://app.acme.example"]', '"ftp://acme.example"]', "tenants.acme.allowed_origins"),
        ('provider = "hubspot"\ntenant = "acme"\n\n', 'provider = "none"\n\n', "provider_apps[1].provider"),
        ('networks = ["10.0.0.0/8"]', 'networks = ["anywhere"]', "api_clients[0].networks"),
        ('"read", "vend", "manage"', '"read", "tenants"', "api_clients[0].permissions"),
        ('tenant = "acme"\npermissions', 'tenant = "nobody"\npermissions', "api_clients[0]"),
        ('issuer = "https://ci.example.com"', 'issuer = "ci"', "trusted_issuers[0].issuer"),
        ('client = "deploy"', 'client = "nobody"', "trusted_issuers[0].rules[0].client"),
        ('matches = "repo:acme/*"', 'matches = "*"', "trusted_issuers[0].rules[0].conditions"),
        ('methods = ["GET"]', 'methods = ["get"]', "access_grants[0].methods"),
        ('methods = ["GET"]', "expires_at = 0001-01-01T00:00:00+00:01", "access_grants[0].expires_at"),
        ("[tenants.globex]", "[mail.one]", "mail"),
        ("https://hooks.acme.example/", "https://10.0.0.1/", "webhooks[0].url"),
        ('"connection.revoked", ', '"connection.eaten", ', "webhooks[0].event_types"),
        ('permissions = ["tenants", "read"]', 'permissions = ["root"]', "api_clients[1].permissions[0]"),
        ('client_id = "ours"', 'client_id = "ours"\nsecret = "x"', "provider_apps[0].secret"),
        ('{ env = "ACME_SECRET" }', '{ env = "NOBODY_SET_THIS" }', "provider_apps[0].client_secrets[0]"),
        ('{ file = "older.secret" }', '{ file = "gone.secret" }', "provider_apps[0].client_secrets[1]"),
        ('{ env = "ACME_SECRET" }', '{ env = "A", file = "b" }', "provider_apps[0].client_secrets[0]"),
        ('file = "acme-erp.toml"', 'toml = "name = 7"', "own_providers.acme-erp.toml"),
        ('name = "deploy"', 'name = "backend"\ntenant = "acme"', "api_clients[1]"),
        ('client_id = "ours"', 'name = "' + "x" * 121 + '"', "provider_apps[0].name"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_nothing_is_made(
    run: Run, folder: Path, old: str, new: str, place: str
) -> None:
    # The entry is there already: then nothing at all may be stored.
    entries = run("apply", "-", stdin=json.dumps({"own_providers": {"acme-erp": {"toml": ENTRY}}}))
    assert entries.code == 0, entries.err
    before = rows()
    file = edited(folder, old, new)
    for options in (("--dry-run",), ()):
        ran = run("apply", file, *options)
        assert (ran.code, ran.out) == (1, "")
        assert f"{file}: {place}" in ran.err, ran.err
        assert SECRET not in ran.err
        assert rows() == before


def test_a_moment_may_have_any_offset(run: Run, folder: Path) -> None:
    ran = run("apply", edited(folder, 'methods = ["GET"]', 'methods = ["GET"]\nexpires_at = 2099-01-01T00:00:00+16:38'))
    assert ran.code == 0, ran.err
    assert AccessGrant.objects.get().expires_at == datetime(2098, 12, 31, 7, 22, tzinfo=UTC)


def test_an_unknown_section_is_told_those_that_are_known(run: Run, folder: Path) -> None:
    ran = run("apply", edited(folder, "[tenants.globex]", "[mail.globex]"))
    assert "mail: there is no such section; they are brand, tenants, own_providers, provider_apps" in ran.err


def test_a_new_entry_is_not_stored_where_the_rest_is_wrong(run: Run, folder: Path) -> None:
    ran = run("apply", edited(folder, 'name = "Globex"', 'name = ""'))
    assert ran.code == 1
    assert not (folder / "own" / "acme-erp.toml").exists()


def test_an_entry_that_comes_with_latchkey_is_replaced_by_word_alone(run: Run, folder: Path) -> None:
    declared: dict[str, Any] = {"own_providers": {"hubspot": {"toml": ENTRY}}}
    assert "own_providers.hubspot.confirm" in run("apply", "-", stdin=json.dumps(declared)).err
    declared["own_providers"]["hubspot"]["confirm"] = True
    assert run("apply", "-", stdin=json.dumps(declared)).code == 0
    assert "= own provider hubspot" in run("apply", "-", stdin=json.dumps(declared)).out


def test_a_secret_that_is_taken_back_is_told(run: Run, folder: Path) -> None:
    run("apply", folder / "latchkey.toml")
    file = edited(
        folder, 'client_secrets = [{ env = "ACME_SECRET" }, { file = "older.secret" }]', "client_secrets = []"
    )
    told = run("apply", file)
    assert told.code == 0, told.err
    assert "~ provider app acme-erp (shared)\n    client_secrets: changed" in told.out
    assert ProviderApp.objects.get(provider="acme-erp").secrets is None
    edited(folder, "client_secrets = []\n", "")
    assert "0 made, 0 changed" in run("apply", file).out


def test_one_app_is_not_declared_twice_by_an_alias(run: Run) -> None:
    one, other = {"provider": "salesforce", "auth_style": "oauth2_jwt_bearer"}, {"provider": "salesforce-jwt"}
    ran = run("apply", "-", stdin=json.dumps({"provider_apps": [one, other]}))
    assert "-: provider_apps[1].provider" in ran.err
    assert not ProviderApp.objects.exists()


def test_a_text_that_is_too_long_to_store_is_no_crash(run: Run) -> None:
    grant = {"tenant": "acme", "subject": {"kind": "end_user", "id": "x" * 5000}, "provider": "hubspot"}
    declared = {"tenants": {"acme": {"name": "Acme"}}, "access_grants": [grant]}
    ran = run("apply", "-", stdin=json.dumps(declared))
    assert (ran.code, Tenant.objects.count()) == (1, 0)
    assert "longer than can be stored" in ran.err


def test_json_and_toml_are_read_and_yaml_is_told_how(run: Run, folder: Path) -> None:
    (folder / "one.json").write_text('{"tenants": {"acme": {"name": "Acme"}}}')
    (folder / "one.yaml").write_text("tenants: {}")
    assert run("apply", folder / "one.json").code == 0
    assert "yq" in run("apply", folder / "one.yaml").err
    assert "this is no TOML" in run("apply", "-", stdin="tenants: {}").err
    assert "this is no JSON" in run("apply", "-", stdin="{").err
    assert "NUL" in run("apply", "-", stdin='{"tenants": {"a": {"name": "x\\u0000"}}}').err
    assert "cannot be read" in run("apply", folder / "none.toml").err


def test_what_is_not_declared_stays(run: Run, folder: Path) -> None:
    run("tenants", "add", "initech", "--name", "Initech")
    run("api_clients", "add", "other")
    run("apply", folder / "latchkey.toml")
    assert Tenant.objects.filter(slug="initech").exists()
    assert ApiClient.objects.filter(name="other").exists()
    run("apply", "-", stdin='{"tenants": {"acme": {"name": "Acme Inc."}}}')
    assert Brand.objects.get(tenant__slug="acme").support_url == "https://acme.example/help"
    assert Tenant.objects.get(slug="acme").return_urls == [], "what a declared tenant leaves out is taken back"


def apply_tools(run: Run, tmp_path: Path, *options: str) -> Any:
    file = tmp_path / "tools.json"
    file.write_text(json.dumps({"provider_apps": [{"provider": "tools"}]}))
    ran = run("apply", file, "--json", *options)
    assert ran.code == 0, ran.err
    [change] = ran.data["changes"]
    return change


def test_an_app_whose_registration_is_refused_is_told_once_as_new_and_then_left_alone(
    run: Run, tools: SandboxProcess, tmp_path: Path
) -> None:
    tools.control.fault("error", endpoint="register", error="invalid_redirect_uri")
    made = apply_tools(run, tmp_path)
    assert (made["what"], "registers_itself" in made["columns"]) == ("make", False)
    assert "invalid_redirect_uri" in made["note"]
    before = rows()
    for options in ((), ("--dry-run",), ()):
        again = apply_tools(run, tmp_path, *options)
        assert (again["what"], again["columns"]) == ("leave", {})
        assert "invalid_redirect_uri" in again["note"]
    assert rows() == before


def test_an_app_whose_registration_was_refused_is_registered_once_the_server_agrees(
    run: Run, tools: SandboxProcess, tmp_path: Path
) -> None:
    tools.control.fault("error", endpoint="register", error="invalid_redirect_uri")
    apply_tools(run, tmp_path)
    tools.control.settings(registration=["dynamic"])
    RegisteredClient.objects.update(renew_at=database_now())
    changed = apply_tools(run, tmp_path)
    assert (changed["what"], changed["columns"]) == ("change", {"registers_itself": {"old": False, "new": True}})
    assert ProviderApp.objects.get().registers_itself
    assert apply_tools(run, tmp_path)["what"] == "leave"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"tenants": {"acme": {"name": "A"}, "acme": {"name": "B"}}}', '"acme" comes twice'),
        ('{"tenants": {}, "tenants": {"acme": {"name": "B"}}}', '"tenants" comes twice'),
        ('{"tenants": {"acme": {"name": "A", "name": "B"}}}', '"name" comes twice'),
        ('{"tenants": ' + '{"a":' * 400 + "1" + "}" * 400 + "}", "tenants"),
        ('{"api_clients": ' + "[" * 900 + "]" * 900 + "}", ""),
        ('{"api_clients": ' + "[" * 100_000 + "]" * 100_000 + "}", "no JSON"),
        ('{"brand": {"radius": ' + "9" * 5000 + "}}", "no JSON"),
        ('{"brand": {"radius": NaN}}', "radius"),
        ('{"tenants": {"acme": {"name": "\\ud800"}}}', "surrogate"),
        ('{"tenants": {"ac\\u0000me": {"name": "A"}}}', "NUL"),
    ],
)
def test_a_file_that_could_be_read_in_two_ways_or_not_at_all_is_refused(
    run: Run, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "odd.json"
    file.write_text(text)
    before = rows()
    ran = run("apply", file)
    assert (ran.code, told in ran.err) == (1, True), ran.err[-2000:]
    assert "Traceback" not in ran.err
    assert rows() == before


def test_a_client_secret_is_read_from_where_it_is_kept(run: Run, tmp_path: Path, mounted: Folder) -> None:
    reference = mounted.put("hubspot", "kept-elsewhere")
    document = tmp_path / "sourced.toml"
    document.write_text(
        f'[[provider_apps]]\nprovider = "hubspot"\nclient_id = "ours"\nclient_secret_from = "{reference}"\n'
    )
    made = run("apply", document)
    assert ("+" in made.out, reference in made.out, "kept-elsewhere" in made.out) == (True, True, False)
    app = ProviderApp.objects.get()
    assert (app.secret_source, open_client_secrets(app)[0].get_secret_value()) == (reference, "kept-elsewhere")
    assert "0 made, 0 changed, 1 left alone." in run("apply", document).out
    mounted.put("hubspot", "changed-elsewhere")
    run("apply", document, "--dry-run")
    app.refresh_from_db()
    assert len(open_client_secrets(app)) == 1, "a rehearsal changes nothing"
    document.write_text(document.read_text().replace("/hubspot", "/missing"))
    refused = run("apply", document)
    assert (refused.code, "client_secret_from" in refused.out + refused.err) == (1, True)
