"""``manage.py providers``."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import AuditEvent, ProviderApp, Tenant
from providers.catalog.entry_schema import entry_schema
from providers.catalog.loader import configure_catalog, entry
from providers.sandbox.client import SandboxProcess
from tests.connections.management.conftest import Run

ENTRY = """
name = "Shop"
[api_key]
fields = [{ name = "api_key", label = "Key" }]
[presentation.api_key.headers]
Authorization = "Token {api_key}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of added entries, which does not exist yet."""
    added = tmp_path / "added" / "entries"
    configure_catalog(added)
    with override_settings(CATALOG_DIR=added):
        yield added
    configure_catalog(settings.CATALOG_DIR)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(ENTRY)
    return path


def test_lists_and_shows_the_catalogue(run: Run, folder: Path) -> None:
    rows = {row["slug"]: row for row in run("providers", "list", "--json").data}
    assert rows["sandbox"]["source"] == "built in"
    line = next(line for line in run("providers", "list").out.splitlines() if line.startswith("sandbox"))
    assert all(style in line for style in rows["sandbox"]["auth_styles"]), "every style is shown whole"
    assert run("providers", "show", "oidc", "--json").data["entry"]["authorization_code"]["discover"] is True
    assert "userinfo" in run("providers", "show", "oidc").out


def test_prints_the_schema_that_editors_read(run: Run, folder: Path) -> None:
    printed = run("providers", "schema")
    assert json.loads(printed.out) == run("providers", "schema", "--json").data == entry_schema()


def test_an_unknown_slug_is_an_error(run: Run, folder: Path) -> None:
    ran = run("providers", "show", "nope")
    assert (ran.code, ran.out) == (1, "")
    assert "providers list" in ran.err


def test_adds_an_entry_from_a_file(run: Run, folder: Path, shop: Path) -> None:
    ran = run("providers", "add", shop)
    assert ran.code == 0
    assert "provider_apps add shop" in ran.out
    assert entry("shop").name == "Shop"
    listed = {row["slug"]: row for row in run("providers", "list", "--json").data}
    assert listed["shop"]["source"] == "added"
    assert [path.name for path in folder.glob("[!.]*")] == ["shop.toml"]


def test_refuses_and_tells_a_name_that_means_another_entry(run: Run, folder: Path, shop: Path, tmp_path: Path) -> None:
    alias = 'aliases = { our-key = "api_key" }\n'
    shop.write_text(alias + ENTRY)
    store = tmp_path / "store.toml"
    store.write_text(alias + ENTRY)
    assert run("providers", "add", shop).code == 0
    said = "store.toml: aliases.our-key: shop.toml has this alias too; remove it from one of the two"
    for command in ("add", "check"):
        ran = run("providers", command, store)
        assert (ran.code, said in ran.err) == (1, True), ran.err
    (folder / "store.toml").write_text(alias + ENTRY)
    assert said in run("providers", "check").err
    assert run("providers", "list", "--json").code == 0, "all others are there"


def test_does_not_replace_an_entry_unless_told_to(run: Run, folder: Path, shop: Path, tmp_path: Path) -> None:
    run("providers", "add", shop)
    assert "--replace" in run("providers", "add", shop).err
    shop.write_text(ENTRY.replace("Shop", "Shop 2"))
    assert run("providers", "add", shop, "--replace", "--json").data["created"] is False
    assert entry("shop").name == "Shop 2"
    sandbox = tmp_path / "sandbox.toml"
    sandbox.write_text(ENTRY)
    assert run("providers", "add", sandbox).code == 1


def test_each_entry_that_is_written_leaves_an_audit_row(run: Run, folder: Path, shop: Path, tmp_path: Path) -> None:
    run("providers", "add", shop)
    run("providers", "add", shop, "--replace")
    (tmp_path / "hubspot.toml").write_text(ENTRY)
    run("providers", "add", tmp_path / "hubspot.toml", "--replace")
    assert run("providers", "add", shop).code == 1, "it is there"
    rows = AuditEvent.objects.filter(action__startswith="own_provider.").order_by("id")
    assert [
        (row.action, "command line" in row.operator, row.detail["provider"], row.detail["hides_built_in"])
        for row in rows
    ] == [
        ("own_provider.added", True, "shop", False),
        ("own_provider.changed", True, "shop", False),
        ("own_provider.added", True, "hubspot", True),
    ]


def test_a_replaced_entry_that_leads_elsewhere_says_so_in_its_audit_row(
    run: Run, folder: Path, shop: Path, acme: Tenant
) -> None:
    shop.write_text(ENTRY + '[probe]\nurl = "https://shop.example/me"\n')
    run("providers", "add", shop)
    save_provider_app(Registration(provider="shop", auth_style="api_key"), tenant=acme, actor=SYSTEM)
    shop.write_text(ENTRY + '[probe]\nurl = "https://evil.example/me"\n')
    run("providers", "add", shop, "--replace")
    assert "probe.url" in AuditEvent.objects.filter(action="own_provider.changed").get().detail["moves"]


