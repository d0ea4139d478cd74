"""The demo in real Chromium: an end user connects, the app calls the provider, an operator looks at it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from config.local.demo.stack import LocalStack
from tests.campaigns.screens import CHROMIUM, chromium, connect_as, look_at_admin, look_at_catalogue, visitor


def test_there_is_a_chromium() -> None:
    assert any(Path(path).exists() for path in CHROMIUM), "apt-get install chromium"


def connect_over_page(page: Page, stack: LocalStack) -> None:
    """Connect once more without leaving the app; the person is signed in at the provider."""
    page.goto(stack.urls["customer_app"])
    page.get_by_role("button", name="Connect over this page").click()
    with page.expect_popup() as opened:
        page.frame_locator("dialog iframe").get_by_role("button", name="Continue").click()
    window = opened.value
    window.get_by_role("button", name="Sign in with Sandbox").click()
    with window.expect_event("close"):
        window.get_by_role("button", name="Allow").click()
    page.wait_for_url(re.compile("/connections/"))
    expect(page.get_by_text("Everything works.").first).to_be_visible()


def test_connects_calls_and_is_seen_by_the_operator(stack: LocalStack) -> None:
    pages: list[str] = []

    def look(page: Page, name: str) -> None:
        pages.append(name)
        if name == "3-widget":
            assert "#" not in page.url, "the token is taken out of the address bar"
            expect(page.get_by_text("Verified")).to_be_visible()
        if name == "3-widget" or int(name.partition("-")[0]) > 10:
            width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert width <= 0, "the page is wider than the window"
        if name == "9-admin-connection":
            expect(page.get_by_text("active", exact=False).first).to_be_visible()

    with chromium() as browser, visitor(browser, "phone") as (context, page, complaints):
        connect_as(page, stack, "ben", "alice", look)
        page.get_by_role("button", name="Call the API").first.click()
        expect(page.get_by_text(re.compile("Alice")).first).to_be_visible()
        (held,) = [cookie for cookie in context.cookies() if cookie["name"].startswith("latchkey-")]
        assert (held["httpOnly"], held["sameSite"], held["secure"]) == (True, "Lax", False)
        connect_over_page(page, stack)
        look_at_admin(page, stack, look, "ben")
        look_at_catalogue(page, stack, look)
    assert pages[-6:-4] == ["10-admin-tenant-delete", "11-admin-catalogue"]
    assert complaints == []
