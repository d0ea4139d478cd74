from collections.abc import Callable
from typing import Any

import pytest

from providers import egress
from providers.errors import MisconfiguredProvider, ProviderError, ProviderUnavailable, TargetRefused
from providers.oauth.protected_resource import discover_server, is_about, places_of, resource_places_of

PATH = "/v1/mcp"
AT_PATH = f"/.well-known/oauth-protected-resource{PATH}"
AT_ROOT = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
NOT_OURS = [
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254/",
    "http://[fd00:ec2::254]/",
    "https://100.100.100.200/",
    "https://10.0.0.1/",
    "http://192.168.1.1/",
    "https://[::ffff:169.254.169.254]/",
    "http://elsewhere.example/",
]


class Scripted:
    """An MCP server and its authorization server, whose documents a test may change."""

    def __init__(self, provider: Any) -> None:
        self.provider = provider
        self.url = f"{provider.url}{PATH}"
        self.issuer = f"{provider.url}/as"
        self.challenge = f'Bearer resource_metadata="{provider.url}{AT_PATH}", scope="read write"'
        self.resource: dict[str, Any] = {
            "resource": self.url,
            "authorization_servers": [self.issuer],
            "scopes_supported": ["read", "admin"],
        }
        self.server: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "registration_endpoint": f"{self.issuer}/register",
            "code_challenge_methods_supported": ["S256"],
            "client_id_metadata_document_supported": True,
            "scopes_supported": ["read"],
        }

    def publish(self, *, resource_at: str = AT_PATH, server_at: str = f"{SERVER}/as") -> None:
        headers = {"WWW-Authenticate": self.challenge} if self.challenge else {}
        self.provider.answers_with(401, {}, headers=headers, path=PATH)
        self.provider.answers_with(200, self.resource, path=resource_at)
        self.provider.answers_with(200, self.server, path=server_at)

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.provider.requests]


@pytest.fixture
def scripted(egress_policy: Any, provider: Any) -> Scripted:
    return Scripted(provider)


def test_follows_the_challenge_to_the_authorization_server(scripted: Scripted) -> None:
    scripted.publish()
    found = discover_server(scripted.url)
    assert (found.resource, found.scopes, found.issuer) == (scripted.url, ("read", "write"), scripted.issuer)
    assert found.discovered["token"] == f"{scripted.issuer}/token"
    assert found.discovered["registration"] == f"{scripted.issuer}/register"
    assert found.discovered["client_id_metadata_document"] == "supported"
    assert scripted.asked == [PATH, AT_PATH, f"{SERVER}/as"]


@pytest.mark.parametrize("promises_iss", [False, True])
@pytest.mark.parametrize(
    ("authorization", "token", "is_split"),
    [
        ("https://good.example/authorize", "https://evil.example/token", True),
        ("https://good.hosted.example/authorize", "https://evil.hosted.example/token", True),
        ("https://auth.acme.example/authorize", "https://acme.example/token", False),
        ("https://acme.example/authorize", "https://acme.example:8443/token", False),
    ],
)
def test_a_server_that_anybody_named_may_not_send_the_code_to_another_than_who_gave_it(
    scripted: Scripted, authorization: str, token: str, is_split: bool, promises_iss: bool
) -> None:
    scripted.server |= {"authorization_endpoint": authorization, "token_endpoint": token}
    scripted.server["authorization_response_iss_parameter_supported"] = promises_iss
    scripted.publish()
    assert discover_server(scripted.url).discovered["token"] == token, "somebody answers for this server"
    if is_split and not promises_iss:
        with pytest.raises(MisconfiguredProvider, match="RFC 9207"):
            discover_server(scripted.url, is_anybodys=True)
    else:
        assert discover_server(scripted.url, is_anybodys=True).discovered["token"] == token


@pytest.mark.parametrize("resource", ["HTTP://127.0.0.1/v1/mcp", "http://127.0.0.1/v1 mcp", f"http://{'x' * 491}", 7])
def test_an_identifier_that_no_request_can_name_is_none(scripted: Scripted, resource: object) -> None:
    scripted.resource["resource"] = resource
    scripted.publish()
    with pytest.raises(MisconfiguredProvider, match="names no resource"):
        discover_server(scripted.url)


@pytest.mark.parametrize("place", [AT_PATH, AT_ROOT])
def test_without_a_challenge_the_path_s_well_known_place_comes_before_the_root_s(
    scripted: Scripted, place: str
) -> None:
    scripted.challenge = ""
    scripted.publish(resource_at=place)
    assert discover_server(scripted.url).scopes == ("read", "admin")
    assert [path for path in scripted.asked if "protected" in path] == [AT_PATH, AT_ROOT][: 1 + (place == AT_ROOT)]


def test_a_challenge_that_leads_nowhere_leaves_the_well_known_places(scripted: Scripted) -> None:
    scripted.challenge = f'Bearer resource_metadata="{scripted.provider.url}/gone"'
    scripted.publish()
    assert discover_server(scripted.url).issuer == scripted.issuer


