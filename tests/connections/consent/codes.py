"""Steps of a connect session that shows a code: what an end user does, and the time that passes."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

from django.db.models import F
from django.http import HttpResponse

from connections.access.secrets import current_data_key
from connections.lifecycle.connect.shown_code import recall_shown, seal_shown
from connections.models import ConnectSession
from tests.flows import EndUser, Invitation


def show_code(user: EndUser, invitation: Invitation) -> HttpResponse:
    """Take the click, and return the page with the code."""
    page = user.follow(user.start(invitation))
    assert page.status_code == 200, page.content
    return page


def code_on(page: HttpResponse) -> str:
    """Return the code that a page shows."""
    found = re.search(r'id="user-code">([^<]+)<', page.content.decode())
    assert found, page.content.decode()[:3000]
    return unescape(found[1])


def link_with_code(page: HttpResponse) -> str:
    """Return the link of a page to the provider's own, with the code in it."""
    found = re.search(r'id="enter" href="([^"]+)"', page.content.decode())
    assert found, page.content.decode()[:3000]
    return unescape(found[1])


def enter(user: EndUser, link: str, *, allow: bool = True) -> None:
    """Have the end user sign in at the provider, wherever they like, and decide there."""
    answer = user.person.decide(link, allow=allow)
    assert ("Access allowed" if allow else "Access denied") in answer.text, answer.text[:2000]


def pass_interval(invitation: Invitation, seconds: float = 60) -> None:
    """Let so much time pass for a session that the provider may be asked again."""
    passed = ConnectSession.objects.filter(id=invitation.id).update(poll_at=F("poll_at") - timedelta(seconds=seconds))
    assert passed == 1


def let_code_run_out(invitation: Invitation) -> None:
    """Let the code's own time be over."""
    session = ConnectSession.objects.get(id=invitation.id)
    key = current_data_key(session.tenant_id)
    shown = recall_shown(session, key=key)
    over = replace(shown, expires_at=shown.expires_at - timedelta(hours=1))
    session.code_verifier = seal_shown(session, over, key=key)
    session.save(update_fields=["code_verifier"])
