"""People at their browsers: they sign in at the sandbox, consent, and follow the product's pages step by step.

A ``Person`` is a ``requests.Session`` with manual redirects and a cookie jar that sends Secure cookies over loopback
HTTP, as browsers do. It reads forms from the HTML like a browser; it runs no script.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import parse_qsl, urljoin, urlsplit

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


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("method", "get").upper(), given.get("action", "")))
        if tag not in ("input", "button") or not self.forms or "name" not in given:
            return
        form, name, kind = self.forms[-1], given["name"], given.get("type", "")
        form.names.add(name)
        if tag == "button" or kind == "submit":
            form.buttons.append((name, given.get("value", "")))
        elif kind not in ("checkbox", "radio") or "checked" in given:
            form.fields.append((name, given.get("value", "on" if kind == "checkbox" else "")))


def forms_of(page: requests.Response) -> list[Form]:
    """Return the forms of an HTML page, in order, with absolute actions."""
    reader = _FormReader()
    reader.feed(page.text)
    for form in reader.forms:
        form.action = urljoin(page.url, form.action) if form.action else page.url
    return reader.forms


class Person:
    """alice, bob or carol, with a browser of their own."""

    def __init__(self, username: str, password: str | None = None) -> None:
        self.username = username
        self.password = password if password is not None else username
        self.session = requests.Session()
        self.session.trust_env = False
        # Loopback counts as secure for a browser, not for the jar: Secure cookies must travel over http here.
        self.session.cookies.set_policy(DefaultCookiePolicy(secure_protocols=("http", "https", "ws", "wss")))

    def get(self, url: str, **options: object) -> requests.Response:
        """Return the answer to one GET, redirects not followed."""
        return self.request("GET", url, **options)

    def post(self, url: str, data: object = None, **options: object) -> requests.Response:
        """Return the answer to one POST, redirects not followed."""
        return self.request("POST", url, data=data, **options)

    def request(self, method: str, url: str, **options: object) -> requests.Response:
        """Return the answer to one request, redirects not followed."""
        settings: dict[str, object] = {"allow_redirects": False, "timeout": 30, **options}
        return self.session.request(method, url, **settings)  # type: ignore[arg-type]

    def submit(self, form: Form, *, button: tuple[str, str] | None = None, **values: str) -> requests.Response:
        """Send a form as it stands, with ``values`` typed over and one button pressed."""
        fields = [(name, value) for name, value in form.fields if name not in values] + list(values.items())
        fields += [button] if button else []
        if form.method == "GET":
            return self.get(form.action, params=fields)
        return self.post(form.action, fields)

    def follow(self, url: str, *, until: str | None = None) -> requests.Response:
        """Go to ``url`` and on through redirects; stop before an address that begins with ``until``.

        Returns the last answer: a page, or the redirect to ``until``.
        """
        answer = self.get(url)
        for _ in range(_MOST_STEPS):
            if not answer.is_redirect:
                return answer
            target = urljoin(answer.url, answer.headers["Location"])
            if until is not None and target.startswith(until):
                return answer
            answer = self.get(target)
        raise AssertionError(f"{self.username} went round in circles at {answer.url}")

    def sign_in(self, base_url: str) -> None:
        """Sign in at the sandbox."""
        answer = self.post(f"{base_url}/login", {"username": self.username, "password": self.password})
        assert answer.status_code == 303, f"{self.username} could not sign in at {base_url}: {answer.status_code}"

    def authorize(self, url: str, *, allow: bool = True, scopes: list[str] | None = None) -> str:
        """Open an authorization request at the sandbox, sign in if asked, and decide.

        Returns the address at the client to which the browser is sent, without requesting it. ``scopes`` are the boxes
        left ticked (default: all). For ``response_mode=form_post`` use ``decide``.
        """
        answer = self.decide(url, allow=allow, scopes=scopes)
        assert answer.is_redirect, f"no redirect but {answer.status_code}: {answer.text[:500]}"
        return urljoin(answer.url, answer.headers["Location"])

    def decide(self, url: str, *, allow: bool = True, scopes: list[str] | None = None) -> requests.Response:
        """Do as ``authorize``, and return the sandbox's answer to the decision, or its refusal to ask for one."""
        server = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        answer = self._to_consent_or_away(url, server)
        consent = next((form for form in forms_of(answer) if ("action", "allow") in form.buttons), None)
        if answer.is_redirect or consent is None:
            return answer
        fields = [(name, value) for name, value in consent.fields if name != "scope"]
        offered = [value for name, value in consent.fields if name == "scope"]
        fields += [("scope", scope) for scope in (offered if scopes is None else scopes)]
        return self.post(consent.action, [*fields, ("action", "allow" if allow else "deny")])

    def _to_consent_or_away(self, url: str, server: str) -> requests.Response:
        answer = self.get(url)
        for _ in range(_MOST_STEPS):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                if not target.startswith(f"{server}/"):
                    return answer
                answer = self.get(target)
                continue
            sign_in = next((form for form in forms_of(answer) if {"username", "password"} <= form.names), None)
            if sign_in is None:
                return answer
            answer = self.submit(sign_in, username=self.username, password=self.password)
        raise AssertionError(f"{self.username} could not sign in at {server}")


def parameters_of(url: str) -> dict[str, str]:
    """Return the query parameters of an address, such as an authorization response."""
    return dict(parse_qsl(urlsplit(url).query))