def test_a_server_that_lets_everybody_say_hello_is_found_too(scripted: Scripted) -> None:
    scripted.publish()
    scripted.provider.answers_with(200, {"jsonrpc": "2.0", "id": 1, "result": {}}, path=PATH)
    assert discover_server(scripted.url).issuer == scripted.issuer


@pytest.mark.parametrize(
    ("resource", "url", "agrees"),
    [
        ("https://mcp.acme.example/mcp", "https://mcp.acme.example/mcp", True),
        ("https://MCP.acme.example:443/mcp/", "https://mcp.acme.example/mcp", True),
        ("https://mcp.acme.example", "https://mcp.acme.example/v2/mcp", True),
        ("https://mcp.acme.example/v2", "https://mcp.acme.example/v2/mcp", True),
        ("https://mcp.acme.example/mcp", "https://mcp.acme.example/mcp?project=1", True),
        ("https://mcp.acme.example/mcp?project=1", "https://mcp.acme.example/mcp?project=1", True),
        ("https://mcp.acme.example/mcp?project=2", "https://mcp.acme.example/mcp?project=1", False),
        ("https://mcp.acme.example/v2/mcp", "https://mcp.acme.example/v2", False),
        ("https://mcp.acme.example/mc", "https://mcp.acme.example/mcp", False),
        ("https://evil.example/mcp", "https://mcp.acme.example/mcp", False),
        ("http://mcp.acme.example/mcp", "https://mcp.acme.example/mcp", False),
        ("https://mcp.acme.example:8443/mcp", "https://mcp.acme.example/mcp", False),
        ("https://u@mcp.acme.example/mcp", "https://mcp.acme.example/mcp", False),
        ("https://mcp.acme.example/mcp#x", "https://mcp.acme.example/mcp", False),
        ("https://[::1", "https://mcp.acme.example/mcp", False),
        ("mcp", "https://mcp.acme.example/mcp", False),
    ],
)
def test_metadata_speaks_for_its_own_resource_alone(resource: str, url: str, agrees: bool) -> None:
    assert is_about(resource, url) is agrees


def test_metadata_about_another_resource_is_not_used(scripted: Scripted) -> None:
    scripted.resource["resource"] = "https://mcp.victim.example/mcp"
    scripted.publish()
    with pytest.raises(MisconfiguredProvider, match="about another resource"):
        discover_server(scripted.url)
    assert not any("authorization-server" in path for path in scripted.asked)


def test_tries_the_authorization_server_s_places_in_the_order_of_the_specification(scripted: Scripted) -> None:
    origin = scripted.provider.url
    assert places_of(f"{origin}/as/") == places_of(f"{origin}/as")
    scripted.publish(server_at="/as/.well-known/openid-configuration")
    assert discover_server(scripted.url).issuer == scripted.issuer
    assert scripted.asked[2:] == [
        f"{SERVER}/as",
        "/.well-known/openid-configuration/as",
        "/as/.well-known/openid-configuration",
    ]
    assert places_of(origin) == (f"{origin}{SERVER}", f"{origin}/.well-known/openid-configuration")


def test_a_slash_at_the_end_belongs_to_the_well_known_address() -> None:
    places = ["/a/", "/a", ""]
    assert resource_places_of("https://x.example/a/") == tuple(f"https://x.example{AT_ROOT}{tail}" for tail in places)
    assert resource_places_of("https://x.example/") == (f"https://x.example{AT_ROOT}",)


@pytest.mark.parametrize("methods", [None, [], ["plain"], "S256"])
def test_a_server_that_promises_no_pkce_is_refused(scripted: Scripted, methods: Any) -> None:
    scripted.server["code_challenge_methods_supported"] = methods
    scripted.publish()
    with pytest.raises(MisconfiguredProvider, match="does not promise PKCE"):
        discover_server(scripted.url)


@pytest.mark.parametrize("issuer", ["https://evil.example", "{}/", "{}/other"])
def test_the_issuer_is_compared_as_a_string(scripted: Scripted, issuer: str) -> None:
    scripted.server["issuer"] = issuer.format(scripted.issuer)
    scripted.publish()
    with pytest.raises(MisconfiguredProvider, match="another issuer"):
        discover_server(scripted.url)


def test_takes_the_second_server_where_the_first_cannot_be_used(scripted: Scripted) -> None:
    scripted.resource["authorization_servers"] = [f"{scripted.provider.url}/gone", scripted.issuer]
    scripted.publish()
    assert discover_server(scripted.url).issuer == scripted.issuer


@pytest.mark.parametrize(
    ("supported", "bound", "fits"),
    [(None, None, True), (["other", "own"], None, True), (["other"], None, False), ([], None, True)],
)
def test_a_server_that_lists_its_resources_issues_tokens_for_those_alone(
    scripted: Scripted, supported: list[str] | None, bound: None, fits: bool
) -> None:
    names = {"own": scripted.url, "other": "https://other.example/mcp"}
    scripted.server["protected_resources"] = None if supported is None else [names[name] for name in supported]
    scripted.publish()
    if fits:
        assert discover_server(scripted.url).issuer == scripted.issuer
    else:
        with pytest.raises(MisconfiguredProvider, match="does not name this server"):
            discover_server(scripted.url)


