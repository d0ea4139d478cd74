import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from providers.catalog.loader import (
    CatalogError,
    UnknownProvider,
    added_slugs,
    configure_catalog,
    entry,
    faulty_files,
    form_schema,
    listed,
    load_catalog,
    load_entry,
)
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod, ClientCredentialsMethod
from providers.catalog.schema import CatalogEntry
from providers.strategies import strategies
from providers.vocabulary import ClientAuthentication, IssParameter, Pkce

KEY_ENTRY = """
name = "Acme"
[[params]]
name = "subdomain"
label = "Subdomain"
help = "The part before .acme.example"
example = "globex"
[[params]]
name = "region"
label = "Region"
default = "eu"
[[params]]
name = "edition"
label = "Edition"
scope = "app"
[[api_key.fields]]
name = "email"
label = "E-mail"
secret = false
[[api_key.fields]]
name = "api_key"
label = "API key"
pattern = '^sk_[a-z0-9]+$'
[presentation.api_key.headers]
X-Key = "{email}/{api_key}"
[probe]
url = "https://{subdomain}.{region}.acme.example/me"
"""
CODE_ENTRY = """
name = "Acme"
[authorization_code]
authorization_url = "https://acme.example/authorize"
token_url = "https://acme.example/token"
"""

ROOT = Path(__file__).parents[3]


def written(folder: Path, text: str, name: str = "acme.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_catalogue_loads_as_a_whole_and_once() -> None:
    catalogue = load_catalog()
    assert {"oidc", "sandbox"} <= set(catalogue)
    assert list(catalogue) == sorted(catalogue)
    assert load_catalog() is catalogue
    with pytest.raises(TypeError):
        catalogue["x"] = catalogue["oidc"]  # type: ignore[index]  # which is what is refused


def test_unknown_slug_is_a_key_error_that_names_it() -> None:
    assert entry("oidc").name == "OpenID Connect"
    with pytest.raises(UnknownProvider, match="no provider 'nope'"):
        entry("nope")
    assert issubclass(UnknownProvider, KeyError)


def test_sandbox_entry_describes_all_three_ways_to_connect() -> None:
    sandbox = entry("sandbox")
    assert sandbox.auth_styles == tuple(strategies())
    method = sandbox.authorization_code
    assert method is not None
    assert (method.pkce, method.iss_parameter) == (Pkce.S256, IssParameter.REQUIRED)
    assert (method.refresh_tokens_rotate, method.refresh_grace_seconds) == (True, 30)
    assert method.client_authentication is ClientAuthentication.BASIC
    assert [scope.name for scope in sandbox.scopes] == ["profile.read", "files.read", "files.write"]
    assert [scope.name for scope in sandbox.scopes if scope.default] == ["profile.read"]
    assert sandbox.requests_per_minute > entry("oidc").requests_per_minute >= 60


def test_oidc_entry_discovers() -> None:
    method = entry("oidc").authorization_code
    assert method is not None
    assert (method.discover, method.token_url) == (True, "")


def test_form_asks_for_parameters_of_the_connection_and_secrets(tmp_path: Path) -> None:
    acme = load_entry(written(tmp_path, KEY_ENTRY))
    schema = form_schema(acme, ApiKeyMethod.style)
    assert schema["required"] == ["subdomain", "email", "api_key"]
    assert list(schema["properties"]) == ["subdomain", "region", "email", "api_key"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["api_key"] == {
        "type": "string",
        "title": "API key",
        "pattern": "^sk_[a-z0-9]+$",
        "format": "password",
        "writeOnly": True,
    }
    assert schema["properties"]["region"]["default"] == "eu"
    assert schema["properties"]["subdomain"]["examples"] == ["globex"]
    assert "writeOnly" not in schema["properties"]["email"]


def test_form_of_a_redirecting_style_asks_for_no_secret(tmp_path: Path) -> None:
    assert form_schema(entry("sandbox"), AuthorizationCodeMethod.style)["properties"] == {}
    assert form_schema(entry("sandbox"), ClientCredentialsMethod.style)["properties"] == {}


def test_own_registration_is_typed_by_the_end_user(tmp_path: Path) -> None:
    text = 'name = "Acme"\n[client_credentials]\ntoken_url = "https://acme.example/token"\nown_registration = true\n'
    acme = load_entry(written(tmp_path, text))
    assert [item.name for item in acme.fields_of(ClientCredentialsMethod.style)] == ["client_id", "client_secret"]
    assert form_schema(acme, ClientCredentialsMethod.style)["required"] == ["client_id", "client_secret"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "is not TOML"),
        ("name = " + "[" * 5000, "is nested too deeply"),
        ("name = " + "1" * 5000, "holds a number that is too long to read"),
        ('name = "Acme"', "describe at least one of"),
        (
            CODE_ENTRY + 'tokenurl = "x"',
            "there is no such key, and token_url is there already",
        ),
        (CODE_ENTRY + 'pkce = "S512"', "authorization_code.pkce: "),
        ('slug = "other"\n' + CODE_ENTRY, "call the file other.toml"),
        (CODE_ENTRY.replace("//acme", "//{sub}.acme"), "authorization_code.authorization_url: uses {sub}; declare"),
        (CODE_ENTRY.replace("//acme", "//{Sub}.acme"), "authorization_code.token_url: "),
        (CODE_ENTRY + 'token_params = { a = "{nope}" }', "authorization_code.token_params.a: uses {nope}"),
        (CODE_ENTRY.replace("token_url", "revocation_url"), "authorization_code.token_url: is missing"),
        (CODE_ENTRY.replace("authorization_url", "revocation_url"), "authorization_code.authorization_url: is missing"),
        ('name = "A"\n[authorization_code]\ndiscover = true', "authorization_code.issuer: is needed"),
        (CODE_ENTRY + "[presentation.api_key]", "presentation.api_key: the entry does not describe"),
        (
            CODE_ENTRY + '[presentation.oauth2_authorization_code.headers]\nA = "{api_key}"',
            "presentation.oauth2_authorization_code.headers.A: uses {api_key}",
        ),
        (CODE_ENTRY + '[probe]\nurl = "https://acme.example/{access_token}"', "probe.url: uses {access_token}"),
        (CODE_ENTRY + "[probe]", "probe.url: is empty"),
        (CODE_ENTRY + '[probe]\nurl = "https://x.example"\naccount_id = "sub"', "probe.account_id: 'sub' is no JSON"),
        (CODE_ENTRY + '[[authorization_code.errors]]\nmeans = "malformed"', "authorization_code.errors.0: would match"),
        (
            CODE_ENTRY + '[probe]\nurl = "https://x.example"\ndead = [{ status = 200, means = "grant_rejected" }]',
            "probe.dead.0: would match",
        ),
        (KEY_ENTRY.replace('name = "region"', 'name = "subdomain"'), "params: 'subdomain' is declared twice"),
        (KEY_ENTRY.replace('name = "region"', 'name = "api_key"'), "params: 'api_key' is declared twice"),
        (KEY_ENTRY.replace('name = "edition"', 'name = "access_token"'), "params: 'access_token' is declared twice"),
        (KEY_ENTRY.replace("^sk_", "^(sk_"), "api_key.fields.api_key.pattern: is no regular expression"),
        (KEY_ENTRY.replace('"globex"', '"not a host"'), "params.subdomain.pattern: does not match 'not a host'"),
        (KEY_ENTRY.replace('default = "eu"', 'default = "/"'), "params.region.pattern: does not match '/'"),
        (KEY_ENTRY.partition("[presentation")[0], "[api_key] needs [presentation.api_key]"),
        ('name = "A"\n[api_key]\nfields = []\n[presentation.api_key]', "api_key.fields: describe at least one"),
    ],
)
def test_wrong_entry_is_named_with_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CatalogError) as caught:
        load_entry(written(tmp_path, text))
    assert says in str(caught.value)
    assert all(line.startswith("acme.toml: ") for line in str(caught.value).splitlines())


