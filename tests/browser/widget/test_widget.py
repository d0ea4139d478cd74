"""The widget in real Chromium, from an operator's pages at another site: a redirect, a window, a frame, no script."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from config.local.demo.stack import LocalStack
from tests.browser import PATIENCE
from tests.browser.operator import Operator
from tests.browser.sites import PRODUCT, SECOND_PRODUCT
from tests.campaigns.screens import SIZES
from tests.campaigns.stacks import control


@contextmanager
def visiting(browser: Browser, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """Open a fresh profile; collects what any of its pages' consoles complain about, policy violations among it."""
    # A sign of waiting that moves is drawn anew all the time.
    context = browser.new_context(viewport=SIZES["phone"], is_mobile=True, reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    context.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    try:
        yield context.new_page(), complaints
    finally:
        context.close()


def consent(page: Page) -> None:
    """Sign in at the provider, and allow."""
    page.locator("input[name=username]").fill("alice")
    page.locator("input[name=password]").fill("alice")
    page.locator("input[name=password]").press("Enter")
    page.get_by_role("button", name="Allow").click()


def test_the_choice_is_made_with_the_keyboard(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (page, complaints):
        page.goto(f"{product.url}/go")
        page.get_by_role("button", name="Continue").click()
        consent(page)
        heading = page.get_by_role("heading", name="Which team do you want to connect?")
        expect(heading).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, "the page is wider than the window"
        page.get_by_role("button", name="Connect").click()
        expect(heading).to_be_visible()  # nothing is chosen yet: the browser itself asks for it
        page.get_by_role("radio", name="Team North").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name='active {"team": "south"}')).to_be_visible()
    assert complaints == []


def test_the_choice_needs_no_script(browser: Browser, product: Operator) -> None:
    """Only the landing page needs one, to take the token out of the address: it is walked through with it."""
    with visiting(browser) as (page, _):
        page.goto(product.begin())
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(re.compile("/login"))
        state, at_provider = page.context.storage_state(), page.url
    with visiting(browser, java_script_enabled=False, storage_state=state) as (page, complaints):
        page.goto(at_provider)
        consent(page)
        page.get_by_text("Team South").click()
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("heading", name='active {"team": "south"}')).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("framed", ["", "yes"], ids=["window", "frame"])
def test_a_window_stays_open_for_the_choice_and_closes_after_it(
    framed: str, browser: Browser, product: Operator
) -> None:
    with visiting(browser) as (page, complaints):
        page.goto(f"{product.url}/embed?framed={framed}")
        with page.expect_popup() as opened:
            if framed:
                page.frame_locator("#frame").get_by_role("button", name="Continue").click()
            else:
                page.get_by_role("button", name="Connect").click()
        window = opened.value
        if not framed:
            window.get_by_role("button", name="Continue").click()
        consent(window)
        window.get_by_text("Team North").click()
        with window.expect_event("close"):
            window.get_by_role("button", name="Connect").click()
        expect(page.locator("#result")).to_have_text('active {"team":"north"}')
    assert complaints == []


def test_a_window_closes_by_itself_where_there_is_nothing_to_choose(
    browser: Browser, product: Operator, stack: LocalStack
) -> None:
    before = control(stack).settings()["workspaces"]
    control(stack).settings(workspaces={"alice": {"north": "Team North"}})
    try:
        with visiting(browser) as (page, complaints):
            page.goto(f"{product.url}/embed")
            with page.expect_popup() as opened:
                page.get_by_role("button", name="Connect").click()
            window = opened.value
            window.get_by_role("button", name="Continue").click()
            with window.expect_event("close"):
                consent(window)
            expect(page.locator("#result")).to_have_text('active {"team":"north"}')
    finally:
        control(stack).settings(workspaces=before)
    assert complaints == []


def test_a_pasted_key_leads_back_to_the_operator(browser: Browser, product: Operator, stack: LocalStack) -> None:
    """Browsers hold a redirect that answers a form against ``form-action``."""
    key = control(stack).api_key("alice")
    with visiting(browser) as (page, complaints):
        page.goto(product.begin(provider="sandbox"))
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("heading", name=re.compile("^active"))).to_be_visible()
    assert complaints == []


