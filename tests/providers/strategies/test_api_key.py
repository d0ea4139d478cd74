from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.methods import ApiKeyMethod
from providers.errors import FieldInvalid, MisconfiguredProvider
from providers.strategies import strategy_for
from providers.strategies.base import Capabilities
from providers.values import Credential
from providers.vocabulary import ProbeVerdict

STYLE = ApiKeyMethod.style
STRATEGY = strategy_for(STYLE)
TWO_FIELDS = {
    "params": [
        {"name": "issuer", "label": "Issuer", "scope": "app", "pattern": ".+"},
        {"name": "subdomain", "label": "Subdomain", "default": "globex"},
    ],
    "api_key": {
        "fields": [
            {"name": "email", "label": "E-mail", "secret": False},
            {"name": "api_key", "label": "API key", "pattern": "^[ -~]+$"},
            {"name": "signing", "label": "Signing key"},
        ]
    },
    "presentation": {
        "api_key": {"headers": {"X-Api-Key": "{email}:{api_key}"}, "query": {"sig": "{signing}", "sub": "{subdomain}"}}
    },
}


def test_takes_what_is_typed_and_calls_nobody(sandbox_target: Any, provider: Any) -> None:
    found = STRATEGY.accept(sandbox_target(STYLE), {"api_key": "  key-12345678\r\n"})
    assert found.credential == Credential(fields={"api_key": SecretStr("key-12345678")})
    assert (found.lifetime_seconds, found.scopes) == (None, None)
    assert provider.requests == []


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({}, "api_key", "API key is required."),
        ({"api_key": "  "}, "api_key", "API key is required."),
        ({"api_key": "canary"}, "api_key", "API key does not have the expected form."),
        ({"api_key": "canary key with spaces"}, "api_key", "API key does not have the expected form."),
        ({"api_key": "canary-line\nbreak-123"}, "api_key", "API key does not have the expected form."),
        ({"api_key": "canary-ключ-12345"}, "api_key", "API key does not have the expected form."),
        ({"api_key": "key-12345678", "extra": "canary"}, "extra", "Sandbox has no field of this name."),
    ],
)
def test_names_the_field_that_is_wrong_and_shows_no_value(
    sandbox_target: Any, typed: dict[str, str], field: str, says: str
) -> None:
    with pytest.raises(FieldInvalid) as caught:
        STRATEGY.accept(sandbox_target(STYLE), typed)
    assert (caught.value.field, str(caught.value)) == (field, says)


@pytest.mark.parametrize("value", ["a\x00b", "tab\there", "é"])
def test_characters_that_no_header_carries_are_refused_whatever_the_pattern(sandbox_target: Any, value: str) -> None:
    changes = {"api_key": {"fields": [{"name": "api_key", "label": "API key", "pattern": "(?s)^.*$"}]}}
    with pytest.raises(FieldInvalid):
        STRATEGY.accept(sandbox_target(STYLE, changes=changes), {"api_key": value})


def test_parameters_of_the_form_are_left_out(sandbox_target: Any) -> None:
    typed = {"email": "a@x.example", "api_key": "k ey", "signing": "s", "subdomain": "globex"}
    found = STRATEGY.accept(sandbox_target(STYLE, changes=TWO_FIELDS), typed)
    assert set(found.credential.fields) == {"email", "api_key", "signing"}


