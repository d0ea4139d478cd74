"""The page of one's own connections in real Chromium: three sites over TLS, with third-party cookies blocked.

It is led to, and opened over the product's own page; both end in a window of its own, in which cookies are ours.
``test_screens`` looks for barriers on it.
"""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.operator import Operator
from tests.browser.tls_stack import Sites
from tests.browser.widget.test_embedded import DONE, MOST_BYTES, choose_north, go_on, visiting, widget
from tests.browser.widget.test_widget import consent
from tests.campaigns.screens import SIZES


def opened(context: BrowserContext, product: Operator) -> Page:
    """Go from the product to the page, by the link and its click."""
    page = context.new_page()
    page.goto(product.manage()["manage_url"])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your connections")).to_be_visible()
    return page


def connect_another(page: Page) -> None:
    """Connect an account with the keyboard, and come back to the page."""
    page.get_by_role("button", name="Connect another account").press("Enter")
    consent(page)
    choose_north(page)
    page.wait_for_url(re.compile(r"/connect/manage/.*/connections"))


def wider_than_its_window(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("size", SIZES)
def test_an_account_is_connected_renamed_and_disconnected_with_the_keyboard(
    size: str,
    browser: Browser,
    product: Operator,
) -> None:
    with visiting(browser, size) as (context, complaints):
        page = opened(context, product)
        connect_another(page)
        page.get_by_role("link", name=re.compile("Team")).first.press("Enter")
        page.get_by_label("Name").fill("Work")
        page.get_by_label("Name").press("Enter")
        told = page.get_by_role("status")
        expect(told).to_have_text("The name is saved.")
        expect(told).to_be_focused()
        page.reload()
        connected_on = page.locator(".facts time").first
        assert connected_on.get_attribute("title"), "the script has told no time"
        expect(connected_on).to_contain_text(re.compile(r"\d:\d\d"))  # a moment: "Connected on 5 minutes ago" is none
        page.set_viewport_size({"width": 320, "height": 640})
        assert wider_than_its_window(page) <= 0
        page.set_viewport_size(SIZES[size])
        page.get_by_role("link", name="Disconnect").press("Enter")
        expect(page.get_by_role("heading", name=re.compile("Disconnect .*\\?"))).to_be_visible()
        page.get_by_role("link", name="Keep it").press("Enter")
        page.get_by_role("link", name="Disconnect").press("Enter")
        page.get_by_role("button", name="Disconnect").press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Disconnected. Acme can no longer use this account.")
        page.go_back()
        page.reload()
        expect(page.locator("#standing")).to_have_text("Disconnected")
        page.get_by_role("link", name="Your connections").press("Enter")
        assert wider_than_its_window(page) <= 0
        page.get_by_role("button", name="Done").press("Enter")
        expect(page.get_by_role("heading", name="Back from your connections")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="This page is closed")).to_be_visible()
    assert [line for line in complaints if "410 (Gone)" not in line] == []


@pytest.mark.parametrize("size", SIZES)
def test_what_an_agent_asks_is_allowed_once_refused_and_ended_with_the_keyboard(
    size: str, browser: Browser, product: Operator
) -> None:
    with visiting(browser, size) as (context, complaints):
        page = opened(context, product)
        link = page.locator("#live a.open", has_text="Team").first
        if not link.count():  # no other test has left one
            connect_another(page)
        own = str(link.evaluate("link => link.href"))
        connection = own.rpartition("/")[2]
        product.let_agents(connection)
        where = product.ask_as_agent(connection, 202)["approve_url"]

        page.reload()
        page.locator("#questions a.open").press("Enter")
        expect(page.get_by_role("heading", name="Allow this once?")).to_be_visible()
        for told in ("Report writer", "weekly-report", "bob", "The report of every Monday"):
            expect(page.locator("#asked")).to_contain_text(told)
        assert wider_than_its_window(page) <= 0
        page.get_by_role("button", name="Allow it once").press("Enter")
        expect(page.get_by_role("status")).to_be_focused()
        expect(page.locator("#questions")).to_have_count(0)
        product.ask_as_agent(connection, 200)

        product.ask_as_agent(connection, 202)
        page.reload()
        page.locator("#questions a.open").press("Enter")
        question = page.url
        page.get_by_role("button", name="Do not allow it").press("Enter")
        expect(page.locator("#questions")).to_have_count(0)
        assert product.ask_as_agent(connection, 403)["rule"] == "approval_denied"
        page.goto(question)
        expect(page.get_by_role("button", name="Allow it once")).to_have_count(0)

        page.goto(own)
        expect(page.locator("#shares")).to_contain_text("Asks first, each time")
        page.locator("#shares").get_by_role("button", name="End this").press("Enter")
        expect(page.locator("#shares")).to_have_count(0)
        assert product.ask_as_agent(connection, 403)["rule"] == "other_user"

        stranger = context.new_page()
        stranger.goto(where)
        assert "weekly-report" not in stranger.content()
        assert "Monday" not in stranger.content()
    assert [line for line in complaints if "404" not in line and "410" not in line] == []


