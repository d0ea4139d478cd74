"""The widget over a product's own page, in real Chromium: three sites over TLS, with third-party cookies blocked."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from config.local.demo.stack import LocalStack
from tests.browser import PATIENCE, webdriver
from tests.browser.operator import Operator
from tests.browser.sites import LATCHKEY, STRANGER, tunnels
from tests.browser.tls_stack import Sites
from tests.browser.widget.test_widget import consent
from tests.campaigns.screens import SIZES

IN_APP = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 331.0"
DONE = 'active {"team":"north"}'
DONE_THERE = 'active {"team": "north"}'
MOST_BYTES = 40 * 1024
ASKS_LATE = """async (connect_session) => {
  const other = new BroadcastChannel("latchkey");
  const heard = [];
  other.addEventListener("message", (event) => heard.push(event.data));
  for (const said of [{ done: true }, { received: true }, { next: "/" }, { completion_code: "new" }, { error: "late" }])
    other.postMessage({ source: "latchkey", connect_session, ...said });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  other.close();
  return heard.length;
}"""
PASSES_NOTHING_ON = """if (parent !== window) addEventListener("message", (event) => {
  if (event.data?.done) event.stopImmediatePropagation();
})"""


@contextmanager
def visiting(browser: Browser, size: str = "desktop", **options: Any) -> Iterator[tuple[BrowserContext, list[str]]]:
    """Open a fresh profile; collects what any of its pages' consoles complain about, policy violations among it."""
    # A sign of waiting that moves is drawn anew all the time.
    context = browser.new_context(viewport=SIZES[size], reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    context.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    try:
        yield context, complaints
    finally:
        context.close()


def widget(page: Page) -> FrameLocator:
    """Return the widget in the dialog over the product's page."""
    return page.frame_locator("dialog iframe")


def open_widget(context: BrowserContext, product: Operator) -> Page:
    """Open the product, press its button, and wait for the widget."""
    page = context.new_page()
    page.goto(f"{product.url}/product")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#result")).to_have_text("ready")
    return page


def go_on(page: Page, name: str = "Continue") -> Page:
    """Press the widget's button, and return the window that it opens."""
    with page.expect_popup() as opened:
        widget(page).get_by_role("button", name=name).click()
    return opened.value


def choose_north(window: Page) -> None:
    """Pick the team, on the page after the confirmation."""
    window.get_by_text("Team North").click()
    window.get_by_role("button", name="Connect").click()


def test_third_party_cookies_are_blocked_here(browser: Browser, product: Operator) -> None:
    """Without this the other tests would prove nothing."""
    stranger = f"https://{STRANGER}:{urlsplit(product.url).port}"
    with visiting(browser) as (context, _):
        page = context.new_page()
        page.goto(f"{product.url}/embed")
        with page.expect_response(f"{stranger}/third"):
            page.evaluate("url => { document.getElementById('frame').src = url }", f"{stranger}/third")
        page.frames[1].wait_for_load_state()
        assert context.cookies(stranger) == []
        page.goto(f"{stranger}/third")
        assert [cookie["name"] for cookie in context.cookies(stranger)] == ["third"]


@pytest.mark.parametrize("size", SIZES)
def test_connects_over_the_products_own_page(size: str, browser: Browser, product: Operator) -> None:
    with visiting(browser, size) as (context, complaints):
        page = open_widget(context, product)
        window = go_on(page)
        expect(widget(page).locator("p.waiting", has_text="Go on in the other window.")).to_be_visible()
        consent(window)
        with window.expect_event("close"):
            choose_north(window)
        expect(page.locator("#result")).to_have_text(DONE)
        expect(page.locator("dialog")).to_have_count(0)
        assert page.url == f"{product.url}/product"
        assert page.evaluate("happened") == ["open", "ready", "window.opened", "choice", "success"]
        (held,) = [cookie for cookie in context.cookies() if cookie["name"].startswith("__Host-latchkey-")]
        assert (held["domain"], held["secure"], held["httpOnly"], held["sameSite"]) == (LATCHKEY, True, True, "Lax")
    assert complaints == []


@pytest.mark.parametrize("engine", ["firefox", "webkit"])
def test_connects_in_another_engine(engine: str, product: Operator, tmp_path: Path) -> None:
    """At the widget's own page first, and then over the product's."""
    webdriver.need(engine)
    with tunnels() as proxy, webdriver.started(engine, tmp_path / "profile", through=proxy.port) as person:
        person.open(f"{product.url}/go")
        person.press("Continue")
        person.fill("username", "alice")
        person.fill("password", "alice")
        person.press_enter("password")
        allow_and_choose_north(person)
        person.press("Connect")
        person.wait_for_text(DONE_THERE)
        assert person.url.startswith(f"{product.url}/connected")

        person.open(f"{product.url}/product")
        (page,) = person.windows
        person.press("Connect")
        person.enter_frame()
        person.press_until("Continue", lambda: len(person.windows) > 1, "window of the flow")
        (flow,) = {*person.windows} - {page}
        person.enter_window(flow)
        allow_and_choose_north(person)
        person.press_until("Connect", lambda: person.windows == [page], "end of that window")
        person.enter_window(page)
        person.wait_for_text(DONE)


def allow_and_choose_north(person: webdriver.Browser) -> None:
    """Allow at the provider, and pick the team on the page after the confirmation."""
    person.press_until("Allow", lambda: "Team North" in person.text, "choice of a team")
    person.run("[...document.querySelectorAll('label')].find(it => it.innerText.includes('Team North')).click()")


def test_where_no_window_opens_the_page_itself_goes_and_comes_back(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, complaints):
        context.add_init_script("window.open = () => null")
        page = open_widget(context, product)
        widget(page).get_by_role("button", name="Continue").click()
        expect(widget(page).locator("p:not(#said)", has_text="your browser has blocked it")).to_be_visible()
        assert page.evaluate("happened").count("window.blocked") == 1
        widget(page).get_by_role("button", name="Go on in this window").click()
        page.wait_for_url(re.compile("/login"))
        consent(page)
        choose_north(page)
        expect(page.get_by_role("heading", name=DONE_THERE)).to_be_visible()
    assert complaints == []


def test_another_apps_browser_goes_there_and_comes_back(browser: Browser, product: Operator) -> None:
    with visiting(browser, "phone", user_agent=IN_APP) as (context, complaints):
        page = context.new_page()
        page.goto(f"{product.url}/product")
        page.get_by_role("button", name="Connect").click()
        page.wait_for_url(re.compile(re.escape(product.latchkey)))
        page.get_by_role("button", name="Continue").click()
        consent(page)
        choose_north(page)
        expect(page.get_by_role("heading", name=DONE_THERE)).to_be_visible()
    assert complaints == []


def test_a_window_severed_at_the_provider_goes_to_the_return_page_which_tells(
    browser: Browser, product: Operator, sites: Sites
) -> None:
    sites.provider.severs = True
    try:
        with visiting(browser) as (context, complaints):
            page = open_widget(context, product)
            window = go_on(page)
            window.wait_for_url(re.compile("/login"))
            expect(widget(page).locator("p:not(#said)", has_text="If you still see it, go on there.")).to_be_visible()
            assert_ends_on_the_return_page(page, window)
        assert complaints == []
    finally:
        sites.provider.severs = False


def test_a_product_that_severs_its_windows_gets_one_that_asks_again(browser: Browser, product: Operator) -> None:
    product.severs = True
    try:
        with visiting(browser) as (context, complaints):
            page = open_widget(context, product)
            with context.expect_page() as opened:  # it has no opener, so it is nobody's popup
                widget(page).get_by_role("button", name="Continue").click()
            window = opened.value
            told = widget(page).locator("p:not(#said)", has_text="Go on in the other window. If there is none")
            expect(told).to_be_visible()
            window.get_by_role("button", name="Continue").click()
            assert_ends_on_the_return_page(page, window)
        assert complaints == []
    finally:
        product.severs = False


def assert_ends_on_the_return_page(page: Page, window: Page) -> None:
    """Finish in a window without an opener: the return page confirms, and tells the page that waits."""
    consent(window)
    choose_north(window)
    expect(page.locator("#result")).to_have_text('active "told"')
    expect(page.locator("dialog")).to_have_count(0)


def test_a_window_that_was_closed_is_opened_again_where_it_stood(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, complaints):
        page = open_widget(context, product)
        window = go_on(page)
        window.wait_for_url(re.compile("/login"))
        window.close()
        expect(widget(page).locator("p:not(#said)", has_text="The other window is closed.")).to_be_visible()
        again = go_on(page, "Open the window again")
        again.get_by_role("link", name="Try again").click()
        again.get_by_role("button", name="Teams").click()
        consent(again)
        with again.expect_event("close"):
            choose_north(again)
        expect(page.locator("#result")).to_have_text(DONE)
    assert complaints == []


def test_an_impatient_person_opens_one_window_and_uses_the_link_once(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, complaints):
        page = open_widget(context, product)
        with page.expect_popup() as opened:
            widget(page).get_by_role("button", name="Continue").dblclick()
        opened.value.wait_for_url(re.compile("/login"))
        assert len(context.pages) == 2
        top = context.new_page()
        top.goto(product.begin())
        top.get_by_role("button", name="Continue").dblclick()
        top.wait_for_url(re.compile("/login"))
    assert complaints == []


def test_the_product_is_loaded_again_while_the_window_is_open(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, complaints):
        page = open_widget(context, product)
        window = go_on(page)
        window.wait_for_url(re.compile("/login"))
        page.reload()
        consent(window)
        choose_north(window)
        expect(window.get_by_role("heading", name=DONE_THERE)).to_be_visible()
    assert complaints == []


def test_every_step_may_be_loaded_again_or_gone_back_to(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, _):  # Chromium complains of a page that was gone from while it loaded
        page = open_widget(context, product)
        window = go_on(page)
        window.wait_for_url(re.compile("/login"))
        window.reload()
        window.go_back()
        window.goto(f"{product.latchkey}/connect/{session_of(page)}/start")
        window.get_by_role("link", name="Try again").click()
        window.get_by_role("button", name="Teams").click()
        consent(window)
        window.get_by_text("Team North").wait_for()
        window.reload()
        with window.expect_event("close"):
            choose_north(window)
        expect(page.locator("#result")).to_have_text(DONE)


def session_of(page: Page) -> str:
    return str(page.locator("dialog iframe").get_attribute("src")).split("/")[4].partition("#")[0]


def test_two_tabs_do_not_disturb_each_other(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, complaints):
        pages = [open_widget(context, product) for _ in range(2)]
        windows = [go_on(page) for page in pages]
        consent(windows[0])
        consent(windows[1])
        for page, window in reversed(list(zip(pages, windows, strict=True))):
            with window.expect_event("close"):
                choose_north(window)
            expect(page.locator("#result")).to_have_text(DONE)
    assert complaints == []


def test_a_refusal_at_the_provider_is_told_to_the_product(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, complaints):
        page = open_widget(context, product)
        session = session_of(page)
        window = go_on(page)
        window.locator("input[name=username]").fill("alice")
        window.locator("input[name=password]").fill("alice")
        window.locator("input[name=password]").press("Enter")
        window.get_by_role("button", name=re.compile("Deny|Cancel")).click()
        expect(window.get_by_role("heading", name="You did not allow access")).to_be_visible()
        with window.expect_event("close"):
            window.get_by_role("link", name="Back to").click()
        expect(page.locator("#result")).to_have_text("exit access_denied")
        assert page.evaluate(ASKS_LATE, session) == 1, "the error alone is answered: no answer, and no code in sight"
    assert complaints == []


def test_a_window_that_got_no_answer_in_time_is_closed_from_the_return_page(
    browser: Browser, product: Operator
) -> None:
    """The flow is over and the answer to its window got lost, as when a slow machine takes the frame away too soon."""
    with visiting(browser) as (context, complaints):
        context.add_init_script(PASSES_NOTHING_ON)
        page = open_widget(context, product)
        window = go_on(page)
        window.locator("input[name=username]").fill("alice")
        window.locator("input[name=password]").fill("alice")
        window.locator("input[name=password]").press("Enter")
        window.get_by_role("button", name=re.compile("Deny|Cancel")).click()
        expect(window.get_by_role("heading", name="You did not allow access")).to_be_visible()
        asked: list[str] = []
        window.on("request", lambda request: asked.append(request.url))
        with window.expect_event("close"):
            window.get_by_role("link", name="Back to").click()
        expect(page.locator("#result")).to_have_text("exit access_denied")
        assert any(address.startswith(f"{product.url}/connected?") for address in asked), asked
    assert complaints == []


def test_it_can_be_left_and_opened_again(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, complaints):
        page = open_widget(context, product)
        ways: dict[str, Callable[[], object]] = {
            "by its button": widget(page).get_by_role("button", name="Cancel").click,
            "by a key": lambda: page.keyboard.press("Escape"),
            "by the product": lambda: page.evaluate("widget.close()"),
        }
        for how, leave in ways.items():
            leave()
            expect(page.locator("#result"), how).to_have_text("exit closed")
            expect(page.locator("dialog"), how).to_have_count(0)
            page.evaluate("widget.open()")
            expect(page.locator("#result"), how).to_have_text("ready")
        page.evaluate("widget.destroy()")
        expect(page.locator("dialog")).to_have_count(0)
    assert complaints == []


@pytest.mark.attack("a message forged for the product", stopped_at="connect.js: source and origin")
def test_the_product_believes_only_its_own_widget(browser: Browser, product: Operator, stack: LocalStack) -> None:
    """Another frame, the product's own page and a window of a stranger's say what the widget would say."""
    with visiting(browser) as (context, complaints):
        page = open_widget(context, product)
        said = {"source": "latchkey", "connect_session": session_of(page), "completion_code": "forged"}
        page.evaluate("said => window.postMessage(said, '*')", said)
        page.evaluate("document.body.append(document.createElement('iframe'))")
        page.frames[-1].evaluate("said => parent.postMessage(said, '*')", said)
        with page.expect_popup() as opened:
            page.evaluate("url => { window.open(url) }", f"https://{STRANGER}:{urlsplit(product.url).port}/embed")
        opened.value.evaluate("said => window.opener.postMessage(said, '*')", said)
        opened.value.evaluate("said => window.opener.frames[0].postMessage({ ...said, error: 'x' }, '*')", said)
        page.wait_for_timeout(300)  # for what must not come
        assert page.evaluate("happened") == ["open", "ready"]
        expect(page.locator("#result")).to_have_text("ready")
        expect(page.locator("dialog")).to_have_count(1)
    assert complaints == []


@pytest.mark.attack("the widget in a hostile page", stopped_at="the browser: frame-ancestors")
def test_a_page_that_is_not_the_tenants_cannot_show_the_widget(
    browser: Browser, product: Operator, stack: LocalStack
) -> None:
    with visiting(browser) as (context, complaints):
        page = context.new_page()
        page.goto(f"https://{STRANGER}:{urlsplit(product.url).port}/embed?framed=yes")
        page.wait_for_function("document.getElementById('frame').src !== ''")
        page.wait_for_load_state("networkidle")
        assert page.frame_locator("#frame").get_by_role("button").count() == 0
    assert any("frame-ancestors" in complaint for complaint in complaints), complaints


def test_a_consent_page_is_light_and_asks_no_third_party(browser: Browser, product: Operator) -> None:
    with visiting(browser) as (context, _):
        page = context.new_page()
        weights: dict[str, int] = {}
        page.on("requestfinished", lambda request: weights.update({request.url: weigh(request)}))
        page.goto(product.begin())
        expect(page.get_by_role("button", name="Continue")).to_be_enabled()
        page.wait_for_load_state("networkidle")
        assert {urlsplit(url).netloc for url in weights} == {urlsplit(product.latchkey).netloc}
        assert 1_000 < sum(weights.values()) <= MOST_BYTES, weights


def weigh(request: Any) -> int:
    """Return what came over the wire for one request, headers included."""
    sizes = request.sizes()
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])
