from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from providers.catalog.methods import AuthorizationCodeMethod
from providers.errors import GrantRejected, MisconfiguredProvider
from providers.oauth import pkce
from providers.strategies import strategies, strategy_for
from providers.strategies.base import Capabilities
from providers.values import AuthorizationRequest, CodeGrant, Credential
from providers.vocabulary import ProbeVerdict

STYLE = AuthorizationCodeMethod.style
STRATEGY = strategy_for(STYLE)
VERIFIER = "v" * 43
REQUEST = AuthorizationRequest(state="st/ate", scopes=("profile.read", "files.read"), code_verifier=VERIFIER)
HELD = Credential(access_token=SecretStr("at"), refresh_token=SecretStr("rt"))


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def test_every_style_has_its_strategy() -> None:
    assert {style: strategy_for(style).style for style in strategies()} == {style: style for style in strategies()}


def test_capabilities_follow_the_target(sandbox_target: Any) -> None:
    full = STRATEGY.capabilities(sandbox_target(STYLE))
    assert full == Capabilities(
        refreshes=True, needs_refresh_token=True, rotates=True, revokes=True, introspects=True, probes=True
    )
    bare = sandbox_target(
        STYLE,
        changes={
            "authorization_code": {"revocation_url": "", "introspection_url": "", "refresh_tokens_rotate": False},
            "probe": None,
        },
    )
    assert STRATEGY.capabilities(bare) == Capabilities(refreshes=True, needs_refresh_token=True)
    assert STRATEGY.redirects


def test_authorization_url_carries_state_challenge_and_scopes(sandbox_target: Any, provider: Any) -> None:
    url = STRATEGY.depart(sandbox_target(STYLE), REQUEST).url
    assert url.startswith(f"{provider.url}/authorize?")
    assert query_of(url) == {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": "https://latchkey.example/connect/callback/1",
        "state": "st/ate",
        "scope": "profile.read files.read",
        "code_challenge": pkce.challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    assert VERIFIER not in url
    assert provider.requests == []


def test_authorization_url_names_the_api_that_the_token_is_for(sandbox_target: Any, provider: Any) -> None:
    target = sandbox_target(STYLE, changes={"authorization_code": {"resource": "{issuer}/mcp"}})
    assert query_of(STRATEGY.depart(target, REQUEST).url)["resource"] == f"{provider.url}/mcp"


def test_authorization_url_follows_the_habits_of_the_entry(sandbox_target: Any) -> None:
    target = sandbox_target(
        STYLE,
        changes={
            "authorization_code": {
                "authorization_url": "{issuer}/authorize?tenant=1",
                "authorization_params": {"access_type": "offline", "state": "not this", "where": "{issuer}"},
                "scope_separator": ",",
                "response_mode": "form_post",
                "pkce": "breaks",
            }
        },
    )
    request = AuthorizationRequest(state="s", scopes=("a", "b"), code_verifier=VERIFIER, locale="de")
    query = query_of(STRATEGY.depart(target, request).url)
    assert (query["tenant"], query["access_type"], query["state"]) == ("1", "offline", "s")
    assert (query["scope"], query["response_mode"], query["where"]) == ("a,b", "form_post", target.params["issuer"])
    assert query["ui_locales"] == "de"
    assert "code_challenge" not in query


def test_authorization_url_without_scopes_names_none(sandbox_target: Any) -> None:
    url = STRATEGY.depart(sandbox_target(STYLE), AuthorizationRequest(state="s", scopes=(), code_verifier=VERIFIER)).url
    assert "scope" not in query_of(url)


def test_authorization_url_without_a_verifier_is_refused_where_pkce_is_spoken(sandbox_target: Any) -> None:
    with pytest.raises(MisconfiguredProvider, match="PKCE"):
        STRATEGY.depart(sandbox_target(STYLE), AuthorizationRequest(state="s", scopes=()))


def test_exchanges_and_refreshes(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "new", "expires_in": 60})
    grant = CodeGrant(SecretStr("code"), SecretStr(VERIFIER))
    assert STRATEGY.exchange_code(sandbox_target(STYLE), grant).credential.access_token == SecretStr("new")
    assert provider.last.form["code_verifier"] == VERIFIER
    assert STRATEGY.refresh(sandbox_target(STYLE), HELD).credential.refresh_token == SecretStr("rt")


def test_sends_no_verifier_to_a_provider_that_breaks_on_pkce(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "new"})
    target = sandbox_target(STYLE, changes={"authorization_code": {"pkce": "breaks"}})
    STRATEGY.exchange_code(target, CodeGrant(SecretStr("code"), SecretStr(VERIFIER)))
    assert "code_verifier" not in provider.last.form