def test_what_is_asked_for_besides_is_told_apart_and_added(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (page, complaints):
        page.goto(product.begin(provider="shops"))
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Name of your shop").fill("north-star")
        page.get_by_role("button", name="Connect").click()
        consent(page)
        expect(page.get_by_role("heading", name=re.compile("^active"))).to_be_visible()
        connection = str(page.locator("#result").get_attribute("data-connection"))
        assert product.lacks(connection, "files.read") == ["files.read"]

        page.goto(product.begin(provider="shops", connection=connection, add_scopes=["files.read"]))
        asked = page.locator(".scopes")
        expect(asked.get_by_role("heading", name=re.compile("asks for in addition"))).to_be_visible()
        expect(asked.get_by_text("Read your files")).to_be_visible()
        kept = page.locator("#kept")
        expect(kept.get_by_text("See your name and account number")).to_be_hidden()
        kept.locator("summary").press("Enter")
        expect(kept.get_by_text("See your name and account number")).to_be_visible()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Allow").click()  # the provider knows who is there
        expect(page.get_by_role("heading", name=re.compile("^active"))).to_be_visible()
        assert page.locator("#result").get_attribute("data-connection") == connection
        assert product.lacks(connection, "files.read") == []
    assert complaints == []


def enter_code(page: Page) -> None:
    """Open the provider with the code in a window of its own, sign in there and allow."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open Codes with the code").click()
    provider = opened.value
    assert provider.evaluate("window.opener") is None
    consent(provider)
    expect(provider.get_by_role("heading", name="Access allowed")).to_be_visible()
    provider.close()


def test_a_code_is_entered_while_the_page_waits(browser: Browser, product: Operator) -> None:
    with visiting(browser, permissions=["clipboard-read", "clipboard-write"]) as (page, complaints):
        page.goto(product.begin(provider="codes"))
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Enter this code at Codes")).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, "the page is wider than the window"
        page.get_by_role("button", name="Copy the code").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.locator("#user-code").text_content()
        enter_code(page)
        expect(page.get_by_role("heading", name=re.compile("^active"))).to_be_visible()
    assert complaints == []


def test_a_window_that_showed_a_code_tells_the_page_that_opened_it(browser: Browser, product: Operator) -> None:
    product.provider = "codes"
    try:
        with visiting(browser) as (page, complaints):
            page.goto(f"{product.url}/embed")
            with page.expect_popup() as opened:
                page.get_by_role("button", name="Connect").click()
            window = opened.value
            window.get_by_role("button", name="Continue").click()
            with window.expect_event("close", timeout=60_000):
                enter_code(window)
            expect(page.locator("#result")).to_have_text("active {}")
        assert complaints == []
    finally:
        product.provider = "teams"


def test_a_code_needs_no_script(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (page, _):
        page.goto(product.begin(provider="codes"))
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(re.compile("/device$"))
        state, waiting = page.context.storage_state(), page.url
    with visiting(browser, java_script_enabled=False, storage_state=state) as (page, complaints):
        page.goto(waiting)
        expect(page.get_by_role("button", name="Copy the code")).to_be_hidden()
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open Codes with the code").click()
        consent(opened.value)
        expect(page.get_by_role("heading", name=re.compile("^active"))).to_be_visible()
    assert complaints == []


# --- Messages go to one origin, and are heard from it alone -----------------------------------------------------------
RECORD = "heard = []; addEventListener('message', (event) => heard.push(event.data));"


def elsewhere(product: Operator) -> str:
    """Return the product at an origin that may embed the widget, though it is not the one that its sessions name."""
    return product.url.replace(PRODUCT, SECOND_PRODUCT)


@pytest.mark.parametrize("framed", ["", "yes"], ids=["window", "frame"])
@pytest.mark.attack("an opener of another origin", stopped_at="the browser: exact origin", own=1)
def test_a_page_of_another_origin_that_opened_the_widget_learns_nothing(
    framed: str, browser: Browser, product: Operator
) -> None:
    """Else whoever sends somebody a link has the code to finish their connecting with."""
    with visiting(browser) as (page, _):
        page.goto(f"{elsewhere(product)}/embed?framed={framed}")
        page.evaluate(RECORD)
        with page.expect_popup() as opened:
            if framed:
                page.frame_locator("#frame").get_by_role("button", name="Continue").click()
            else:
                page.get_by_role("button", name="Connect").click()
        window = opened.value
        if not framed:
            window.get_by_role("button", name="Continue").click()
            session_id = urlsplit(page.evaluate("connectUrl")).path.split("/")[2]
            order = {"source": "latchkey", "connect_session": session_id, "next": f"{product.latchkey}/connect/orders"}
            page.evaluate(
                "order => { const taken = window.open('', 'connect');"
                " setInterval(() => taken.postMessage(order, '*'), 20); }",
                order,
            )
        consent(window)
        # Nobody whom the session names has answered, so that the window itself goes to the return URL.
        expect(window.get_by_role("heading", name="Which team do you want to connect?")).to_be_visible()
        assert page.evaluate("heard") == []
        expect(page.locator("#result")).to_have_text("nothing yet")


@pytest.mark.attack("a message forged for the frame", stopped_at="the frame: source")
def test_the_frame_passes_nothing_on_that_its_own_window_did_not_say(browser: Browser, product: Operator) -> None:
    """What comes out of the frame, the embedding page believes: it has the widget's origin."""
    with visiting(browser) as (page, complaints):
        page.goto(f"{product.url}/embed?framed=yes")
        expect(page.frame_locator("#frame").get_by_role("button", name="Continue")).to_be_visible()
        page.evaluate(RECORD)
        forged = {"source": "latchkey", "connect_session": "x", "completion_code": "forged", "origin": product.url}
        page.evaluate("forged => document.getElementById('frame').contentWindow.postMessage(forged, '*')", forged)
        page.wait_for_timeout(300)
        assert page.evaluate("heard") == []
    assert complaints == []


@pytest.mark.attack("an answer to a window that has gone elsewhere", stopped_at="the browser: exact origin")
def test_the_answer_reaches_the_window_only_while_that_is_ours(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (page, _):
        page.goto(f"{product.url}/embed?framed=yes")
        with page.expect_popup() as opened:
            page.frame_locator("#frame").get_by_role("button", name="Continue").click()
        window = opened.value

        def answered_late(route: Route) -> None:
            window.evaluate("url => { location.href = url }", f"{product.url}/embed?framed=")
            expect(window.get_by_role("heading", name="Product")).to_be_visible()
            window.evaluate(RECORD)
            route.fulfill(json={"next": f"{product.latchkey}/connect/secret"})

        page.route("**/complete?*", answered_late)
        with page.expect_response("**/complete?*"):
            consent(window)
        window.wait_for_timeout(300)
        assert window.evaluate("heard") == []
        frame = page.frames[1]
        frame.evaluate("flow.postMessage('a message to anybody', '*')")
        window.wait_for_function("heard.includes('a message to anybody')")  # it could have been reached