def test_missing_file_and_wrong_bytes_are_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"nope\.toml: cannot be read"):
        load_entry(tmp_path / "nope.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(CatalogError, match=r"latin\.toml: is not TOML"):
        load_entry(tmp_path / "latin.toml")


def test_file_name_that_is_no_slug_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="slug: "):
        load_entry(written(tmp_path, CODE_ENTRY, "Acme Corp.toml"))


def test_templates_may_use_extra_fields_of_the_token_response(tmp_path: Path) -> None:
    text = CODE_ENTRY.replace('name = "Acme"', 'name = "Acme"\nbase_url = "{instance_url}"')
    text += 'extra_response_fields = ["instance_url"]\n[probe]\nurl = "{instance_url}/me"\n'
    assert load_entry(written(tmp_path, text)).base_url == "{instance_url}"


def test_entries_are_immutable() -> None:
    sandbox: Any = entry("sandbox")
    with pytest.raises(ValueError, match="frozen"):
        sandbox.name = "x"
    assert isinstance(sandbox, CatalogEntry)


def test_a_process_that_does_not_use_the_catalogue_does_not_read_it() -> None:
    asked = "import django; django.setup(); import config.celery; from providers.catalog import loader"
    code = f"{asked}; print(loader._loaded)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "None"


@pytest.mark.parametrize("name", [b"\xff\xfe.toml", b"acme\n.toml", b"acme\x1b[2J.toml", "acme\u202e.toml".encode()])
def test_a_file_whose_name_cannot_be_read_keeps_no_other_from_being_in_force(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "acme.toml").write_text(CODE_ENTRY, encoding="utf-8")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(CODE_ENTRY, encoding="utf-8")
    try:
        for _ in range(2):  # compiled, and kept
            configure_catalog(tmp_path)
            assert added_slugs() == {"acme"}
            assert "github" in load_catalog()
            (faulty,) = faulty_files()
            (problem,) = faulty.problems
            assert "the file's name holds what cannot be read; write lower-case letters and digits" in problem
            assert str(faulty.path).isprintable()
            assert str(faulty.path).encode("utf-8")
    finally:
        configure_catalog(settings.CATALOG_DIR)


def test_an_added_entry_is_as_sure_as_its_author_and_no_surer(tmp_path: Path) -> None:
    facts = '[facts]\nconfidence = "high"\nchecked_on = "2026-11-29"\n'
    (tmp_path / "acme.toml").write_text(CODE_ENTRY + facts, encoding="utf-8")
    try:
        configure_catalog(tmp_path)
        assert entry("acme").confidence_of("oauth2_authorization_code") is None
        assert listed()["acme"].confidence == {}
        assert set(listed()["hubspot"].confidence.values()) == {"high"}
        assert entry("hubspot").facts is not None
    finally:
        configure_catalog(settings.CATALOG_DIR)
