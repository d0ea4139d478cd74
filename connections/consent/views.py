"""The pages from the invitation to the provider: landing, choice, fields."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.consent.cookies import browser_secret, set_browser_secret
from connections.consent.finish import finished
from connections.consent.headers import is_framed, set_policy, widget_page
from connections.consent.pages import problem_page, widget
from connections.entrance import actor_of
from connections.lifecycle.authorize import authorization_url, chosen_app, find_session, fixed_params, own_session
from connections.lifecycle.authorize import start as start_session
from connections.lifecycle.begin_connect import apps_for
from connections.lifecycle.clock import database_now
from connections.lifecycle.outcomes import AppMisconfigured, InvalidRequest, ProviderDown, SessionUnusable
from connections.lifecycle.submit_secret import submit_secret
from connections.lifecycle.targets import entry_of
from connections.models import ConnectSession, ProviderApp, SessionState
from providers.catalog.loader import form_schema
from providers.vocabulary import AuthStyle


@widget_page
@require_GET
def landing(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Say who asks for what. Shows no secret and changes nothing: link scanners and reloads are harmless.

    The token is in the fragment, which browsers do not send: the page's script puts it into the form.
    """
    session = find_session(session_id)
    if session is None:
        return problem_page(request, failure="unknown", status=404)
    if session.state != SessionState.CREATED:
        return problem_page(request, failure="used", session=session, status=410)
    if session.expires_at <= database_now():
        return problem_page(request, failure="expired", session=session, status=410)
    apps = apps_for(session)
    names = {entry_of(app).name for app in apps}
    response = widget(
        request,
        "landing",
        session,
        provider=names.pop() if len(names) == 1 else "",
        is_choice=len(apps) > 1,
        leaves=all(app.auth_style == AuthStyle.AUTHORIZATION_CODE for app in apps),
        framed=is_framed(request),
    )
    if session.tenant.allowed_origins:
        set_policy(response, ancestors=tuple(session.tenant.allowed_origins))
    if session.origin:
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


