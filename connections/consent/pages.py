"""Rendering: one function a page. Their words are ``connections.consent.words``."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connections.consent.words import WORDS_OF, declined_words
from connections.lifecycle.branding import text_on
from connections.lifecycle.failures import Failure
from connections.models import ConnectSession


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
    request: HttpRequest, *, failure: Failure, session: ConnectSession | None = None, status: int = 400
) -> HttpResponse:
    """Render a failure in plain words, with the way back where there is one."""
    words = WORDS_OF[failure]
    context: dict[str, Any] = {"title": words.title, "advice": words.advice, "failure": failure.value}
    if session is not None:
        context |= {
            "session": session,
            "tenant": session.tenant,
            "text_color": text_on(session.tenant.brand_color),
            "back_url": return_address(session, error=failure),
        }
    return render(request, "connect/problem.html", context, status=status)


def declined_page(request: HttpRequest, session: ConnectSession, error: str) -> HttpResponse:
    """Render the provider's refusal, with the choice to try again or to go back."""
    words, back_url = declined_words(error), return_address(session, error=error)
    return widget(request, "declined", session, title=words.title, advice=words.advice, back_url=back_url)


def return_address(session: ConnectSession, **result: str) -> str:
    """Return the session's return URL with its id and ``result`` added to the query."""
    separator = "&" if urlsplit(session.return_url).query else "?"
    return f"{session.return_url}{separator}{urlencode({'connect_session': str(session.id), **result})}"
