"""What is the operator's reaches no host that an end user names, in whichever field the two would meet."""

from typing import Any

import pytest

from providers.catalog.checks import problems_of
from providers.catalog.fields import Param
from providers.catalog.host_checks import name_any_host
from providers.catalog.schema import CatalogEntry

ANY, OURS = "https://{host}", "https://a.example"
HOST = {"name": "host", "label": "Host", "pattern": r"^[a-z0-9.-]{1,100}$"}
FEW = {**HOST, "pattern": r"^[a-z0-9-]{1,40}\.acme\.example$"}
PARTNER = {"name": "partner", "label": "Partner key", "scope": "app", "pattern": r"^\w+$"}
KEY = {"fields": [{"name": "key", "label": "Key"}]}
CODE = {"authorization_url": OURS, "token_url": OURS}
LOGIN = {"url": OURS, "token": "/token"}
ONE_LEG = {"temporary_credentials_url": OURS, "authorization_url": OURS, "token_url": OURS}
TYPED_HOST = {**KEY["fields"][0], "name": "host", "secret": False, "pattern": r"^[a-z0-9.-]+$"}


def problems(*params: dict[str, Any], **document: Any) -> list[str]:
    said = {"slug": "acme", "name": "Acme", "params": list(params), **document}
    return list(problems_of(CatalogEntry.model_validate(said), "acme"))


def shown(**places: Any) -> dict[str, Any]:
    return {"api_key": KEY, "presentation": {"api_key": {"headers": {"X-Key": "{key}"}, **places}}}


SECRETS: list[tuple[dict[str, Any], str]] = [
    ({"authorization_code": {**CODE, "token_url": f"{ANY}/token"}}, "authorization_code.token_url"),
    ({"authorization_code": {**CODE, "refresh_url": ANY}}, "authorization_code.refresh_url"),
    ({"authorization_code": {**CODE, "revocation_url": ANY}}, "authorization_code.revocation_url"),
    ({"authorization_code": {**CODE, "introspection_url": ANY}}, "authorization_code.introspection_url"),
    (
        {"authorization_code": {**CODE, "revocation_url": OURS, "revocation": {"narrowed_url": ANY}}},
        "authorization_code.revocation.narrowed_url",
    ),
    ({"authorization_code": {"issuer": ANY, "discover": True}}, "authorization_code.issuer"),
    (
        {
            "authorization_code": {
                **CODE,
                "client_authentication": "none",
                "revocation_url": ANY,
                "revocation": {"authentication": "client_secret_bearer"},
            }
        },
        "authorization_code.revocation_url",
    ),
    ({"token_exchange": {"token_url": ANY, "client_authentication": "none"}}, "token_exchange.token_url"),
    ({"oauth1": {**ONE_LEG, "token_url": ANY}}, "oauth1.token_url"),
    ({"oauth1": {**ONE_LEG, "temporary_credentials_url": ANY}}, "oauth1.temporary_credentials_url"),
    ({"oauth1": ONE_LEG, "base_url": ANY}, "base_url"),
    ({"oauth1": ONE_LEG, "probe": {"url": f"{ANY}/me"}}, "probe.url"),
]
PARTNERS: list[tuple[dict[str, Any], str]] = [
    ({**shown(headers={"X-Key": "{key}", "X-Partner": "{partner}"}), "base_url": ANY}, "presentation.api_key.headers"),
    (shown(base_url=ANY, query={"partner": "{partner}"}), "presentation.api_key.query.partner"),
    (shown(base_url=ANY, body={"partner": "x-{partner}"}), "presentation.api_key.body.partner"),
    (
        {**shown(query={"partner": "{base64:{partner}}"}), "probe": {"url": f"{ANY}/me"}},
        "presentation.api_key.query.partner",
    ),
    ({**shown(), "probe": {"url": f"{ANY}/me", "headers": {"X-Partner": "{partner}"}}}, "probe.headers.X-Partner"),
    (
        {**shown(), "probe": {"url": f"{ANY}/me", "method": "POST", "body": {"a": {"b": ["{partner}"]}}}},
        "probe.body.a",
    ),
    (
        {"two_step_login": {**KEY, "login": {**LOGIN, "url": ANY, "headers": {"X-Partner": "{partner}"}}}},
        "two_step_login.login.headers.X-Partner",
    ),
    (
        {"two_step_login": {**KEY, "login": {**LOGIN, "url": ANY, "body": {"a": ["{partner}"]}}}},
        "two_step_login.login.body.a",
    ),
    (
        {"two_step_login": {**KEY, "login": LOGIN, "logout": {"url": ANY, "body": {"a": "{partner}"}}}},
        "two_step_login.logout.body.a",
    ),
    (
        {
            "client_credentials": {
                "token_url": ANY,
                "own_registration": True,
                "request_headers": {"X-Partner": "{partner}"},
            }
        },
        "client_credentials.request_headers.X-Partner",
    ),
    (
        {"client_credentials": {"token_url": ANY, "own_registration": True, "token_params": {"p": "{partner}"}}},
        "client_credentials.token_params.p",
    ),
    (
        {
            "jwt_bearer": {
                "token_url": ANY,
                "fields": [{"name": "private_key", "label": "Key"}],
                "assertion": {"claims": {"iss": "{partner}"}},
            }
        },
        "jwt_bearer.assertion.claims",
    ),
]


