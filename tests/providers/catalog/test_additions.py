"""Adding to the catalogue: derived entries are right, files appear whole, and running processes notice them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.catalog import compiled, loader
from providers.catalog.additions import derive_entry, derive_server_entry, slug_of, store_entry
from providers.catalog.loader import (
    CatalogError,
    UnknownProvider,
    catalog_files,
    configure_catalog,
    entry,
    faulty_files,
    is_built_in,
    load_catalog,
)
from providers.catalog.methods import AuthorizationCodeMethod, ClientCredentialsMethod

ENTRY = """
name = "{name}"
[api_key]
fields = [{{ name = "api_key", label = "Key" }}]
[presentation.api_key.headers]
Authorization = "Token {{api_key}}"
"""
FOUND = {
    "issuer": "https://login.example.com/eu",
    "authorization": "https://login.example.com/authorize",
    "token": "https://login.example.com/token",
    "probe": "https://login.example.com/userinfo",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of added entries, looked at with every call."""
    monkeypatch.setattr(loader, "_LOOK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(compiled, "SETTLES_SECONDS", 0.0)
    configure_catalog(tmp_path)
    yield tmp_path
    configure_catalog(None)


@pytest.mark.parametrize(
    ("issuer", "slug"),
    [
        ("https://login.example.com", "login-example-com"),
        ("https://login.example.com/eu/", "login-example-com-eu"),
        ("http://127.0.0.1:8090", "127-0-0-1-8090"),
        ("https://LOGIN.example.com/realms/Acme_Inc", "login-example-com-realms-acme-inc"),
        (f"https://{'a' * 80}.example", "a" * 64),
    ],
)
def test_a_slug_comes_from_the_address(issuer: str, slug: str) -> None:
    assert slug_of(issuer) == slug


def test_a_derived_entry_discovers_its_endpoints(folder: Path) -> None:
    made = store_entry("eu", derive_entry(entry("oidc"), FOUND), folder=folder)
    assert made.name == "login.example.com"
    assert made.auth_styles == (AuthorizationCodeMethod.style, ClientCredentialsMethod.style)
    method = made.authorization_code
    assert method is not None
    assert (method.issuer, method.discover, method.token_url) == (FOUND["issuer"], True, "")
    assert [scope.name for scope in made.scopes] == [scope.name for scope in entry("oidc").scopes]
    assert made.probe is not None
    assert made.probe.account_id == "/sub"
    assert made.params == ()


def test_a_derived_entry_describes_only_what_the_issuer_has(folder: Path) -> None:
    bare = {"issuer": FOUND["issuer"], "token": FOUND["token"], "authorization": "", "probe": ""}
    made = store_entry("eu", derive_entry(entry("oidc"), bare, name='EU "login"', scopes=["read"]), folder=folder)
    assert made.name == 'EU "login"'
    assert made.auth_styles == (ClientCredentialsMethod.style,)
    assert made.probe is None
    assert [(scope.name, scope.default) for scope in made.scopes] == [("read", True)]


@pytest.mark.parametrize(
    ("supported", "asked_for"),
    [("", ["openid", "offline_access"]), ("files openid", ["openid"]), ("files", [])],
)
def test_a_derived_entry_asks_for_no_scope_that_the_issuer_does_not_know(
    folder: Path, supported: str, asked_for: list[str]
) -> None:
    text = derive_entry(entry("oidc"), FOUND | {"scopes_supported": supported})
    made = store_entry("eu", text, folder=folder)
    assert [scope.name for scope in made.scopes if scope.default] == asked_for


def test_an_added_entry_is_noticed_without_a_restart(folder: Path) -> None:
    with pytest.raises(UnknownProvider):
        entry("shop")
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    assert entry("shop").name == "Shop"
    assert not is_built_in(catalog_files()["shop"])
    store_entry("shop", ENTRY.format(name="Shop, renamed"), folder=folder)
    assert entry("shop").name == "Shop, renamed"
    (folder / "shop.toml").unlink()
    assert "shop" not in load_catalog()


def test_an_added_entry_takes_the_place_of_a_built_in_one(folder: Path) -> None:
    store_entry("sandbox", ENTRY.format(name="Ours"), folder=folder)
    assert entry("sandbox").name == "Ours"


def test_a_file_that_became_wrong_changes_nothing_that_runs(folder: Path) -> None:
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    assert entry("shop").name == "Shop"
    (folder / "shop.toml").write_text("name = 1")
    assert entry("shop").name == "Shop"
    (folder / "shop.toml").write_text(ENTRY.format(name="Mended"))
    assert entry("shop").name == "Mended"


WRONG = {
    "no TOML": b"name =",
    "another shape": b"name = 1",
    "what does not agree": b'name = "Shop"\nslug = "other"\n[bearer_token]\n',
    "no text": b"\xff\xfe\x00",
    "nothing": b"",
    "too much": b"#" * (2 << 20),
    "too deep": b"x = " + b"[" * 5000,
    "a date": b"name = 2026-01-01",
    "a long number": b"x = " + b"9" * 5000,
    "a broken pattern": b'name = "Shop"\n[[params]]\nname = "a"\nlabel = "A"\npattern = "(("\n[bearer_token]\n',
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_wrong_file_concerns_itself_alone(folder: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    store_entry("store", ENTRY.format(name="Store"), folder=folder)
    assert entry("shop").name == "Shop"
    (folder / "shop.toml").write_bytes(content)
    (folder / "new.toml").write_bytes(content)
    (folder / "store.toml").write_text(ENTRY.format(name="Store, renamed"))
    assert entry("store").name == "Store, renamed", "others go with the time"
    assert entry("shop").name == "Shop", "what was read before stays"
    assert "new" not in load_catalog()
    assert "hubspot" in load_catalog()
    assert [(file.path.name, file.has_entry) for file in faulty_files()] == [("new.toml", False), ("shop.toml", True)]
    assert all(problem.startswith(file.path.name) for file in faulty_files() for problem in file.problems)
    told = [record for record in caplog.records if "catalog_file_not_in_force" in record.getMessage()]
    assert len(told) == 2, "each is told once"
    configure_catalog(folder)
    assert entry("shop").name == "Shop", "a start knows it from what was compiled"
    (folder / ".catalogue.json").unlink()
    configure_catalog(folder)
    assert "shop" not in load_catalog()
    assert entry("store").name == "Store, renamed"


def test_a_process_keeps_its_entry_where_nothing_can_be_kept(folder: Path) -> None:
    (folder / ".catalogue.json").mkdir()
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    assert entry("shop").name == "Shop"
    (folder / "shop.toml").write_text("name = 1")
    assert entry("shop").name == "Shop"


def test_an_entry_of_this_process_outlives_what_another_has_compiled_without_it(folder: Path) -> None:
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    assert entry("shop").name == "Shop"
    (folder / ".catalogue.json").unlink()
    (folder / "shop.toml").write_text("name = 1")
    compiled.compiled(folder, keep_in=folder / ".catalogue.json", read=loader._checked, forgives=True)
    assert entry("shop").name == "Shop"


def test_what_is_no_entry_s_file_is_left_alone(folder: Path) -> None:
    os.mkfifo(folder / "pipe.toml")
    (folder / "folder.toml").mkdir()
    (folder / ".#shop.toml").symlink_to("nowhere")
    (folder / ".hidden.toml").write_text("name =")
    assert not faulty_files()
    assert not {"pipe", "folder", ".hidden"} & catalog_files().keys()


def settle(folder: Path) -> None:
    """Let the files of ``folder`` be older than what the clock of a file system tells apart."""
    time.sleep(0.15)
    assert load_catalog()
    assert all(folder.iterdir())


def test_a_file_that_is_being_written_is_left_for_the_next_look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    assert entry("shop").name == "Shop"
    settle(folder)
    monkeypatch.setattr(compiled, "SETTLES_SECONDS", 30.0)
    (folder / "shop.toml").write_text(ENTRY.format(name="Half"))
    assert entry("shop").name == "Shop"
    monkeypatch.setattr(compiled, "SETTLES_SECONDS", 0.0)
    assert entry("shop").name == "Half"


def test_another_file_with_the_same_time_and_size_is_noticed(folder: Path) -> None:
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    assert entry("shop").name == "Shop"
    was = (folder / "shop.toml").stat()
    for name, written in (("Shoe", "shop.toml"), ("Shot", "other")):  # in place, and by another file
        (folder / written).write_text(ENTRY.format(name=name))
        os.utime(folder / written, ns=(was.st_atime_ns, was.st_mtime_ns))
        (folder / written).replace(folder / "shop.toml")
        now = (folder / "shop.toml").stat()
        assert (now.st_mtime_ns, now.st_size) == (was.st_mtime_ns, was.st_size)
        assert entry("shop").name == name


def test_names_of_others_are_refused_at_the_door(folder: Path) -> None:
    alias = '[aliases]\n{alias} = "api_key"\n'
    store_entry("shop", ENTRY.format(name="Shop") + alias.format(alias="shop-key"), folder=folder)
    for slug, own, said in (
        ("store", "shop-key", "store.toml: aliases.shop-key: shop.toml has this alias too"),
        ("store", "shop", "store.toml: aliases.shop: there is a provider shop.toml"),
        ("store", "hubspot", "store.toml: aliases.hubspot: there is a provider hubspot (built in)"),
        ("store", "salesforce-jwt", "aliases.salesforce-jwt: salesforce (built in) has this alias too"),
        ("shop-key", "shop-token", "slug: 'shop-key' is another name of shop.toml, by api_key"),
        (
            "salesforce-jwt",
            "mine",
            "slug: 'salesforce-jwt' is another name of salesforce (built in), by oauth2_jwt_bearer",
        ),
    ):
        with pytest.raises(CatalogError) as caught:
            store_entry(slug, ENTRY.format(name="Store") + alias.format(alias=own), folder=folder)
        assert said in str(caught.value)
    assert [path.name for path in folder.glob("*.toml")] == ["shop.toml"]
    renamed = ENTRY.format(name="Shop, renamed") + alias.format(alias="shop-key")
    assert store_entry("shop", renamed, folder=folder).name == "Shop, renamed"
    salesforce = ENTRY.format(name="Ours") + alias.format(alias="salesforce-jwt")
    assert store_entry("salesforce", salesforce, folder=folder).aliases == {"salesforce-jwt": "api_key"}


def test_a_wrong_entry_is_not_stored(folder: Path) -> None:
    with pytest.raises(CatalogError):
        store_entry("shop", "name = 1", folder=folder)
    assert list(folder.iterdir()) == []


def test_the_folder_is_made_when_it_is_needed(tmp_path: Path) -> None:
    store_entry("shop", ENTRY.format(name="Shop"), folder=tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "shop.toml").stat().st_mode & 0o777 == 0o644


def test_a_file_that_becomes_wrong_is_told_once_and_changes_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store_entry("eu", derive_entry(entry("oidc"), FOUND), folder=folder)
    edition = loader.catalog_edition()
    assert edition == loader.catalog_edition()
    (folder / "eu.toml").write_text("name =", encoding="utf-8")
    assert entry("eu").name == "login.example.com"
    assert entry("eu").name == "login.example.com"
    told = [record for record in caplog.records if "catalog_file_not_in_force" in record.getMessage()]
    assert [record.levelname for record in told] == ["ERROR"]
    assert "eu.toml: is not TOML" in told[0].getMessage()
    assert loader.catalog_edition() == edition
    store_entry("eu", derive_entry(entry("oidc"), FOUND, name="Mended"), folder=folder)
    assert entry("eu").name == "Mended"
    assert loader.catalog_edition() > edition


def test_an_added_entry_has_no_built_in_one_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_catalog()
    kept_in = folder.parent / "built-in.json"
    monkeypatch.setattr(loader, "_KEPT_IN", kept_in)
    store_entry("shop", ENTRY.format(name="Shop"), folder=folder)
    assert entry("shop").name == "Shop"
    assert not kept_in.exists()


def test_a_server_with_the_longest_name_of_a_host_can_be_added(tmp_path: Path) -> None:
    host = ".".join(["a" * 60] * 4) + ".example:65535"
    text = derive_server_entry(f"https://{host}/mcp")
    assert store_entry("far-away", text, folder=tmp_path).name == host
