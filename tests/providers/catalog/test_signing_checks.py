"""Entries that sign: what does not agree, and what would let an end user name somebody else's account."""

import json
from typing import Any

import pytest

from providers.catalog.checks import problems_of
from providers.catalog.schema import CatalogEntry

KEY = {"name": "private_key", "label": "Key", "multiline": True}
WHO = {"name": "who", "label": "Who"}
BUY = {"url": "https://acme.example/buy/{who}", "token": "/token"}


BEARER = {"Authorization": "Bearer {access_token}"}
SHOWN: list[tuple[dict[str, Any], str]] = [
    ({"base_url": "https://{who}/api"}, "base_url: "),
    ({"base_url": "https://a.example/{who}"}, "base_url: "),
    ({"presentation": {"STYLE": {"base_url": "https://{who}/api"}}}, "presentation.STYLE.base_url: "),
    ({"presentation": {"STYLE": {"headers": {**BEARER, "X-For": "{who}"}}}}, "presentation.STYLE.headers.X-For: "),
    ({"presentation": {"STYLE": {"query": {"for": "{who}"}}}}, "presentation.STYLE.query.for: "),
    ({"presentation": {"STYLE": {"body": {"for": "{who}"}}}}, "presentation.STYLE.body.for: "),
    ({"probe": {"url": "https://{who}/me"}}, "probe.url: "),
    ({"probe": {"url": "https://a.example", "headers": {"X-For": "{who}"}}}, "probe.headers.X-For: "),
    (
        {"probe": {"url": "https://a.example", "method": "POST", "body": {"a": [{"b": "{who}"}]}}},
        "probe.body.a: ",
    ),
]


def problems(section: dict[str, Any], *, style: str = "signed_jwt", **further: Any) -> list[str]:
    document = {"slug": "acme", "name": "Acme", style: section, **further}
    return list(problems_of(CatalogEntry.model_validate(document), "acme"))


