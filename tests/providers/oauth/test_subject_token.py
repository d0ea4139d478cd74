import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from providers.catalog.exchange_method import TokenExchangeMethod
from providers.catalog.resolve import Target
from providers.errors import ClientRejected, GrantRejected, InteractionRequired, ProviderError, RequestRejected
from providers.oauth.subject_token import exchange_subject
from providers.values import Obtained, SubjectGrant
from tests.providers.conftest import Provider

SUBJECT = "subject-token-1"
TOKENS = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 600, "scope": "a b", "refresh_token": "rt-1"}


@pytest.fixture
def exchange(make_target: Callable[..., Target]) -> Callable[..., Obtained]:
    def exchanged(*, scopes: tuple[str, ...] = (), **settings: Any) -> Obtained:
        target = make_target(TokenExchangeMethod.style, **settings)
        return exchange_subject(target=target, grant=SubjectGrant(SecretStr(SUBJECT), scopes))

    return exchanged


def sent(provider: Provider) -> dict[str, str]:
    """Return the form of the last request."""
    return {name: values[0] for name, values in parse_qs(provider.requests[-1].body.decode()).items()}


def test_asks_as_rfc_8693_says(exchange: Callable[..., Obtained], provider: Provider) -> None:
    provider.answers_with(200, TOKENS)
    found = exchange(
        scopes=("a", "b"), audience="api-{region}", requested_token_type="jwt", resource="https://api.acme.example"
    )
    assert sent(provider) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": SUBJECT,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "requested_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "audience": "api-eu",
        "resource": "https://api.acme.example",
        "scope": "a b",
    }
    assert provider.requests[-1].headers["Authorization"].startswith("Basic ")
    assert (found.lifetime_seconds, found.scopes) == (600, ("a", "b"))


def test_asks_as_microsoft_says(exchange: Callable[..., Obtained], provider: Provider) -> None:
    provider.answers_with(200, TOKENS)
    exchange(form="on_behalf_of", scopes=("https://graph.acme.example/.default",))
    assert sent(provider) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": SUBJECT,
        "requested_token_use": "on_behalf_of",
        "scope": "https://graph.acme.example/.default",
    }


def test_keeps_no_refresh_token(exchange: Callable[..., Obtained], provider: Provider) -> None:
    provider.answers_with(200, TOKENS)
    assert exchange().credential.refresh_token is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_grant", GrantRejected),
        ("invalid_request", GrantRejected),  # RFC 8693 §2.2.2
        ("invalid_client", ClientRejected),
        ("invalid_target", RequestRejected),
        ("invalid_scope", RequestRejected),
        ("interaction_required", InteractionRequired),
        ("login_required", InteractionRequired),
        ("consent_required", InteractionRequired),
    ],
)
def test_a_refusal_says_whose_fault_it_is(
    exchange: Callable[..., Obtained], provider: Provider, error: str, kind: type[ProviderError]
) -> None:
    for _ in range(2):  # each of our secrets
        provider.answers_with(400, {"error": error, "error_description": f"no {SUBJECT}"})
    with pytest.raises(kind) as caught:
        exchange()
    assert SUBJECT not in repr(caught.value) + str(caught.value.evidence)


@pytest.mark.parametrize(
    ("suberror", "kind"),
    [
        ("consent_required", InteractionRequired),
        ("basic_action", InteractionRequired),
        ("bad_token", GrantRejected),
        (["basic_action"], GrantRejected),
    ],
)
def test_microsoft_says_beside_the_error_that_the_subject_has_to_act(
    exchange: Callable[..., Obtained], provider: Provider, suberror: Any, kind: type[ProviderError]
) -> None:
    provider.answers_with(400, {"error": "invalid_grant", "suberror": suberror})
    with pytest.raises(kind):
        exchange()


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ('{"access_token": {"acrs": {"essential": true}}}', {"access_token": {"acrs": {"essential": True}}}),
        (json.dumps({"echo": SUBJECT}), None),
        ("not JSON", None),
        ("[1]", None),
        (7, None),
        (json.dumps({"long": "x" * 5000}), None),
    ],
)
def test_the_claims_of_a_sign_in_are_told_if_they_are_claims(
    exchange: Callable[..., Obtained], provider: Provider, claims: Any, told: Any
) -> None:
    provider.answers_with(400, {"error": "interaction_required", "claims": claims})
    with pytest.raises(InteractionRequired) as caught:
        exchange()
    assert (json.loads(caught.value.claims) if caught.value.claims else None) == told
