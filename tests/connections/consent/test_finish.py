"""The end of the widget, and the confirmation: the result goes to one place, and is answered the same way twice."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.connect import hold
from connections.lifecycle.connect.complete import complete_unbound
from connections.lifecycle.connect.hold import discard_expired
from connections.models import (
    AuditEvent,
    Connection,
    CredentialVersion,
    OutboxEvent,
    Permission,
    ProviderApp,
    SessionState,
)
from connections.refusals import NotFound
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import assert_nothing_left, pass_time, session_of, token_requests
from tests.factories import ORIGIN, Caller, make_caller
from tests.flows import EndUser, call, completion_code, failure_of
from tests.person import parameters_of


def test_nothing_is_exchanged_before_the_confirmation(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    alice.finish(invitation)
    pending = Connection.objects.get()
    assert (pending.status, pending.reason) == ("pending", "awaiting_confirmation")
    assert session_of(invitation).held is not None
    assert CredentialVersion.objects.count() == 0
    assert token_requests(sandbox) == []
    refused = alice.vend(str(pending.id))
    assert (refused.status_code, refused.json()["code"]) == (409, "pending")


def test_the_result_goes_to_the_return_url_exactly(alice: EndUser) -> None:
    invitation = alice.invite()
    answer = alice.visit(alice.authorize(invitation))
    address, _, _ = answer["Location"].partition("?")
    assert (answer.status_code, address) == (302, "https://app.acme.example/connected")
    assert set(parameters_of(answer["Location"])) == {"connect_session", "completion_code"}
    assert answer["Referrer-Policy"] == "no-referrer"


def test_with_an_origin_the_result_is_a_message_to_it_alone(alice: EndUser) -> None:
    origin = ORIGIN.format(slug="acme")
    invitation = alice.invite(origin=origin)

    page = alice.visit(alice.authorize(invitation)).content.decode()

    script = re.search(r'<script id="message" type="application/json">(.+?)</script>', page)
    assert script is not None
    message = json.loads(script[1])
    assert set(message) == {"source", "connect_session", "completion_code"}
    link = re.search(r'id="return" href="([^"]+)" data-origin="([^"]+)"', page)
    assert link is not None
    assert link[2] == origin
    assert parameters_of(unescape(link[1]))["completion_code"] == message["completion_code"]
    assert alice.complete(invitation, message["completion_code"]).status_code == 200


@pytest.mark.attack("a return URL or origin that is not the tenant's", stopped_at="the API: the tenant's lists")
def test_only_addresses_on_the_tenants_list_are_taken(alice: EndUser, globex: object) -> None:
    body = {"end_user": "alice", "provider": "sandbox", "return_url": "https://app.acme.example/connected"}
    for member, value in (
        ("return_url", "https://app.acme.example/connected/"),
        ("return_url", "https://app.acme.example/connected?x=1"),
        ("return_url", "https://app.acme.example.evil.example/connected"),
        ("return_url", "https://APP.acme.example/connected"),
        ("return_url", "https://app.globex.example/connected"),
        ("return_url", ""),
        ("origin", "https://evil.example"),
        ("origin", "https://app.acme.example/"),
        ("origin", "*"),
        ("origin", "null"),
    ):
        answer = call(alice.backend, "POST", "/connect-sessions", body | {member: value})
        assert (answer.status_code, answer.json()["field"]) == (422, member), value


def test_repeating_the_confirmation_gets_the_same_answer(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    answers = [alice.complete(invitation, code) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(token_requests(sandbox)) == 1
    assert OutboxEvent.objects.filter(type="connection.connected").count() == 1


def test_a_confirmation_that_comes_too_late_destroys_what_was_held(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    pass_time(invitation, minutes=5)
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["failure"]) == (410, "expired")
    assert_nothing_left(invitation, "expired")
    assert token_requests(sandbox) == []


def test_the_sweep_ends_what_nobody_finished_or_confirmed(alice: EndUser, app: ProviderApp) -> None:
    held, fresh, left, dead = (alice.invite() for _ in range(4))
    alice.finish(held)
    alice.finish(fresh)
    alice.leave(left)
    alice.finish(dead)
    type(session_of(dead)).objects.filter(id=dead.id).update(
        state=SessionState.EXCHANGING, exchange_started_at=database_now(), held=None
    )
    pass_time(held, minutes=5)
    pass_time(left, minutes=30)
    pass_time(dead, minutes=1)

    assert discard_expired(now=database_now()) == 3
    assert discard_expired(now=database_now()) == 0

    for invitation in (held, left, dead):
        session = session_of(invitation)
        assert (session.state, session.failure) == (SessionState.FAILED, "expired")
        assert session.held is session.code_verifier is None
    assert session_of(fresh).state == SessionState.HELD
    assert Connection.objects.get().id == session_of(fresh).connection_id


def test_a_pending_connection_that_is_disconnected_is_not_exchanged(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    pending = Connection.objects.get()
    assert call(alice.backend, "DELETE", f"/connections/{pending.id}").status_code == 200
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["failure"]) == (410, "gone")
    assert session_of(invitation).held is None
    assert CredentialVersion.objects.count() == 0
    assert token_requests(sandbox) == []


def test_shows_which_scopes_were_granted_and_which_are_missing(alice: EndUser) -> None:
    invitation = alice.invite(scopes=["profile.read", "files.read", "files.write"])
    code = alice.finish(invitation, scopes=["profile.read", "files.read"])

    connection = alice.complete(invitation, code).json()["connection"]

    assert connection["scopes"] == {
        "requested": ["files.read", "files.write", "profile.read"],
        "granted": ["files.read", "profile.read"],
        "missing": ["files.write"],
        "required": [],
        "observed": None,
    }
    vended = alice.vend(connection["id"]).json()["credential"]
    assert sorted(vended["scopes"]) == ["files.read", "profile.read"]
    assert vended["missing_scopes"] == ["files.write"]
    refused = alice.vend(connection["id"], scopes=["files.write"])
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["missing_scopes"] == ["files.write"]
    assert alice.vend(connection["id"], scopes=["files.read"]).status_code == 200


def test_a_tenants_connection_is_made_by_a_person_and_belongs_to_nobody(alice: EndUser, mallory: EndUser) -> None:
    invitation = alice.invite(owner="tenant")
    code = alice.finish(invitation)
    assert mallory.complete(invitation, code).status_code == 403

    connection = alice.connect(owner="tenant")

    assert (connection["owner"], connection["end_user"], connection["granted_by"]) == ("tenant", None, "alice")
    assert mallory.vend(connection["id"]).status_code == 200
    robot = make_caller(alice.backend.client.tenant, "robot", [Permission.VEND, Permission.VEND_WITHOUT_USER])
    by_owner = call(robot, "POST", "/credentials", {"provider": "sandbox"})
    assert by_owner.json()["connection"] == connection["id"]


def test_opting_out_needs_a_permission_of_its_own(alice: EndUser, sandbox: SandboxProcess) -> None:
    body = {
        "end_user": "alice",
        "provider": "sandbox",
        "return_url": "https://app.acme.example/connected",
        "binding": "none",
    }
    answer = call(alice.backend, "POST", "/connect-sessions", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_opting_out_shows_on_session_connection_and_vend(unbound: Caller, app: ProviderApp) -> None:
    alice = EndUser("alice", unbound)
    made = call(
        unbound,
        "POST",
        "/connect-sessions",
        {
            "end_user": "alice",
            "provider": "sandbox",
            "return_url": "https://app.acme.example/connected",
            "binding": "none",
        },
    ).json()
    assert made["binding"] == "none"
    invitation = alice.invite(binding="none")

    answer = alice.visit(alice.authorize(invitation))

    assert answer.status_code == 302
    given = parameters_of(answer["Location"])
    assert set(given) == {"connect_session", "connection"}
    shown = call(unbound, "GET", f"/connections/{given['connection']}").json()
    assert (shown["status"], shown["binding"]) == ("active", "none")
    assert alice.vend(given["connection"]).json()["binding"] == "none"
    assert AuditEvent.objects.get(action="connection.connected").detail["binding"] == "none"
    assert alice.connect()["binding"] == "completion"


def test_opting_out_is_no_way_past_a_kill_switch(
    unbound: Caller, app: ProviderApp, sandbox: SandboxProcess, switch_off: Any
) -> None:
    alice = EndUser("alice", unbound)
    invitation = alice.invite(binding="none")
    back = alice.authorize(invitation)
    switch_off(unbound.client)
    page = alice.visit(back)
    assert (page.status_code, failure_of(page)) == (409, "suspended")
    assert token_requests(sandbox) == []


def test_opting_out_tells_the_person_what_went_wrong(
    unbound: Caller, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    alice = EndUser("alice", unbound)
    for fault, failure in (
        ({"kind": "error", "error": "invalid_grant"}, "exchange_failed"),
        ({"kind": "redirect", "location": "http://127.0.0.1:1/"}, "app_misconfigured"),
        ({"kind": "status", "status": 500}, "exchange_failed"),
    ):
        sandbox.control.fault(**fault)
        invitation = alice.invite(binding="none")
        page = alice.visit(alice.authorize(invitation))
        assert failure_of(page) == failure
        assert f"error={failure}" in page.content.decode()
        assert session_of(invitation).state == SessionState.FAILED
    assert Connection.objects.count() == 0


def test_a_bound_session_cannot_be_exchanged_without_its_confirmation(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    alice.finish(invitation)
    with pytest.raises(NotFound):
        complete_unbound(session_of(invitation).id, browser_secret=None, actor=SYSTEM)
    assert token_requests(sandbox) == []


def test_two_confirmations_at_once_lead_to_one_exchange(alice: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.settings(delay_seconds={"token": 0.5})
    invitation = alice.invite()
    code = alice.finish(invitation)

    def confirm(_: int) -> tuple[int, str]:
        answer = alice.complete(invitation, code)
        database.close()
        return answer.status_code, answer.json().get("failure", "")

    with ThreadPoolExecutor(3) as pool:
        answers = sorted(pool.map(confirm, range(3)))
    assert answers == [(200, ""), (410, "exchanging"), (410, "exchanging")]
    assert len(token_requests(sandbox)) == 1
    assert alice.complete(invitation, code).status_code == 200


def test_codes_crossed_at_the_same_moment_do_not_wait_for_each_other(
    alice: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    first, second = alice.invite(), mallory.invite()
    codes = alice.finish(first), mallory.finish(second)

    def cross(turn: int) -> int:
        user, invitation = ((alice, first), (mallory, second))[turn % 2]
        answer = user.complete(invitation, codes[1 - turn % 2])
        database.close()
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(cross, range(12))) == {403}
    assert token_requests(sandbox) == []


def test_a_completion_code_is_kept_as_a_hash_only(alice: EndUser) -> None:
    invitation = alice.invite()
    answer = alice.visit(alice.authorize(invitation))
    code = completion_code(answer)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code)
    row = type(session_of(invitation)).objects.filter(id=invitation.id).values_list()[0]
    assert code not in str([bytes(value) if isinstance(value, memoryview) else value for value in row])


def test_an_operator_wide_client_completes_its_own_session(acme: object, app: ProviderApp) -> None:
    operator = make_caller(None, "operator")
    alice = EndUser("alice", operator)
    invitation = alice.invite(tenant="acme")
    body = {"completion_code": alice.finish(invitation), "end_user": "alice", "tenant": "acme"}
    answer = call(operator, "POST", f"/connect-sessions/{invitation.id}/complete", body)
    assert answer.json()["connection"]["tenant"] == "acme"


def test_the_sweep_lets_be_what_was_confirmed_before_it_got_the_lock(
    alice: EndUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    lock_session, answers = hold.lock_session, []

    def confirmed_first(**lookup: object) -> Any:
        def confirm() -> None:
            answers.append(alice.complete(invitation, code).status_code)
            database.close()

        thread = threading.Thread(target=confirm)
        monkeypatch.setattr(hold, "lock_session", lock_session)
        thread.start()
        thread.join()
        return lock_session(**lookup)

    monkeypatch.setattr(hold, "lock_session", confirmed_first)
    assert discard_expired(now=database_now() + timedelta(minutes=6)) == 0
    assert answers == [200]
    session = session_of(invitation)
    assert (session.state, session.failure) == (SessionState.COMPLETED, "")
    assert Connection.objects.get().status == "active"
