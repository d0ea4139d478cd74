"""Adding to the catalogue: derived entries are right, files appear whole, and running processes notice them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.catalog import loader
from providers.catalog.additions import derive_entry, slug_of, store_entry
from providers.catalog.loader import (
    CatalogError,
    UnknownProvider,
    catalog_files,
    configure_catalog,
    entry,
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


def test_a_wrong_file_is_an_error_at_the_first_reading(folder: Path) -> None:
    (folder / "shop.toml").write_text("name = 1")
    configure_catalog(folder)
    with pytest.raises(CatalogError, match=r"shop\.toml: name"):
        load_catalog()


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
    told = [record for record in caplog.records if "catalog_not_reloaded" in record.getMessage()]
    assert [record.levelname for record in told] == ["ERROR"]
    assert "eu.toml: is not TOML" in told[0].getMessage()
    assert loader.catalog_edition() == edition
    store_entry("eu", derive_entry(entry("oidc"), FOUND, name="Mended"), folder=folder)
    assert entry("eu").name == "Mended"
    assert loader.catalog_edition() > edition
