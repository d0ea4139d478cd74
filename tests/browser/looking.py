"""What is looked for on a screen: barriers that axe knows, what is wider than the window, what the console says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import axe_playwright_python
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, Request

from tests.browser import PATIENCE
from tests.browser.tls_stack import Sites

# WCAG 2.0 to 2.2, A and AA, and what axe calls good practice.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async ({ tags, only, without }) => {
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const runOnly = only ? { type: "rule", values: only } : { type: "tag", values: tags };
  const found = await axe.run(document, { runOnly, rules, resultTypes: ["violations"], preload: false });
  return found.violations.map(({ id, nodes }) => [id, ...nodes.map((at) => at.html + at.failureSummary)].join(" "));
}"""
# A page that stands for others: it gets their markup, its scripts asleep and going nowhere, and keeps axe.
_READ = """async ({ html, scripted }) => {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const onward of parsed.querySelectorAll("meta[http-equiv=refresh]")) onward.remove();
  document.replaceChild(document.adoptNode(parsed.documentElement), document.documentElement);
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")].filter((link) => !link.sheet);
  await Promise.all(sheets.map((link) => new Promise((done) => { link.onload = link.onerror = done; })));
  eval(scripted);
}"""
_CONTRAST = "color-contrast"


def barriers(shown: Page | Frame, *, only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> list[str]:
    """Return what axe finds on a page or in a frame: by ``only`` some of its rules, or ``without`` some.

    The context has to ``know_axe``.
    """
    shown.evaluate("'axe' in window || putAxeIn()")
    found: list[str] = shown.evaluate(_RUN, {"tags": _TAGS, "only": list(only) or None, "without": list(without)})
    return found


def know_axe(context: BrowserContext) -> None:
    """Let the pages of ``context`` have axe as soon as it is needed. It gets in past the policy of a page."""
    source = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    context.add_init_script(f"window.putAxeIn = () => {{ {source} }}")


def faint(shown: Page | Frame) -> list[str]:
    """Return what has too little contrast in the present theme."""
    return barriers(shown, only=(_CONTRAST,))


def excess(shown: Page | Frame) -> int:
    """Return by how many pixels what is shown is wider than its window."""
    return int(shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


class Reader:
    """Looks at screens in other languages without a load of the page for each: asks for the markup, and reads that."""

    def __init__(self, sites: Sites, page: Page) -> None:
        self._sites = sites
        self._page = page
        self._http = requests.Session()
        self._http.trust_env = False
        page.goto(f"{sites.latchkey.url}/")

    def ask(self, request: Request, *, language: str) -> str:
        """Send a request of the browser's once more, in another language, and return the page that comes."""
        url = request.url.replace(self._sites.latchkey.url, self._sites.stack.urls["web"])
        headers = {name: text for name, text in request.all_headers().items() if not name.startswith(":")}
        headers |= {"host": urlsplit(self._sites.latchkey.url).netloc, "accept-language": language}
        headers.pop("content-length", None)
        answer = self._http.request(
            request.method, url, headers=headers, data=request.post_data_buffer, allow_redirects=False, timeout=30
        )
        assert not answer.is_redirect, f"{request.method} {request.url} leads on"
        return answer.text

    def read(self, html: str, *, scripted: str, language: str) -> list[str]:
        """Return what is wrong with a page in that language: barriers, words out of the window, another language."""
        self._page.evaluate(_READ, {"html": html, "scripted": scripted})
        said = self._page.evaluate("document.documentElement.lang")
        faults = [f"it is in {said}"] if said != language else []
        faults += ["it is wider than the window"] if excess(self._page) > 0 else []
        return faults + barriers(self._page, without=(_CONTRAST,))


@contextmanager
def reader(browser: Browser, sites: Sites) -> Iterator[Reader]:
    """Open a reader, as wide as WCAG 1.4.10 has it."""
    context = browser.new_context(viewport={"width": 320, "height": 640}, bypass_csp=True)
    context.set_default_timeout(PATIENCE)
    know_axe(context)
    try:
        yield Reader(sites, context.new_page())
    finally:
        context.close()


class Traffic:
    """What the pages of a context ask for, and what their consoles complain about."""

    def __init__(self, context: BrowserContext) -> None:
        self._documents: list[Request] = []
        self._complaints: list[str] = []
        context.on("request", self._note_request)
        context.on("console", self._note_line)
        context.on("weberror", lambda error: self._complaints.append(str(error.error)))

    def document(self, shown: Page | Frame) -> Request:
        """Return the request that brought what a page or a frame shows."""
        url = _without_fragment(shown.url)
        return next(request for request in reversed(self._documents) if _without_fragment(request.url) == url)

    def complaints(self) -> list[str]:
        """Return what was complained about since the last time: policy violations among it, but no mere status."""
        found, self._complaints = self._complaints, []
        return found

    def _note_request(self, request: Request) -> None:
        if request.is_navigation_request():
            self._documents.append(request)

    def _note_line(self, line: ConsoleMessage) -> None:
        if line.type == "error" and not line.text.startswith("Failed to load resource"):
            self._complaints.append(line.text)


def _without_fragment(url: str) -> str:
    return url.partition("#")[0]
