"""Where a connect session stands, for its own browser: after an answer, a reload, a double click or the back button.

These pages change nothing, with one exception: they exchange the code of a session that needs no confirmation. A
browser without the session's cookie gets a page that says so, with no tenant's brand.
"""

import uuid

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from connections.consent.cookies import browser_secret
from connections.consent.decorators import widget_page
from connections.consent.finish import finish
from connections.consent.pages import problem_page, status_of, try_again_page, way_back, widget
from connections.consent.words import Names, filled_in
from connections.database.clock import database_now
from connections.lifecycle.connect.hold import completion_code_of, still_held
from connections.lifecycle.connect.session import check_cookie, find_session
from connections.models import IN_BROWSER, Binding, ConnectSession, SessionState
from connections.models.failures import Failure
from connections.refusals import SessionUnusable


@widget_page
@require_GET
def outcome(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Show where the session stands, or go on with it."""
    session = _own(request, session_id)
    if isinstance(session, HttpResponse):
        return session
    secret, now = browser_secret(request, session_id) or "", database_now()
    if session.is_overdue(now=now):
        return problem_page(request, failure=Failure.EXPIRED, session=session, status=410)
    if session.state in IN_BROWSER:
        return _still_open(request, session)
    if session.state == SessionState.FAILED:
        failure = _failure_kept(session)
        return problem_page(request, failure=failure, session=session, status=status_of(failure))
    held = still_held(session, browser_secret=secret, now=now)
    if held is not None:
        return finish(request, held)
    return _under_way(request, session, secret=secret)


@widget_page
@require_GET
def show_unchanged(request: HttpRequest, session_id: uuid.UUID, failure: str) -> HttpResponse:
    """Show why a response was refused. The refusal changed nothing, and the session is still open."""
    session = _own(request, session_id)
    if isinstance(session, HttpResponse):
        return session
    told = Failure.named(failure)
    if session.state not in IN_BROWSER or told is None:
        return HttpResponseRedirect(reverse("connect:outcome", args=[session_id]), status=303)
    return try_again_page(request, session, told, status=status_of(told))


def _own(request: HttpRequest, session_id: uuid.UUID) -> ConnectSession | HttpResponse:
    session, secret = find_session(session_id), browser_secret(request, session_id)
    if session is None:
        return problem_page(request, failure=Failure.UNKNOWN, status=404)
    try:
        check_cookie(session, secret)
    except SessionUnusable:
        failure = Failure.NO_COOKIE if secret is None else Failure.BROWSER
        return problem_page(request, failure=failure, status=status_of(failure))
    return session


def _still_open(request: HttpRequest, session: ConnectSession) -> HttpResponse:
    if session.poll_at is not None:
        return HttpResponseRedirect(reverse("connect:device", args=[session.id]), status=303)
    if session.state == SessionState.AUTHORIZING:
        return try_again_page(request, session, Failure.NOT_FINISHED)
    if not session.failure:
        return HttpResponseRedirect(reverse("connect:choose", args=[session.id]), status=303)
    ours = Failure.named(session.failure)
    return try_again_page(request, session, session.failure, status=200 if ours is None else status_of(ours))


def _under_way(request: HttpRequest, session: ConnectSession, *, secret: str) -> HttpResponse:
    """Render the page of a session that the operator's page has taken over, with the same link as the first time."""
    if session.state == SessionState.COMPLETED:
        title, sign = _("Connected to {tenant} already"), "good"
        advice = _("There is nothing left to do here. Go back.")
    elif session.state == SessionState.CHOOSING:
        title, sign = _("One choice is left to make"), "wait"
        advice = _("Go back to {tenant}, which leads you there.")
    else:
        title, sign = _("This is being connected already"), "wait"
        advice = _("Go back in a moment, and look there.")
    result: dict[str, str] = {}
    if session.binding == Binding.COMPLETION:
        result = {"completion_code": completion_code_of(session, browser_secret=secret)}
    elif session.connection_id is not None and session.state == SessionState.COMPLETED:
        result = {"connection": str(session.connection_id)}
    names: Names = {"tenant": session.tenant.name}
    context = {"title": filled_in(title, names), "advice": filled_in(advice, names), "sign": sign}
    return widget(request, "standing", session, **context, **way_back(session, **result))


def _failure_kept(session: ConnectSession) -> Failure:
    """Return the failure that ended the session.

    Every refusal of the exchange counts as ``EXCHANGE_FAILED``, and one that blames the browser as ``CODE_BURNT``.
    """
    failure = Failure.named(session.failure) or Failure.EXCHANGE_FAILED
    is_the_others = failure in (Failure.BROWSER, Failure.NO_COOKIE)  # blames another browser: this one has the cookie
    return Failure.CODE_BURNT if is_the_others else failure
