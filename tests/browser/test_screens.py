"""Each screen of the widget in real Chromium, on three sites over TLS: nobody is kept out, in any language or theme.

One walk looks at all of them, with one browser: as pages in English, at each size and in both themes, and in every
other language by their markup alone.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.looking import Traffic, barriers, excess, faint, reader
from tests.browser.tls_stack import Sites, three_sites
from tests.browser.walk import Screen, Shown, Walk
from tests.campaigns.screens import SIZES, chromium
from tests.campaigns.stacks import own_databases

LANGUAGES = ("de", "fr", "es", "pt-BR", "ja")
# What a window of 1280 has left at 200 %, and what WCAG 1.4.10 asks for.
NARROW: dict[str, ViewportSize] = {"200 %": {"width": 640, "height": 400}, "320 px": {"width": 320, "height": 640}}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with own_databases() as databases, three_sites(tmp_path_factory.mktemp("screens"), databases) as running:
        yield running


@pytest.fixture(scope="module")
def browser(sites: Sites) -> Iterator[Browser]:
    with chromium(*sites.certificate.chromium_arguments) as running:
        yield running


@pytest.fixture(scope="module")
def faults(sites: Sites, browser: Browser) -> dict[str, list[str]]:
    """What is wrong with each screen."""
    found: dict[str, list[str]] = {}
    context = browser.new_context(viewport=SIZES["desktop"], ignore_https_errors=True)
    traffic = Traffic(context)
    with reader(browser, sites) as reading, Walk(sites, context.new_page()) as walk:
        for screen in walk.screens():
            shown = screen.arrive()
            found[screen.name] = [] if screen.is_of_words else seen_on(shown, walk.page)
            document = traffic.document(shown)
            for language in ("en",) if screen.is_of_words else LANGUAGES:
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
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="light")
        found += [f"{name}: {barrier}" for barrier in barriers(shown)]
        page.emulate_media(color_scheme="dark")
        found += [f"{name}, dark: {barrier}" for barrier in faint(shown)]
    for name, size in NARROW.items():
        page.set_viewport_size(size)
        found += [f"{name}: {excess(shown)} px are out of sight"] if excess(shown) > 0 else []
    shown.evaluate("document.documentElement.style.fontSize = '200%'")  # WCAG 1.4.4, where only the text grows
    found += [f"text at 200 %: {excess(shown)} px are out of sight"] if excess(shown) > 0 else []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(SIZES["desktop"])
    return found


def in_language(walk: Walk, screen: Screen, language: str) -> str:
    """Arrive at a screen anew with a browser that speaks a language, and return its markup."""
    walk.speak(language)
    html = screen.arrive().content()
    walk.speak("en")
    return html


def test_no_screen_keeps_anybody_out(faults: dict[str, list[str]]) -> None:
    told = [f"{name}: {fault}" for name, found in faults.items() for fault in found]
    assert not told, "\n".join(told)


def test_every_failure_has_been_looked_at(faults: dict[str, list[str]], sites: Sites) -> None:
    assert {f"words-{failure}" for failure in sites.failures} <= faults.keys()
    assert len(faults) > len(sites.failures) + 50