@pytest.mark.parametrize(
    ("challenge", "supported", "listed", "scopes"),
    [
        ("a b", ["c"], [], ("a", "b")),
        ("", ["c", "d"], [], ("c", "d")),
        ("", None, [], None),
        ("", [], ["offline_access"], None),
        ("a", None, ["a", "offline_access"], ("a", "offline_access")),
        ("a offline_access", None, ["offline_access"], ("a", "offline_access")),
        ("", ["c"], ["c"], ("c",)),
        ("", ["two words", 7, "c"], None, ("c",)),
    ],
)
def test_asks_for_the_challenge_s_scopes_else_for_the_supported_ones(
    scripted: Scripted, challenge: str, supported: Any, listed: Any, scopes: tuple[str, ...] | None
) -> None:
    scripted.challenge = f'Bearer scope="{challenge}"' if challenge else ""
    scripted.resource["scopes_supported"] = supported
    scripted.server["scopes_supported"] = listed
    scripted.publish()
    assert discover_server(scripted.url).scopes == scopes


# --- a hostile server -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", NOT_OURS)
def test_a_challenge_cannot_aim_us_at_an_address_that_is_not_the_internet_s(scripted: Scripted, place: str) -> None:
    scripted.challenge = f'Bearer resource_metadata="{place}"'
    scripted.publish()
    with pytest.raises(ProviderError) as caught:
        discover_server(scripted.url)
    assert isinstance(caught.value, TargetRefused | ProviderUnavailable)
    assert not isinstance(caught.value, TargetRefused) or not caught.value.sent


@pytest.mark.parametrize("place", NOT_OURS)
def test_nor_can_the_authorization_server_that_it_names(scripted: Scripted, place: str) -> None:
    scripted.resource["authorization_servers"] = [place.rstrip("/")]
    scripted.publish()
    with pytest.raises(ProviderError):
        discover_server(scripted.url)
    assert scripted.asked == [PATH, AT_PATH]


# A name may be plain http where the issuer is, until it is looked up: so the last one is told later.
@pytest.mark.parametrize("place", NOT_OURS[:-1])
@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint", "revocation_endpoint"])
def test_nor_can_an_endpoint_that_we_need(scripted: Scripted, name: str, place: str) -> None:
    scripted.server[name] = place
    scripted.publish()
    with pytest.raises(MisconfiguredProvider, match=name):
        discover_server(scripted.url)


@pytest.mark.parametrize("place", NOT_OURS[:-1])
@pytest.mark.parametrize("name", ["registration_endpoint", "jwks_uri"])
def test_an_endpoint_that_we_can_do_without_is_none_then(scripted: Scripted, name: str, place: str) -> None:
    scripted.server[name] = place
    scripted.publish()
    found = discover_server(scripted.url).discovered
    assert found["jwks" if name == "jwks_uri" else "registration"] == ""


@pytest.mark.parametrize("path", [AT_PATH, f"{SERVER}/as"])
def test_no_redirect_is_followed(scripted: Scripted, path: str) -> None:
    scripted.publish()
    away = f"{scripted.provider.url}/trap"
    scripted.provider.answers_with(302, b"", headers={"Location": away}, path=path)
    with pytest.raises(ProviderError):
        discover_server(scripted.url)
    assert "/trap" not in scripted.asked


def test_the_server_itself_may_not_redirect_us(scripted: Scripted) -> None:
    scripted.publish()
    scripted.provider.answers_with(307, b"", headers={"Location": "http://169.254.169.254/"}, path=PATH)
    with pytest.raises(TargetRefused):
        discover_server(scripted.url)


@pytest.mark.parametrize("url", ["http://mcp.acme.example/mcp", "https://127.0.0.1/mcp", "https://10.1.2.3/mcp", "mcp"])
def test_in_production_only_public_servers_over_https_are_asked(strict_egress: None, url: str) -> None:
    with pytest.raises(ProviderError) as caught:
        discover_server(url)
    assert not caught.value.sent


def test_a_slow_server_does_not_hold_us_for_longer_than_a_person_waits(
    monkeypatch: pytest.MonkeyPatch, scripted: Scripted
) -> None:
    monkeypatch.setattr("providers.oauth.protected_resource._PATIENCE_SECONDS", 0.0)
    scripted.publish()
    with pytest.raises(ProviderUnavailable, match="took too long"):
        discover_server(scripted.url)


def test_an_outage_is_told_as_one(scripted: Scripted, egress_policy: Callable[..., egress.EgressPolicy]) -> None:
    scripted.publish()
    scripted.provider.answers_with(503, b"", path=PATH)
    with pytest.raises(ProviderUnavailable):
        discover_server(scripted.url)
