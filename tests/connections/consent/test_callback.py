"""The authorization response: every check stands before the token request."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.db import connection as database
from django.http import HttpResponse

from connections.models import AuditEvent, Connection, DataKey, ProviderApp, SessionState, Tenant
from connections.models.failures import Failure
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import assert_nothing_left, pass_time, row_locked, session_of, token_requests
from tests.connections.consent.steps import leave_again
from tests.factories import ORIGIN, Caller, make_sandbox_app
from tests.flows import EndUser, Invitation, completion_code, failure_of


def changed(url: str, **changes: str | None) -> str:
    """Return ``url`` with query parameters replaced, or left out for None."""
    given = dict(parse_qsl(urlsplit(url).query)) | changes
    return f"{url.partition('?')[0]}?{urlencode({name: value for name, value in given.items() if value is not None})}"


def assert_refused(
    page: HttpResponse, invitation: Invitation, failure: str, sandbox: SandboxProcess, *, status: int = 400
) -> None:
    assert (page.status_code, failure_of(page)) == (status, failure)
    assert_nothing_left(invitation, failure)
    assert AuditEvent.objects.filter(action="callback.refused", decision=failure).count() == 1
    assert token_requests(sandbox) == []


def another_try(user: EndUser, invitation: Invitation) -> str:
    """Press "Try again", and return the address of the next answer."""
    choices = user.visit(f"/connect/{invitation.id}/choose")
    choice = re.search(r'action="(/connect/[^"]+/method/[^"]+)"', choices.content.decode())
    assert choice is not None
    return user.person.authorize(leave_again(user, choice[1]))


def assert_open_again(
    page: HttpResponse, invitation: Invitation, failure: str, sandbox: SandboxProcess, *, names_state: bool = True
) -> None:
    """Assert that the page has the tenant's brand and both ways on, and that the next try may begin."""
    text = page.content.decode()
    assert (page.status_code, failure_of(page)) == (400, failure)
    assert "<strong>Acme</strong>" in text
    assert f'href="/connect/{invitation.id}/choose"' in text
    assert f"connect_session={invitation.id}&amp;error={failure}" in text
    session = session_of(invitation)
    expected = (SessionState.STARTED, failure) if names_state else (SessionState.AUTHORIZING, "")
    assert (session.state, session.failure, session.held) == (*expected, None)
    assert token_requests(sandbox) == []


