"""The attackers of cross-user session fixation: each is stopped before any token request, by the provider's own log."""

from urllib.parse import urlencode

import pytest
from django.http import HttpResponse

from connections.models import AuditEvent, Connection, OutboxEvent, ProviderApp, SessionState, Tenant
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import assert_nothing_left, session_of, token_requests
from tests.factories import Caller, make_caller, make_sandbox_app
from tests.flows import SAME_ORIGIN, EndUser, Invitation, call, completion_code, failure_of, provider_link


@pytest.mark.attack("a link to the widget, sent to a victim", stopped_at="the confirmation")
def test_start_link_sent_to_a_victim_connects_nothing(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    sent_to_alice = mallory.invite()
    code = alice.finish(sent_to_alice)

    arrived = alice.complete(sent_to_alice, code)

    assert (arrived.status_code, arrived.json()["code"]) == (403, "completion_mismatch")
    assert_nothing_left(sent_to_alice, "completion_mismatch")
    assert mallory.complete(sent_to_alice, code).status_code == 410
    assert token_requests(sandbox) == []


def test_a_mismatch_is_told_to_the_operator(mallory: EndUser, alice: EndUser) -> None:
    sent_to_alice = mallory.invite()
    alice.complete(sent_to_alice, alice.finish(sent_to_alice))
    assert OutboxEvent.objects.filter(type="connect_session.mismatch").count() == 1
    refused = AuditEvent.objects.get(action="connect_session.mismatch")
    assert refused.decision == "completion_mismatch"
    assert refused.detail == {"session": sent_to_alice.id, "right_end_user": False}


@pytest.mark.attack("a link to the provider, sent to a victim", stopped_at="the callback: cookie")
def test_provider_link_sent_to_a_victim_is_refused_at_the_callback(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = mallory.invite()
    back = alice.person.authorize(mallory.leave(invitation))

    page = alice.visit(back)

    assert (page.status_code, failure_of(page)) == (400, "no_cookie")
    assert_nothing_left(invitation, "no_cookie")
    assert failure_of(mallory.visit(back)) == "code_burnt"
    assert token_requests(sandbox) == []


@pytest.mark.attack("a link to the provider, sent to a victim who connects", stopped_at="the callback: cookie")
def test_a_victim_in_the_middle_of_a_session_of_their_own_is_no_way_round_the_cookie(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    alice.leave(alice.invite())
    back = alice.person.authorize(mallory.leave(mallory.invite()))
    assert failure_of(alice.visit(back)) == "browser"
    assert token_requests(sandbox) == []


@pytest.mark.attack("a cookie planted in the victim's browser", stopped_at="the click: a new cookie")
def test_a_cookie_planted_in_the_victims_browser_is_not_taken_over(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    """Session fixation: the browser's secret is made anew by the click, whatever the browser holds already."""
    invitation = alice.invite()
    name = f"__Host-latchkey-{invitation.id.replace('-', '')[:16]}"
    alice.browser.cookies[name] = mallory.browser.cookies[name] = "known-to-mallory"

    back = alice.authorize(invitation)

    assert alice.browser.cookies[name].value != "known-to-mallory"
    assert failure_of(mallory.visit(back)) == "browser"
    assert token_requests(sandbox) == []


@pytest.mark.attack("a victim's link, finished from the attacker's login", stopped_at="the confirmation")
def test_finishing_a_victims_session_from_the_attackers_own_login_connects_nothing(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    stolen = alice.invite()
    code = mallory.finish(stolen)

    answer = mallory.complete(stolen, code)

    assert (answer.status_code, answer.json()["code"]) == (403, "completion_mismatch")
    assert_nothing_left(stolen, "completion_mismatch")
    assert failure_of(alice.start(stolen)) == "used"
    assert token_requests(sandbox) == []


@pytest.mark.attack("a victim's code in the attacker's session, with PKCE", stopped_at="the provider: PKCE", sent=1)
def test_a_code_from_the_victims_consent_does_not_fit_the_attackers_session(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    """Code injection: the code reaches the provider, and PKCE refuses it there."""
    victims = dict(pair.split("=", 1) for pair in alice.authorize(alice.invite()).partition("?")[2].split("&"))
    invitation = mallory.invite()
    own = mallory.authorize(invitation)
    own_code = own.partition("code=")[2].partition("&")[0]
    code = completion_code(mallory.visit(own.replace(own_code, victims["code"])))

    answer = mallory.complete(invitation, code)

    assert (answer.status_code, answer.json()["reason"]) == (409, "grant_rejected")
    assert_nothing_left(invitation, "grant_rejected")
    assert [entry.access_issued for entry in token_requests(sandbox)] == [""]


@pytest.mark.attack("a completion code, replayed", stopped_at="the confirmation", own=1)
def test_a_replayed_completion_code_gets_nothing_new(mallory: EndUser, alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    connected = alice.complete(invitation, code)
    assert connected.status_code == 200

    replayed = mallory.complete(invitation, code)

    assert (replayed.status_code, replayed.json()["code"]) == (403, "completion_mismatch")
    assert alice.complete(invitation, code).json() == connected.json()
    assert Connection.objects.get().status == "active"
    assert len(token_requests(sandbox)) == 1


@pytest.mark.attack("a completion code, replayed in another session", stopped_at="the confirmation", own=1)
def test_a_replayed_completion_code_destroys_what_the_other_session_holds(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    alice.complete(invitation, code)
    own = mallory.invite()
    mallory.finish(own)

    assert mallory.complete(own, code).status_code == 403
    assert_nothing_left(own, "completion_mismatch")
    assert len(token_requests(sandbox)) == 1


@pytest.mark.attack("completion codes, crossed", stopped_at="the confirmation")
def test_a_code_crossed_between_two_sessions_destroys_both(
    mallory: EndUser, alice: EndUser, sandbox: SandboxProcess
) -> None:
    hers, his = alice.invite(), mallory.invite()
    her_code, his_code = alice.finish(hers), mallory.finish(his)

    crossed = alice.complete(hers, his_code)

    assert (crossed.status_code, crossed.json()["code"]) == (403, "completion_mismatch")
    assert_nothing_left(hers, "completion_mismatch")
    assert_nothing_left(his, "completion_mismatch")
    assert alice.complete(hers, her_code).status_code == 410
    assert token_requests(sandbox) == []


@pytest.mark.attack("a completion code, guessed", stopped_at="the confirmation")
def test_a_guessed_code_destroys_what_is_held(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    assert alice.complete(invitation, "guess").status_code == 403
    assert alice.complete(invitation, code).status_code == 410
    assert token_requests(sandbox) == []


@pytest.fixture
def other_tenants_user(globex: Tenant, sandbox: SandboxProcess) -> EndUser:
    make_sandbox_app(sandbox, tenant=globex)
    return EndUser("alice", make_caller(globex), tenant="globex")


@pytest.mark.attack("a completion code, used by another tenant", stopped_at="the confirmation", own=1)
def test_another_tenant_cannot_use_the_code_in_a_session_of_its_own(
    alice: EndUser, other_tenants_user: EndUser, sandbox: SandboxProcess
) -> None:
    hers = alice.invite()
    code = alice.finish(hers)
    theirs = other_tenants_user.invite()
    other_tenants_user.finish(theirs)

    crossed = other_tenants_user.complete(theirs, code)

    assert (crossed.status_code, crossed.json()["code"]) == (403, "completion_mismatch")
    assert session_of(theirs).state == SessionState.FAILED
    assert token_requests(sandbox) == []
    assert alice.complete(hers, code).status_code == 200


@pytest.mark.attack("a session, completed by another tenant", stopped_at="the API: not found", own=1)
def test_another_tenant_cannot_complete_a_session_nor_learn_that_it_exists(
    alice: EndUser, other_tenants_user: EndUser, sandbox: SandboxProcess
) -> None:
    hers = alice.invite()
    code = alice.finish(hers)

    foreign = other_tenants_user.complete(hers, code)
    unknown = call(
        other_tenants_user.backend,
        "POST",
        "/connect-sessions/00000000-0000-4000-8000-000000000000/complete",
        {"completion_code": code, "end_user": "alice"},
    )

    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert token_requests(sandbox) == []
    assert alice.complete(hers, code).status_code == 200


@pytest.mark.attack("a session, completed by another API client", stopped_at="the API: not found", own=1)
def test_another_api_client_of_the_tenant_cannot_complete_a_session(
    alice: EndUser, unbound: Caller, sandbox: SandboxProcess
) -> None:
    hers = alice.invite()
    code = alice.finish(hers)
    body = {"completion_code": code, "end_user": "alice"}
    assert call(unbound, "POST", f"/connect-sessions/{hers.id}/complete", body).status_code == 404
    assert token_requests(sandbox) == []
    assert alice.complete(hers, code).status_code == 200


@pytest.mark.attack("the connect token as a completion code", stopped_at="the confirmation")
def test_the_connect_token_is_not_a_completion_code(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    alice.finish(invitation)
    assert alice.complete(invitation, invitation.token).status_code == 403
    assert token_requests(sandbox) == []


def test_a_session_that_nobody_finished_cannot_be_completed(alice: EndUser, app: ProviderApp) -> None:
    for step in ("created", "authorizing"):
        invitation = alice.invite()
        if step == "authorizing":
            alice.leave(invitation)
        answer = alice.complete(invitation, "anything")
        assert (answer.status_code, answer.json()["code"]) == (403, "completion_mismatch")
        assert session_of(invitation).state == step


@pytest.mark.attack("polling for the completion code with the connect token", stopped_at="every page: cookie")
def test_who_has_the_link_cannot_fetch_the_completion_code_with_it(
    alice: EndUser, mallory: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    """mallory knows all that stands in alice's link, and asks every address of the session at every step."""
    invitation = alice.invite()
    answers = poll(mallory, invitation, app)
    back = alice.authorize(invitation)
    answers += poll(mallory, invitation, app)
    code = completion_code(alice.visit(back))
    answers += poll(mallory, invitation, app)
    for answer in answers:
        assert code not in answer.content.decode() + answer.get("Location", "")
        assert not answer.cookies
    assert alice.visit(f"/connect/{invitation.id}/outcome").status_code == 302  # hers does get it


def poll(user: EndUser, invitation: Invitation, app: ProviderApp) -> list[HttpResponse]:
    """Ask every address of a session, with its token, past the click that would consume it."""
    steps = [
        "",
        "/start",
        "/choose",
        f"/method/{app.id}",
        "/device",
        "/device/state",
        "/finish",
        "/outcome",
        "/workspace",
    ]
    asked = [f"/connect/{invitation.id}{step}" for step in [*steps, "/outcome/unknown"]]
    query = {"token": invitation.token, "completion_code": "", "state": invitation.token}
    got = [user.browser.get(path, query, headers=SAME_ORIGIN) for path in asked]
    sent = [user.browser.post(path, query, headers=SAME_ORIGIN) for path in asked if not path.endswith("/start")]
    return [*got, *sent]


@pytest.mark.attack("an open redirect", stopped_at="every page: the session's return URL")
def test_no_parameter_of_a_page_leads_anywhere_else(alice: EndUser, app: ProviderApp, sandbox: SandboxProcess) -> None:
    elsewhere = "https://evil.example/"
    names = ("return_url", "redirect_uri", "redirect_url", "next", "url", "continue", "origin", "back", "target")
    query = dict.fromkeys(names, elsewhere)
    invitation = alice.invite()
    answers = [alice.browser.get(f"/connect/{invitation.id}", query)]
    sent = {**query, "token": invitation.token}
    answers.append(alice.browser.post(f"/connect/{invitation.id}/start", sent, headers=SAME_ORIGIN))
    back = alice.person.authorize(provider_link(answers[-1]))
    steps = ("choose", "device", "start", "finish", "workspace")
    answers += [alice.browser.get(f"/connect/{invitation.id}/{step}", query) for step in steps]
    answers.append(alice.open(f"{back}&{urlencode(query)}"))
    answers.append(alice.browser.get(f"/connect/{invitation.id}/outcome", query))
    answers.append(alice.browser.get("/", query))
    for answer in answers:
        assert "evil.example" not in answer.content.decode() + answer.get("Location", "")
