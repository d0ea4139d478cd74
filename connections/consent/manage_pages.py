"""Rendering the pages of one's own connections, and who may see them: one browser, by its cookie."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from connections.consent.cookies import browser_secret
from connections.consent.decorators import widget_page
from connections.consent.manage_words import WORDS_OF_A_VISIT
from connections.consent.pages import PICTURES, branded, keep_opener, problem_page, status_of
from connections.consent.sender import Sender, form_proof, lacks_cookie, sender_of
from connections.consent.words import failure_named, filled_in
from connections.database.clock import database_now
from connections.database.pool import LockTimeout
from connections.entrance import actor_of
from connections.journal.audit import Actor
from connections.lifecycle.connect.session import is_own_browser
from connections.lifecycle.provision.domains import vouched_for
from connections.lifecycle.self_service.visit import find_visit, own_visit
from connections.models import ManagementSession
from connections.models.failures import Failure
from connections.refusals import Refusal, SessionUnusable


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of the browser to which the page belongs."""

    session: ManagementSession
    secret: str = field(repr=False)
    now: datetime
    actor: Actor


def own_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give ``view`` the ``Visit`` in place of the session's id; show everybody else why they see nothing.

    Lets in only POSTs that our own pages sent. A refusal that ``view`` raises becomes a page with a way on.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, session_id: uuid.UUID, *args: object, **kwargs: object) -> HttpResponse:
        secret, now = browser_secret(request, session_id), database_now()
        if request.method == "POST" and sender_of(request, session_id, secret=secret) is not Sender.OURS:
            failure = Failure.NO_COOKIE if lacks_cookie(request, secret=secret) else Failure.FOREIGN_FORM
            return refused_page(request, None, failure, status=403)
        try:
            session = own_visit(session_id, browser_secret=secret, now=now)
        except SessionUnusable as refusal:
            failure, found = failure_named(refusal), find_visit(session_id)
            is_own = found is not None and is_own_browser(found, secret)
            return refused_page(request, found if is_own else None, failure)
        actor = actor_of(request, subject=session.end_user)  # no client's act: the person's own, whose address it is
        try:
            return view(request, Visit(session, secret or "", now, actor), *args, **kwargs)
        except LockTimeout:
            return refused_page(request, session, Failure.BUSY, goes_on=True)
        except Refusal as refusal:
            return refused_page(request, session, failure_named(refusal), goes_on=True)

    return widget_page(wrapped)


def manage_page(request: HttpRequest, template: str, session: ManagementSession, **context: Any) -> HttpResponse:
    """Render one page of a visit under its tenant's brand."""
    addresses = {name: reverse("connect:manage-picture", args=[session.id, name]) for name in PICTURES}
    response = branded(request, f"manage_{template}", session.tenant, pictures=addresses, session=session, **context)
    keep_opener(response, session)
    return response


def entrance_page(request: HttpRequest, session: ManagementSession, **context: Any) -> HttpResponse:
    """Render the page with the click that opens a visit. It names where the end user came from."""
    host = urlsplit(session.return_url).netloc
    is_own = vouched_for(session.tenant_id, host, now=database_now())
    return manage_page(request, "start", session, return_host=host, is_own_host=is_own, **context)


def visit_page(request: HttpRequest, template: str, visit: Visit, **context: Any) -> HttpResponse:
    """Render one page of an open visit, whose forms prove that they are ours."""
    proof = form_proof(visit.session.id, visit.secret)
    return manage_page(request, template, visit.session, form_proof=proof, **context)


def refused_page(
    request: HttpRequest,
    session: ManagementSession | None,
    failure: Failure,
    *,
    status: int | None = None,
    goes_on: bool = False,
    framed: bool = False,
) -> HttpResponse:
    """Render why a step is not taken: under no brand where ``session`` is None.

    With ``goes_on`` the way on is the list of connections, otherwise the product. A page that is ``framed`` leads back
    by telling the page around it.
    """
    words = WORDS_OF_A_VISIT[failure]
    if session is None:
        shown = problem_page(request, failure=failure, words=words)
    else:
        names = {"tenant": session.tenant.name}
        shown = manage_page(
            request,
            "problem",
            session,
            title=filled_in(words.title, names),
            advice=filled_in(words.advice, names),
            failure=failure.value,
            goes_on=goes_on,
            framed=framed and session.origin,
            address=return_address(session),
        )
    shown.status_code = status or _STATUS_OF.get(failure) or status_of(failure)
    return shown


def return_address(session: ManagementSession) -> str:
    """Return the session's return URL with its id in the query."""
    separator = "&" if urlsplit(session.return_url).query else "?"
    return f"{session.return_url}{separator}{urlencode({'management_session': str(session.id)})}"


_STATUS_OF = {
    Failure.UNKNOWN: 404,
    Failure.GONE: 404,
    Failure.USED: 410,
    Failure.CLOSED: 410,
    Failure.SUSPENDED: 423,
    Failure.BROWSER: 403,
    Failure.NO_COOKIE: 403,
    Failure.FOREIGN_FORM: 403,
}
