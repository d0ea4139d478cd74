"""The page with a code to enter at the provider: what it shows, how it goes on, and how often anybody is asked."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection as database
from django.http import HttpResponse

from connections.database.clock import database_now
from connections.lifecycle.connect.hold import discard_expired
from connections.models import AuditEvent, Connection, ConnectSession, ProviderApp, SessionState, Tenant
from connections.models.failures import Failure
from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from providers.sandbox.registry import DEVICE_GRANT
from providers.sandbox.waiting import until
from tests.asgi_client import AsgiClient
from tests.connections.consent.codes import (
    code_on,
    enter,
    let_code_run_out,
    link_with_code,
    pass_interval,
    show_code,
)
from tests.connections.consent.steps import submit
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, Invitation, completion_code, failure_of, return_link


@pytest.fixture
def app(sandbox: SandboxProcess, acme: Tenant) -> ProviderApp:
    """acme's app of this style at the sandbox, which does not look at the clock between two polls: these tests do."""
    sandbox.control.settings(device_interval=0)
    return make_sandbox_app(sandbox, tenant=acme, style=DeviceAuthorizationMethod.style)


@pytest.fixture
def alice(backend: Caller, app: ProviderApp) -> EndUser:
    return EndUser("alice", backend)


@pytest.fixture
def shown(alice: EndUser) -> Invitation:
    """A session whose code is shown to alice."""
    invitation = alice.invite()
    show_code(alice, invitation)
    return invitation


def page_of(user: EndUser, invitation: Invitation) -> HttpResponse:
    return user.open(f"/connect/{invitation.id}/device")


def state_of(user: EndUser, invitation: Invitation) -> dict[str, object]:
    answer = user.open(f"/connect/{invitation.id}/device/state")
    assert answer["Content-Type"] == "application/json"
    told: dict[str, object] = json.loads(answer.content)
    return told


def session_of(invitation: Invitation) -> ConnectSession:
    return ConnectSession.objects.get(id=invitation.id)


def polls(sandbox: SandboxProcess) -> list[str]:
    return [entry.outcome for entry in sandbox.control.log(endpoint="token", grant_type=DEVICE_GRANT)]


