from typing import Any

import pytest

from providers.errors import MisconfiguredProvider, ProviderUnavailable, TargetRefused
from providers.oauth.discovery import discover

OIDC = "/.well-known/openid-configuration"
RFC8414 = "/.well-known/oauth-authorization-server"


def metadata(issuer: str, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
        "introspection_endpoint": f"{issuer}/introspect",
        "userinfo_endpoint": f"{issuer}/me",
    } | changes


def test_reads_endpoints_and_habits(egress_policy: Any, provider: Any) -> None:
    issuer = provider.url
    habits = {
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
        "scopes_supported": ["openid", "two words", 7, "files"],
    }
    provider.answers_with(200, metadata(issuer, **habits), path=OIDC)
    assert discover(issuer) == {
        "issuer": issuer,
        "authorization": f"{issuer}/authorize",
        "token": f"{issuer}/token",
        "revocation": f"{issuer}/revoke",
        "introspection": f"{issuer}/introspect",
        "probe": f"{issuer}/me",
        "iss_parameter": "required",
        "pkce": "S256",
        "client_authentication": "client_secret_post",
        "scopes_supported": "openid files",
    }


def test_assumes_the_defaults_of_the_rfc(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, {"issuer": provider.url, "token_endpoint": f"{provider.url}/t"}, path=OIDC)
    found = discover(provider.url)
    assert (found["iss_parameter"], found["pkce"]) == ("optional", "S256")
    assert found["client_authentication"] == "client_secret_basic"
    assert (found["authorization"], found["revocation"], found["probe"]) == ("", "", "")
    assert found["scopes_supported"] == ""


def test_looks_where_each_standard_puts_the_document(egress_policy: Any, provider: Any) -> None:
    issuer = f"{provider.url}/tenants/one"
    provider.answers_with(200, metadata(issuer), path=f"{RFC8414}/tenants/one")
    assert discover(issuer)["token"] == f"{issuer}/token"
    assert [request.path for request in provider.requests] == [f"/tenants/one{OIDC}", f"{RFC8414}/tenants/one"]


@pytest.mark.parametrize("lacking", ["revocation", "introspection"])
def test_takes_what_only_rfc_8414_defines_from_its_document(egress_policy: Any, provider: Any, lacking: str) -> None:
    name = f"{lacking}_endpoint"
    provider.answers_with(200, metadata(provider.url, **{name: None}), path=OIDC)
    provider.answers_with(200, metadata(provider.url, token_endpoint="https://elsewhere.example/"), path=RFC8414)
    found = discover(provider.url)
    assert found[lacking] == metadata(provider.url)[name]
    assert found["token"] == f"{provider.url}/token"


@pytest.mark.parametrize(
    ("status", "changes"),
    [(200, {"issuer": "https://evil.example"}), (200, {"issuer": None}), (404, {}), (301, {}), (503, {})],
)
def test_does_without_a_second_document_that_is_not_to_be_had(
    egress_policy: Any, provider: Any, status: int, changes: dict[str, Any]
) -> None:
    first = metadata(provider.url, revocation_endpoint=None)
    provider.answers_with(200, first, path=OIDC)
    provider.answers_with(
        status, metadata(provider.url) | changes, path=RFC8414, headers={"Location": "https://elsewhere.example/"}
    )
    found = discover(provider.url)
    assert (found["revocation"], found["introspection"]) == ("", first["introspection_endpoint"])


def test_asks_for_no_second_document_where_the_first_names_all(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, metadata(provider.url), path=OIDC)
    discover(provider.url)
    assert [request.path for request in provider.requests] == [OIDC]


def test_issuer_with_a_slash_at_the_end_is_asked_without_and_compared_with_it(
    egress_policy: Any, provider: Any
) -> None:
    issuer = f"{provider.url}/"
    provider.answers_with(200, metadata(issuer), path=OIDC)
    assert discover(issuer)["issuer"] == issuer


