"""The invitation: its token is used once, by a click, in a window of its own, and no server sees it in an address."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connection as database

from connections.models import ConnectSession, ProviderApp, SessionState, Tenant
from providers.sandbox.client import SandboxProcess
from tests.asgi_client import AsgiClient
from tests.connections.consent.observed import pass_time, row_locked, session_of, token_requests
from tests.connections.consent.visits import invited
from tests.flows import SAME_ORIGIN, EndUser, Invitation, failure_of


def post(browser: AsgiClient, invitation: Invitation, token: str | None = None, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.post(
        f"/connect/{invitation.id}/start", {"token": invitation.token if token is None else token}, headers=sent
    )


def test_the_token_is_random_short_lived_and_kept_as_a_hash_only(alice: EndUser) -> None:
    first, second = alice.invite(), alice.invite()
    assert first.token != second.token
    assert re.fullmatch(rf"{first.id}\.[A-Za-z0-9_-]{{43}}", first.token)  # the session, and 256 bits
    session = session_of(first)
    assert 0 < (session.expires_at - session.created_at).total_seconds() <= 600
    row = " ".join(str(value) for value in ConnectSession.objects.filter(id=first.id).values_list()[0])
    assert first.token not in row
    assert session.token_hash != session_of(second).token_hash


def test_the_token_is_in_no_address_that_a_server_sees(
    alice: EndUser, caplog: pytest.LogCaptureFixture, sandbox: SandboxProcess
) -> None:
    with caplog.at_level(logging.DEBUG):
        invitation = alice.invite()
        address, _, fragment = invitation.connect_url.partition("#")
        assert fragment == invitation.token
        assert address == f"{settings.PUBLIC_URL}/connect/{invitation.id}"
        page = alice.visit(address)
        assert f'action="/connect/{invitation.id}/start"' in page.content.decode()
        left = alice.start(invitation)
        alice.visit(alice.person.authorize(_link(left.content.decode())))
    assert invitation.token not in page.content.decode() + left.content.decode()
    assert invitation.token not in caplog.text
    assert not any(invitation.token in str(entry.as_dict()) for entry in sandbox.control.log())


def _link(page: str) -> str:
    found = re.search(r'id="leave" href="([^"]+)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_scanners_and_reloads_change_nothing(method: str, alice: EndUser) -> None:
    invitation = alice.invite()
    for path in ("", "/start", "/choose", "/logo", "/favicon"):
        for query in ("", f"?token={invitation.token}"):
            answer = getattr(AsgiClient(), method)(f"/connect/{invitation.id}{path}{query}")
            assert not answer.cookies
    assert session_of(invitation).state == SessionState.CREATED
    assert alice.start(invitation).status_code == 200


def test_who_asks_for_the_head_of_a_link_learns_that_it_is_there(alice: EndUser) -> None:
    """Mail programs and link checkers do (RFC 9110 §9.3.2), and take anything else for a dead link."""
    invitation = alice.invite()
    for path in (f"/connect/{invitation.id}", f"/connect/manage/{invited(alice).id}"):
        answer = AsgiClient().head(path)
        assert (answer.status_code, answer.content) == (200, b"")
    assert session_of(invitation).state == SessionState.CREATED


@pytest.mark.attack("a connect token, used again", stopped_at="the click")
def test_the_click_works_once(alice: EndUser) -> None:
    invitation = alice.invite()
    assert alice.start(invitation).status_code == 200
    stranger = EndUser("alice", alice.backend)
    again = stranger.start(invitation)
    assert (again.status_code, failure_of(again)) == (410, "used")
    landing = stranger.visit(invitation.connect_url.partition("#")[0])
    assert (landing.status_code, failure_of(landing)) == (410, "used")


def test_who_clicks_twice_or_goes_back_to_the_link_goes_on(alice: EndUser) -> None:
    invitation = alice.invite()
    alice.start(invitation)
    for page in (alice.follow(alice.start(invitation)), alice.visit(invitation.connect_url.partition("#")[0])):
        assert (page.status_code, failure_of(page)) == (200, "not_finished")
        assert f'href="/connect/{invitation.id}/choose"' in page.content.decode()


def test_of_simultaneous_clicks_one_is_taken(alice: EndUser) -> None:
    invitation = alice.invite()

    def click() -> tuple[int, int]:
        answer = post(AsgiClient(), invitation, sec_fetch_site="same-origin")
        database.close()
        return answer.status_code, len(answer.cookies)

    with ThreadPoolExecutor() as pool:
        with row_locked(invitation) as wait_for:
            clicks = [pool.submit(click) for _ in range(3)]
            wait_for(3)
        assert sorted(each.result() for each in clicks) == [(200, 1), (410, 0), (410, 0)]


@pytest.mark.parametrize("token", ["", "wrong", "\x00", "é" * 50, "x" * 100_000])
@pytest.mark.attack("a connect token, guessed", stopped_at="the click")
def test_a_wrong_token_is_refused_and_leaves_the_link_good(token: str, alice: EndUser) -> None:
    invitation = alice.invite()
    answer = post(alice.browser, invitation, token, **{"sec-fetch-site": "same-origin"})
    assert (answer.status_code, failure_of(answer)) == (410, "unknown")
    assert not answer.cookies
    assert alice.start(invitation).status_code == 200


@pytest.mark.attack("a connect token of another session", stopped_at="the click")
def test_another_sessions_token_is_refused(alice: EndUser) -> None:
    first, second = alice.invite(), alice.invite()
    answer = post(alice.browser, first, second.token, **{"sec-fetch-site": "same-origin"})
    assert failure_of(answer) == "unknown"
    assert {session_of(first).state, session_of(second).state} == {SessionState.CREATED}


@pytest.mark.attack("a connect token, expired", stopped_at="the click")
def test_an_expired_link_is_refused(alice: EndUser) -> None:
    invitation = alice.invite()
    pass_time(invitation, minutes=10)
    for answer in (alice.visit(invitation.connect_url.partition("#")[0]), alice.start(invitation)):
        assert (answer.status_code, failure_of(answer)) == (410, "expired")
    assert session_of(invitation).state == SessionState.CREATED


def test_a_suspended_tenants_link_is_refused(alice: EndUser, acme: Tenant, switch_off: Any) -> None:
    invitation, started = alice.invite(), alice.invite()
    alice.leave(started)
    switch_off(acme)
    assert failure_of(alice.start(invitation)) == "suspended"
    app_id = session_of(started).provider_app_id
    assert failure_of(alice.visit(f"/connect/{started.id}/method/{app_id}")) == "suspended"


def test_a_suspended_provider_app_is_not_offered(
    alice: EndUser, app: ProviderApp, switch_off: Any, switch_on: Any
) -> None:
    invitation = alice.invite()
    switch_off(app)
    assert alice.start(invitation).status_code == 303
    page = alice.visit(f"/connect/{invitation.id}/choose").content.decode()
    assert "Nothing can be connected at the moment" in page
    assert failure_of(alice.visit(f"/connect/{invitation.id}/method/{app.id}")) == "unknown"
    switch_on(app)
    assert alice.visit(f"/connect/{invitation.id}/method/{app.id}").status_code == 200


def test_an_unknown_link_is_refused(alice: EndUser) -> None:
    page = alice.visit("/connect/00000000-0000-4000-8000-000000000000")
    assert (page.status_code, failure_of(page)) == (404, "unknown")


def test_the_cookie_is_for_this_host_alone_and_no_script_reads_it(alice: EndUser) -> None:
    invitation = alice.invite()
    (cookie,) = alice.start(invitation).cookies.values()
    assert cookie.key.startswith("__Host-")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", cookie.value)
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert 30 * 60 < int(cookie["max-age"]) <= 45 * 60
    session = session_of(invitation)
    assert cookie.value.encode() not in bytes(session.browser_hash or b"")


def test_two_sessions_in_one_browser_do_not_disturb_each_other(alice: EndUser) -> None:
    first, second = alice.invite(), alice.invite()
    backs = [alice.authorize(first), alice.authorize(second)]
    assert [alice.visit(back).status_code for back in backs] == [302, 302]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "http://testserver.evil.example"},
        {"sec_fetch_site": "cross-site", "origin": "http://testserver"},
    ],
    ids=str,
)
@pytest.mark.attack("a click sent by another site", stopped_at="the click: sender")
def test_a_form_of_another_site_is_refused(headers: dict[str, str], alice: EndUser, app: ProviderApp) -> None:
    invitation = alice.invite()
    answer = post(alice.browser, invitation, **headers)
    assert (answer.status_code, failure_of(answer)) == (403, "foreign_form")
    assert session_of(invitation).state == SessionState.CREATED
    alice.start(invitation)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = alice.browser.post(f"/connect/{invitation.id}/method/{app.id}", headers=sent)
    assert failure_of(answer) == "foreign_form"


@pytest.mark.parametrize("destination", ["iframe", "frame", "embed", "object"])
@pytest.mark.attack("a click in a frame", stopped_at="the click: frame")
def test_a_framed_start_is_refused_and_leaves_the_link_good(destination: str, alice: EndUser) -> None:
    invitation = alice.invite()
    answer = post(alice.browser, invitation, **SAME_ORIGIN | {"sec-fetch-dest": destination})
    assert failure_of(answer) == "framed"
    assert not answer.cookies
    assert session_of(invitation).state == SessionState.CREATED


def test_a_frame_of_a_product_on_the_same_site_goes_nowhere(alice: EndUser, acme: Tenant) -> None:
    """There the frame gets the cookie, and would be led to a page that nobody may frame: it stayed empty."""
    invitation = alice.invite(origin="https://app.acme.example")
    alice.start(invitation)
    framed = alice.browser.get(f"/connect/{invitation.id}", headers={"sec-fetch-dest": "iframe"})
    assert framed.status_code == 200 and 'data-part="lost"' in framed.content.decode()
    ConnectSession.objects.filter(id=invitation.id).update(state=SessionState.FAILED)
    framed = alice.browser.get(f"/connect/{invitation.id}", headers={"sec-fetch-dest": "iframe"})
    assert failure_of(framed) == "used"
    assert "frame-ancestors https://app.acme.example" in framed["Content-Security-Policy"]


def test_every_step_after_the_click_needs_its_browser(
    alice: EndUser, mallory: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    invitation = alice.invite()
    alice.start(invitation)
    for path in ("choose", f"method/{app.id}"):
        assert failure_of(mallory.visit(f"/connect/{invitation.id}/{path}")) == "no_cookie"
    answer = mallory.browser.post(f"/connect/{invitation.id}/method/{app.id}", headers=SAME_ORIGIN)
    assert failure_of(answer) == "no_cookie"
    mallory.start(mallory.invite())
    for path in ("choose", f"method/{app.id}"):
        assert failure_of(mallory.visit(f"/connect/{invitation.id}/{path}")) == "browser"
    assert token_requests(sandbox) == []
