"""Entries of typed credentials: what they may leave out, where a secret may stand, and what is told of a slip."""

from typing import Any

import pytest

from providers.catalog.checks import problems_of
from providers.catalog.schema import CatalogEntry

KEY = {"fields": [{"name": "email", "label": "E-mail", "secret": False}, {"name": "key", "label": "Key"}]}
HOST = {"name": "host", "label": "Host", "pattern": r"^[a-z]+\.acme\.example$"}
BASE = {"slug": "acme", "name": "Acme", "base_url": "https://acme.example"}


def problems(**changes: Any) -> list[str]:
    return list(problems_of(CatalogEntry.model_validate(BASE | changes), "acme"))


def key_problems(presentation: dict[str, Any], **changes: Any) -> list[str]:
    return problems(api_key=KEY, presentation={"api_key": presentation}, **changes)


@pytest.mark.parametrize("section", ["http_basic", "bearer_token"])
def test_a_section_without_a_word_is_enough(section: str) -> None:
    assert problems(**{section: {}}) == []


def test_each_style_has_its_own_way_into_a_request_unless_the_entry_says_another() -> None:
    said = {"http_basic": {}, "bearer_token": {}, "api_key": KEY}
    entry = CatalogEntry.model_validate(
        BASE | said | {"presentation": {"api_key": {"query": {"k": "{key}"}}, "bearer_token": {"query": {"v": "1"}}}}
    )
    found = {style: (p.headers, p.query) for style, p in entry.presentations.items()}
    assert found == {
        "http_basic": ({"Authorization": "Basic {base64:{username}:{password}}"}, {}),
        "bearer_token": ({"Authorization": "Bearer {token}"}, {"v": "1"}),
        "api_key": ({}, {"k": "{key}"}),
    }


@pytest.mark.parametrize(
    "presentation",
    [
        {"headers": {"X-Key": "{key}", "X-User": "{email}"}},
        {"query": {"key": "{key}"}},
        {"base_url": "https://acme.example/bot{key}"},
        {"base_url": "https://{host}/?key={key}"},
        {"body": {"key": "{key}"}},
    ],
)
def test_a_key_may_stand_in_each_place(presentation: dict[str, Any]) -> None:
    assert key_problems(presentation, params=[HOST]) == []


@pytest.mark.parametrize(
    ("presentation", "changes", "told"),
    [
        ({}, {}, "presentation.api_key: carries no credential; put {email} into its headers"),
        ({"query": {"as": "fixed"}}, {}, "presentation.api_key: carries no credential"),
        ({"body": {"key": "{nope}"}}, {}, "presentation.api_key.body.key: uses {nope}; declare a [[params]]"),
        ({"base_url": "acme/{key}"}, {}, "presentation.api_key.base_url: 'acme/{key}' is no address; write it whole"),
        (
            {"base_url": "https://{key}"},
            {},
            "presentation.api_key.base_url: {key} would decide the host; put it behind",
        ),
        ({"base_url": "https://{key}.acme.example/x"}, {}, "base_url: {key} would decide the host"),
        ({"base_url": "{host}{key}/"}, {"params": [HOST]}, "base_url: {key} would decide the host"),
        (
            {"body": {"key": "{key}"}},
            {"probe": {"url": "https://acme.example/me"}},
            'presentation.api_key.body: the probe is a GET, which carries none; say method = "POST" in [probe]',
        ),
        (
            {"headers": {"X-Key": "{key}"}},
            {"probe": {"url": "https://acme.example/{key}"}},
            "probe.url: uses {key}; declare",
        ),
        (
            {"base_url": "https://acme.example/{key}"},
            {"probe": {"url": "https://acme.example/{key}/me"}, "bearer_token": {}},
            "probe.url: uses {key}; declare",
        ),
        (
            {"headers": {"X-Key": "{key}"}},
            {"params": [{"name": "key", "label": "Key"}]},
            "params: 'key' is declared twice",
        ),
    ],
)
def test_a_slip_is_told_with_what_to_write(presentation: dict[str, Any], changes: dict[str, Any], told: str) -> None:
    found = key_problems(presentation, **changes)
    assert any(told in problem for problem in found), found