def test_presents_headers_query_and_the_fields_that_are_no_secret(sandbox_target: Any, provider: Any) -> None:
    target = sandbox_target(STYLE, changes=TWO_FIELDS)
    held = Credential(fields={n: SecretStr(v) for n, v in {"email": "a@x", "api_key": "k", "signing": "s"}.items()})
    found = STRATEGY.present(target, held)
    assert (found.auth_method, found.value) == ("api_key", SecretStr("k"))
    assert found.headers == {"X-Api-Key": "a@x:k"}
    assert found.query == {"sig": "s", "sub": "globex"}
    assert found.params == {"email": "a@x", "issuer": provider.url, "subdomain": "globex"}


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("123:AAE-x_y", "/bot123:AAE-x_y/me"),
        ("../admin?x=1#", "/bot..%2Fadmin%3Fx%3D1%23/me"),
        ("a&b=c+d %2e", "/bota%26b%3Dc%2Bd%20%252e/me"),
    ],
)
def test_a_key_in_the_path_stays_one_step_of_it(sandbox_target: Any, provider: Any, key: str, path: str) -> None:
    in_path = {"headers": {"X-Api-Key": None}, "base_url": "{issuer}/bot{api_key}"}
    changes = {"presentation": {"api_key": in_path}, "probe": {"url": "{issuer}/bot{api_key}/me"}}
    target, held = sandbox_target(STYLE, changes=changes), Credential(fields={"api_key": SecretStr(key)})
    provider.answers_with(200, {"sub": "acct-1"})
    assert STRATEGY.probe(target, held).verdict is ProbeVerdict.ALIVE
    assert provider.last.target == path
    presented = STRATEGY.present(target, held)
    assert presented.base_url == provider.url + path.removesuffix("/me")
    assert (presented.headers, presented.query, presented.body) == ({}, {}, {})


@pytest.mark.parametrize("body_format", ["json", "form"])
def test_a_key_in_the_body_is_added_to_what_the_probe_sends(
    sandbox_target: Any, provider: Any, body_format: str
) -> None:
    changes = {
        "presentation": {"api_key": {"headers": {"X-Api-Key": None}, "body": {"auth": "{api_key}"}}},
        "probe": {"method": "POST", "format": body_format, "body": {"what": "me"}},
    }
    provider.answers_with(200, {"sub": "acct-1"})
    STRATEGY.probe(sandbox_target(STYLE, changes=changes), Credential(fields={"api_key": SecretStr("key-1")}))
    sent = provider.last.json if body_format == "json" else provider.last.form
    assert sent == {"what": "me", "auth": "key-1"}
    assert STRATEGY.present(
        sandbox_target(STYLE, changes=changes), Credential(fields={"api_key": SecretStr("key-1")})
    ).body == {"auth": "key-1"}


def test_a_key_in_an_address_is_in_no_log_and_no_error(
    sandbox_target: Any, provider: Any, every_log_record: list[Any]
) -> None:
    in_address = {"headers": {"X-Api-Key": None}, "base_url": "{issuer}/k/{api_key}", "query": {"key": "{api_key}"}}
    changes = {"presentation": {"api_key": in_address}, "probe": {"url": "{issuer}/k/{api_key}/me"}}
    target, held = sandbox_target(STYLE, changes=changes), Credential(fields={"api_key": SecretStr("canary-12345678")})
    details = []
    for answer in ((500, b"", {}), (302, b"", {"Location": "/elsewhere"}), (200, b"\x00", {"Content-Length": "99"})):
        provider.answers[:] = [answer]
        details.append(STRATEGY.probe(target, held).detail)
    gone = sandbox_target(STYLE, changes={**changes, "probe": {"url": "http://127.0.0.1:1/{api_key}"}})
    details.append(STRATEGY.probe(gone, held).detail)
    assert len(provider.requests) == 3
    assert "canary" not in repr(details) + repr([vars(record) for record in every_log_record])


def test_presenting_what_lacks_a_field_names_it(sandbox_target: Any) -> None:
    with pytest.raises(MisconfiguredProvider, match="lacks api_key"):
        STRATEGY.present(sandbox_target(STYLE), Credential(access_token=SecretStr("at")))


def test_probes_with_the_key(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"sub": "acct-1", "name": "Globex"})
    target = sandbox_target(STYLE)
    found = STRATEGY.probe(target, Credential(fields={"api_key": SecretStr("key-12345678")}))
    assert found.verdict is ProbeVerdict.ALIVE
    assert provider.last.headers["X-Api-Key"] == "key-12345678"
    assert STRATEGY.capabilities(target) == Capabilities(probes=True)
    assert not STRATEGY.redirects


def test_cannot_be_refreshed_or_revoked(sandbox_target: Any) -> None:
    with pytest.raises(NotImplementedError):
        STRATEGY.refresh(sandbox_target(STYLE), Credential())
    with pytest.raises(NotImplementedError):
        STRATEGY.revoke(sandbox_target(STYLE), Credential())
