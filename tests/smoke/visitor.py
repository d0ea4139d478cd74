"""A user of the demo customer app at a browser: logs in, connects an account at the sandbox, presses buttons.

For the smoke run. Every page is reached the way a person reaches it; what is seen instead of the expected is raised as
``Unexpected``.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from tests.smoke.browser import Browser, Form, forms_of, links_of

_MOST_PAGES = 8


class Unexpected(Exception):
    """Something did not come as it has to; the message is for people and holds no secret."""


def expect(holds: object, what: str) -> None:
    """Raise ``Unexpected`` unless ``holds``."""
    if not holds:
        raise Unexpected(what)


class Visitor:
    """One user of the customer app (whose password is the name), with one account at the sandbox (likewise)."""

    def __init__(self, urls: Mapping[str, str], *, name: str, account: str) -> None:
        self.name = name
        self.account = account
        self.browser = Browser()
        self._urls = urls

    def log_in(self) -> None:
        """Log in at the customer app, which has to ask for it."""
        page = self.browser.follow(f"{self._urls['customer_app']}/")
        form = form_with(page, "name", "password")
        page = self.browser.follow(self.browser.submit(form, name=self.name, password=self.name))
        expect(page.status_code == 200 and "Log out" in page.text, f"{self.name} could not log in: {_described(page)}")

    def open(self, path: str) -> requests.Response:
        """Open a page of the customer app."""
        return self.browser.follow(f"{self._urls['customer_app']}{path}")

    def press(self, action: str, *, on: str = "/") -> requests.Response:
        """Press the button of the page ``on`` that posts to ``action``, and return the page to which that leads."""
        page = self.open(on)
        url = f"{self._urls['customer_app']}{action}"
        form = next((form for form in forms_of(page) if form.action == url), None)
        if form is None:
            raise Unexpected(f"{on} has no button for {action}: {_described(page)}")
        return self.browser.follow(self.browser.submit(form), until=f"{self._urls['web']}/connect/")

    def post(self, action: str) -> requests.Response:
        """Post to ``action`` with a token from the home page, as somebody might who shows no such button to anyone."""
        form = forms_of(self.open("/"))[0]
        token = {name: value for name, value in form.fields if name == "csrf_token"}
        return self.browser.follow(self.browser.post(f"{self._urls['customer_app']}{action}", token))

    def connect(self, action: str = "/connect", *, on: str = "/") -> str:
        """Connect (or reconnect) all the way, and return the connection's id."""
        page = self.come_back(self.consent(self.leave(action, on=on)))
        path = urlsplit(page.url).path
        expect(
            page.status_code == 200 and path.startswith("/connections/"),
            f"{self.name} did not come back with a connection: {_described(page)}",
        )
        return path.rpartition("/")[2]

    def leave(self, action: str = "/connect", *, on: str = "/") -> str:
        """Press "Connect", take the click in the widget, and return the link to the provider that it shows."""
        sent_away = self.press(action, on=on)
        expect(sent_away.is_redirect, f"{action} does not lead to the widget: {_described(sent_away)}")
        return self.click_through(sent_away.headers["Location"])

    def click(self, connect_url: str) -> requests.Response:
        """Open a connect URL, take the click in the widget, and return the page to which that leads."""
        landing = self.browser.get(connect_url)
        page = self.browser.submit(form_with(landing, "token"), token=urlsplit(connect_url).fragment)
        if "again" in page.text and (forms := [form for form in forms_of(page) if "token" in form.names]):
            page = self.browser.submit(forms[0])
        return self.browser.follow(page)

    def allow_code(self, link: str) -> None:
        """Open the provider's page with a code, sign in if asked, and allow everything."""
        page = self.browser.follow(link)
        for _ in range(_MOST_PAGES):
            consent = next((form for form in forms_of(page) if ("action", "allow") in form.buttons), None)
            if consent is not None:
                page = self.browser.follow(self.browser.submit(consent, button=("action", "allow")))
                expect("Access allowed" in page.text, f"the code is not taken: {_described(page)}")
                return
            sign_in = form_with(page, "username", "password")
            answer = self.browser.submit(sign_in, username=self.account, password=self.account)
            page = self.browser.follow(answer)
        raise Unexpected(f"the provider does not ask for consent: {_described(page)}")

    def click_through(self, connect_url: str) -> str:
        """Open a connect URL, take the click in the widget, and return the link to the provider that it shows."""
        landing = self.browser.get(connect_url)
        page = self.browser.submit(form_with(landing, "token"), token=urlsplit(connect_url).fragment)
        for _ in range(_MOST_PAGES):
            page = self.browser.follow(page)
            links = links_of(page)
            if leaving := next((link for link in links if link.id == "leave"), None):
                return leaving.href
            # With several methods there is a choice; a method without fields has just a button.
            if choice := next((link for link in links if "Sign in" in link.text), None):
                page = self.browser.get(choice.href)
            elif forms := forms_of(page):
                page = self.browser.submit(forms[0])
            else:
                break
        raise Unexpected(f"the widget does not lead to the provider: {_described(page)}")

    def consent(self, link: str) -> str:
        """Go to the provider, sign in, allow everything, and return the callback's address without opening it."""
        page = self.browser.follow(link, until=self._urls["web"])
        for _ in range(_MOST_PAGES):
            if page.is_redirect:
                return page.headers["Location"]
            forms = forms_of(page)
            if consent := next((form for form in forms if ("action", "allow") in form.buttons), None):
                page = self.browser.submit(consent, button=("action", "allow"))
            else:
                sign_in = form_with(page, "username", "password")
                page = self.browser.submit(sign_in, username=self.account, password=self.account)
            page = self.browser.follow(page, until=self._urls["web"])
        raise Unexpected(f"the provider does not lead back: {_described(page)}")

    def come_back(self, callback: str) -> requests.Response:
        """Open the callback and return the page of the customer app that it leads to."""
        return self.browser.follow(callback)

    def revoke_at_provider(self) -> None:
        """Revoke the only app on the sandbox's page of connected apps."""
        page = self.browser.follow(f"{self._urls['sandbox']}/apps")
        page = self.browser.follow(self.browser.submit(form_with(page, "client_id")))
        expect("No app has access" in page.text, f"{self.account} could not revoke the app: {_described(page)}")


def shown(page: requests.Response, attribute: str) -> str:
    """Return the value of the first ``attribute`` (such as ``data-code``) on a page, or ""."""
    found = re.search(rf'\b{re.escape(attribute)}="([^"]*)"', page.text)
    return found[1] if found else ""


def form_with(page: requests.Response, *names: str) -> Form:
    """Return the form of a page that has these fields. Raises ``Unexpected``."""
    form = next((form for form in forms_of(page) if form.names.issuperset(names)), None)
    if form is None:
        raise Unexpected(f"there is no form with {' and '.join(names)}: {_described(page)}")
    return form


def _described(page: requests.Response) -> str:
    """Return where a page is, without its query, and what it says first."""
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    parts = urlsplit(page.url)
    said = re.sub(r"<[^>]+>|\s+", " ", heading[1]).strip() if heading else ""
    return f"status {page.status_code} at {parts.netloc}{parts.path}" + (f", “{said}”" if said else "")
