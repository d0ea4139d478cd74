"""The operator's own code challenge: only the login session that began a connect session can confirm it."""

from typing import Any

import pytest

from connections.models import Connection, SessionState
from providers.oauth.pkce import challenge, new_verifier
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import assert_nothing_left, session_of, token_requests
from tests.factories import RETURN_URL, Caller
from tests.flows import EndUser, Invitation, call


def confirm(user: EndUser, invitation: Invitation, code: str, **further: Any) -> Any:
    body = {"completion_code": code, "end_user": user.name, **further}
    return call(user.backend, "POST", f"/connect-sessions/{invitation.id}/complete", body)


def test_the_login_session_that_began_confirms_with_its_verifier_as_often_as_it_likes(alice: EndUser) -> None:
    verifier = new_verifier()
    invitation = alice.invite(code_challenge=challenge(verifier))
    code = alice.finish(invitation)
    answers = [confirm(alice, invitation, code, code_verifier=verifier) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("brought", [{}, {"code_verifier": new_verifier()}], ids=["none", "another"])
@pytest.mark.attack("a link finished in the victim's stead, code challenge", stopped_at="the confirmation: verifier")
def test_a_link_that_was_finished_in_somebodys_stead_connects_nothing(
    brought: dict[str, str], alice: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    """mallory takes alice's unused link, connects an account of her own, and sends alice the link back.

    alice is logged in where it arrives, and is the right end user: but that login session has begun nothing.
    """
    invitation = alice.invite(code_challenge=challenge(new_verifier()))
    code = mallory.finish(invitation)

    answer = confirm(alice, invitation, code, **brought)

    assert (answer.status_code, answer.json()["code"]) == (403, "completion_mismatch")
    assert_nothing_left(invitation, "completion_mismatch")
    assert Connection.objects.count() == 0
    assert token_requests(sandbox) == []


@pytest.mark.attack("a verifier of another session", stopped_at="the confirmation: verifier")
def test_the_verifier_of_another_session_of_the_same_login_does_not_do(
    alice: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    """alice has begun two; mallory has finished one of them, and swaps the ids in the link that she sends back."""
    verifiers = [new_verifier() for _ in range(2)]
    first, second = (alice.invite(code_challenge=challenge(verifier)) for verifier in verifiers)
    code = mallory.finish(first)
    alice.finish(second)

    swapped = confirm(alice, second, code, code_verifier=verifiers[1])
    crossed = confirm(alice, first, code, code_verifier=verifiers[1])

    assert {answer.status_code for answer in (swapped, crossed)} == {403}
    for invitation in (first, second):
        assert_nothing_left(invitation, "completion_mismatch")
    assert Connection.objects.filter(status="active").count() == 0


@pytest.mark.attack("a completion code repeated without its verifier", stopped_at="the confirmation: verifier", own=1)
def test_the_answer_is_not_repeated_without_the_verifier(alice: EndUser) -> None:
    verifier = new_verifier()
    invitation = alice.invite(code_challenge=challenge(verifier))
    code = alice.finish(invitation)
    assert confirm(alice, invitation, code, code_verifier=verifier).status_code == 200
    assert confirm(alice, invitation, code).status_code == 403


def test_a_verifier_that_no_challenge_asks_for_is_told_and_destroys_nothing(alice: EndUser) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    answer = confirm(alice, invitation, code, code_verifier=new_verifier())
    assert (answer.status_code, answer.json()["field"]) == (422, "code_verifier")
    assert session_of(invitation).state == SessionState.HELD
    assert confirm(alice, invitation, code).status_code == 200


def test_a_challenge_has_the_form_of_one_and_needs_the_confirmation(alice: EndUser, unbound: Caller) -> None:
    body = {"end_user": "alice", "provider": "sandbox", "return_url": RETURN_URL.format(slug="acme")}
    good = challenge(new_verifier())
    for given in ("", "x", good + "=", good[:-1], f"{good[:-1]}+", 7):
        assert call(alice.backend, "POST", "/connect-sessions", body | {"code_challenge": given}).status_code == 422
    answer = call(unbound, "POST", "/connect-sessions", body | {"code_challenge": good, "binding": "none"})
    assert (answer.status_code, answer.json()["field"]) == (422, "code_challenge")