def test_good_ones_have_none() -> None:
    typed = {"fields": [KEY, {**WHO, "secret": False}], "token": {"claims": {"iss": "{who}", "aud": "{token_url}"}}}
    assert problems(typed) == []
    app = {"token": {"key": "app", "claims": {"iss": "{client_id}", "sub": "{who}"}}, "exchange": BUY}
    assert problems(app, params=[{**WHO, "scope": "invitation"}]) == []
    file = {"values": {"mail": "/mail", "private_key": "/key"}}
    bearer = {"token_url": "https://a.example/t", "key_file": file, "assertion": {"claims": {"iss": "{mail}"}}}
    assert problems(bearer, style="jwt_bearer") == []


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"token": {}}, "signed_jwt.token.key_field: nobody types 'private_key'; describe a secret field"),
        ({"fields": [{**KEY, "secret": False}], "token": {}}, "signed_jwt.token.key_field: nobody types"),
        ({"fields": [KEY], "token": {"claims": {"x": "{y}"}}}, "signed_jwt.token.claims.x: uses {y}; declare"),
        ({"fields": [KEY], "token": {"claims": {"x": "{private_key}"}}}, "token.claims.x: uses {private_key}"),
        ({"fields": [KEY], "token": {"kid": "{y}"}}, "signed_jwt.token.kid: uses {y}"),
        ({"fields": [KEY], "token": {"header": {"typ": "{y}"}}}, "signed_jwt.token.header.typ: uses {y}"),
        ({"fields": [KEY], "token": {"claims": {"exp": 1}}}, "signed_jwt.token.claims.exp: is added by itself"),
        ({"fields": [KEY], "token": {"key_encoding": "hex"}}, "token.key_encoding: is of use with HS256"),
        ({"token": {"key": "app", "algorithm": "HS256"}}, "token.algorithm: a provider app has key pairs"),
        ({"fields": [KEY], "token": {"lifetime_seconds": 60}}, "token.lifetime_seconds: a token of ours lives 4 to 15"),
        ({"fields": [KEY], "token": {}, "revoke": {"url": "https://a.example"}}, "signed_jwt.revoke: there is nothing"),
        ({"fields": [KEY], "token": {}, "exchange": {"url": "https://a.example"}}, "exchange.token: say once where"),
        (
            {"key_file": {"values": {"private_key": "key"}}, "token": {}},
            "signed_jwt.key_file.values.private_key: 'key' is no JSON Pointer",
        ),
    ],
)
def test_what_does_not_agree_is_told_with_what_to_write(section: dict[str, Any], told: str) -> None:
    assert any(told in problem for problem in problems(section)), problems(section)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"token": {"key": "app", "claims": {"sub": "{who}"}}}, "signed_jwt.token.claims: "),
        ({"token": {"key": "app", "claims": {"a": [{"b": "{who}"}]}}}, "signed_jwt.token.claims: "),
        ({"token": {"key": "app"}, "exchange": BUY}, "signed_jwt.exchange.url: "),
        (
            {"token": {"key": "app"}, "exchange": {**BUY, "url": "https://a.example", "body": {"for": "{who}"}}},
            "signed_jwt.exchange.body.for: ",
        ),
        (
            {"token": {"key": "app"}, "exchange": {**BUY, "url": "https://a.example", "headers": {"X-For": "{who}"}}},
            "signed_jwt.exchange.headers.X-For: ",
        ),
    ],
)
def test_no_end_user_chooses_whose_account_the_app_s_key_opens(section: dict[str, Any], key: str) -> None:
    told = problems(section, params=[WHO])
    assert any(problem.startswith(key) and 'scope = "invitation"' in problem for problem in told), told
    assert problems(section, params=[{**WHO, "scope": "invitation"}]) == []
    assert problems(section, params=[{**WHO, "scope": "app"}]) == []
    of_ours = {**WHO, "choices": {"eu": "eu.acme", "us": "us.acme"}}
    assert problems(section, params=[of_ours]) == []
    typed = problems({**section, "fields": [{**WHO, "secret": False}]})
    assert any(problem.startswith(key) for problem in typed), typed


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"token_url": "https://login.acme.example/{who}/token"}, "client_credentials.token_url: "),
        (
            {"token_url": "https://login.acme.example/token", "token_params": {"subject": "{who}"}},
            "client_credentials.token_params.subject: ",
        ),
    ],
)
def test_nor_whose_account_the_app_s_secret_opens(section: dict[str, Any], key: str) -> None:
    told = problems(section, style="client_credentials", params=[WHO])
    assert any(problem.startswith(key) and 'scope = "invitation"' in problem for problem in told), told
    for scope in ("invitation", "app"):
        assert problems(section, style="client_credentials", params=[{**WHO, "scope": scope}]) == []
    own = {**section, "own_registration": True}
    assert not any(problem.startswith(key) for problem in problems(own, style="client_credentials", params=[WHO]))


@pytest.mark.parametrize(("further", "key"), SHOWN, ids=[key for _, key in SHOWN])
@pytest.mark.parametrize(
    ("style", "section"),
    [
        ("client_credentials", {"token_url": "https://a.example/token"}),
        ("signed_jwt", {"token": {"key": "app"}}),
        ("jwt_bearer", {"token_url": "https://a.example/token", "assertion": {"key": "app"}}),
    ],
)
def test_nor_who_sees_what_the_app_opened(
    style: str, section: dict[str, Any], further: dict[str, Any], key: str
) -> None:
    called = style if style == "signed_jwt" else f"oauth2_{style}"

    def spelt(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("STYLE", called))

    told = problems(section, style=style, params=[WHO], **spelt(further))
    assert any(problem.startswith(spelt(key)) and 'scope = "invitation"' in problem for problem in told), told
    assert problems(section, style=style, params=[{**WHO, "scope": "invitation"}], **spelt(further)) == []


def test_a_parameter_may_be_typed_where_the_end_user_consents() -> None:
    asked = {"authorization_url": "https://{who}.acme.example", "token_url": "https://{who}.acme.example/token"}
    section = {"token_url": "https://{who}.acme.example/token"}
    both = {"style": "client_credentials", "authorization_code": asked}

    def told(**changes: Any) -> list[str]:
        return problems(section, params=[{**WHO, "pattern": "^[a-z]+$", **changes}], **both)

    assert told(scope="invitation", typed_by=["authorization_code"]) == []
    assert "secret opens whichever {who}" in told(scope="invitation", typed_by=["client_credentials"])[0]
    assert told(scope="invitation", typed_by=["api_key"])[0].startswith("params.who.typed_by: the entry has no")
    assert any(one.startswith("params.who.typed_by: is about") for one in told(typed_by=["authorization_code"]))
