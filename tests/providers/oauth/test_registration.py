import time
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from providers.errors import (
    ClientRejected,
    MalformedResponse,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
    TargetRefused,
)
from providers.oauth.registration import ClientMetadata, Management, delete, read, register, update
from providers.vocabulary import ClientAuthentication

OURS = "https://latchkey.example/connect/callback/1"
METADATA = ClientMetadata(
    name="Acme",
    redirect_uri=OURS,
    client_authentication=ClientAuthentication.BASIC,
    client_uri="https://latchkey.example",
    logo_uri="https://latchkey.example/logo",
)
ANSWER = {"client_id": "c-1", "client_secret": "planted-secret", "client_secret_expires_at": 0, "redirect_uris": [OURS]}


def test_says_who_we_are_and_reads_what_became_of_it(egress_policy: Any, provider: Any) -> None:
    managed = {"registration_client_uri": f"{provider.url}/r/c-1", "registration_access_token": "planted-token"}
    provider.answers_with(201, ANSWER | managed | {"client_secret_expires_at": 2_000_000_000})
    found = register(f"{provider.url}/register", METADATA)
    assert provider.last.json == {
        "client_name": "Acme",
        "client_uri": "https://latchkey.example",
        "logo_uri": "https://latchkey.example/logo",
        "redirect_uris": [OURS],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "web",
    }
    assert (found.client_id, found.secret_expires_at) == ("c-1", 2_000_000_000)
    assert found.client_secret == SecretStr("planted-secret")
    assert found.management == Management(f"{provider.url}/r/c-1", SecretStr("planted-token"))
    assert "planted" not in repr(found)


@pytest.mark.parametrize(
    ("answer", "method", "has_secret"),
    [
        ({"token_endpoint_auth_method": "client_secret_post"}, "client_secret_post", True),
        ({"token_endpoint_auth_method": "none"}, "none", False),
        ({"client_secret": None}, "none", False),
        ({"client_secret": ""}, "none", False),
        ({}, "client_secret_basic", True),
    ],
)
def test_takes_the_client_authentication_that_the_server_gives(
    egress_policy: Any, provider: Any, answer: dict[str, Any], method: str, has_secret: bool
) -> None:
    provider.answers_with(201, ANSWER | answer)
    found = register(provider.url, METADATA)
    assert (found.client_authentication, found.client_secret is not None) == (method, has_secret)


@pytest.mark.parametrize(
    ("given", "ends_at"),
    [(0, None), (None, None), ("0", None), (2_000_000_000, 2_000_000_000), ("2000000000", 2_000_000_000), (1e15, None)],
)
def test_reads_the_end_of_the_secret(egress_policy: Any, provider: Any, given: Any, ends_at: int | None) -> None:
    provider.answers_with(201, ANSWER | {"client_secret_expires_at": given})
    assert register(provider.url, METADATA).secret_expires_at == ends_at


@pytest.mark.parametrize("given", ["soon", True, [], {"a": 1}, -1, -1e300, float("-inf"), float("nan")])
def test_an_end_that_makes_no_sense_is_now_and_never_never(egress_policy: Any, provider: Any, given: Any) -> None:
    provider.answers_with(201, ANSWER | {"client_secret_expires_at": given})
    ends_at = register(provider.url, METADATA).secret_expires_at
    assert ends_at is not None and abs(ends_at - time.time()) < 60


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, {"error": "invalid_redirect_uri"}, RequestRejected),
        (403, {"error": "access_denied"}, RequestRejected),
        (401, {}, ClientRejected),
        (503, b"", ProviderUnavailable),
        (200, b"<html>", MalformedResponse),
        (201, {"client_id": ""}, MalformedResponse),
        (201, {"client_id": "two\nlines"}, MalformedResponse),
        (201, ANSWER | {"redirect_uris": ["https://evil.example/cb"]}, MisconfiguredProvider),
        (201, ANSWER | {"token_endpoint_auth_method": "tls_client_auth_of_the_future"}, MisconfiguredProvider),
        (201, {"client_id": "c", "token_endpoint_auth_method": "client_secret_basic"}, MisconfiguredProvider),
        (201, ANSWER | {"token_endpoint_auth_method": "private_key_jwt"}, MisconfiguredProvider),
        (201, ANSWER | {"token_endpoint_auth_method": "tls_client_auth"}, MisconfiguredProvider),
        (201, ANSWER | {"client_secret": 123456}, MisconfiguredProvider),
        (201, ANSWER | {"client_secret": "sécret"}, MisconfiguredProvider),
        (201, ANSWER | {"client_secret": "s" * 4097}, MisconfiguredProvider),
        (201, ANSWER | {"client_secret": "  "}, MisconfiguredProvider),
        (201, {"client_id": " "}, MalformedResponse),
        (201, ANSWER | {"client_id": "c" * 1001}, MalformedResponse),
        (201, ANSWER | {"client_id": "c\r\nHost: evil"}, MalformedResponse),
        (201, ANSWER | {"client_id": ["c"]}, MalformedResponse),
        (200, "<html>", MalformedResponse),
    ],
)
def test_what_is_no_registration_is_a_named_failure(
    egress_policy: Any, provider: Any, status: int, body: Any, failure: type[ProviderError]
) -> None:
    provider.answers_with(status, body)
    with pytest.raises(failure):
        register(provider.url, METADATA)