def test_refused_grant_is_named(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(400, {"error": "invalid_grant"})
    with pytest.raises(GrantRejected):
        STRATEGY.refresh(sandbox_target(STYLE), HELD)


def test_presents_a_bearer_token(sandbox_target: Any, provider: Any) -> None:
    found = STRATEGY.present(sandbox_target(STYLE), HELD)
    assert found.auth_method == "bearer"
    assert found.value == SecretStr("at")
    assert found.headers == {"Authorization": "Bearer at"}
    assert (found.query, found.base_url, found.params) == ({}, provider.url, {"issuer": provider.url})
    assert "Bearer at" not in repr(found)


def test_presents_extra_fields_of_the_token_response(sandbox_target: Any) -> None:
    target = sandbox_target(
        STYLE,
        changes={
            "base_url": "{instance_url}/v1",
            "authorization_code": {"extra_response_fields": ["instance_url", "issuer"]},
        },
    )
    held = Credential(access_token=SecretStr("at"), extra={"instance_url": "https://eu1.example", "issuer": "evil"})
    found = STRATEGY.present(target, held)
    assert found.base_url == "https://eu1.example/v1"
    assert found.params == {"instance_url": "https://eu1.example", "issuer": target.params["issuer"]}
    assert STRATEGY.present(target, Credential(access_token=SecretStr("at"))).base_url == ""


def test_token_response_cannot_replace_a_parameter_or_the_token(sandbox_target: Any) -> None:
    target = sandbox_target(
        STYLE,
        changes={
            "authorization_code": {"extra_response_fields": ["issuer", "access_token"]},
            "presentation": {STYLE: {"headers": {"X-Where": "{issuer} {access_token}"}, "query": {}}},
        },
    )
    held = Credential(access_token=SecretStr("at"), extra={"issuer": "evil", "access_token": "evil"})
    assert STRATEGY.present(target, held).headers == {"X-Where": f"{target.params['issuer']} at"}


def test_presenting_without_a_token_is_named(sandbox_target: Any) -> None:
    with pytest.raises(MisconfiguredProvider, match="lacks access_token"):
        STRATEGY.present(sandbox_target(STYLE), Credential())


def test_probes_introspects_and_revokes(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"sub": 7, "name": "Ada"}, path="/me")
    provider.answers_with(200, {"active": True}, path="/introspect")
    provider.answers_with(200, b"", path="/revoke")
    target = sandbox_target(STYLE)
    probed = STRATEGY.probe(target, HELD)
    assert (probed.verdict, probed.account and probed.account.id) == (ProbeVerdict.ALIVE, "7")
    assert STRATEGY.introspect(target, HELD).verdict is ProbeVerdict.ALIVE
    STRATEGY.revoke(target, HELD)
    assert [request.path for request in provider.requests] == ["/me", "/introspect", "/revoke", "/revoke"]


def test_scopes_go_by_the_name_that_the_provider_gives_them(sandbox_target: Any) -> None:
    target = sandbox_target(STYLE, changes={"authorization_code": {"scope_parameter": "user_scope"}})
    query = query_of(STRATEGY.depart(target, REQUEST).url)
    assert query["user_scope"] == "profile.read files.read"
    assert "scope" not in query


def test_a_scope_of_the_entry_that_holds_an_address_is_asked_for_besides(sandbox_target: Any) -> None:
    section = {"authorization_params": {"scope": "{issuer}/use"}}
    target = sandbox_target(STYLE, changes={"authorization_code": section})
    fixed = f"{target.params['issuer']}/use"
    assert query_of(STRATEGY.depart(target, REQUEST).url)["scope"] == f"{fixed} profile.read files.read"
    bare = AuthorizationRequest(state="s", scopes=(), code_verifier=VERIFIER)
    assert query_of(STRATEGY.depart(target, bare).url)["scope"] == fixed
    own = AuthorizationRequest(state="s", scopes=(fixed, "b"), code_verifier=VERIFIER)
    assert query_of(STRATEGY.depart(target, own).url)["scope"] == f"{fixed} b"


def test_required_scopes_are_asked_for_in_any_case(sandbox_target: Any) -> None:
    scopes = [
        {"name": "offline", "description": "Stay connected", "default": True, "required": True},
        {"name": "files.read", "description": "Read files"},
    ]
    target = sandbox_target(STYLE, changes={"scopes": scopes})
    assert query_of(STRATEGY.depart(target, REQUEST).url)["scope"] == "profile.read files.read offline"
    bare = AuthorizationRequest(state="s", scopes=(), code_verifier=VERIFIER)
    assert query_of(STRATEGY.depart(target, bare).url)["scope"] == "offline"
    twice = AuthorizationRequest(state="s", scopes=("offline",), code_verifier=VERIFIER)
    assert query_of(STRATEGY.depart(target, twice).url)["scope"] == "offline"


@pytest.mark.parametrize(
    ("scopes", "method", "prompt"),
    [
        (("openid", "offline_access"), {}, "consent"),
        (("openid",), {}, None),
        (("files", "offline_access"), {}, None),  # no request of OpenID Connect
        (("files", "offline_access"), {"offline_consent": "always"}, "consent"),
        (("files", "stay"), {"offline_consent": "always", "refresh_scope": "stay"}, "consent"),
        (("files",), {"offline_consent": "always"}, None),
        (("openid", "offline_access"), {"offline_consent": "never"}, None),
        (("openid", "offline_access"), {"authorization_params": {"prompt": "select_account"}}, "select_account"),
    ],
)
def test_asks_for_consent_where_offline_access_needs_it(
    scopes: tuple[str, ...], method: dict[str, Any], prompt: str | None, sandbox_target: Any
) -> None:
    target = sandbox_target(STYLE, changes={"authorization_code": method})
    url = STRATEGY.depart(target, AuthorizationRequest("s", scopes, code_verifier="v" * 43)).url
    assert query_of(url).get("prompt") == prompt
