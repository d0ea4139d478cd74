"""What was obtained is stored before anything is asked of it: a confirmation that is repeated goes on from there."""

import threading
from typing import Any

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.lifecycle.connect.hold import discard_expired
from connections.models import Connection, CredentialVersion, OutboxEvent, ProviderApp, SessionState
from connections.models.connect_session import EXCHANGE_LIMIT
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.consent.choosing import answer, choice_due, invite, offered
from tests.connections.consent.observed import assert_nothing_left, pass_time, session_of, token_requests
from tests.factories import Caller
from tests.field.conftest import stage  # noqa: F401 - a fixture
from tests.field.stage import Answer, Stage
from tests.flows import SAME_ORIGIN, EndUser, Invitation, completion_code, failure_of, standing_of
from tests.providers.conftest import Received, make_provider  # noqa: F401 - a fixture


class Confirmation(threading.Thread):
    """One confirmation, under way elsewhere."""

    def __init__(self, user: EndUser, invitation: Invitation, code: str) -> None:
        super().__init__()
        self._call = (user, invitation, code)
        self.answer: Any = None
        self.start()

    def run(self) -> None:
        user, invitation, code = self._call
        self.answer = user.complete(invitation, code)
        database.close()


def stalled_in_the_probe(alice: EndUser, sandbox: SandboxProcess) -> tuple[Invitation, str, Confirmation]:
    """Return a session whose exchange has its credential and waits for the probe's answer."""
    invitation = alice.invite()
    code = alice.finish(invitation)
    sandbox.control.fault("stall", endpoint="me", seconds=15, times=2)
    confirmation = Confirmation(alice, invitation, code)
    until(lambda: sandbox.control.log(endpoint="me"), "the probe", pause=0.02)
    return invitation, code, confirmation


def test_a_confirmation_after_a_crash_goes_on_with_what_was_obtained(alice: EndUser, sandbox: SandboxProcess) -> None:
    """The one that was taken for dead wakes up when the other is at work, and has nothing to say any more."""
    invitation, code, stalled = stalled_in_the_probe(alice, sandbox)
    assert alice.complete(invitation, code).json()["failure"] == "exchanging"
    pass_time(invitation, minutes=1)

    second = Confirmation(alice, invitation, code)
    until(lambda: len(sandbox.control.log(endpoint="me")) == 2, "the second probe", pause=0.02)
    sandbox.control.release()
    second.join()

    again = second.answer
    assert (again.status_code, again.json()["connection"]["status"]) == (200, "active")
    assert len(token_requests(sandbox)) == 1
    stalled.join()
    assert (stalled.answer.status_code, stalled.answer.json()["failure"]) == (410, "exchanging")
    assert CredentialVersion.objects.count() == 1
    assert OutboxEvent.objects.filter(type="connection.connected").count() == 1
    assert alice.complete(invitation, code).json() == again.json()


@pytest.mark.parametrize("status", [200, 401], ids=["accepted", "refused"])
def test_one_that_was_taken_for_dead_writes_nothing_whatever_it_is_told(stage: Stage, status: int) -> None:  # noqa: F811
    """Both have asked whose the credential is; the older one hears first, while the newer one still waits."""
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    asked, heard = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]
    scripted = stage.server.responder
    assert scripted is not None

    def answer_to(request: Received) -> Answer:
        if request.path != "/me":
            return scripted(request)
        turn = len(stage.requests("/me")) - 1
        if turn < 2:
            asked[turn].set()
            heard[turn].wait(60)
        return (200 if turn == 1 else status), b'{"id": "u-1"}', {"Content-Type": "application/json"}

    stage.server.responder = answer_to
    invitation = stage.invite()
    code = completion_code(stage.come_back(invitation))
    older = Confirmation(stage.alice, invitation, code)
    assert asked[0].wait(60)
    pass_time(invitation, minutes=1)
    newer = Confirmation(stage.alice, invitation, code)
    assert asked[1].wait(60)

    heard[0].set()
    older.join()
    assert (older.answer.status_code, older.answer.json().get("failure")) == (410, "exchanging")
    assert session_of(invitation).state == SessionState.EXCHANGING
    assert (CredentialVersion.objects.count(), Connection.objects.get().status) == (0, "pending")

    heard[1].set()
    newer.join()
    assert (newer.answer.status_code, newer.answer.json()["connection"]["status"]) == (200, "active")
    assert len(stage.requests()) == 1


