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
