"""Whole flows, step by step, as the people and programs in them take them."""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.http import HttpResponse

from tests.asgi_client import AsgiClient
from tests.factories import RETURN_URL, Caller
from tests.person import Person

_MOST_HOPS = 5
SAME_ORIGIN = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "document"}


@dataclass
class Invitation:
    """What the API answered to the making of a session."""

    id: str
    token: str
    connect_url: str


@dataclass
class EndUser:
    """Somebody who connects: ``browser`` visits Latchkey, ``person`` the provider; together they are one browser."""

    name: str
    backend: Caller
    tenant: str = "acme"
    browser: AsgiClient = field(default_factory=AsgiClient)
    person: Person = field(init=False)

    def __post_init__(self) -> None:
        self.person = Person(self.name)

    def invite(self, **changes: Any) -> Invitation:
        """Have the backend make a session for this end user."""
        answer = call(
            self.backend,
            "POST",
            "/connect-sessions",
            {
                "end_user": self.name,
                "provider": "sandbox",
                "return_url": RETURN_URL.format(slug=self.tenant),
                **changes,
            },
        )
        assert answer.status_code == 201, answer.content
        body = answer.json()
        return Invitation(body["id"], body["token"], body["connect_url"])

    def start(self, invitation: Invitation) -> HttpResponse:
        """Take the click on the landing page."""
        return self.browser.post(f"/connect/{invitation.id}/start", {"token": invitation.token}, headers=SAME_ORIGIN)

    def leave(self, invitation: Invitation) -> str:
        """Take the click and return the authorization request."""
        return provider_link(self.start(invitation))

    def authorize(self, invitation: Invitation, **decision: Any) -> str:
        """Go through the provider and return the address of the callback, not yet visited."""
        return self.person.authorize(self.leave(invitation), **decision)

    def visit(self, url: str) -> HttpResponse:
        """Open an address of Latchkey's, and go where it leads within Latchkey, as a browser does."""
        return self.follow(self.open(url))

    def open(self, url: str) -> HttpResponse:
        """Open an address of Latchkey's, and go no further."""
        parts = urlsplit(url)
        answer: HttpResponse = self.browser.get(f"{parts.path}?{parts.query}", headers={"sec-fetch-dest": "document"})
        return answer

    def follow(self, answer: HttpResponse) -> HttpResponse:
        """Go where an answer leads within Latchkey, as a browser does."""
        for _ in range(_MOST_HOPS):
            if answer.status_code != HTTPStatus.SEE_OTHER:
                return answer
            answer = self.open(answer["Location"])
        raise AssertionError("redirects without end")

    def finish(self, invitation: Invitation, **decision: Any) -> str:
        """Go all the way, and return the completion code that arrives at the operator's page."""
        return completion_code(self.visit(self.authorize(invitation, **decision)))

    def complete(self, invitation: Invitation, code: str, *, end_user: str | None = None) -> HttpResponse:
        """Have the backend confirm, with the id of the user who is logged in there."""
        return call(
            self.backend,
            "POST",
            f"/connect-sessions/{invitation.id}/complete",
            {"completion_code": code, "end_user": end_user or self.name},
        )

    def connect(self, **changes: Any) -> dict[str, Any]:
        """Connect, and return the connection as the API shows it."""
        invitation = self.invite(**changes)
        answer = self.complete(invitation, self.finish(invitation))
        assert answer.status_code == 200, answer.content
        connection: dict[str, Any] = answer.json()["connection"]
        return connection

    def vend(self, connection_id: str, **body: Any) -> HttpResponse:
        """Have the backend vend for this end user."""
        return call(self.backend, "POST", f"/connections/{connection_id}/credential", {"end_user": self.name, **body})


def call(
    caller: Caller | None, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
) -> HttpResponse:
    """Call the API as ``caller``, without a key for None."""
    headers = {**(caller.headers if caller is not None else {}), **(headers or {})}
    response: HttpResponse = AsgiClient().generic(
        method, f"/api/v1{path}", "" if body is None else _json(body), "application/json", headers=headers
    )
    return response


def post_form(caller: Caller | None, path: str, form: dict[str, str] | str) -> HttpResponse:
    """Post a form to the API as ``caller``, without a key for None."""
    headers = caller.headers if caller is not None else {}
    sent = form if isinstance(form, str) else urlencode(form)
    kind = "application/x-www-form-urlencoded"
    response: HttpResponse = AsgiClient().generic("POST", f"/api/v1{path}", sent, kind, headers=headers)
    return response


def _json(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def provider_link(page: HttpResponse) -> str:
    """Return the link to the provider that a leaving page shows."""
    found = re.search(r'id="leave" href="([^"]+)"', page.content.decode())
    assert found, f"{page.status_code}: {page.content.decode()[:2000]}"
    return unescape(found[1])


def completion_code(answer: HttpResponse) -> str:
    """Return the completion code with which an answer sends the browser to the return URL."""
    return dict(parse_qsl(urlsplit(return_link(answer)).query))["completion_code"]


def return_link(answer: HttpResponse) -> str:
    """Return the address at the operator's that an answer leads to: a redirect, or a page after a form."""
    if answer.status_code == 302:
        return str(answer["Location"])
    found = re.search(r'id="return" href="([^"]+)"', answer.content.decode())
    assert found, f"{answer.status_code}: {answer.content.decode()[:2000]}"
    return unescape(found[1])


def standing_of(page: HttpResponse) -> str:
    """Return the state that a page of the widget shows a session to be in."""
    found = re.search(r'data-standing="([^"]+)"', page.content.decode())
    assert found, f"{page.status_code}: {page.content.decode()[:2000]}"
    return found[1]


def failure_of(page: HttpResponse) -> str:
    """Return the failure that a page of the widget tells of."""
    found = re.search(r'data-failure="([^"]+)"', page.content.decode())
    assert found, f"{page.status_code}: {page.content.decode()[:2000]}"
    return found[1]