def test_the_page_shows_the_code_and_where_to_enter_it(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    page = show_code(alice, invitation)
    text, code = page.content.decode(), code_on(page)
    assert link_with_code(page) == f"{sandbox.url}/device?user_code={code}"
    assert f'href="{sandbox.url}/device"' in text
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in text
    assert 'src="/static/connect/device.js" defer' in text
    assert "connect-src 'self'" in page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["Cache-Control"] == "no-store"
    device_code = sandbox.control.log(endpoint="device_authorization")[0]
    assert device_code.outcome == "code_issued"
    assert "sbd_" not in text, "the device code is ours alone"


def test_no_other_page_of_the_widget_may_ask_by_script(alice: EndUser, app: ProviderApp) -> None:
    invitation = alice.invite()
    landing = alice.open(f"/connect/{invitation.id}")
    assert "connect-src 'none'" in landing["Content-Security-Policy"]


def test_the_landing_page_says_what_comes(alice: EndUser) -> None:
    page = alice.open(f"/connect/{alice.invite().id}").content.decode()
    assert "You will get a code to enter at Sandbox" in page


def test_it_waits_and_goes_on_when_the_end_user_has_allowed_it(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess
) -> None:
    link = link_with_code(page_of(alice, shown))
    pass_interval(shown)
    assert state_of(alice, shown) == {"wait": 5}
    enter(alice, link)
    pass_interval(shown)
    assert state_of(alice, shown) == {"go": f"/connect/{shown.id}/outcome"}
    assert polls(sandbox) == ["authorization_pending", "issued"]
    code = completion_code(alice.open(f"/connect/{shown.id}/outcome"))
    assert alice.complete(shown, code).json()["connection"]["status"] == "active"


def test_without_script_the_page_itself_goes_on(alice: EndUser, shown: Invitation) -> None:
    enter(alice, link_with_code(page_of(alice, shown)))
    pass_interval(shown)
    assert completion_code(page_of(alice, shown))


def test_the_token_is_sealed_at_once_and_waits_for_the_confirmation(alice: EndUser, shown: Invitation) -> None:
    enter(alice, link_with_code(page_of(alice, shown)))
    pass_interval(shown)
    state_of(alice, shown)
    session = session_of(shown)
    assert (session.state, session.poll_at) == (SessionState.HELD, None)
    assert session.connection is not None
    assert session.connection.status == "pending"
    with database.cursor() as cursor:
        cursor.execute("SELECT held FROM connections_connectsession")
        assert b"sba_" not in bytes(cursor.fetchone()[0])
    assert alice.vend(str(session.connection_id)).json()["code"] == "pending"


def test_another_user_at_the_operators_gets_nothing(alice: EndUser, shown: Invitation) -> None:
    enter(alice, link_with_code(page_of(alice, shown)))
    pass_interval(shown)
    code = completion_code(page_of(alice, shown))
    assert alice.complete(shown, code, end_user="mallory").json()["code"] == "completion_mismatch"
    assert not Connection.objects.exists()


# --- How often the provider is asked ----------------------------------------------------------------------------------
def test_nobody_is_asked_before_the_interval_is_over(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess
) -> None:
    for _ in range(5):
        page_of(alice, shown)
        wait = state_of(alice, shown)["wait"]
        assert isinstance(wait, int)
        assert 1 <= wait <= 5
    assert polls(sandbox) == []


def test_two_tabs_ask_no_more_often_than_one(alice: EndUser, shown: Invitation, sandbox: SandboxProcess) -> None:
    sandbox.control.settings(delay_seconds={"token": 0.5})
    pass_interval(shown)
    threads = [threading.Thread(target=_ask, args=(alice, shown)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert polls(sandbox) == ["authorization_pending"]
    assert "wait" in state_of(alice, shown)
    assert len(polls(sandbox)) == 1


def _ask(alice: EndUser, shown: Invitation) -> None:
    browser = AsgiClient()
    browser.cookies = alice.browser.cookies
    browser.get(f"/connect/{shown.id}/device/state")
    database.close()


def test_a_provider_that_wants_to_be_asked_less_often_is(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess
) -> None:
    for expected in (10, 15):
        sandbox.control.fault("error", grant_type=DEVICE_GRANT, error="slow_down")
        pass_interval(shown)
        assert state_of(alice, shown) == {"wait": expected}
    pass_interval(shown)
    assert state_of(alice, shown) == {"wait": 15}, "the longer interval stays"


@pytest.mark.parametrize("fault", ["lost_response", "status", "html", "empty_body", "truncated_json"])
def test_a_provider_that_gives_no_answer_is_asked_less_often_and_nothing_ends(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess, fault: str
) -> None:
    sandbox.control.fault(fault, grant_type=DEVICE_GRANT)
    pass_interval(shown)
    assert state_of(alice, shown) == {"wait": 5 if fault == "truncated_json" else 10}
    enter(alice, link_with_code(page_of(alice, shown)))
    pass_interval(shown)
    assert completion_code(page_of(alice, shown))


def test_retry_after_is_obeyed(alice: EndUser, shown: Invitation, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("rate_limited", grant_type=DEVICE_GRANT, retry_after=40)
    pass_interval(shown)
    assert state_of(alice, shown) == {"wait": 40}


# --- How it ends otherwise --------------------------------------------------------------------------------------------
def test_who_denies_it_is_told_so_and_may_try_again(alice: EndUser, shown: Invitation) -> None:
    enter(alice, link_with_code(page_of(alice, shown)), allow=False)
    pass_interval(shown)
    page = alice.follow(page_of(alice, shown))
    assert "You did not allow access" in page.content.decode()
    assert f"/connect/{shown.id}/choose" in page.content.decode()
    assert failure_of(page) == "access_denied"
    assert (session_of(shown).state, session_of(shown).code_verifier) == (SessionState.STARTED, None)


@pytest.mark.parametrize("who", ["the provider", "the clock"])
def test_a_code_that_has_run_out_is_told_and_a_new_one_can_be_had(
    alice: EndUser, shown: Invitation, app: ProviderApp, sandbox: SandboxProcess, who: str
) -> None:
    first = code_on(page_of(alice, shown))
    if who == "the provider":
        sandbox.control.fault("error", grant_type=DEVICE_GRANT, error="expired_token")
        pass_interval(shown)
    else:
        let_code_run_out(shown)
    page = alice.follow(page_of(alice, shown))
    assert failure_of(page) == Failure.CODE_RUN_OUT
    again = alice.follow(submit(alice, f"/connect/{shown.id}/method/{app.id}"))
    assert code_on(again) != first
    enter(alice, link_with_code(again))
    pass_interval(shown)
    assert completion_code(page_of(alice, shown))


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("invalid_client", Failure.APP_MISCONFIGURED),
        ("invalid_grant", Failure.CODE_RUN_OUT),
        ("authorization_declined", "access_denied"),
        ("invalid_scope", "invalid_scope"),
    ],
)
def test_each_refusal_is_told_as_what_it_is(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess, fault: str, failure: str
) -> None:
    sandbox.control.fault("error", grant_type=DEVICE_GRANT, error=fault)
    pass_interval(shown)
    assert failure_of(alice.follow(page_of(alice, shown))) == failure
    assert session_of(shown).state == SessionState.STARTED


def test_a_new_code_takes_the_place_of_an_earlier_one(
    alice: EndUser, shown: Invitation, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    first = page_of(alice, shown)
    second = alice.follow(submit(alice, f"/connect/{shown.id}/method/{app.id}"))
    assert code_on(second) != code_on(first)
    enter(alice, link_with_code(first))
    pass_interval(shown)
    assert "wait" in state_of(alice, shown), "only the new code counts"


def test_a_provider_that_shows_no_code_is_told_and_the_button_can_be_pressed_again(
    alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    invitation = alice.invite()
    sandbox.control.fault("status", endpoint="device_authorization", status=503)
    page = alice.start(invitation)
    assert page.status_code == 503
    assert "cannot be reached" in page.content.decode()
    again = alice.follow(submit(alice, f"/connect/{invitation.id}/method/{app.id}"))
    assert code_on(again)


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_scope"])
def test_a_refused_registration_is_the_operators_to_mend(
    alice: EndUser, app: ProviderApp, sandbox: SandboxProcess, error: str
) -> None:
    invitation = alice.invite()
    sandbox.control.fault("error", endpoint="device_authorization", error=error)
    page = alice.start(invitation)
    assert (page.status_code, failure_of(page)) == (502, Failure.APP_MISCONFIGURED)


def test_another_browser_neither_sees_the_code_nor_asks(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess
) -> None:
    code = code_on(page_of(alice, shown))
    stranger = EndUser("mallory", alice.backend)
    pass_interval(shown)
    page = page_of(stranger, shown)
    assert page.status_code == 410
    assert code not in page.content.decode()
    assert state_of(stranger, shown) == {"go": f"/connect/{shown.id}/device"}
    assert polls(sandbox) == []


def test_a_kill_switch_stops_the_polls(
    alice: EndUser, shown: Invitation, app: ProviderApp, sandbox: SandboxProcess, switch_off: Callable[..., None]
) -> None:
    switch_off(app)
    pass_interval(shown)
    page = page_of(alice, shown)
    assert (page.status_code, failure_of(page)) == (410, Failure.SUSPENDED)
    assert polls(sandbox) == []


def test_a_code_of_other_endpoints_is_sent_nowhere(
    alice: EndUser, shown: Invitation, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    ProviderApp.objects.filter(id=app.id).update(params={"issuer": "http://127.0.0.1:9"}, secrets=None)
    pass_interval(shown)
    assert page_of(alice, shown).status_code == 502
    assert polls(sandbox) == []


def test_what_comes_after_another_way_was_taken_is_not_put_in_its_place(
    alice: EndUser, shown: Invitation, acme: Tenant, sandbox: SandboxProcess
) -> None:
    keys = make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)
    enter(alice, link_with_code(page_of(alice, shown)))
    sandbox.control.settings(delay_seconds={"token": 2})
    pass_interval(shown)
    asking = threading.Thread(target=_ask, args=(alice, shown))
    asking.start()
    until(lambda: bool(sandbox.control.log(endpoint="token")), "the poll")
    held = submit(alice, f"/connect/{shown.id}/method/{keys.id}", api_key=sandbox.control.api_key("alice"))
    asking.join()
    assert alice.complete(shown, completion_code(held)).status_code == 200
    assert AuditEvent.objects.get(action="connect_session.dropped").decision == "held"
    assert Connection.objects.get().provider_app == keys


def test_what_comes_while_the_browser_looks_at_other_ways_is_held(
    alice: EndUser, shown: Invitation, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    enter(alice, link_with_code(page_of(alice, shown)))
    sandbox.control.settings(delay_seconds={"token": 1})
    pass_interval(shown)
    asking = threading.Thread(target=_ask, args=(alice, shown))
    asking.start()
    until(lambda: bool(sandbox.control.log(endpoint="token")), "the poll")
    alice.follow(submit(alice, f"/connect/{shown.id}/method/{app.id}"))
    asking.join()
    assert session_of(shown).state == SessionState.HELD
    code = completion_code(alice.open(f"/connect/{shown.id}/outcome"))
    assert alice.complete(shown, code).status_code == 200


def test_a_token_that_cannot_be_read_is_kept_and_read_once_the_entry_is_mended(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess
) -> None:
    enter(alice, link_with_code(page_of(alice, shown)))
    odd = json.dumps({"data": {"accessToken": "sba_odd-token-of-a-longer-kind"}})
    sandbox.control.fault("status", grant_type=DEVICE_GRANT, status=200, body=odd, content_type="application/json")
    pass_interval(shown)
    code = completion_code(page_of(alice, shown))
    refused = alice.complete(shown, code)
    assert (refused.status_code, refused.json()["code"]) == (502, "answer_unreadable")
    assert session_of(shown).state == SessionState.HELD


def test_a_session_that_runs_out_while_it_waits_holds_nothing(
    alice: EndUser, shown: Invitation, sandbox: SandboxProcess
) -> None:
    ConnectSession.objects.update(browser_expires_at=database_now() - timedelta(seconds=1))
    pass_interval(shown)
    assert page_of(alice, shown).status_code == 410
    assert discard_expired(now=database_now()) == 1
    session = session_of(shown)
    assert (session.state, session.poll_at, session.code_verifier) == (SessionState.FAILED, None, None)
    assert polls(sandbox) == []


def test_without_a_confirmation_the_same_page_connects(unbound: Caller, app: ProviderApp) -> None:
    alice = EndUser("alice", unbound)
    invitation = alice.invite(binding="none")
    page = show_code(alice, invitation)
    enter(alice, link_with_code(page))
    pass_interval(invitation)
    assert "connection=" in return_link(page_of(alice, invitation))
    assert Connection.objects.get().status == "active"


def test_a_reload_of_the_choice_leads_back_to_the_code(alice: EndUser, shown: Invitation) -> None:
    page = alice.visit(f"/connect/{shown.id}/outcome")
    assert code_on(page) == code_on(page_of(alice, shown))
