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
        "jwks_uri": f"{issuer}/keys",
        "device_authorization_endpoint": f"{issuer}/device",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
        "scopes_supported": ["openid", "two words", 7, "files"],
        "registration_endpoint": f"{issuer}/register",
        "client_id_metadata_document_supported": True,
        "protected_resources": [f"{issuer}/api"],
    }
    provider.answers_with(200, metadata(issuer, **habits), path=OIDC)
    assert discover(issuer) == {
        "issuer": issuer,
        "authorization": f"{issuer}/authorize",
        "token": f"{issuer}/token",
        "revocation": f"{issuer}/revoke",
        "introspection": f"{issuer}/introspect",
        "device_authorization": f"{issuer}/device",
        "pushed_authorization": f"{issuer}/par",
        "probe": f"{issuer}/me",
        "jwks": f"{issuer}/keys",
        "iss_parameter": "required",
        "pkce": "S256",
        "client_authentication": "client_secret_post",
        "scopes_supported": "openid files",
        "registration": f"{issuer}/register",
        "client_id_metadata_document": "supported",
        "protected_resources": f"{issuer}/api",
        "client_authentications": "private_key_jwt client_secret_post",
    }


def test_a_server_that_takes_pushed_requests_only_is_asked_so(egress_policy: Any, provider: Any) -> None:
    where = {"pushed_authorization_request_endpoint": f"{provider.url}/par"}
    provider.answers_with(200, metadata(provider.url, **where))
    offered = discover(provider.url)
    assert (offered["pushed_authorization"], offered.get("request_delivery", "")) == (f"{provider.url}/par", "")
    provider.answers[:] = []
    provider.answers_with(200, metadata(provider.url, **where, require_pushed_authorization_requests=True))
    assert discover(provider.url)["request_delivery"] == "pushed"
    provider.answers[:] = []
    provider.answers_with(200, metadata(provider.url, require_pushed_authorization_requests=True))
    with pytest.raises(MisconfiguredProvider, match="names no endpoint for them"):
        discover(provider.url)
    assert discover(provider.url, spelled_out=("pushed_authorization",))["request_delivery"] == "pushed"


@pytest.mark.parametrize(
    "jwks", ["http://elsewhere.example/keys", "ftp://x/", 7, ["a"], "https://u:p@login.example/keys"]
)
def test_keys_at_an_address_that_may_not_be_called_are_none(egress_policy: Any, provider: Any, jwks: Any) -> None:
    provider.answers_with(200, metadata(provider.url, jwks_uri=jwks), path=OIDC)
    assert discover(provider.url)["jwks"] == ""


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


@pytest.mark.parametrize("methods", [["plain"], ["S512"], ["plain", "other"]])
def test_metadata_without_s256_switches_pkce_off_never_and_is_told(
    methods: list[str], egress_policy: Any, provider: Any
) -> None:
    provider.answers_with(200, metadata(provider.url, code_challenge_methods_supported=methods), path=OIDC)
    found = discover(provider.url)
    assert found["pkce"] == "S256"
    assert 'write pkce = "breaks"' in found["warning"]


@pytest.mark.parametrize("methods", [None, [], ["S256"], ["plain", "S256"], "plain"])
def test_metadata_that_says_nothing_against_s256_is_no_warning(methods: Any, egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, metadata(provider.url, code_challenge_methods_supported=methods), path=OIDC)
    assert "warning" not in discover(provider.url)


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("https://user:pw@x.example/token", "user name or password"),
        ("https://user@x.example/token", "user name or password"),
        ("https://x.example/token#part", "fragment"),
        ("https://x.example/token#", "fragment"),
        ("https://169.254.169.254/token", "may not be called"),
        ("https://10.0.0.1/token", "may not be called"),
        ("https://x.example:99999/token", "may not be called"),
        ("https://x.example:0/token", "may not be called"),
        ("http://x.example/token", "may not be called"),
    ],
)
@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint", "revocation_endpoint"])
def test_endpoint_that_would_never_be_called_is_refused_by_name(
    name: str, endpoint: str, told: str, egress_policy: Any, provider: Any
) -> None:
    provider.answers_with(200, metadata(provider.url, **{name: endpoint}), path=OIDC)
    with pytest.raises(MisconfiguredProvider, match=told) as caught:
        discover(provider.url)
    assert name in str(caught.value)
    assert "pw" not in str(caught.value)


PLACES = [
    "/realms/one/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/realms/one",
    "/.well-known/openid-configuration/realms/one",
    "/realms/one/.well-known/oauth-authorization-server",
]


@pytest.mark.parametrize("place", [*PLACES, "/.well-known/openid-configuration/realms/one/"])
@pytest.mark.parametrize("others", [404, 500, 403])
def test_every_well_known_place_is_tried(place: str, others: int, egress_policy: Any, provider: Any) -> None:
    issuer = f"{provider.url}/realms/one" + ("/" if place.endswith("/") else "")
    provider.answers_with(others, b"{}")
    provider.answers_with(200, metadata(issuer), path=place)
    assert discover(issuer)["token"] == f"{issuer}/token"


