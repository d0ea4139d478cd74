"""A browser that keeps no cookie is told that, with what to do; one that keeps others has not begun this session."""

import pytest

from connections.models import AuditEvent, ProviderApp, SessionState
from providers.sandbox.client import SandboxProcess
from tests.asgi_client import AsgiClient
from tests.connections.consent.choosing import fields_of
from tests.connections.consent.observed import pass_time, session_of, token_requests
from tests.flows import SAME_ORIGIN, EndUser, failure_of


def forget_cookies(user: EndUser) -> None:
    """Do what a browser does that was told to keep none."""
    user.browser = AsgiClient()


def test_the_page_says_what_to_do(alice: EndUser, app: ProviderApp) -> None:
    invitation = alice.invite()
    alice.start(invitation)
    forget_cookies(alice)
    page = alice.visit(f"/connect/{invitation.id}/method/{app.id}")
    assert (page.status_code, failure_of(page)) == (410, "no_cookie")
    for words in (
        "Your browser did not keep a cookie",
        "Allow cookies for this site",
        "Acme",
        "error=no_cookie",
    ):
        assert words in page.content.decode()


def test_the_callback_says_it_and_holds_nothing(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite()
    back = alice.authorize(invitation)
    forget_cookies(alice)
    assert failure_of(alice.visit(back)) == "no_cookie"
    session = session_of(invitation)
    assert (session.state, session.failure, session.held) == (SessionState.FAILED, "no_cookie", None)
    assert AuditEvent.objects.get(action="callback.refused").decision == "no_cookie"
    assert token_requests(sandbox) == []


def test_a_browser_that_keeps_other_cookies_of_ours_is_another_browser(alice: EndUser, mallory: EndUser) -> None:
    mallory.start(mallory.invite())
    assert failure_of(mallory.visit(alice.authorize(alice.invite()))) == "browser"


def test_a_cookie_that_is_not_ours_proves_nothing(alice: EndUser, mallory: EndUser) -> None:
    mallory.browser.cookies["sessionid"] = "of another program on this host"
    assert failure_of(mallory.visit(alice.authorize(alice.invite()))) == "no_cookie"


def test_after_its_time_the_cookie_is_gone_because_of_that(alice: EndUser) -> None:
    """The browser itself has dropped it: nothing is wrong with the browser."""
    invitation = alice.invite()
    back = alice.authorize(invitation)
    pass_time(invitation, minutes=31)
    forget_cookies(alice)
    assert failure_of(alice.visit(back)) == "expired"


def test_a_session_that_nobody_has_begun_has_no_cookie_to_miss(alice: EndUser) -> None:
    assert failure_of(alice.visit(f"/connect/{alice.invite().id}/choose")) == "browser"


@pytest.mark.parametrize("headers", [{"origin": "null"}, {}], ids=["null", "none"])
def test_an_old_browser_is_not_asked_for_its_click_for_ever(headers: dict[str, str], alice: EndUser) -> None:
    invitation = alice.invite()
    path = f"/connect/{invitation.id}/start"
    asked = alice.browser.post(path, {"token": invitation.token}, headers=headers)
    forget_cookies(alice)
    page = alice.browser.post(path, fields_of(asked), headers=headers)
    assert (page.status_code, failure_of(page)) == (403, "no_cookie")
    assert session_of(invitation).state == SessionState.CREATED


def test_an_old_browser_that_has_lost_its_cookie_is_told_so_with_its_form(alice: EndUser, app: ProviderApp) -> None:
    invitation = alice.invite()
    alice.start(invitation)
    path = f"/connect/{invitation.id}/method/{app.id}"
    form = fields_of(alice.visit(path))
    forget_cookies(alice)
    assert failure_of(alice.browser.post(path, form, headers={"origin": "null"})) == "no_cookie"
    assert failure_of(alice.browser.post(path, form, headers=SAME_ORIGIN)) == "no_cookie"
    assert failure_of(alice.browser.post(path, {}, headers={"origin": "null"})) == "foreign_form"
