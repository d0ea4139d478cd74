"""Rendering: one function a page. Their words are ``connections.consent.words``."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connections.access.targets import entry_of
from connections.consent.words import WORDS_OF, words_for
from connections.models import ConnectSession
from connections.models.failures import Failure
from connections.models.tenant import text_on
from connections.refusals import AppMisconfigured

_STATUS_OF = {
    Failure.APPROVAL_REQUESTED: 200,
    Failure.NOT_FINISHED: 200,
    Failure.EXPIRED: 410,
    Failure.EXCHANGE_FAILED: 409,
    Failure.ACCOUNT_MISMATCH: 409,
    Failure.TOO_LARGE: 413,
    Failure.INTERNAL: 500,
    Failure.APP_MISCONFIGURED: 502,
    Failure.BUSY: 503,
}


def widget(request: HttpRequest, template: str, session: ConnectSession, **context: Any) -> HttpResponse:
    """Render one page of ``session`` under its tenant's brand."""
    return render(
        request,
        f"connect/{template}.html",
        {
            "session": session,
            "tenant": session.tenant,
            "text_color": text_on(session.tenant.brand_color),
            "return_host": urlsplit(session.return_url).netloc,
            **context,
        },
    )


def problem_page(
    request: HttpRequest,
    *,
    failure: Failure,
    session: ConnectSession | None = None,
    status: int = 400,
    retry: str = "",
) -> HttpResponse:
    """Render a failure in plain words, with the way back where there is one.

    ``retry`` is the proof of the form by which a session that still holds something is finished again.
    """
    names = _names_in(session)
    words = WORDS_OF[failure]
    title, advice = words.title.format(**names), words.advice.format(**names)
    context: dict[str, Any] = {"title": title, "advice": advice, "failure": failure.value, "retry": retry}
    if session is not None:
        context |= {
            "session": session,
            "tenant": session.tenant,
            "text_color": text_on(session.tenant.brand_color),
            "back_url": return_address(session, error=failure),
        }
    return render(request, "connect/problem.html", context, status=status)


def _names_in(session: ConnectSession | None) -> dict[str, str]:
    """Return what the words of failures call the provider, and what it has for a workspace."""
    names = {"provider": "the provider", "workspace": "workspace"}
    if session is None or session.provider_app is None:
        return names
    try:
        entry = entry_of(session.provider_app)
    except AppMisconfigured:
        return names
    return {"provider": entry.name, "workspace": entry.workspaces.label.lower() if entry.workspaces else "workspace"}


def try_again_page(request: HttpRequest, session: ConnectSession, failure: str, *, status: int = 200) -> HttpResponse:
    """Render what stands against a session that is still open, with the choice to try again or to go back.

    ``failure`` is one of ours, or what the provider called its refusal.
    """
    words, names = words_for(failure), _names_in(session)
    response = widget(
        request,
        "try_again",
        session,
        title=words.title.format(**names),
        advice=words.advice.format(**names),
        failure=str(failure),
        back_url=return_address(session, error=failure),
    )
    response.status_code = status
    return response


def status_of(failure: Failure) -> int:
    """Return the HTTP status of a page that tells of ``failure`` where nothing else decides it."""
    return _STATUS_OF.get(failure, 400)


def return_address(session: ConnectSession, **result: str) -> str:
    """Return the session's return URL with its id and ``result`` added to the query."""
    separator = "&" if urlsplit(session.return_url).query else "?"
    return f"{session.return_url}{separator}{urlencode({'connect_session': str(session.id), **result})}"
