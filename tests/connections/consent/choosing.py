"""The steps of the choice of a workspace, as the browser and the operator's backend take them."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse

from tests.flows import SAME_ORIGIN, EndUser, Invitation


def invite(user: EndUser, **changes: Any) -> Invitation:
    """Have the backend make a session at the provider that has teams."""
    return user.invite(provider="teams", **changes)


def choice_due(user: EndUser, invitation: Invitation) -> tuple[str, str]:
    """Connect as far as the choice; return the completion code and the address of the choice."""
    code = user.finish(invitation)
    answer = user.complete(invitation, code)
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"next"}
    return code, answer.json()["next"]


def fields_of(page: HttpResponse) -> dict[str, str]:
    """Return the hidden fields of the page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.content.decode())
    return {name: unescape(value) for name, value in found}


def offered(page: HttpResponse) -> list[str]:
    """Return the ids on offer."""
    return re.findall(r'name="workspace" value="([^"]+)"', page.content.decode())


def answer(user: EndUser, url: str, workspace: str = "", *, token: str | None = None, **further: str) -> HttpResponse:
    """Send the form of the page at ``url``, as that page does."""
    typed = {"token": urlsplit(url).query.partition("=")[2] if token is None else token, **further}
    typed |= {"workspace": workspace} if workspace else {}
    response: HttpResponse = user.browser.post(urlsplit(url).path, typed, headers=SAME_ORIGIN)
    return response