def test_it_opens_over_the_products_own_page_and_stays_open_for_the_next_step(
    browser: Browser,
    product: Operator,
) -> None:
    with visiting(browser) as (context, complaints):
        page = context.new_page()
        page.goto(f"{product.url}/product?manage=yes")
        page.get_by_role("button", name="Connect").click()
        expect(page.locator("#result")).to_have_text("ready")
        expect(page.get_by_role("dialog", name="Your connections")).to_be_visible()
        window = go_on(page)
        expect(window.get_by_role("heading", name="Your connections")).to_be_visible()
        window.get_by_role("button", name="Connect another account").click()
        consent(window)
        choose_north(window)
        expect(page.locator("#result")).to_have_text(DONE)
        expect(window.get_by_role("heading", name="Your connections")).to_be_visible()
        expect(window.get_by_role("link", name=re.compile("Team")).first).to_be_visible()
        expect(page.locator("dialog")).to_have_count(1)
        with window.expect_event("close"):
            window.get_by_role("button", name="Done").click()
        expect(page.locator("#result")).to_have_text("exit closed")
        expect(page.locator("dialog")).to_have_count(0)
        assert page.evaluate("happened") == ["open", "ready", "window.opened", "choice", "success", "exit"]
    assert complaints == []


def test_a_window_severed_at_the_provider_goes_on_and_tells_when_it_is_done(
    browser: Browser, product: Operator, sites: Sites
) -> None:
    sites.provider.severs = True
    try:
        with visiting(browser) as (context, complaints):
            page = context.new_page()
            page.goto(f"{product.url}/product?manage=yes")
            page.get_by_role("button", name="Connect").click()
            expect(page.locator("#result")).to_have_text("ready")
            window = go_on(page)
            window.get_by_role("button", name="Connect another account").click()
            consent(window)
            choose_north(window)
            expect(window.get_by_role("link", name=re.compile("Team")).first).to_be_visible()
            with window.expect_event("close"):
                window.get_by_role("button", name="Done").click()
            expect(page.locator("#result")).to_have_text("exit closed")
        assert complaints == []
    finally:
        sites.provider.severs = False


def test_a_window_that_was_closed_is_opened_again_where_it_stood(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, _):
        page = context.new_page()
        page.goto(f"{product.url}/product?manage=yes")
        page.get_by_role("button", name="Connect").click()
        expect(page.locator("#result")).to_have_text("ready")
        closed = go_on(page)
        expect(closed.get_by_role("heading", name="Your connections")).to_be_visible()
        closed.close()
        expect(widget(page).locator("p:not(#said)", has_text="The other window is closed.")).to_be_visible()
        window = go_on(page, "Open the window again")  # the same browser has it still, by its cookie
        expect(window.get_by_role("heading", name="Your connections")).to_be_visible()
        with window.expect_navigation():
            window.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        expect(window.get_by_role("heading", name="Your connections")).to_be_visible()


def test_the_pages_weigh_little_and_load_nothing_from_elsewhere(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, _):
        sizes: list[int] = []
        context.on("response", lambda answer: sizes.append(answer.request.sizes()["responseBodySize"]))
        page = context.new_page()
        hosts: set[str] = set()
        page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
        page.goto(product.manage()["manage_url"])
        page.get_by_role("button", name="Continue").click()
        page.wait_for_load_state("networkidle")
        assert sum(sizes) <= MOST_BYTES
        assert hosts == {product.latchkey}
