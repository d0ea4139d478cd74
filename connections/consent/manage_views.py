"""The pages of one's own connections: which they are, who used them, and how to mend, rename or end them.

A link opens them by one click in one browser (``lifecycle.self_service``). None shows a secret; whatever is connected
from here is a connect session like any other.
"""

import secrets
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.access.targets import entry_of
from connections.consent.cookies import browser_secret, click_secret, set_browser_secret, set_click_secret
from connections.consent.decorators import is_framed, set_policy, widget_page
from connections.consent.manage_pages import (
    Visit,
    entrance_page,
    manage_page,
    own_page,
    refused_page,
    return_address,
    visit_page,
)
from connections.consent.manage_words import LABEL_TAKEN, LABEL_UNFIT, TOLD, foreseen, standing
from connections.consent.picture_views import picture_of
from connections.consent.sender import Sender, form_proof, lacks_cookie, sender_of
from connections.consent.views import go_on, scope_words
from connections.consent.words import Text, failure_named, filled_in
from connections.database.clock import database_now
from connections.entrance import actor_of
from connections.lifecycle.connect.session import is_own_browser
from connections.lifecycle.credentials.scopes import missing_scopes
from connections.lifecycle.self_service.change import disconnect_own, foresee_end, prefer_own, rename_own
from connections.lifecycle.self_service.own import own_connection, own_connections
from connections.lifecycle.self_service.questions import Question, answer, question, waiting
from connections.lifecycle.self_service.receipts import groups, receipts
from connections.lifecycle.self_service.reconnect import begin_another, begin_renewal
from connections.lifecycle.self_service.shared import end_share, shares_of
from connections.lifecycle.self_service.visit import end_visit, find_visit, may_connect, open_visit
from connections.models import Connection, ManagementSession, Status
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, InvalidRequest, SessionUnusable
from providers.lines import plain_line

USES_A_PAGE = 200
_GROUPS_SHOWN = 4
_LONGEST_LABEL = 64
_LONGEST_TOKEN = 100