def test_what_cannot_be_written_leaves_no_row(run: Run, folder: Path, shop: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file is in the way")
    assert "cannot be written" in run("providers", "add", shop).err
    assert not AuditEvent.objects.filter(action__startswith="own_provider.").exists()


def test_a_wrong_entry_is_refused_and_changes_nothing(run: Run, folder: Path, shop: Path) -> None:
    shop.write_text(ENTRY.replace("api_key}", "wrong}"))
    for ran in (run("providers", "check", shop), run("providers", "add", shop)):
        assert (ran.code, ran.out) == (1, "")
        assert "{wrong}" in ran.err
    assert not folder.exists()
    checked = run("providers", "check", shop, "--json")
    assert (checked.code, checked.data["ok"]) == (1, False)


def test_checks_the_whole_catalogue(run: Run, folder: Path, shop: Path) -> None:
    assert "in order" in run("providers", "check").out
    run("providers", "add", shop)
    (folder / "shop.toml").write_text("name = 1")
    ran = run("providers", "check")
    assert ran.code == 1
    assert "shop.toml: name" in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "either FILE.toml, or --issuer"),
        (("x.toml", "--issuer", "https://a.example"), "either FILE.toml, or --issuer"),
        (("--mcp", "https://a.example", "--issuer", "https://a.example"), "or --mcp URL"),
        (("--mcp", "http://127.0.0.1:1/mcp"), "reach"),
        (("/nowhere/x.toml",), "cannot be read"),
        (("--issuer", "http://127.0.0.1:1"), "reach"),
        (("--issuer", "nonsense"), "issuer"),
    ],
)
def test_an_error_says_what_to_do(run: Run, folder: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = run("providers", "add", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert not folder.exists()


def test_file_and_issuer_options_do_not_mix(run: Run, folder: Path, shop: Path) -> None:
    assert "go with --issuer" in run("providers", "add", shop, "--slug", "x").err


def test_an_unknown_server_takes_two_commands(run: Run, folder: Path, sandbox: SandboxProcess) -> None:
    added = run("providers", "add", "--issuer", sandbox.url, "--scopes", "profile.read", "--json")
    assert added.code == 0, added.err
    slug = added.data["slug"]
    assert slug == sandbox.url.removeprefix("http://").replace(".", "-").replace(":", "-")
    made = run("provider_apps", "add", slug, "--client-id", "c", "--client-secret-file", "-", "--json", stdin="s")
    assert made.code == 0, made.err
    app = ProviderApp.objects.get()
    assert (app.provider, app.auth_style) == (slug, "oauth2_authorization_code")
    assert app.discovered["token"] == f"{sandbox.url}/token"
    assert [scope.name for scope in entry(slug).scopes if scope.default] == ["profile.read"]


@pytest.mark.parametrize("slug", ["../escaped", "../../cat/x", "..", ".", "a/b", "a\\b", "A", "a--b", "x" * 65, "a\nb"])
def test_a_slug_that_is_none_writes_nothing_anywhere(
    slug: str, run: Run, folder: Path, sandbox: SandboxProcess
) -> None:
    folder.mkdir(parents=True)
    bystander = folder.parent / "escaped.toml"
    bystander.write_text("theirs", encoding="utf-8")
    before = sorted(folder.parent.rglob("*"))
    for options in ((), ("--replace",)):
        ran = run("providers", "add", "--issuer", sandbox.url, "--slug", slug, *options)
        assert ran.code == 1
        assert "is no slug" in ran.err
        assert sorted(folder.parent.rglob("*")) == before
    assert bystander.read_text(encoding="utf-8") == "theirs"


def test_a_key_outside_of_headers_is_told_to_operators(run: Run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(ENTRY.partition("[presentation")[0] + '[presentation.api_key]\nquery = { key = "{api_key}" }\n')
    told = "Caution: shop by api_key: The credential travels in the query"
    assert told in run("providers", "check", path).out
    assert told in run("providers", "add", path).out
    assert told in run("providers", "list").out
    assert "The credential travels in the query" in run("providers", "show", "shop").out
    assert run("providers", "check", "--json").data["notes"] != []


@pytest.mark.parametrize(
    ("ways", "told"),
    [
        (["document", "dynamic"], "a Client ID Metadata Document or dynamic registration"),
        (["dynamic"], "dynamic registration"),
        ([], "hand"),
    ],
)
def test_an_mcp_server_tells_who_guards_it_and_how_clients_register(
    run: Run, folder: Path, sandbox: SandboxProcess, ways: list[str], told: str
) -> None:
    sandbox.control.settings(registration=ways, mcp_server="one")
    ran = run("providers", "add", "--mcp", f"{sandbox.url}/mcp", "--slug", "tools", "--name", "Tools")
    assert ran.code == 0, ran.err
    assert f"Its authorization server is {sandbox.url}/as/one. Clients register by {told}." in ran.out
    assert "scopes profile.read, files.read" in ran.out
    method = entry("tools").authorization_code
    assert method is not None
    assert (entry("tools").name, method.server, method.issuer) == ("Tools", f"{sandbox.url}/mcp", "")
    sandbox.control.settings(registration=["document", "dynamic"])
