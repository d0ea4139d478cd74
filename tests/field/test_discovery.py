"""Servers that publish what they are: what an entry spells out stands, and what we do not speak is said."""

from typing import Any

import pytest

from connections.models import Incident
from connections.refusals import InvalidRequest
from tests.connections.management.conftest import Run
from tests.field.stage import CLIENT_ID, CLIENT_SECRET, Stage
from tests.flows import call

DISCOVERED = """
name = "Field"
base_url = "<url>/api"
[authorization_code]
issuer = "<url>"
discover = true
<method>
"""
TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600}


def publish(stage: Stage, **changes: Any) -> None:
    url = stage.server.url
    document = {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        **changes,
    }
    stage.answers("/.well-known/openid-configuration", document)


@pytest.mark.parametrize(
    ("spelled", "in_body", "challenged", "path"),
    [
        ("", False, True, "/token"),
        ('client_authentication = "client_secret_post"\npkce = "breaks"', True, False, "/token"),
        ('client_authentication = "client_secret_post"', True, True, "/token"),
        ('client_authentication = "client_secret_basic"\npkce = "S256"', False, True, "/token"),
        ('token_url = "<url>/other"', False, True, "/other"),
    ],
)
def test_what_the_entry_spells_out_wins_over_the_metadata(
    spelled: str, in_body: bool, challenged: bool, path: str, stage: Stage
) -> None:
    publish(stage)
    stage.write(DISCOVERED, method=spelled)
    stage.register(name="discovered")
    stage.answers(path, TOKENS)
    invitation = stage.invite()
    assert ("code_challenge=" in stage.alice.leave(invitation)) is challenged
    stage.connect()
    request = stage.requests(path)[0]
    assert ("client_secret" in request.form, "Authorization" in request.headers) == (in_body, not in_body)
    assert ("code_verifier" in request.form) is challenged


@pytest.mark.parametrize("spelled", ["", 'iss_parameter = "optional"'])
def test_a_promise_of_iss_is_kept_to_unless_the_entry_knows_better(spelled: str, stage: Stage) -> None:
    publish(stage, authorization_response_iss_parameter_supported=True)
    stage.write(DISCOVERED, method=spelled)
    stage.register(name="discovered")
    stage.tokens(TOKENS)
    answer = stage.come_back(stage.invite())
    assert ("completion_code" in answer.headers.get("Location", "")) is bool(spelled)


@pytest.mark.parametrize(
    ("spelled", "told"),
    [
        ('pkce = "breaks"', "authorization_code.pkce is 'breaks' here and 'S256' in the metadata; the entry wins"),
        ('client_authentication = "none"', "is 'none' here and 'client_secret_basic' in the metadata"),
        ('token_url = "https://other.example/t"', "token_url is 'https://other.example/t' here and"),
    ],
)
def test_what_is_overruled_is_told_by_the_commands(spelled: str, told: str, run: Run, stage: Stage) -> None:
    publish(stage)
    stage.write(DISCOVERED, method=spelled)
    assert told in run("providers", "check", stage.folder / "field.toml").out
    stage.register(name="discovered")
    assert told in run("providers", "check").out
    assert told in run("providers", "show", "field").out


@pytest.mark.parametrize(
    ("methods", "told"),
    [
        (
            ["client_secret_jwt", "attest_jwt_client_auth"],
            "client_secret_jwt or attest_jwt_client_auth, which Latchkey does not speak yet",
        ),
        (["client_secret_jwt"], "client_secret_jwt, which Latchkey does not speak yet"),
    ],
)
def test_a_server_that_wants_what_we_do_not_speak_is_told_so(methods: list[str], told: str, stage: Stage) -> None:
    publish(stage, token_endpoint_auth_methods_supported=methods)
    stage.write(DISCOVERED)
    with pytest.raises(InvalidRequest, match=told):
        stage.register(name="discovered")
    stage.write(DISCOVERED, method='client_authentication = "client_secret_post"')
    stage.register(name="discovered")
    stage.tokens(TOKENS)
    stage.connect()
    assert (stage.requests()[0].form["client_id"], stage.requests()[0].form["client_secret"]) == (
        CLIENT_ID,
        CLIENT_SECRET,
    )


@pytest.mark.parametrize("token_type", ["DPoP", "dpop", " DPOP "])
def test_a_token_that_is_bound_to_a_key_is_told_and_not_vended_as_a_bearer_s(token_type: str, stage: Stage) -> None:
    stage.describe(method="refresh_tokens_rotate = true")
    stage.register()
    stage.tokens({**TOKENS, "token_type": token_type})
    answer = stage.confirm()
    assert (answer.status_code, answer.json()["code"]) == (502, "app_misconfigured")
    assert "DPoP" in answer.json()["detail"]
    assert not stage.requests("/me"), "the token goes nowhere as what it is not"


def test_a_refresh_that_brings_a_bound_token_loses_no_refresh_token(stage: Stage) -> None:
    stage.describe(method="refresh_tokens_rotate = true")
    stage.register()
    stage.me({"id": "u-1"})
    stage.tokens(TOKENS)
    connection = stage.connect()
    stage.forget_answers("/token")
    stage.tokens({**TOKENS, "refresh_token": "rt-2", "token_type": "DPoP"})
    assert stage.refresh(connection).outcome == "refreshed"
    answer = stage.vend(connection)
    assert (answer.status_code, answer.json()["code"]) == (502, "app_misconfigured")
    assert "DPoP" in answer.json()["detail"]
    tried = call(stage.alice.backend, "POST", f"/connections/{connection.id}/probe")
    assert (tried.status_code, tried.json()["outcome"]) == (200, "unavailable"), tried.content
    stage.forget_answers("/token")
    stage.tokens({**TOKENS, "access_token": "at-3"})
    assert stage.refresh(connection).outcome == "refreshed"
    assert stage.requests()[-1].form["refresh_token"] == "rt-2"
    assert stage.vend(connection).json()["credential"]["value"] == "at-3"


@pytest.mark.parametrize("code", ["invalid_dpop_proof", "use_dpop_nonce"])
def test_a_server_that_wants_a_proof_by_a_key_blames_no_grant(code: str, stage: Stage) -> None:
    stage.describe()
    stage.register()
    stage.me({"id": "u-1"})
    stage.tokens(TOKENS)
    connection = stage.connect()
    stage.forget_answers("/token")
    stage.tokens({"error": code}, status=400)
    for _ in range(4):
        assert stage.refresh(connection).outcome == "client_rejected"
    assert (connection.status, Incident.objects.get().kind) == ("active", "client_rejected")


@pytest.mark.parametrize("listed", [["plain"], ["S512"]])
def test_metadata_that_lists_no_s256_does_not_switch_pkce_off(listed: list[str], stage: Stage) -> None:
    publish(stage, code_challenge_methods_supported=listed)
    stage.write(DISCOVERED)
    stage.register(name="discovered")
    assert "code_challenge_method=S256" in stage.alice.leave(stage.invite())