def test_refuses_an_answer_at_another_provider_apps_path(
    alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    shared = make_sandbox_app(sandbox)
    invitation = alice.invite()
    back = alice.authorize(invitation)
    page = alice.visit(back.replace(str(app.id), str(shared.id)))
    assert_refused(page, invitation, "callback", sandbox)


def test_refuses_an_answer_at_the_path_of_no_provider_app(
    alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)
    page = alice.visit(back.replace(str(app.id), "00000000-0000-4000-8000-000000000000"))
    assert_refused(page, invitation, "callback", sandbox)


@pytest.mark.parametrize(
    "iss",
    ["https://evil.example", "", "{issuer}/", "{issuer}#", "{upper}"],
    ids=["another", "empty", "with a slash", "with a fragment", "in capitals"],
)
def test_refuses_a_wrong_issuer(iss: str, alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)
    iss = iss.format(issuer=sandbox.url, upper=sandbox.url.upper())
    assert_refused(alice.visit(changed(back, iss=iss)), invitation, "issuer", sandbox)


def test_refuses_a_missing_issuer_where_the_catalogue_requires_it(alice: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("wrong_iss", endpoint="authorize")
    invitation = alice.invite()
    assert_refused(alice.visit(alice.authorize(invitation)), invitation, "issuer", sandbox)


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_refuses_a_parameter_that_is_given_twice(name: str, alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)
    given = dict(parse_qsl(urlsplit(back).query)) | {"error": "access_denied"}
    page = alice.visit(f"{back}&{urlencode({name: given[name]})}&{urlencode({name: given[name]})}")
    assert_open_again(page, invitation, "repeated_parameter", sandbox, names_state=name != "state")


def test_of_simultaneous_answers_one_is_taken(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)

    def visit() -> int:
        status = alice.visit(back).status_code
        database.close()
        return status

    with ThreadPoolExecutor() as pool:
        with row_locked(invitation) as wait_for:
            visits = [pool.submit(visit) for _ in range(2)]
            wait_for(2)
        assert [each.result() for each in visits] == [302, 302]
    assert AuditEvent.objects.filter(action="connect_session.held").count() == 1
    assert Connection.objects.count() == 1
    assert token_requests(sandbox) == []


def test_a_state_is_consumed_by_a_refused_answer_too(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)
    alice.visit(changed(back, iss="https://evil.example"))
    assert failure_of(alice.visit(back)) == "issuer"
    assert session_of(invitation).state == SessionState.FAILED
    assert token_requests(sandbox) == []


@pytest.mark.attack("a state, fixed by an earlier try", stopped_at="the callback: state")
def test_the_state_of_an_earlier_try_no_longer_works(alice: EndUser, sandbox: SandboxProcess, app: ProviderApp) -> None:
    invitation = alice.invite()
    first = alice.leave(invitation)
    again = leave_again(alice, f"/connect/{invitation.id}/method/{app.id}")
    assert failure_of(alice.visit(alice.person.authorize(first))) == "state"
    assert completion_code(alice.visit(alice.person.authorize(again)))


@pytest.mark.parametrize(
    ("state", "failure"),
    [(None, "no_state"), ("", "no_state"), ("unknown", "state"), ("\x00", "state"), ("x" * 10_000, "too_long")],
)
@pytest.mark.attack("a state, made up or left out", stopped_at="the callback: state")
def test_an_answer_that_was_not_asked_for_changes_nothing(
    state: str | None, failure: str, alice: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)
    page = alice.visit(changed(back, state=state))
    assert_open_again(page, invitation, failure, sandbox, names_state=False)
    assert completion_code(alice.visit(back))


def test_refuses_the_answer_of_a_session_that_took_too_long(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)
    pass_time(invitation, minutes=30)
    assert_refused(alice.visit(back), invitation, "expired", sandbox, status=410)


@pytest.mark.parametrize(
    ("code", "failure"), [(None, "no_code"), ("", "no_code"), ("x" * 4097, "too_long"), ("x" * 100_000, "too_long")]
)
def test_an_answer_without_a_code_leaves_the_session_open(
    code: str | None, failure: str, alice: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = alice.invite()
    page = alice.visit(changed(alice.authorize(invitation), code=code))
    assert_open_again(page, invitation, failure, sandbox)
    assert alice.complete(invitation, completion_code(alice.visit(another_try(alice, invitation)))).status_code == 200


def test_a_refusal_may_leave_the_issuer_out_and_can_be_tried_again(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation, allow=False)
    alice.visit(changed(back, iss=None))
    assert not sandbox.control.log(path="/token")
    assert alice.connect()["status"] == "active"


def test_a_refusal_by_the_person_needs_cookie_and_issuer_as_well(alice: EndUser, mallory: EndUser) -> None:
    for browser, changes, failure in ((mallory, {}, "no_cookie"), (alice, {"iss": "https://evil.example"}, "issuer")):
        invitation = alice.invite()
        back = changed(alice.authorize(invitation, allow=False), **changes)
        assert failure_of(browser.visit(back)) == failure
        assert session_of(invitation).state == SessionState.FAILED


def test_who_denies_access_may_try_again(alice: EndUser, app: ProviderApp, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    page = alice.visit(alice.authorize(invitation, allow=False))
    assert page.status_code == 200
    assert "You did not allow access" in page.content.decode()
    assert session_of(invitation).failure == "access_denied"
    assert f'href="https://app.acme.example/connected?connect_session={invitation.id}&amp;error=access_denied"' in (
        page.content.decode()
    )

    code = completion_code(alice.visit(another_try(alice, invitation)))

    assert alice.complete(invitation, code).status_code == 200
    assert len(token_requests(sandbox)) == 1


def test_an_error_text_of_the_providers_is_neither_shown_nor_kept(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    planted = "<script>alert(1)</script>"
    page = alice.visit(changed(alice.authorize(invitation, allow=False), error=planted, error_description=planted))
    assert page.status_code == 200
    assert "alert(1)" not in page.content.decode()
    assert session_of(invitation).failure == "server_error"


def test_an_answer_by_form_post_comes_in_again_by_a_get(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    answer = alice.person.decide(changed(alice.leave(invitation), response_mode="form_post"))
    fields = dict(re.findall(r'name="(code|state|iss)" value="([^"]+)"', answer.text))
    action = re.search(r'action="([^"]+)"', answer.text)
    assert action is not None
    assert set(fields) == {"code", "state", "iss"}

    cookies, alice.browser.cookies = alice.browser.cookies, type(alice.browser.cookies)()  # a cross-site POST
    posted = alice.browser.post(urlsplit(action[1]).path, fields, headers={"sec-fetch-site": "cross-site"})
    alice.browser.cookies = cookies

    assert posted.status_code == 303
    assert posted["Location"].startswith("/connect/callback/")
    code = completion_code(alice.visit(posted["Location"]))
    assert alice.complete(invitation, code).status_code == 200


def test_a_form_post_with_a_parameter_twice_is_refused(alice: EndUser, app: ProviderApp) -> None:
    back = dict(parse_qsl(urlsplit(alice.authorize(alice.invite())).query))
    posted = alice.browser.post(f"/connect/callback/{app.id}", back | {"code": [back["code"], "other"]})
    assert failure_of(alice.visit(posted["Location"])) == "repeated_parameter"


def test_a_suspended_tenant_gets_no_token(
    alice: EndUser, acme: Tenant, sandbox: SandboxProcess, switch_off: Callable[[object], None]
) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    switch_off(acme)
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (423, "suspended")
    assert token_requests(sandbox) == []


def test_a_suspended_provider_app_gets_no_token(
    alice: EndUser, app: ProviderApp, sandbox: SandboxProcess, switch_off: Callable[[object], None]
) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    switch_off(app)
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (423, "suspended")
    assert token_requests(sandbox) == []


def test_a_fault_of_the_operators_consumes_the_state_and_leaves_the_session_open(
    alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    """Here: the provider's entry went from the catalogue while alice was at the provider."""
    invitation = alice.invite()
    back = alice.authorize(invitation)
    ProviderApp.objects.filter(id=app.id).update(provider="gone")
    for _ in range(2):
        page = alice.visit(back)
        assert (page.status_code, failure_of(page)) == (502, "app_misconfigured")
        assert "error=app_misconfigured" in page.content.decode()
    session = session_of(invitation)
    assert (session.state, session.failure, session.held) == (SessionState.STARTED, "app_misconfigured", None)
    ProviderApp.objects.filter(id=app.id).update(provider="sandbox")
    assert failure_of(alice.visit(back)) == "app_misconfigured"
    assert completion_code(alice.visit(another_try(alice, invitation)))
    assert token_requests(sandbox) == []


def test_a_key_that_is_missing_consumes_the_state_and_holds_nothing(
    backend: Caller, acme: Tenant, sandbox: SandboxProcess
) -> None:
    make_sandbox_app(sandbox)  # the operator's: its client secret opens
    alice = EndUser("alice", backend)
    invitation = alice.invite()
    back = alice.authorize(invitation)
    DataKey.objects.filter(tenant=acme).update(kek_id="lost")
    assert failure_of(alice.visit(back)) == "credential_unreadable"
    session = session_of(invitation)
    assert (session.state, session.failure, session.held) == (SessionState.STARTED, "credential_unreadable", None)
    assert Connection.objects.count() == 0
    assert failure_of(alice.visit(back)) == "credential_unreadable"


def test_the_redirects_of_a_window_leave_it_with_its_opener(alice: EndUser, app: ProviderApp) -> None:
    invitation = alice.invite(origin=ORIGIN.format(slug="acme"))
    posted = alice.browser.post(f"/connect/callback/{app.id}", {"code": "c", "state": "s"})
    redirected = alice.open(alice.authorize(invitation))
    for answer in (posted, redirected, alice.follow(redirected)):
        assert answer["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert (posted.status_code, redirected.status_code) == (303, 303)


def test_every_failure_has_a_page_at_its_address(alice: EndUser, app: ProviderApp) -> None:
    """Addresses can be typed: no word is left unfilled, and no stranger sees a brand."""
    invitation = alice.invite()
    alice.leave(invitation)
    for failure in Failure:
        page = alice.visit(f"/connect/{invitation.id}/outcome/{failure}")
        assert failure_of(page) == failure
        assert "{" not in page.content.decode().partition("<main")[2]
        stranger = alice.visit(f"/connect/callback/{app.id}/{failure}")
        assert failure_of(stranger) == failure
        assert "Acme" not in stranger.content.decode()
    assert failure_of(alice.visit(f"/connect/{invitation.id}/outcome/nonsense")) == "not_finished"