@pytest.mark.parametrize(("document", "key"), SECRETS, ids=[key for _, key in SECRETS])
def test_what_others_share_goes_to_no_host_that_an_end_user_types(document: dict[str, Any], key: str) -> None:
    told = problems(HOST, **document)
    assert any(problem.startswith(f"{key}: the end user types {{host}}, and ") for problem in told), told
    assert not any("any host" in problem for problem in problems(FEW, **document))
    assert not any("any host" in problem for problem in problems({**HOST, "scope": "app"}, **document))
    assert not any("any host" in problem for problem in problems({**HOST, "scope": "invitation"}, **document))


@pytest.mark.parametrize(("document", "key"), PARTNERS, ids=[key for _, key in PARTNERS])
def test_nor_does_a_parameter_of_the_provider_app(document: dict[str, Any], key: str) -> None:
    told = problems(HOST, PARTNER, **document)
    assert any(problem.startswith(key) and "{partner} is the operator's" in problem for problem in told), told
    assert problems(FEW, PARTNER, **document) == []
    assert problems(HOST, {**PARTNER, "public": True}, **document) == []


def test_a_field_that_is_typed_is_no_better_than_a_parameter() -> None:
    login = {**LOGIN, "url": ANY, "headers": {"X-Partner": "{partner}"}}
    told = problems(PARTNER, two_step_login={"fields": [*KEY["fields"], TYPED_HOST], "login": login})
    assert any(problem.startswith("two_step_login.login.headers.X-Partner: {partner}") for problem in told), told


@pytest.mark.parametrize(
    ("template", "patterns", "named"),
    [
        ("https://{a}", (r"[a-z]+\.com", ""), ("a",)),
        ("https://shop-{a}.com", (r"[a-z]+", ""), ("a",)),
        ("https://{a}.{b}/x", (r"[a-z]+", r"[a-z]{2,5}"), ("a",)),
        ("https://{a}.{c}/x", (r"[a-z]+", ""), ()),
        ("https://{a}{b}/x", (r"[a-z]+", r"\.[a-z]+"), ("a", "b")),
        ("https://{b}{a}/x", (r"\.[a-z]+", r"[a-z]+"), ("b", "a")),
        ("https://{a}.{b}.acme.example/x", (r"[a-z]+", r"[a-z]+"), ()),
        ("https://acme.example/{a}.{b}", (r"[a-z]+", r"[a-z]+"), ()),
        ("https://{a}.acme.example", (r"[a-z.]+", ""), ()),
        ("https://{a", (r".*", ""), ()),
        ("https://{a}", (r"(", ""), ()),
    ],
)
def test_a_host_is_named_by_one_value_or_by_two_together(
    template: str, patterns: tuple[str, str], named: tuple[str, ...]
) -> None:
    params = tuple(
        Param(name=name, label=name, pattern=pattern) for name, pattern in zip("ab", patterns, strict=True) if pattern
    )
    among = Param(name="c", label="c", choices={"eu": "eu.acme.example", "us": "us.acme.example"})
    assert sorted(name_any_host(template, (*params, among))) == sorted(named)
