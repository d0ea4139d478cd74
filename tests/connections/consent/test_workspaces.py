"""Grants that open several workspaces: the end user is asked once, in their own browser, and then it is as always."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.lifecycle.connect.hold import discard_expired
from connections.models import AuditEvent, Connection, CredentialVersion, OutboxEvent, ProviderApp, SessionState
from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from tests.connections.consent.choosing import answer, choice_due, fields_of, invite, offered
from tests.connections.consent.observed import assert_nothing_left, pass_time, session_of, token_requests
from tests.factories import ORIGIN, Caller
from tests.flows import EndUser, call, completion_code, failure_of, return_link, standing_of
from tests.person import Person, parameters_of


def connect_to(user: EndUser, team: str, **changes: Any) -> dict[str, Any]:
    """Connect, and choose ``team``."""
    invitation = invite(user, **changes)
    code, url = choice_due(user, invitation)
    assert completion_code(answer(user, url, team)) == code
    connection: dict[str, Any] = user.complete(invitation, code).json()["connection"]
    return connection


def test_the_end_user_chooses_and_the_connection_is_about_that_workspace(
    member: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    page = member.visit(url)
    assert offered(page) == ["north", "south"]
    assert "Which team do you want to connect?" in page.content.decode()

    back = answer(member, url, "south")

    assert return_link(back).partition("?")[0] == "https://app.acme.example/connected"
    assert parameters_of(return_link(back)) == {"connect_session": invitation.id, "completion_code": code}
    connection = member.complete(invitation, code).json()["connection"]
    assert (connection["status"], connection["params"]) == ("active", {"team": "south"})
    assert connection["account"]["id"] == "south:person-1001"
    assert connection["health"]["verified_by"] == "connect"
    vended = member.vend(connection["id"]).json()["credential"]
    assert vended["base_url"] == f"{sandbox.url}/south"
    (bought,) = token_requests(sandbox)
    assert fingerprint(vended["value"]) == bought.access_issued
    assert OutboxEvent.objects.filter(type="connection.connected", connection_id=connection["id"]).count() == 1
    assert session_of(invitation).held is None


def test_nothing_can_be_used_before_the_choice(member: EndUser) -> None:
    invitation = invite(member)
    choice_due(member, invitation)
    pending = Connection.objects.get()
    assert (pending.status, pending.current_version_id) == ("pending", None)
    assert CredentialVersion.objects.count() == 0
    refused = member.vend(str(pending.id))
    assert (refused.status_code, refused.json()["code"]) == (409, "pending")
    session = session_of(invitation)
    assert session.state == SessionState.CHOOSING
    assert session.held is not None


def test_repeating_the_confirmation_gets_the_same_address_until_the_choice_is_made(
    member: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    assert [member.complete(invitation, code).json() for _ in range(2)] == [{"next": url}] * 2
    answer(member, url, "north")
    answers = [member.complete(invitation, code).content for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(token_requests(sandbox)) == 1


def test_the_only_workspace_is_taken_without_asking(member: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.settings(workspaces={"alice": {"north": "Team North"}})
    assert member.connect(provider="teams")["params"] == {"team": "north"}


def test_a_grant_that_opens_none_is_refused(member: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.settings(workspaces={})
    invitation = invite(member)
    refused = member.complete(invitation, member.finish(invitation))
    assert (refused.status_code, refused.json()["code"]) == (409, "no_workspace")
    assert "account at Teams has no team yet" in refused.json()["detail"]
    assert_nothing_left(invitation, "no_workspace")


def test_a_workspace_that_is_not_on_offer_is_not_taken(member: EndUser) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    for typed in ("", "east", "North", "../north", "north\x00", "{access_token}"):
        page = answer(member, url, typed)
        assert page.status_code == 422
        assert 'role="alert" id="error"' in page.content.decode()
        assert offered(page) == ["north", "south"]
    assert session_of(invitation).state == SessionState.CHOOSING
    assert completion_code(answer(member, url, "north")) == code


def test_the_choice_is_taken_once(member: EndUser) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    answer(member, url, "north")
    for again in (member.follow(answer(member, url, "south")), member.visit(url)):
        assert standing_of(again) == "completed"
        assert completion_code(again) == code
    assert member.complete(invitation, code).json()["connection"]["params"] == {"team": "north"}


def test_a_choice_that_is_never_made_is_destroyed_and_revokes_nothing(member: EndUser, sandbox: SandboxProcess) -> None:
    before = connect_to(member, "north")
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    pass_time(invitation, minutes=10)
    for page in (member.visit(url), answer(member, url, "south")):
        assert (page.status_code, failure_of(page)) == (410, "expired")
        assert "Back to Acme" in page.content.decode()
    assert discard_expired(now=database_now()) == 1
    assert_nothing_left(invitation, "expired")
    late = member.complete(invitation, code)
    assert (late.status_code, late.json()["failure"]) == (410, "expired")
    assert sandbox.control.log(endpoint="revoke") == []
    assert member.vend(before["id"]).status_code == 200


def test_a_late_confirmation_destroys_what_the_sweep_has_not_seen_yet(member: EndUser) -> None:
    invitation = invite(member)
    code, _ = choice_due(member, invitation)
    pass_time(invitation, minutes=10)
    assert member.complete(invitation, code).json()["failure"] == "expired"
    assert_nothing_left(invitation, "expired")


def test_the_choice_is_open_no_longer_than_the_access_token_lives(member: EndUser) -> None:
    invitation = invite(member)
    choice_due(member, invitation)
    session = session_of(invitation)
    assert session.kept_until is not None
    assert session.kept_until <= database_now() + timedelta(seconds=60)


def test_who_wants_none_of_them_goes_back_with_nothing(member: EndUser) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    back = answer(member, url, answer="none")
    assert parameters_of(return_link(back)) == {"connect_session": invitation.id, "error": "choice_declined"}
    assert_nothing_left(invitation, "choice_declined")
    assert AuditEvent.objects.filter(action="connect_session.choice_declined").count() == 1
    assert member.complete(invitation, code).json()["failure"] == "choice_declined"


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"kind": "status", "endpoint": "me", "status": 401, "times": 0}, "exchange_failed"),
        ({"kind": "status", "endpoint": "me", "status": 503}, None),
    ],
    ids=["dead", "unavailable"],
)
def test_the_credential_is_tried_for_the_chosen_workspace(
    fault: dict[str, Any], failure: str | None, member: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    sandbox.control.fault(**fault)
    page = answer(member, url, "north")
    if failure is None:
        assert member.complete(invitation, code).json()["connection"]["account"] is None
        return
    assert (page.status_code, failure_of(page)) == (409, failure)
    assert f"error={failure}" in page.content.decode()
    assert_nothing_left(invitation, "grant_rejected")
    assert member.complete(invitation, code).json()["failure"] == "grant_rejected"


def test_a_kill_switch_holds_the_choice_up(
    member: EndUser, teams: ProviderApp, switch_off: Callable[[Any], None], switch_on: Callable[[Any], None]
) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    switch_off(teams)
    for page in (member.visit(url), answer(member, url, "north")):
        assert (page.status_code, failure_of(page)) == (409, "suspended")
    assert member.complete(invitation, code).status_code == 423
    switch_on(teams)
    assert completion_code(answer(member, url, "north")) == code


def test_a_connection_that_is_disconnected_before_the_choice_stays_so(member: EndUser) -> None:
    invitation = invite(member)
    _, url = choice_due(member, invitation)
    call(member.backend, "DELETE", f"/connections/{Connection.objects.get().id}")
    assert failure_of(answer(member, url, "north")) == "gone"
    assert CredentialVersion.objects.count() == 0


def test_each_workspace_is_a_connection_of_its_own_and_the_same_one_is_the_same(member: EndUser) -> None:
    north, south, again = (connect_to(member, team) for team in ("north", "south", "north"))
    assert north["id"] != south["id"]
    assert (again["id"], again["reason"]) == (north["id"], "reconnected")
    assert Connection.objects.count() == 2


def test_a_renewal_keeps_its_workspace_without_asking(member: EndUser) -> None:
    before = connect_to(member, "south")
    after = member.connect(provider="teams", connection=before["id"])
    assert (after["id"], after["params"], after["reason"]) == (before["id"], {"team": "south"}, "reconnected")
    assert after["version"] != before["version"]


def test_a_renewal_whose_workspace_is_gone_changes_nothing(member: EndUser, sandbox: SandboxProcess) -> None:
    before = connect_to(member, "south")
    sandbox.control.settings(workspaces={"alice": {"north": "Team North", "east": "Team East"}})
    invitation = invite(member, connection=before["id"])
    refused = member.complete(invitation, member.finish(invitation))
    assert (refused.status_code, refused.json()["code"]) == (409, "account_mismatch")
    assert "workspace" in refused.json()["detail"]
    assert session_of(invitation).failure == "account_mismatch"
    assert member.vend(before["id"]).json()["version"] == before["version"]


def test_a_renewal_that_may_change_its_account_asks_even_about_the_only_one(
    member: EndUser, sandbox: SandboxProcess
) -> None:
    before = connect_to(member, "south")
    sandbox.control.settings(workspaces={"alice": {"north": "Team North"}})
    invitation = invite(member, connection=before["id"], allow_account_change=True)
    code, url = choice_due(member, invitation)
    assert member.vend(before["id"]).json()["version"] == before["version"]
    assert offered(member.visit(url)) == ["north"]
    answer(member, url, "north")
    after = member.complete(invitation, code).json()["connection"]
    assert (after["id"], after["params"]) == (before["id"], {"team": "north"})


def test_a_renewal_does_not_take_the_workspace_of_another_connection(member: EndUser, sandbox: SandboxProcess) -> None:
    north, south = connect_to(member, "north"), connect_to(member, "south")
    sandbox.control.settings(workspaces={"alice": {"north": "Team North"}})
    invitation = invite(member, connection=south["id"], allow_account_change=True)
    _, url = choice_due(member, invitation)
    page = answer(member, url, "north")
    assert failure_of(page) == "account_mismatch"
    assert {str(row.current_version_id) for row in Connection.objects.all()} == {north["version"], south["version"]}


def test_another_persons_grant_for_the_same_workspace_is_another_account(member: EndUser) -> None:
    before = connect_to(member, "south")
    member.person = Person("carol")
    invitation = invite(member, connection=before["id"])
    refused = member.complete(invitation, member.finish(invitation))
    assert (refused.status_code, refused.json()["code"]) == (409, "account_mismatch")


def test_without_the_confirmation_the_choice_follows_at_once(unbound: Caller, teams: ProviderApp) -> None:
    alice = EndUser("alice", unbound)
    invitation = invite(alice, binding="none")
    sent_on = alice.open(alice.open(alice.authorize(invitation))["Location"])
    assert sent_on.status_code == 303
    url = sent_on["Location"]
    assert offered(alice.visit(url)) == ["north", "south"]
    given = parameters_of(return_link(answer(alice, url, "south")))
    assert set(given) == {"connect_session", "connection"}
    shown = call(unbound, "GET", f"/connections/{given['connection']}").json()
    assert (shown["status"], shown["binding"], shown["params"]) == ("active", "none", {"team": "south"})


def test_the_window_that_was_opened_waits_for_the_answer_and_tells_the_result_at_the_end(member: EndUser) -> None:
    origin = ORIGIN.format(slug="acme")
    invitation = invite(member, origin=origin)
    page = member.visit(member.authorize(invitation))
    assert re.search(r'data-origin="https://app.acme.example" data-waits data-now ', page.content.decode())
    code = completion_code(page)
    url = member.complete(invitation, code).json()["next"]
    assert member.visit(url)["Cross-Origin-Opener-Policy"] == "unsafe-none"
    end = answer(member, url, "north")
    assert "data-waits" not in end.content.decode()
    assert completion_code(end) == code
    assert end["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_the_page_works_without_a_script_and_sends_nothing_elsewhere(member: EndUser, sandbox: SandboxProcess) -> None:
    same = {"north": "Team <b>", "south": "Team <b>", "east": ""}
    sandbox.control.settings(workspaces={"alice": same})
    _, url = choice_due(member, invite(member))
    page = member.visit(url)
    text = page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    assert "form-action 'self'" in page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert set(fields_of(page)) == {"token", "form_proof"}
    assert text.count("<label") == text.count('type="radio"') == 3
    assert text.count("Team &lt;b&gt;<small>") == 2
    assert "<span>east</span>" in text
    assert "<b>" not in text


def test_looking_changes_nothing(member: EndUser) -> None:
    invitation = invite(member)
    _, url = choice_due(member, invitation)
    before = session_of(invitation).updated_at
    for _ in range(2):
        assert offered(member.visit(url)) == ["north", "south"]
    assert session_of(invitation).updated_at == before
