"""An ID token belongs to the authorization request whose nonce it repeats (OpenID Connect Core §3.1.3.7, step 11)."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from django.http import HttpResponse

from connections.access.targets import redirect_uri
from connections.models import AuditEvent, Connection, ConnectSession
from tests.field.stage import Stage
from tests.field.test_discovery import DISCOVERED, publish
from tests.field.test_identity import KEY, OTHER, claims, described, keys, signed
from tests.flows import Invitation, completion_code

OPENID = ["openid", "profile"]
WITHOUT_PKCE = 'pkce = "breaks"'


def speak(stage: Stage, method: str = "") -> None:
    publish(stage, jwks_uri=f"{stage.server.url}/keys")
    stage.write(DISCOVERED, method=method)
    stage.register(name="openid")
    keys(stage, described(KEY, "k-1"))


def leave(stage: Stage, **changes: Any) -> tuple[Invitation, dict[str, str]]:
    invitation = stage.invite(**({"scopes": OPENID} | changes))
    return invitation, dict(parse_qsl(urlsplit(stage.alice.leave(invitation)).query))


def give(stage: Stage, id_token: Any) -> None:
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, "id_token": id_token})


def brought(stage: Stage, invitation: Invitation, sent: dict[str, str]) -> str:
    return completion_code(stage.alice.visit(f"{redirect_uri(stage.app.id)}?code=code-1&state={sent['state']}"))


def confirm(stage: Stage, invitation: Invitation, sent: dict[str, str]) -> HttpResponse:
    return stage.alice.complete(invitation, brought(stage, invitation, sent))


def refused(answer: HttpResponse) -> bool:
    assert not Connection.objects.filter(status="active").exists()
    return (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        409,
        "exchange_failed",
        "identity_mismatch",
    )


def test_each_request_of_openid_has_a_nonce_of_its_own(stage: Stage) -> None:
    speak(stage)
    nonces = {leave(stage)[1]["nonce"] for _ in range(3)}
    assert len(nonces) == 3
    assert all(re.fullmatch(r"[\w-]{43}", nonce) for nonce in nonces)
    rows = repr([*ConnectSession.objects.values(), *AuditEvent.objects.values()])
    assert not [nonce for nonce in nonces if nonce in rows]


@pytest.mark.parametrize(
    ("method", "scopes", "name"),
    [
        ("", ["profile"], None),
        ("", [], None),
        ("", ["openid.read"], None),
        ('scope_separator = ","', OPENID, "nonce"),
        ('authorization_params = { scope = "openid" }', ["profile"], "nonce"),
        ('authorization_params = { response_type = "code id_token" }', ["profile"], "nonce"),
        ('authorization_parameter_names = { nonce = "n" }', OPENID, "n"),
        ('authorization_parameter_names = { nonce = "" }', OPENID, None),
    ],
)
def test_a_nonce_goes_where_an_id_token_is_asked_for(
    method: str, scopes: list[str], name: str | None, stage: Stage
) -> None:
    speak(stage, method)
    _, sent = leave(stage, scopes=scopes)
    assert [key for key, value in sent.items() if key in ("nonce", "n") and len(value) == 43] == [name] * bool(name)


@pytest.mark.parametrize("method", ["", WITHOUT_PKCE])
def test_an_id_token_that_repeats_the_nonce_names_the_account(method: str, stage: Stage) -> None:
    speak(stage, method)
    invitation, sent = leave(stage)
    give(stage, signed(stage, nonce=sent["nonce"]))
    answer = confirm(stage, invitation, sent)
    assert answer.json()["connection"]["account"]["id"] == "u-7"


def unverifiable(stage: Stage, **changes: Any) -> str:
    return jwt.encode(claims(stage, **changes), OTHER, algorithm="RS256")


@pytest.mark.parametrize("method", ["", WITHOUT_PKCE])
@pytest.mark.parametrize("make", [signed, unverifiable])
@pytest.mark.parametrize("nonce", ["of-another-request", 7, ["own"]], ids=str)
def test_an_id_token_of_another_request_connects_nothing(method: str, make: Any, nonce: Any, stage: Stage) -> None:
    speak(stage, method)
    invitation, sent = leave(stage)
    give(stage, make(stage, nonce=nonce))
    assert refused(confirm(stage, invitation, sent))


def test_a_code_of_another_session_is_recognized_without_pkce(stage: Stage) -> None:
    speak(stage, WITHOUT_PKCE)
    _, victims = leave(stage)
    invitation, own = leave(stage)
    give(stage, signed(stage, nonce=victims["nonce"]))
    assert refused(confirm(stage, invitation, own))


@pytest.mark.parametrize(("method", "account"), [("", "u-7"), (WITHOUT_PKCE, None)])
@pytest.mark.parametrize("nonce", [None, ""])
def test_a_server_that_repeats_no_nonce_is_believed_where_pkce_binds_the_code(
    method: str, account: str | None, nonce: Any, stage: Stage
) -> None:
    speak(stage, method)
    invitation, sent = leave(stage)
    give(stage, signed(stage) if nonce is None else signed(stage, nonce=nonce))
    shown = confirm(stage, invitation, sent).json()["connection"]
    assert (shown["status"], (shown["account"] or {}).get("id")) == ("active", account)


@pytest.mark.parametrize("method", ["", WITHOUT_PKCE])
@pytest.mark.parametrize("token", ["not.a.jwt", "a.b.c.d.e", "é", {"nonce": "other"}, 7, "W10.W10.W10"], ids=str)
def test_what_is_no_id_token_costs_nothing(method: str, token: Any, stage: Stage) -> None:
    speak(stage, method)
    invitation, sent = leave(stage)
    give(stage, token)
    assert confirm(stage, invitation, sent).json()["connection"]["status"] == "active"


def test_where_no_id_token_was_asked_for_its_nonce_says_nothing(stage: Stage) -> None:
    speak(stage, WITHOUT_PKCE)
    invitation, sent = leave(stage, scopes=["profile"])
    give(stage, signed(stage, nonce="whose"))
    assert confirm(stage, invitation, sent).json()["connection"]["account"]["id"] == "u-7"


@pytest.mark.parametrize("is_own", [True, False])
def test_an_answer_that_is_read_later_has_to_repeat_it_too(is_own: bool, stage: Stage) -> None:
    speak(stage, WITHOUT_PKCE)
    invitation, sent = leave(stage)
    token = signed(stage, nonce=sent["nonce"] if is_own else "of-another-request")
    stage.tokens({"deep": {"within": {"access_token": "at-1", "expires_in": 3600, "id_token": token}}})
    code = brought(stage, invitation, sent)
    assert stage.alice.complete(invitation, code).json()["code"] == "answer_unreadable"
    stage.write(DISCOVERED, method=f'{WITHOUT_PKCE}\ntoken_pointer = "/deep/within"')
    answer = stage.alice.complete(invitation, code)
    if is_own:
        assert answer.json()["connection"]["account"]["id"] == "u-7"
    else:
        assert refused(answer)
    assert len(stage.requests()) == 1