def test_what_nobody_goes_on_with_is_destroyed(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation, code, stalled = stalled_in_the_probe(alice, sandbox)
    pass_time(invitation, minutes=9)
    assert discard_expired(now=database_now()) == 0
    pass_time(invitation, minutes=1)
    assert discard_expired(now=database_now()) == 1
    stalled.join()
    assert stalled.answer.json()["failure"] == "expired"
    assert_nothing_left(invitation, "expired")
    assert Connection.objects.count() == 0
    assert alice.complete(invitation, code).json()["failure"] == "expired"


def test_a_list_of_workspaces_that_does_not_come_costs_no_second_consent(
    member: EndUser, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("rate_limited", endpoint="workspaces", retry_after=7)
    invitation = invite(member)
    code = member.finish(invitation)
    refused = member.complete(invitation, code)
    assert (refused.status_code, refused.json()["code"]) == (503, "provider_unavailable")
    assert refused["Retry-After"] == "7"
    assert session_of(invitation).state == SessionState.HELD
    assert set(member.complete(invitation, code).json()) == {"next"}
    assert len(token_requests(sandbox)) == 1


def test_what_is_kept_meanwhile_still_answers_to_its_own_user_alone(
    member: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("status", endpoint="workspaces", status=503)
    invitation = invite(member)
    code = member.finish(invitation)
    member.complete(invitation, code)
    assert mallory.complete(invitation, code).status_code == 403
    assert_nothing_left(invitation, "completion_mismatch")


def test_a_list_that_stays_refused_ends_the_session(member: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", status=401, endpoint="workspaces", times=0)
    invitation = invite(member)
    refused = member.complete(invitation, member.finish(invitation))
    assert (refused.status_code, refused.json()["reason"]) == (409, "grant_rejected")
    assert_nothing_left(invitation, "grant_rejected")


def test_a_page_in_the_place_of_the_list_costs_no_second_consent(member: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("html", endpoint="workspaces")
    invitation = invite(member)
    code = member.finish(invitation)
    refused = member.complete(invitation, code)
    assert (refused.status_code, refused.json()["code"]) == (503, "provider_unavailable")
    assert set(member.complete(invitation, code).json()) == {"next"}
    assert len(token_requests(sandbox)) == 1


def test_where_nobody_confirms_the_page_offers_to_try_again(
    unbound: Caller, teams: ProviderApp, sandbox: SandboxProcess
) -> None:
    alice = EndUser("alice", unbound)
    sandbox.control.fault("status", endpoint="workspaces", status=503)
    invitation = invite(alice, binding="none")
    page = alice.visit(alice.authorize(invitation))
    assert failure_of(page) == "provider_unavailable"
    assert 'id="retry"' in page.content.decode()
    again = alice.browser.post(f"/connect/{invitation.id}/finish", headers=SAME_ORIGIN)
    assert again.status_code == 303
    assert "/workspace?token=" in again["Location"]
    assert len(token_requests(sandbox)) == 1


def test_a_choice_that_the_provider_cannot_try_is_made_again(member: EndUser, sandbox: SandboxProcess) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    sandbox.control.fault("status", endpoint="me", status=401)
    sandbox.control.fault("status", endpoint="me", status=503)
    page = answer(member, url, "south")
    assert page.status_code == 503
    assert offered(page) == ["north", "south"]
    assert "Try again in a moment" in page.content.decode()
    assert completion_code(answer(member, url, "north")) == code
    assert member.complete(invitation, code).json()["connection"]["params"] == {"team": "north"}


def test_a_choice_that_died_can_be_made_again(member: EndUser, sandbox: SandboxProcess) -> None:
    """And a confirmation that is repeated goes on with the choice that was made."""
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    sandbox.control.fault("stall", endpoint="me", seconds=15)
    path, token = url.partition("?")[0].partition("/connect/")[2], url.partition("token=")[2]
    answers: list[Any] = []

    def choose() -> None:
        typed = {"token": token, "workspace": "south"}
        answers.append(member.browser.post(f"/connect/{path}", typed, headers={"sec-fetch-site": "same-origin"}))
        database.close()

    thread = threading.Thread(target=choose)
    thread.start()
    until(lambda: sandbox.control.log(endpoint="me"), "the probe", pause=0.02)
    assert standing_of(member.visit(url)) == "exchanging"
    session = type(session_of(invitation)).objects.filter(id=invitation.id)
    session.update(exchange_started_at=database_now() - EXCHANGE_LIMIT)
    connection = member.complete(invitation, code).json()["connection"]
    sandbox.control.release()
    thread.join()
    assert (connection["status"], connection["params"]) == ("active", {"team": "south"})
    assert standing_of(member.follow(answers[0])) == "completed"
    assert len(token_requests(sandbox)) == 1