@pytest.mark.parametrize("change", [{"issuer": "https://evil.example"}, {"issuer": None}, {"issuer": ["x"]}])
def test_metadata_of_another_issuer_is_refused(egress_policy: Any, provider: Any, change: dict[str, Any]) -> None:
    provider.answers_with(200, metadata(provider.url) | change, path=OIDC)
    with pytest.raises(MisconfiguredProvider, match="another issuer"):
        discover(provider.url)


@pytest.mark.parametrize("spelling", ["{url}/", "{upper}"])
def test_issuer_must_be_equal_character_by_character(egress_policy: Any, provider: Any, spelling: str) -> None:
    given = spelling.format(url=provider.url, upper=provider.url.replace("http", "HTTP"))
    provider.answers_with(200, metadata(provider.url), path=OIDC)
    with pytest.raises(MisconfiguredProvider):
        discover(given)


@pytest.mark.parametrize(
    "change",
    [
        {"token_endpoint": None},
        {"token_endpoint": ""},
        {"token_endpoint": 7},
        {"token_endpoint": "ftp://x.example/token"},
        {"token_endpoint": "/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://[::1"},
        {"authorization_endpoint": "https://x.example/\r\nSet-Cookie: a=b"},
    ],
)
def test_endpoint_that_is_no_url_is_refused(egress_policy: Any, provider: Any, change: dict[str, Any]) -> None:
    provider.answers_with(200, metadata(provider.url) | change, path=OIDC)
    with pytest.raises(MisconfiguredProvider):
        discover(provider.url)


def test_server_that_only_knows_plain_challenges_breaks_on_pkce(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, metadata(provider.url, code_challenge_methods_supported=["plain"]), path=OIDC)
    assert discover(provider.url)["pkce"] == "breaks"


@pytest.mark.parametrize(
    ("methods", "chosen"),
    [
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["none"], "none"),
        (["none", "client_secret_post"], "client_secret_post"),
        ("client_secret_post", "client_secret_basic"),
    ],
)
def test_chooses_a_client_authentication_that_is_supported(
    egress_policy: Any, provider: Any, methods: Any, chosen: str
) -> None:
    provider.answers_with(200, metadata(provider.url, token_endpoint_auth_methods_supported=methods), path=OIDC)
    assert discover(provider.url)["client_authentication"] == chosen


def test_server_that_wants_what_we_cannot_do_is_named(egress_policy: Any, provider: Any) -> None:
    document = metadata(provider.url, token_endpoint_auth_methods_supported=["private_key_jwt"])
    provider.answers_with(200, document, path=OIDC)
    with pytest.raises(MisconfiguredProvider, match="client_secret_basic"):
        discover(provider.url)


@pytest.mark.parametrize(("status", "body"), [(404, b""), (200, b"<html>"), (200, b"[]"), (301, b"")])
def test_server_without_metadata_is_named(egress_policy: Any, provider: Any, status: int, body: bytes) -> None:
    provider.answers_with(status, body, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(MisconfiguredProvider, match="publishes no metadata"):
        discover(provider.url)
    assert len(provider.requests) == 2


def test_outage_is_transient(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(503, b"", headers={"Retry-After": "5"})
    with pytest.raises(ProviderUnavailable) as caught:
        discover(provider.url)
    assert caught.value.retry_after_seconds == 5


@pytest.mark.parametrize(
    "issuer", ["", "example.com", "ftp://x.example", "https://x.example?a=b", "https://x.example#f", "https://[::1"]
)
def test_issuer_that_is_no_url_is_refused_unsent(egress_policy: Any, issuer: str) -> None:
    with pytest.raises(MisconfiguredProvider) as caught:
        discover(issuer)
    assert not caught.value.sent


def test_internal_issuer_is_refused(strict_egress: None) -> None:
    with pytest.raises(TargetRefused):
        discover("https://169.254.169.254")