@widget_page
@require_safe
def entrance(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Offer the click that opens the page. Shows nothing of anybody and changes nothing: scanners are harmless."""
    session, framed = find_visit(session_id), is_framed(request)
    if session is None:
        return refused_page(request, None, Failure.UNKNOWN)
    if not framed and is_own_browser(session, browser_secret(request, session_id)):
        return _to("list", session)
    if session.is_opened and not framed:
        response = refused_page(request, None, Failure.USED)
    elif session.expires_at <= database_now() and not session.is_opened:
        response = refused_page(request, session, Failure.EXPIRED, framed=framed)
    else:
        # A frame goes nowhere: only this page may be framed. Whether this browser opened it, its window can tell.
        response = entrance_page(request, session)
    if session.tenant.allowed_origins:
        set_policy(response, ancestors=tuple(session.tenant.allowed_origins))
    return response


@widget_page
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Take the click: consume the token, and bind the visit to this browser. A GET is a reload, and changes nothing."""
    if request.method == "GET":
        return HttpResponseRedirect(reverse("connect:manage", args=[session_id]), status=303)
    if is_framed(request):
        return refused_page(request, None, Failure.FRAMED)
    clicked = click_secret(request, session_id)
    sender = sender_of(request, session_id, secret=clicked)
    if sender is Sender.FOREIGN:
        return refused_page(request, None, Failure.FOREIGN_FORM)
    if sender is Sender.UNSAID:
        return _ask_again(request, session_id, clicked)
    now, actor = database_now(), actor_of(request)
    try:
        opened = open_visit(session_id, token=request.POST.get("token", ""), now=now, actor=actor)
    except SessionUnusable as refusal:
        found = find_visit(session_id)
        if found is not None and is_own_browser(found, browser_secret(request, session_id)):
            return _to("list", found)  # a double click, or the back button
        return refused_page(request, None, failure_named(refusal))
    response = _to("list", opened.session)
    set_browser_secret(response, session_id, opened.browser_secret)
    return response


def _ask_again(request: HttpRequest, session_id: uuid.UUID, clicked: str | None) -> HttpResponse:
    """Ask for the click again where the browser does not say who sent it, as ``views`` does for a connect session."""
    session = find_visit(session_id)
    if session is None or lacks_cookie(request, secret=clicked):
        return refused_page(request, None, Failure.UNKNOWN if session is None else Failure.NO_COOKIE)
    secret = secrets.token_urlsafe(32)
    token = str(request.POST.get("token", ""))[:_LONGEST_TOKEN]
    response = entrance_page(request, session, token=token, form_proof=form_proof(session_id, secret))
    set_click_secret(response, session_id, secret)
    return response


@own_page
@require_safe
def show_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the end user's connections."""
    shown = [_shown(connection) for connection in own_connections(visit.session, now=visit.now)]
    return visit_page(
        request,
        "list",
        visit,
        live=[one for one in shown if not one["is_ended"]],
        ended=[one for one in shown if one["is_ended"]],
        may_renew=may_connect(visit.session),
        may_add=may_connect(visit.session) and bool(visit.session.providers),
        questions=[_asked(one) for one in waiting(visit.session, now=visit.now)],
        told=_told(request, visit.session),
    )


@own_page
@require_safe
def show_one(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Show one connection: how it stands, what it may do, who used it, and what can be done with it."""
    return _one(request, visit, own_connection(visit.session, connection_id))


@own_page
@require_safe
def show_receipts(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Show who used one connection, page by page."""
    connection = own_connection(visit.session, connection_id)
    given = request.GET.get("before", "")
    before = int(given) if given.isdecimal() and len(given) <= 18 else None
    page = receipts(connection.id, before=before, limit=USES_A_PAGE)
    return visit_page(
        request, "receipts", visit, one=_shown(connection), uses=groups(page), older=page.next, is_first=before is None
    )


@own_page
@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Give a connection a name of the end user's."""
    if request.method == "GET":
        return _to_one(visit, connection_id)
    typed = str(request.POST.get("label", ""))
    label = plain_line(typed)
    fault: Text = ""
    if label is None or len(label) > _LONGEST_LABEL:
        fault = LABEL_UNFIT
    else:
        try:
            rename_own(visit.session, connection_id, label=label, actor=visit.actor)
        except InvalidRequest:
            fault = LABEL_TAKEN
    if fault:
        connection = own_connection(visit.session, connection_id)
        return _one(request, visit, connection, typed=typed[:200], fault=fault, status=422)
    return _to_one(visit, connection_id, told="renamed")


@own_page
@require_http_methods(["GET", "POST"])
def prefer(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Make a connection the default at its provider. Where it cannot be, its page shows how it stands."""
    if request.method == "GET":
        return _to_one(visit, connection_id)
    try:
        prefer_own(visit.session, connection_id, actor=visit.actor)
    except InvalidRequest:
        return _to_one(visit, connection_id)
    return _to_one(visit, connection_id, told="preferred")


@own_page
@require_http_methods(["GET", "POST"])
def disconnect(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Say what ending a connection means; a POST ends it."""
    if request.method == "POST":
        disconnect_own(visit.session, connection_id, now=visit.now, actor=visit.actor)
        return HttpResponseRedirect(f"{_address('list', visit.session)}?told=disconnected", status=303)
    connection = own_connection(visit.session, connection_id)
    if connection.status == Status.DISCONNECTED:
        return _to_one(visit, connection_id)
    shown, follows = _shown(connection), foresee_end(connection, now=visit.now)
    return visit_page(
        request,
        "disconnect",
        visit,
        one=shown,
        at_provider=filled_in(foreseen(follows.revocation), shown["names"]),
        is_shared=follows.is_shared,
        loses_default=follows.loses_default,
    )


@own_page
@require_http_methods(["GET", "POST"])
def reconnect(request: HttpRequest, visit: Visit, connection_id: uuid.UUID) -> HttpResponse:
    """Begin to renew a connection, and go on as after the click on the widget's first page."""
    if request.method == "GET":
        return _to_one(visit, connection_id)
    return go_on(request, begin_renewal(visit.session, connection_id, now=visit.now, actor=visit.actor))


@own_page
@require_http_methods(["GET", "POST"])
def end_grant(request: HttpRequest, visit: Visit, connection_id: uuid.UUID, grant_id: uuid.UUID) -> HttpResponse:
    """End what lets somebody else use a connection."""
    if request.method == "GET":
        return _to_one(visit, connection_id)
    end_share(visit.session, connection_id, grant_id, now=visit.now, actor=visit.actor)
    return _to_one(visit, connection_id, told="unshared")


@own_page
@require_http_methods(["GET", "POST"])
def approve(request: HttpRequest, visit: Visit, approval_id: uuid.UUID) -> HttpResponse:
    """Show exactly what somebody asks to do with an account; a POST allows it once, or refuses it."""
    asked = question(visit.session, approval_id)
    is_open = asked.approval.state(now=visit.now) == "pending"
    if request.method == "GET" and is_open:
        return visit_page(request, "approve", visit, asked=_asked(asked))
    verdict = request.POST.get("answer", "")
    told = "answered"
    if request.method == "POST" and verdict in ("allow", "refuse"):
        try:
            answer(visit.session, approval_id, approves=verdict == "allow", now=visit.now, actor=visit.actor)
            told = "allowed" if verdict == "allow" else "refused"
        except InvalidRequest:
            pass  # it was answered otherwise, or its time is over: the list says so
    return HttpResponseRedirect(f"{_address('list', visit.session)}?told={told}", status=303)


@own_page
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Begin to connect another account."""
    if request.method == "GET":
        return _to("list", visit.session)
    return go_on(request, begin_another(visit.session, now=visit.now, actor=visit.actor))


@own_page
@require_http_methods(["GET", "POST"])
def done(request: HttpRequest, visit: Visit) -> HttpResponse:
    """End the visit, and lead back to the product."""
    if request.method == "GET":
        return _to("list", visit.session)
    end_visit(visit.session.id, now=visit.now, actor=visit.actor)
    message = {"source": "latchkey", "connect_session": str(visit.session.id), "left": True}
    return manage_page(request, "done", visit.session, address=return_address(visit.session), message=message)


@require_safe
def picture(request: HttpRequest, session_id: uuid.UUID, name: str) -> HttpResponse:
    """Serve a picture of the visit's tenant. Raises ``Http404``."""
    session = find_visit(session_id)
    if session is None:
        raise Http404
    return picture_of(session.tenant, name)


def _one(
    request: HttpRequest,
    visit: Visit,
    connection: Connection,
    *,
    typed: str | None = None,
    fault: Text = "",
    status: int = 200,
) -> HttpResponse:
    """Render one connection. ``typed`` is shown in place of its name, with the ``fault`` in it."""
    shown, scopes = _shown(connection), list(connection.scopes.all())
    missing = missing_scopes(connection, scopes)
    page = receipts(connection.id, limit=USES_A_PAGE)
    used = groups(page)
    siblings = Connection.objects.of_the_owner_of(connection).count()
    response = visit_page(
        request,
        "connection",
        visit,
        one=shown,
        granted=scope_words(shown["entry"], [scope.name for scope in scopes if scope.is_granted]),
        missing=scope_words(shown["entry"], missing),
        uses=used[:_GROUPS_SHOWN],
        has_more_uses=len(used) > _GROUPS_SHOWN or page.next is not None,
        label=connection.label if typed is None else typed,
        fault=fault,
        has_siblings=siblings > 1,
        shares=shares_of(connection, now=visit.now),
        may_renew=may_connect(visit.session) and not connection.is_suspended,
        told=_told(request, visit.session),
    )
    response.status_code = status
    return response


def _shown(connection: Connection) -> dict[str, Any]:
    """Return what the pages show of one connection; its scopes have to be loaded, or are one query more."""
    how, entry = standing(connection), _entry_of(connection)
    name = entry.name if entry is not None else connection.provider
    names = {"provider": name, "tenant": connection.tenant.name}
    return {
        "connection": connection,
        "entry": entry,
        "name": name,
        "names": names,
        "account": connection.provider_account_name or connection.provider_account_id,
        "tone": how.tone,
        "standing": how.label,
        "sentence": filled_in(how.sentence, names) if how.sentence else "",
        "is_broken": how.is_broken,
        "is_ended": connection.status == Status.DISCONNECTED,
        "is_typed": not connection.provider_app.by_consent,
        "ends_at": connection.access_expires_at if connection.lacks_refresh_token else connection.grant_expires_at,
    }


def _asked(one: Question) -> dict[str, Any]:
    """Return what the pages show of a question."""
    connection = one.approval.connection
    entry = _entry_of(connection)
    return {
        "approval": one.approval,
        "asker": one.asker,
        "one": {
            "connection": connection,
            "entry": entry,
            "name": entry.name if entry is not None else connection.provider,
            "account": connection.provider_account_name or connection.provider_account_id,
        },
        "scopes": scope_words(entry, one.approval.scopes),
    }


def _entry_of(connection: Connection) -> Any:
    try:
        return entry_of(connection.provider_app)
    except AppMisconfigured:  # its entry has gone
        return None


def _told(request: HttpRequest, session: ManagementSession) -> Text:
    """Return what has just been done, by the code in the address. Whoever makes one up is told a harmless sentence."""
    words = TOLD.get(request.GET.get("told", ""))
    return filled_in(words, {"tenant": session.tenant.name}) if words else ""


def _address(page: str, session: ManagementSession, *names: object) -> str:
    return reverse(f"connect:manage-{page}", args=[session.id, *names])


def _to(page: str, session: ManagementSession) -> HttpResponse:
    return HttpResponseRedirect(_address(page, session), status=303)


def _to_one(visit: Visit, connection_id: uuid.UUID, *, told: str = "") -> HttpResponse:
    address = _address("one", visit.session, connection_id)
    return HttpResponseRedirect(f"{address}?told={told}" if told else address, status=303)