def test_each_place_and_its_answer_is_told(egress_policy: Any, provider: Any) -> None:
    issuer = f"{provider.url}/realms/one"
    provider.answers_with(403, b"", path=PLACES[0])
    provider.answers_with(200, b"<html>", path=PLACES[1])
    provider.answers_with(302, b"", path=PLACES[2], headers={"Location": "https://elsewhere.example/"})
    provider.answers_with(200, b"[]", path=PLACES[3])
    with pytest.raises(MisconfiguredProvider) as caught:
        discover(issuer)
    told = str(caught.value)
    answers = ["status 403", "no JSON", "a redirect, which is not followed", "no JSON object"]
    for place, answer in zip(PLACES, answers, strict=True):
        assert f"{provider.url}{place}: {answer}" in told


@pytest.mark.parametrize("named", ["{issuer}/", "https://evil.example", "{issuer}/v2.0", "HTTP{rest}"])
def test_both_issuers_are_told_where_they_differ(named: str, egress_policy: Any, provider: Any) -> None:
    named = named.format(issuer=provider.url, rest=provider.url.removeprefix("http"))
    provider.answers_with(200, metadata(named), path=OIDC)
    with pytest.raises(MisconfiguredProvider, match="another issuer") as caught:
        discover(provider.url)
    assert repr(provider.url) in str(caught.value)
    assert repr(named) in str(caught.value) or not named.startswith("http")


def test_a_place_of_another_issuer_does_not_hide_the_right_one(egress_policy: Any, provider: Any) -> None:
    issuer = f"{provider.url}/realms/one"
    provider.answers_with(200, metadata(provider.url), path=PLACES[0])
    provider.answers_with(200, metadata(issuer), path=PLACES[1])
    assert discover(issuer)["issuer"] == issuer


@pytest.mark.parametrize("change", [{"token_endpoint": "ftp://x"}, {"token_endpoint": None}])
def test_what_is_spelled_out_elsewhere_is_not_judged(change: dict[str, Any], egress_policy: Any, provider: Any) -> None:
    wanted = {"token_endpoint_auth_methods_supported": ["client_secret_jwt"]}
    provider.answers_with(200, metadata(provider.url, **change, **wanted), path=OIDC)
    found = discover(provider.url, spelled_out={"token", "client_authentication"})
    assert (found["token"], found["client_authentication"]) == ("", "")


@pytest.mark.parametrize(
    ("methods", "chosen"),
    [
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["none"], "none"),
        (["none", "client_secret_post"], "client_secret_post"),
        (["private_key_jwt", "client_secret_post"], "client_secret_post"),
        (["tls_client_auth", "private_key_jwt"], "private_key_jwt"),
        (["client_secret_jwt", "self_signed_tls_client_auth"], "self_signed_tls_client_auth"),
        ("client_secret_post", "client_secret_basic"),
    ],
)
def test_chooses_a_client_authentication_that_is_supported(
    egress_policy: Any, provider: Any, methods: Any, chosen: str
) -> None:
    provider.answers_with(200, metadata(provider.url, token_endpoint_auth_methods_supported=methods), path=OIDC)
    assert discover(provider.url)["client_authentication"] == chosen


def test_server_that_wants_what_we_cannot_do_is_named(egress_policy: Any, provider: Any) -> None:
    document = metadata(provider.url, token_endpoint_auth_methods_supported=["client_secret_jwt"])
    provider.answers_with(200, document, path=OIDC)
    with pytest.raises(MisconfiguredProvider, match="client_secret_basic"):
        discover(provider.url)


@pytest.mark.parametrize(
    ("methods", "told"),
    [
        (
            ["client_secret_jwt", "attest_jwt_client_auth"],
            "for client_secret_jwt or attest_jwt_client_auth, which Latchkey does not",
        ),
        (["client_secret_jwt"], "asks for client_secret_jwt, which"),
        (["a_b", "c_d", "e_f"], "asks for a_b, c_d or e_f, which"),
        (["<script>", 7], "asks for something unnamed, which"),
        ([], "asks for something unnamed, which"),
    ],
)
def test_client_authentication_that_we_do_not_speak_is_told_by_name(
    methods: list[Any], told: str, egress_policy: Any, provider: Any
) -> None:
    document = metadata(provider.url, token_endpoint_auth_methods_supported=methods)
    provider.answers_with(200, document, path=OIDC)
    with pytest.raises(MisconfiguredProvider, match=told):
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
    "issuer",
    [
        "",
        "example.com",
        "ftp://x.example",
        "https://x.example?a=b",
        "https://x.example#f",
        "https://[::1",
        "https://u:p@x",
    ],
)
def test_issuer_that_is_no_url_is_refused_unsent(egress_policy: Any, issuer: str) -> None:
    with pytest.raises(MisconfiguredProvider) as caught:
        discover(issuer)
    assert not caught.value.sent


def test_internal_issuer_is_refused(strict_egress: None) -> None:
    with pytest.raises(TargetRefused):
        discover("https://169.254.169.254")
