"""``manage.py providers try``: an entry is rehearsed against what its author has read, and never against itself."""

from pathlib import Path

import pytest

from tests.connections.management.conftest import Run

ENTRY = """
name = "Shop"
base_url = "https://api.shop.example/v1"
[api_key]
fields = [{ name = "api_key", label = "Key" }]
[presentation.api_key.headers]
Authorization = "Token {api_key}"
[probe]
url = "https://api.shop.example/v1/me"
account_id = "/id"
"""
DIALECT = """
[shop]
kind = "key"
api = "https://api.shop.example/v1"
probe = "https://api.shop.example/v1/me"
headers = { Authorization = "Token {key}" }
me = { id = "7" }
account = "7"
refusal = '401 {"error": "gone"}'
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(ENTRY)
    return path


@pytest.fixture
def dialect(tmp_path: Path) -> Path:
    path = tmp_path / "shop.dialect.toml"
    path.write_text(DIALECT)
    return path


def test_a_built_in_entry_is_tried_as_it_stands_in_every_style_that_is_known(run: Run) -> None:
    ran = run("providers", "try", "salesforce")
    assert ran.code == 0, ran.err
    for style in ("oauth2_authorization_code", "oauth2_client_credentials", "oauth2_jwt_bearer"):
        assert f"Salesforce by {style}" in ran.out
    assert "somebody wrote it down who had not seen the entry" in ran.out
    assert "Nothing was sent to the vendor" in ran.out
    assert "Not proven, because the dialect does not say it: how long an access token lives" in ran.out
    assert "access-1" not in ran.out
    alone = run("providers", "try", "salesforce-jwt", "--json").data
    assert [one["auth_style"] for one in alone] == ["oauth2_jwt_bearer"]


def test_an_entry_of_one_s_own_is_tried_against_what_its_author_has_read(run: Run, shop: Path, dialect: Path) -> None:
    ran = run("providers", "try", shop, "--dialect", dialect)
    assert ran.code == 0, ran.err
    assert "The entry and the dialect agree in 3 steps." in ran.out
    assert "as right as its author's reading" in ran.out
    assert "Authorization: Token [api_key]" in ran.out
    assert "alive, account 7" in ran.out


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("Token {api_key}", "Bearer {api_key}", "presentation.api_key"),
        ("v1/me", "v2/me", "Look at probe.url"),
        ('"/id"', '"/uuid"', "probe.account_id"),
        ('base_url = "https://api', 'base_url = "https://other', "Look at base_url"),
    ],
)
def test_where_they_disagree_the_key_is_named(
    run: Run, shop: Path, dialect: Path, was: str, becomes: str, said: str
) -> None:
    shop.write_text(ENTRY.replace(was, becomes))
    ran = run("providers", "try", shop, "--dialect", dialect)
    assert ran.code == 1
    assert "The entry and the dialect disagree: " in ran.err
    assert said in ran.err, ran.err


def test_without_a_dialect_nothing_is_passed_off_as_a_proof(run: Run, shop: Path) -> None:
    ran = run("providers", "try", shop)
    assert (ran.code, ran.out) == (1, "")
    assert "tried against itself proves nothing" in ran.err
    assert "providers dialect shop" in ran.err
    nothing = run("providers", "try", shop, "--say", "pkce=required")
    assert nothing.code == 1
    assert "says nothing that could be tried" in nothing.err


def test_a_few_keys_may_be_said_on_the_command_line(run: Run, shop: Path) -> None:
    said = ("--say", "api=https://api.shop.example/v1", "--say", 'headers={ Authorization = "Token {key}" }')
    ran = run("providers", "try", shop, *said)
    assert ran.code == 0, ran.err
    assert "what the command line says: as right as" in ran.out
    assert "Not proven, because the dialect does not say it: the probe." in ran.out
    otherwise = run("providers", "try", "hubspot", "--auth-style", "oauth2_authorization_code", "--say", "client=basic")
    assert "Look at authorization_code.client_authentication" in otherwise.err
    assert "what is known of the vendor, and what the command line says" in otherwise.err


def test_the_questions_lead_to_a_dialect(run: Run, shop: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked.toml"
    asked.write_text(run("providers", "dialect", shop).out + "\n" + DIALECT.partition('"key"')[2])
    ran = run("providers", "try", shop, "--dialect", asked)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[other]\nkind = 'key'", "has no table [shop]"),
        ("[shop", "is not TOML"),
        ("[shop]\nkind = 'key'\nprobee = 'x'", "probee: there is no such key; did you mean probe?"),
        ("[shop]\nkind = 'code'", "is of the kind 'key'"),
        ("[shop]\nkind = 'key'\nrefusal = 'gone'", "'gone' is no answer; write its status and its document"),
        ("[shop]\nkind = 'key'\nlifetime = 'long'", "lifetime: "),
        ("[shop]\nkind = 'key'\nslug = 'shop'", "slug: the name of the table says it"),
        ("a = " + "[" * 5000, "holds a value that is too long to read"),
        ("a = " + "9" * 5000, "holds a value that is too long to read"),
    ],
)
def test_a_wrong_dialect_is_told_and_no_crash(run: Run, shop: Path, dialect: Path, text: str, said: str) -> None:
    dialect.write_text(text)
    ran = run("providers", "try", shop, "--dialect", dialect)
    assert ran.code == 1
    assert said in ran.err, ran.err


def test_what_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    assert "no provider 'nope'" in run("providers", "try", "nope").err
    assert "cannot be read" in run("providers", "try", tmp_path / "nope.toml").err
    assert "connects by" in run("providers", "try", "hubspot", "--auth-style", "oauth1").err
    assert "KEY=VALUE" in run("providers", "try", "hubspot", "--say", "pkce").err


@pytest.mark.parametrize(
    "said", ["slug=other", "api=" + "[" * 5000, "lifetime=" + "9" * 5000, "kind=[]", "me=2026-01-01"]
)
def test_what_is_said_and_cannot_be_is_told(run: Run, shop: Path, said: str) -> None:
    ran = run("providers", "try", shop, "--say", said)
    assert ran.code == 1
    assert "what the command line says" in ran.err or "agree" in ran.err, ran.err
