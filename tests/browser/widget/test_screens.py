"""Each screen of the widget in real Chromium, on three sites over TLS: nobody is kept out, in any language or theme.

One walk looks at all of them, with one browser: as pages in English, at each size and in both themes, and in every
other language by their markup alone.
"""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import PATIENCE
from tests.browser.looking import Traffic, barriers, excess, faint, know_axe, reader
from tests.browser.tls_stack import Sites
from tests.browser.walk import Screen, Shown, Walk
from tests.campaigns.screens import SIZES

LANGUAGES = ("de", "fr", "es", "pt-BR", "ja")
# What a window of 1280 has left at 200 %, and what WCAG 1.4.10 asks for.
# The last size is left in light, in which the next screen is arrived at.
_TURNS: dict[str, tuple[Literal["light", "dark"], ...]] = {"desktop": ("light", "dark"), "phone": ("dark", "light")}
NARROW: dict[str, ViewportSize] = {"200 %": {"width": 640, "height": 400}, "320 px": {"width": 320, "height": 640}}


@pytest.fixture(scope="module")
def faults(sites: Sites, browser: Browser) -> dict[str, list[str]]:
    """What is wrong with each screen."""
    found: dict[str, list[str]] = {}
    context = browser.new_context(viewport=SIZES["desktop"], reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    know_axe(context)
    traffic = Traffic(context)
    with reader(browser, sites) as reading, Walk(sites, context.new_page()) as walk:
        for screen in walk.screens():
            if screen.is_of_words:
                continue
            shown = screen.arrive()
            found[screen.name] = seen_on(shown, walk.page)
            document = traffic.document(shown)
            for language in LANGUAGES:
                if screen.is_once:
                    html = in_language(walk, screen, language)
                else:
                    html = reading.ask(document, language=language)
                heard = reading.read(html, scripted=screen.scripted, language=language)
                found[screen.name] += [f"{language}: {fault}" for fault in heard]
            found[screen.name] += traffic.complaints()
    context.close()
    return found


def seen_on(shown: Shown, page: Page) -> list[str]:
    """Return what is wrong with a screen in English, at each size and in both themes."""
    found = []
    for name, size in SIZES.items():  # a change of either has the page laid out and drawn anew: as few as can be
        page.set_viewport_size(size)
        for scheme in _TURNS[name]:
            page.emulate_media(color_scheme=scheme)
            if scheme == "light":
                found += [f"{name}: {barrier}" for barrier in barriers(shown)]
            else:
                found += [f"{name}, dark: {barrier}" for barrier in faint(shown)]
    shown.evaluate("document.documentElement.style.fontSize = '200%'")  # WCAG 1.4.4, where only the text grows
    found += [f"text at 200 %: {excess(shown)} px are out of sight"] if excess(shown) > 0 else []
    shown.evaluate("document.documentElement.style.fontSize = ''")
    for name, size in NARROW.items():
        page.set_viewport_size(size)
        found += [f"{name}: {excess(shown)} px are out of sight"] if excess(shown) > 0 else []
    return found


def in_language(walk: Walk, screen: Screen, language: str) -> str:
    """Arrive at a screen anew with a browser that speaks a language, and return its markup."""
    walk.speak(language)
    html = screen.arrive().content()
    walk.speak("en")
    return html


def test_no_screen_keeps_anybody_out(faults: dict[str, list[str]]) -> None:
    assert len(faults) > 40
    told = [f"{name}: {fault}" for name, found in faults.items() for fault in found]
    assert not told, "\n".join(told)


# --- By keyboard, and by ear ------------------------------------------------------------------------------------------
def focused(page: Page) -> str:
    """Return what has the focus, in the innermost frame: its text, or its name."""
    script = """() => { const at = document.activeElement;
        return document.hasFocus() && at !== document.body ? at.innerText || at.name || at.id : ""; }"""
    return next((said for frame in reversed(page.frames) if (said := str(frame.evaluate(script)).strip())), "")


def tab_to(page: Page, label: str) -> None:
    """Press the tab key until what is called ``label`` has the focus, as often as a person would."""
    for _ in range(8):
        if focused(page) == label:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not lead to “{label}”, but to “{focused(page)}”")


def press(page: Page, label: str) -> None:
    tab_to(page, label)
    page.keyboard.press("Enter")


def test_the_whole_flow_goes_by_keyboard_alone(browser: Browser, sites: Sites) -> None:
    context = browser.new_context(viewport=SIZES["desktop"])
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{sites.product.url}/product")
    press(page, "Connect")
    expect(page.locator("#result")).to_have_text("ready")
    tab_to(page, "Continue")
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    window = opened.value
    window.wait_for_url(re.compile("/login"))
    assert focused(page) == "Open the window again"
    expect(page.frame_locator("dialog iframe").locator("#said")).to_have_text("Go on in the other window.")
    tab_to(window, "username")
    window.keyboard.type("alice")
    window.keyboard.press("Tab")
    window.keyboard.type("alice")
    window.keyboard.press("Enter")
    window.get_by_role("button", name="Allow").wait_for()
    press(window, "Allow")
    expect(window.get_by_role("heading", name="Which team")).to_be_visible()
    tab_to(window, "workspace")
    window.keyboard.press("Space")
    window.keyboard.press("ArrowDown")
    with window.expect_event("close"):
        window.keyboard.press("Enter")
    expect(page.locator("#result")).to_have_text('active {"team":"south"}')
    assert focused(page) == "Connect", "the page has the focus where it was"
    context.close()


def test_a_mistake_takes_the_focus_to_its_field_and_keeps_what_was_typed(browser: Browser, sites: Sites) -> None:
    context = browser.new_context(viewport=SIZES["phone"])
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(sites.product.begin(provider="shops"))
    press(page, "Continue")
    page.wait_for_url(re.compile("/method/"))
    tab_to(page, "shop")
    page.keyboard.type("My Shop!")
    page.keyboard.press("Enter")
    field = page.get_by_role(
        "textbox", name="Name of your shop", description=re.compile("^Check .+ address of your shop")
    )
    expect(field).to_be_focused()
    expect(field).to_have_value("My Shop!")
    expect(field).to_have_attribute("aria-invalid", "true")
    context.close()


def test_what_a_search_finds_is_said(browser: Browser, sites: Sites) -> None:
    context = browser.new_context(viewport=SIZES["phone"])
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(sites.globex.begin(provider=sites.offered))
    press(page, "Continue")
    said = page.get_by_role("status")
    expect(said).to_be_empty()
    page.get_by_label("Search").fill("marketing")
    expect(said).to_have_text("Results: 2")
    page.get_by_label("Search").fill("zebra")
    expect(said).to_have_text("Nothing has this name. Try another one.")
    context.close()


@pytest.mark.parametrize(("motion", "animation"), [("reduce", "none"), ("no-preference", "wait")])
def test_nothing_moves_for_those_who_do_not_want_it(
    motion: Literal["reduce", "no-preference"], animation: str, browser: Browser, sites: Sites
) -> None:
    context = browser.new_context(viewport=SIZES["phone"], reduced_motion=motion)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(sites.product.begin(provider="codes"))
    press(page, "Continue")
    page.locator("#waiting").wait_for()
    assert page.evaluate("getComputedStyle(waiting, '::before').animationName") == animation
    context.close()
