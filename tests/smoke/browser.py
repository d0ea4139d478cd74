"""A browser without a screen: what walks through pages as a person would, for the smoke run and the tests.

A ``requests.Session`` with manual redirects and a cookie jar that sends Secure cookies over loopback HTTP, as browsers
do. It reads links and forms from the HTML; it runs no script.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin
from urllib.request import Request

import requests

_MOST_STEPS = 20


@dataclass
class Form:
    """A form of a page. ``fields`` are (name, value) of what would be sent as it stands, without its buttons."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Link:
    """A link of a page."""

    id: str
    href: str
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[Link] = []
        self._in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("method", "get").upper(), given.get("action", "")))
        if tag == "a" and "href" in given:
            self.links.append(Link(given.get("id", ""), given["href"]))
            self._in_link = True
        if tag not in ("input", "button") or not self.forms or "name" not in given:
            return
        form, name, kind = self.forms[-1], given["name"], given.get("type", "")
        form.names.add(name)
        if tag == "button" or kind == "submit":
            form.buttons.append((name, given.get("value", "")))
        elif kind not in ("checkbox", "radio") or "checked" in given:
            form.fields.append((name, given.get("value", "on" if kind == "checkbox" else "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._in_link = False

    def handle_data(self, data: str) -> None:
        if self._in_link:
            self.links[-1].text += data


def _read(page: requests.Response) -> _Reader:
    reader = _Reader()
    reader.feed(page.text)
    return reader


def forms_of(page: requests.Response) -> list[Form]:
    """Return the forms of an HTML page, in order, with absolute actions."""
    forms = _read(page).forms
    for form in forms:
        form.action = urljoin(page.url, form.action) if form.action else page.url
    return forms


def links_of(page: requests.Response) -> list[Link]:
    """Return the links of an HTML page, in order, with absolute addresses."""
    links = _read(page).links
    for link in links:
        link.href = urljoin(page.url, link.href)
    return links


class _LoopbackIsSecure(DefaultCookiePolicy):
    """Browsers send Secure cookies over loopback http. The session asks its policy on receipt only, hence so."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        cookie.secure = False
        return super().set_ok(cookie, request)


class Browser:
    """One browser with its cookies."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(_LoopbackIsSecure())

    def get(self, url: str, **options: Any) -> requests.Response:
        """Return the answer to one GET, redirects not followed."""
        return self.request("GET", url, **options)

    def post(self, url: str, data: object = None, **options: Any) -> requests.Response:
        """Return the answer to one POST, redirects not followed."""
        return self.request("POST", url, data=data, **options)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Return the answer to one request, redirects not followed."""
        settings: dict[str, Any] = {"allow_redirects": False, "timeout": 30, **options}
        return self.session.request(method, url, **settings)

    def submit(self, form: Form, *, button: tuple[str, str] | None = None, **values: str) -> requests.Response:
        """Send a form as it stands, with ``values`` typed over and one button pressed; redirects not followed."""
        fields = [(name, value) for name, value in form.fields if name not in values] + list(values.items())
        fields += [button] if button else []
        if form.method == "GET":
            return self.get(form.action, params=fields)
        return self.post(form.action, fields)

    def follow(self, start: str | requests.Response, *, until: str | None = None) -> requests.Response:
        """Go on from an address or an answer through redirects; stop before an address that begins with ``until``.

        Returns the last answer: a page, or the redirect to ``until``.
        """
        answer = self.get(start) if isinstance(start, str) else start
        for _ in range(_MOST_STEPS):
            if not answer.is_redirect:
                return answer
            target = urljoin(answer.url, answer.headers["Location"])
            if until is not None and target.startswith(until):
                return answer
            answer = self.get(target)
        raise AssertionError(f"redirects went round in circles at {answer.url}")