@pytest.mark.parametrize(
    "uri",
    ["http://169.254.169.254/", "https://10.0.0.1/r", "https://api.elsewhere.example/users/7", "ftp://x/", "", 7],
)
def test_a_token_to_manage_it_goes_nowhere_else(egress_policy: Any, provider: Any, uri: Any) -> None:
    provider.answers_with(201, ANSWER | {"registration_client_uri": uri, "registration_access_token": "t"})
    assert register(provider.url, METADATA).management is None


def test_no_registration_is_sent_to_an_address_that_may_not_be_called(strict_egress: None) -> None:
    with pytest.raises(TargetRefused) as caught:
        register("https://169.254.169.254/register", METADATA)
    assert not caught.value.sent


@pytest.fixture
def management(provider: Any) -> Management:
    return Management(f"{provider.url}/r/c-1", SecretStr("planted-token"))


def test_updates_with_its_own_token_and_takes_the_new_one(
    egress_policy: Any, provider: Any, management: Management
) -> None:
    provider.answers_with(200, ANSWER | {"client_secret": "next", "registration_access_token": "next-token"})
    found = update(management, METADATA, client_id="c-1")
    assert (provider.last.method, provider.last.headers["Authorization"]) == ("PUT", "Bearer planted-token")
    assert provider.last.json["client_id"] == "c-1"
    assert "client_secret" not in provider.last.json
    assert found.management == Management(management.uri, SecretStr("next-token"))
    assert found.client_secret == SecretStr("next")


@pytest.mark.parametrize(
    ("answer", "ends_at"),
    [
        ({}, 2_000_000_000),
        ({"client_secret": None, "client_secret_expires_at": None}, 2_000_000_000),
        ({"client_secret_expires_at": 2_100_000_000}, 2_100_000_000),
        ({"client_secret_expires_at": 0}, None),
        ({"token_endpoint_auth_method": "client_secret_basic"}, 2_000_000_000),
    ],
)
def test_an_update_without_a_secret_keeps_the_one_of_before(
    egress_policy: Any, provider: Any, management: Management, answer: dict[str, Any], ends_at: int | None
) -> None:
    provider.answers_with(200, {"client_id": "c-1", **answer})
    found = update(management, METADATA, client_id="c-1", secret_expires_at=2_000_000_000)
    assert (found.client_secret, found.client_authentication.needs_secret) == (None, True)
    assert found.secret_expires_at == ends_at


def test_an_update_gives_no_secret_to_a_client_that_never_had_one(
    egress_policy: Any, provider: Any, management: Management
) -> None:
    public = replace(METADATA, client_authentication=ClientAuthentication.NONE)
    provider.answers_with(200, {"client_id": "c-1", "token_endpoint_auth_method": "client_secret_basic"})
    with pytest.raises(MisconfiguredProvider):
        update(management, public, client_id="c-1")


def test_an_answer_cannot_move_the_place_where_it_is_managed(
    egress_policy: Any, provider: Any, management: Management
) -> None:
    provider.answers_with(200, ANSWER | {"registration_client_uri": f"{provider.url}/elsewhere"})
    assert read(management, METADATA).management == management


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_registration_that_is_gone_is_told_as_that(
    egress_policy: Any, provider: Any, management: Management, status: int
) -> None:
    provider.answers_with(status, {})
    with pytest.raises(ClientRejected):
        read(management, METADATA)
    delete(management)
    assert provider.last.method == "DELETE"


def test_deletes_it(egress_policy: Any, provider: Any, management: Management) -> None:
    provider.answers_with(204, b"")
    delete(management)
    assert (provider.last.method, provider.last.path) == ("DELETE", "/r/c-1")
    provider.answers[:] = []
    provider.answers_with(503, b"")
    with pytest.raises(ProviderUnavailable):
        delete(management)