def test_a_field_that_is_there_twice_is_told_but_two_styles_may_each_have_it() -> None:
    twice = {"fields": [{"name": "token", "label": "A"}, {"name": "token", "label": "B"}]}
    assert any("'token' is declared twice" in problem for problem in problems(bearer_token=twice))
    key = {"fields": [{"name": "token", "label": "Token"}]}
    shown = {"api_key": {"headers": {"X-Key": "{token}"}}}
    assert problems(bearer_token={}, api_key=key, presentation=shown) == []


def test_a_workspace_decides_no_host_of_a_path_with_a_key() -> None:
    site = {"name": "site", "label": "Site", "scope": "workspace", "pattern": ".+"}
    choice = {"url": "https://acme.example/sites", "id": "/id", "param": "site"}
    found = key_problems({"base_url": "{site}/{key}"}, params=[site], workspaces=choice)
    assert any(problem.startswith("presentation.api_key.base_url: lets an answer") for problem in found), found


def login_problems(logout: dict[str, Any] | None = None, **login: Any) -> list[str]:
    section = {
        **KEY,
        "login": {"url": "https://acme.example/login", "token": "/token", "body": {"k": "{key}"}} | login,
        "logout": logout,
    }
    return problems(two_step_login=section, params=[HOST])


def test_a_login_may_say_all_that_it_can() -> None:
    assert not login_problems(
        url="https://{host}/login/{email}",
        headers={"Authorization": "Basic {base64:{email}:{key}}"},
        format="form",
        body={"who": "{email}", "host": "{host}"},
        expiry={"field": "/ends/0", "format": "timestamp"},
        extra={"home": "/server/url"},
        errors=[{"status": 403, "means": "grant_rejected"}],
        logout={"method": "DELETE", "url": "https://{host}/{home}/{access_token}", "headers": {"X": "{access_token}"}},
    )


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ({"url": ""}, "two_step_login.login.url: is missing; give the URL"),
        ({"url": "login"}, "two_step_login.login.url: 'login' is no address; write it whole"),
        ({"url": "https://acme.example/{key}"}, "two_step_login.login.url: uses {key}; declare a [[params]]"),
        ({"url": "https://{email}/login"}, "two_step_login.login.url: {email} would decide the host; put it behind"),
        ({"headers": {"X": "{access_token}"}}, "two_step_login.login.headers.X: uses {access_token}; declare"),
        ({"body": {"a": [{"b": "{nope}"}]}}, "two_step_login.login.body.a.0.b: uses {nope}; declare"),
        ({"method": "GET"}, 'two_step_login.login.body: a GET carries none; say method = "POST"'),
        ({"format": "form", "body": {"a": 1}}, "two_step_login.login.body.a: a form holds texts alone"),
        ({"token": None}, "two_step_login.login.token: say once where the answer has the token"),
        ({"token_header": "X-Token"}, "two_step_login.login.token: say once where the answer has the token"),
        ({"token": "token"}, "two_step_login.login.token: 'token' is no JSON Pointer; start it with /"),
        ({"extra": {"a": "b"}}, "two_step_login.login.extra.a: 'b' is no JSON Pointer"),
        ({"expiry": {"field": "/~"}}, "two_step_login.login.expiry.field: '/~' leads nowhere"),
        ({"errors": [{"means": "grant_rejected"}]}, "two_step_login.login.errors.0: would match a success too"),
        ({"errors": [{"status": 403, "field": "a/b", "means": "unavailable"}]}, "errors.0.field: 'a/b' is no JSON"),
        ({"logout": {"url": "https://acme.example/{key}"}}, "two_step_login.logout.url: uses {key}"),
        ({"logout": {}}, "two_step_login.logout.url: is missing; give the URL"),
    ],
)
def test_a_slip_in_a_login_is_told_with_what_to_write(login: dict[str, Any], told: str) -> None:
    found = login_problems(**login)
    assert any(told in problem for problem in found), found


def test_a_login_without_fields_is_refused() -> None:
    login = {"url": "https://acme.example/login", "token": "/token"}
    found = problems(two_step_login={"fields": [], "login": login})
    assert found == ["two_step_login.fields: describe at least one field"]