@require_GET
def logo(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Serve the logo of the session's tenant."""
    session = find_session(session_id)
    if session is None or not session.tenant.logo:
        raise Http404
    response = HttpResponse(bytes(session.tenant.logo), content_type=session.tenant.logo_media_type)
    response["Cache-Control"] = "private, max-age=600"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


@widget_page
@require_POST
def start(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Take the click: consume the token, bind this browser, go on to the only method or to the choice."""
    if is_framed(request):
        return problem_page(request, failure="framed")
    try:
        started = start_session(
            session_id, token=request.POST.get("token", ""), now=database_now(), actor=actor_of(request)
        )
    except SessionUnusable as refusal:
        return problem_page(request, failure=refusal.failure, status=410)
    session, secret = started.session, started.browser_secret
    apps = apps_for(session)
    if len(apps) == 1 and not _has_fields(apps[0], session):
        response = _leave(request, session, apps[0], {}, secret=secret)
    elif len(apps) == 1:
        response = HttpResponseRedirect(reverse("method", args=[session.id, apps[0].id]), status=303)
    else:
        response = HttpResponseRedirect(reverse("choose", args=[session.id]), status=303)
    set_browser_secret(response, session.id, secret)
    return response


@widget_page
@require_GET
def choose(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Offer the providers and methods of the session."""
    try:
        session = own_session(session_id, browser_secret=browser_secret(request, session_id), now=database_now())
    except SessionUnusable as refusal:
        return problem_page(request, failure=refusal.failure, status=410)
    return widget(request, "choose", session, choices=_choices(session, apps_for(session)))


@widget_page
@require_http_methods(["GET", "POST"])
def method(request: HttpRequest, session_id: uuid.UUID, app_id: uuid.UUID) -> HttpResponse:
    """Ask for what one method needs; on POST go to the provider, or try the key and hold it."""
    secret = browser_secret(request, session_id)
    now = database_now()
    try:
        session = own_session(session_id, browser_secret=secret, now=now)
        app = chosen_app(session, app_id)
    except SessionUnusable as refusal:
        return problem_page(request, failure=refusal.failure, status=410)
    if request.method == "GET":
        return _form(request, session, app)
    typed = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    if app.auth_style == AuthStyle.AUTHORIZATION_CODE:
        return _leave(request, session, app, typed, secret=secret)
    try:
        held = submit_secret(
            session_id, app_id=app_id, fields=typed, browser_secret=secret, now=now, actor=actor_of(request)
        )
    except InvalidRequest as refusal:
        return _form(request, session, app, error=refusal.detail, field=refusal.extra.get("field", ""), status=422)
    except ProviderDown as refusal:
        return _form(request, session, app, error=refusal.detail, status=503)
    except AppMisconfigured as refusal:
        return problem_page(request, failure=refusal.code, session=session, status=502)
    except SessionUnusable as refusal:
        return problem_page(request, failure=refusal.failure, session=session, status=410)
    return finished(request, held)


def _leave(
    request: HttpRequest, session: ConnectSession, app: ProviderApp, typed: dict[str, str], *, secret: str | None
) -> HttpResponse:
    """Send the browser to the provider by a page of our own.

    A plain redirect would be held against ``form-action`` through the whole chain of the provider's own redirects.
    """
    try:
        url = authorization_url(session.id, app_id=app.id, params=typed, browser_secret=secret, now=database_now())
    except InvalidRequest as refusal:
        return _form(request, session, app, error=refusal.detail, field=refusal.extra.get("field", ""), status=422)
    except AppMisconfigured as refusal:
        return problem_page(request, failure=refusal.code, session=session, status=502)
    except SessionUnusable as refusal:
        return problem_page(request, failure=refusal.failure, session=session, status=410)
    response = widget(request, "leaving", session, provider=entry_of(app).name, url=url)
    if session.origin:
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def _form(
    request: HttpRequest,
    session: ConnectSession,
    app: ProviderApp,
    *,
    error: str = "",
    field: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the fields of one method. What was typed comes back, secrets excepted."""
    entry, fixed = entry_of(app), fixed_params(session)
    properties: dict[str, dict[str, Any]] = form_schema(entry, AuthStyle(app.auth_style))["properties"]
    fields = [
        {
            "name": name,
            "label": schema["title"],
            "help": schema.get("description", ""),
            "is_secret": schema.get("writeOnly", False),
            "example": next(iter(schema.get("examples", [])), ""),
            "value": "" if schema.get("writeOnly") else request.POST.get(name, schema.get("default", "")),
            "is_wrong": name == field,
        }
        for name, schema in properties.items()
        if name not in fixed
    ]
    response = widget(request, "fields", session, app=app, provider=entry.name, fields=fields, error=error)
    response.status_code = status
    return response


def _has_fields(app: ProviderApp, session: ConnectSession) -> bool:
    if app.auth_style != AuthStyle.AUTHORIZATION_CODE:
        return True
    names = form_schema(entry_of(app), AuthStyle(app.auth_style))["properties"]
    return any(name not in fixed_params(session) for name in names)


_METHOD_WORDS = {
    AuthStyle.AUTHORIZATION_CODE: "Sign in with {name}",
    AuthStyle.CLIENT_CREDENTIALS: "Connect with a client id and secret",
    AuthStyle.API_KEY: "Paste an API key",
}


def _choices(session: ConnectSession, apps: list[ProviderApp]) -> list[dict[str, Any]]:
    """Return what the pages show of each app; ``is_direct``: there is nothing to type before the provider's page."""
    choices = []
    for app in apps:
        entry = entry_of(app)
        style = AuthStyle(app.auth_style)
        choices.append(
            {
                "app": app,
                "name": entry.name,
                "method": _METHOD_WORDS[style].format(name=entry.name),
                "is_direct": not _has_fields(app, session),
            }
        )
    return choices
