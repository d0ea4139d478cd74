"""The pages from the invitation to the provider: landing, choice, fields."""

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from connections.access.targets import entry_of
from connections.asked_fields import asked_fields
from connections.consent.categories import category_shown, is_translated
from connections.consent.cookies import browser_secret, click_secret, set_browser_secret, set_click_secret
from connections.consent.decorators import is_framed, own_forms_only, set_policy, widget_page
from connections.consent.finish import finish, finish_unbound
from connections.consent.pages import problem_page, widget
from connections.consent.sender import PROOF, Sender, form_proof, lacks_cookie, sender_of
from connections.consent.words import failure_named, input_fault, invitation
from connections.database.clock import database_now
from connections.entrance import actor_of
from connections.lifecycle.connect.ask_for_code import ask_for_code
from connections.lifecycle.connect.authorize import Started, authorization_url
from connections.lifecycle.connect.authorize import start as start_session
from connections.lifecycle.connect.params import apps_for, chosen_app, fixed_params
from connections.lifecycle.connect.scopes import newly_asked, requested_scopes
from connections.lifecycle.connect.session import check_cookie, find_session, is_own_browser, own_session
from connections.lifecycle.connect.submit_secret import submit_secret
from connections.lifecycle.credentials.scopes import held_scopes
from connections.models import IN_BROWSER, UNFINISHED, Binding, ConnectSession, ProviderApp, SessionState
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, InvalidRequest, ProviderDown, Refusal, SessionUnusable
from providers.catalog.schema import CatalogEntry

_LONGEST_TOKEN = 100


@widget_page
@require_safe
def landing(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Say who asks for what. Shows no secret and changes nothing: link scanners and reloads are harmless.

    The token is in the fragment, which browsers do not send: the page's script puts it into the form.
    """
    session, framed = find_session(session_id), is_framed(request)
    if session is None:
        return problem_page(request, failure=Failure.UNKNOWN, status=404)
    is_begun = session.state != SessionState.CREATED
    if is_begun and not framed and is_own_browser(session, browser_secret(request, session_id)):
        return _to_the_outcome(session_id)
    if session.is_overdue(now=database_now()):
        response = problem_page(request, failure=Failure.EXPIRED, session=session, status=410, framed=framed)
    elif is_begun and not (framed and session.state in UNFINISHED):
        response = problem_page(request, failure=Failure.USED, session=session, status=410, framed=framed)
    else:
        # A frame goes nowhere: of a product on another site it has no cookie, and no later page may be framed. Whether
        # this browser began, the window that it opens can tell.
        response = widget(request, "landing", session, **_asked_for(session))
    if session.tenant.allowed_origins:
        set_policy(response, ancestors=tuple(session.tenant.allowed_origins))
    return response


@widget_page
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Take the click: consume the token, bind this browser, go on to the only method or to the choice.

    A GET is a reload from the address bar, and changes nothing: it leads to where the session stands.
    """
    if request.method == "GET":
        return _to_the_outcome(session_id)
    if is_framed(request):
        return problem_page(request, failure=Failure.FRAMED)
    clicked = click_secret(request, session_id)
    sender = sender_of(request, session_id, secret=clicked)
    if sender is Sender.FOREIGN:
        return problem_page(request, failure=Failure.FOREIGN_FORM, status=403)
    if sender is Sender.UNSAID and lacks_cookie(request, secret=clicked):
        return problem_page(request, failure=Failure.NO_COOKIE, session=find_session(session_id), status=403)
    if sender is Sender.UNSAID:
        return _ask_again(request, session_id)
    try:
        started = start_session(session_id, token=request.POST.get("token", ""), actor=actor_of(request))
    except SessionUnusable as refusal:
        if _is_back(request, session_id):  # a double click, or the back button
            return _to_the_outcome(session_id)
        return problem_page(request, failure=failure_named(refusal), status=410)
    return go_on(request, started)


def go_on(request: HttpRequest, started: Started) -> HttpResponse:
    """Bind this browser to a session whose click was taken, and go on to the only method or to the choice."""
    session, secret = started.session, started.browser_secret
    apps = apps_for(session)
    if len(apps) == 1 and not _has_fields(apps[0], session):
        response = _go_to_provider(request, session, apps[0], {}, secret=secret, now=started.at)
    elif len(apps) == 1:
        response = HttpResponseRedirect(reverse("connect:method", args=[session.id, apps[0].id]), status=303)
    else:
        response = HttpResponseRedirect(reverse("connect:choose", args=[session.id]), status=303)
    set_browser_secret(response, session.id, secret)
    return response


def _ask_again(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Ask for the click again, on a page that nobody can frame and whose form can prove that it is ours.

    This browser is too old to say who sent the form. The landing page cannot prove it either: it may be framed, and
    the browser sends no cookie from a frame. Without this question another site could begin a session of its own in
    this browser unseen.
    """
    session = find_session(session_id)
    if session is None:
        return problem_page(request, failure=Failure.UNKNOWN, status=404)
    secret = secrets.token_urlsafe(32)
    token = str(request.POST.get("token", ""))[:_LONGEST_TOKEN]
    proof = form_proof(session_id, secret)
    response = widget(request, "again", session, token=token, form_proof=proof, **_asked_for(session))
    set_click_secret(response, session_id, secret)
    return response


@widget_page
@require_GET
def choose(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Offer the providers and methods of the session."""
    secret = browser_secret(request, session_id)
    try:
        session = own_session(session_id, browser_secret=secret, now=database_now())
    except SessionUnusable as refusal:
        return _show_refusal(request, session_id, refusal)
    if session.state not in IN_BROWSER:
        return _to_the_outcome(session_id)
    choices = _choices(session, apps_for(session))
    entries = {choice["entry"].slug: choice["entry"] for choice in choices}
    only = next(iter(entries.values())) if len(entries) == 1 else None
    return widget(
        request,
        "choose",
        session,
        choices=choices,
        entry=only,
        provider=only.name if only is not None else "",
        form_proof=form_proof(session.id, secret),
    )


@widget_page
@require_http_methods(["GET", "POST"])
@own_forms_only
def method(request: HttpRequest, session_id: uuid.UUID, app_id: uuid.UUID) -> HttpResponse:
    """Show the fields of one method. A POST leads to the provider, or tries the typed key and holds it."""
    secret = browser_secret(request, session_id)
    now = database_now()
    try:
        session = own_session(session_id, browser_secret=secret, now=now)
        if session.state not in IN_BROWSER:
            return _to_the_outcome(session_id)
        app = chosen_app(session, app_id)
    except SessionUnusable as refusal:
        return _show_refusal(request, session_id, refusal)
    if request.method == "GET":
        return _form(request, session, app, secret=secret)
    typed = {name: value for name, value in request.POST.items() if isinstance(value, str) and name != PROOF}
    if app.by_consent:
        return _go_to_provider(request, session, app, typed, secret=secret, now=now)
    try:
        held = submit_secret(session, app, fields=typed, browser_secret=secret, now=now, actor=actor_of(request))
    except InvalidRequest as refusal:
        field = refusal.extra.get("field", "")
        return _form(request, session, app, secret=secret, error=refusal, field=field, status=422)
    except ProviderDown as refusal:
        return _form(request, session, app, secret=secret, error=refusal, status=503)
    except AppMisconfigured as refusal:
        return problem_page(request, failure=failure_named(refusal), session=session, status=502)
    except SessionUnusable as refusal:
        return problem_page(request, failure=failure_named(refusal), session=session, status=410)
    return finish(request, held)


@widget_page
@require_http_methods(["GET", "POST"])
@own_forms_only
def try_again(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Try once more to finish a session that needs no confirmation, after the provider could not answer.

    A GET leads to where the session stands, as in ``start``.
    """
    if request.method == "GET":
        return _to_the_outcome(session_id)
    session = find_session(session_id)
    if session is None or session.binding != Binding.NONE:
        return problem_page(request, failure=Failure.UNKNOWN, status=404)
    try:
        check_cookie(session, browser_secret(request, session_id))
    except SessionUnusable as refusal:
        return _show_refusal(request, session_id, refusal)
    return finish_unbound(request, session)


def _is_back(request: HttpRequest, session_id: uuid.UUID) -> bool:
    session = find_session(session_id)
    return session is not None and is_own_browser(session, browser_secret(request, session_id))


def _to_the_outcome(session_id: uuid.UUID) -> HttpResponse:
    """Redirect the session's own browser to the outcome page: this step was taken before."""
    return HttpResponseRedirect(reverse("connect:outcome", args=[session_id]), status=303)


def _show_refusal(request: HttpRequest, session_id: uuid.UUID, refusal: SessionUnusable) -> HttpResponse:
    """Show why a step is refused. If only the cookie is missing, offer a way back to start again."""
    session = find_session(session_id) if refusal.failure == Failure.NO_COOKIE else None
    return problem_page(request, failure=failure_named(refusal), session=session, status=410)


def _go_to_provider(
    request: HttpRequest,
    session: ConnectSession,
    app: ProviderApp,
    typed: dict[str, str],
    *,
    secret: str | None,
    now: datetime,
) -> HttpResponse:
    """Send the browser to the provider by a page of our own, or show the code to enter there.

    Browsers would check a plain redirect, and the provider's whole chain of redirects, against ``form-action``.
    """
    try:
        if app.shows_code:
            ask_for_code(session, app, params=typed, browser_secret=secret, now=now)
            return HttpResponseRedirect(reverse("connect:device", args=[session.id]), status=303)
        url = authorization_url(session, app, params=typed, browser_secret=secret, now=now)
    except ProviderDown as refusal:
        return _form(request, session, app, secret=secret, error=refusal, status=503)
    except InvalidRequest as refusal:
        field = refusal.extra.get("field", "")
        return _form(request, session, app, secret=secret, error=refusal, field=field, status=422)
    except AppMisconfigured as refusal:
        return problem_page(request, failure=failure_named(refusal), session=session, status=502)
    except SessionUnusable as refusal:
        return problem_page(request, failure=failure_named(refusal), session=session, status=410)
    entry = entry_of(app)
    return widget(request, "leaving", session, entry=entry, provider=entry.name, url=url, is_leaving=True)


def _form(
    request: HttpRequest,
    session: ConnectSession,
    app: ProviderApp,
    *,
    secret: str | None,
    error: Refusal | None = None,
    field: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the fields of one method. Typed values are shown again, except secrets."""
    entry = entry_of(app)
    typed = {**session.typed_params, **request.POST.dict()}
    fields = asked_fields(entry, app.auth_style, typed=typed, fixed=fixed_params(session), wrong=field)
    context = {"app": app, "entry": entry, "provider": entry.name, "fields": fields}
    if error is not None:
        label = next((asked["label"] for asked in fields if asked["is_wrong"]), "")
        first = fields[0]["name"] if fields else ""
        context |= {"error": input_fault(error, provider=entry.name, label=label), "at_fault": field or first}
    response = widget(request, "fields", session, form_proof=form_proof(session.id, secret), **context)
    response.status_code = status
    return response


def _asked_for(session: ConnectSession) -> dict[str, Any]:
    """Return what the pages before the click say about the session: who asks, and for what."""
    apps = apps_for(session)
    entries = {found.slug: found for found in map(entry_of, apps)}
    entry = next(iter(entries.values())) if len(entries) == 1 else None
    return {
        "entry": entry,
        "provider": entry.name if entry is not None else "",
        "is_choice": len(apps) > 1,
        "leaves": all(app.redirects for app in apps),
        "shows_code": all(app.shows_code for app in apps),
        "keeps": _kept_words(session, entry),
        "scopes": _scopes(session, apps[0], entry) if entry is not None and len(apps) == 1 else [],
    }


def _scopes(session: ConnectSession, app: ProviderApp, entry: CatalogEntry) -> list[dict[str, str]]:
    """Return what the provider will be asked for, in words."""
    if not app.by_consent:
        return []
    try:
        return scope_words(entry, newly_asked(session, requested_scopes(session, app, entry)))
    except AppMisconfigured:  # the click says so
        return []


def _kept_words(session: ConnectSession, entry: CatalogEntry | None) -> list[dict[str, str]]:
    """Return what the end user has allowed before and keeps, in words, where the session adds to it."""
    if session.reconnects is None or not session.adds_scopes:
        return []
    return scope_words(entry, held_scopes(session.reconnects.scopes.all()))


def scope_words(entry: CatalogEntry | None, scopes: Sequence[str]) -> list[dict[str, str]]:
    """Return each scope's ``name`` and its ``words`` ("": nobody wrote any). No I/O."""
    known = entry.scopes if entry is not None else ()
    words = {name: scope.description for scope in known for name in (scope.name, *scope.aliases)}
    return [{"name": name, "words": words.get(name, "")} for name in scopes]


def _has_fields(app: ProviderApp, session: ConnectSession) -> bool:
    return not app.by_consent or bool(asked_fields(entry_of(app), app.auth_style, fixed=fixed_params(session)))


def _choices(session: ConnectSession, apps: list[ProviderApp]) -> list[dict[str, Any]]:
    """Return what the pages show of each app.

    ``is_direct``: the end user types nothing before the provider's page. ``has_others``: there are other ways to
    connect the same provider.
    """
    choices = []
    entries = [entry_of(app) for app in apps]
    slugs = [entry.slug for entry in entries]
    for app, entry in zip(apps, entries, strict=True):
        choices.append(
            {
                "app": app,
                "entry": entry,
                "method": invitation(app.auth_style, provider=entry.name),
                "is_direct": not _has_fields(app, session),
                "category": category_shown(entry.category),
                "is_translated": is_translated(entry.category),
                "has_others": slugs.count(entry.slug) > 1,
            }
        )
    return choices
