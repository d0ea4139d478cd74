"""Rendering: one function a page, and the words of every failure."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connections.lifecycle.branding import text_on
from connections.lifecycle.outcomes import Refusal, SessionUnusable
from connections.models import ConnectSession

_FAILURES: dict[str, tuple[str, str]] = {
    "unknown": ("This link is not valid", "Ask for a new link where you got this one."),
    "used": ("This link was used already", "Each link works once. Ask for a new one where you got it."),
    "expired": ("This link has expired", "Links work for a short time only. Ask for a new one where you got it."),
    "suspended": ("Connecting is switched off", "Try again later, or ask the people who sent you here."),
    "browser": (
        "This step belongs to another browser",
        "To keep your account safe, connecting has to end in the browser in which it began. Start again from there.",
    ),
    "no_cookie": (
        "Your browser did not keep a cookie",
        (
            "Connecting needs one, so nothing was connected. Allow cookies for this site in the settings of your "
            "browser, or use a normal window instead of a private one. Then start again where you came from. If you "
            "began in another browser or app, go back to that one."
        ),
    ),
    "state": ("This answer was used already", "Go back to where you came from and start again."),
    "callback": ("This answer came to the wrong place", "Nothing was connected. Go back and start again."),
    "issuer": (
        "The answer came from another server",
        "It is not the one that you were sent to, so nothing was connected. Go back and start again.",
    ),
    "no_code": ("The provider's answer is incomplete", "Nothing was connected. Go back and start again."),
    "exchanging": ("This is being connected already", "Go back to where you came from in a moment, and look there."),
    "no_choice": ("There is nothing to choose any more", "Go back to where you came from, and look there."),
    "credential_unreadable": (
        "This does not work at the moment",
        "The people who run this service have to mend it. Tell them that you saw this page.",
    ),
    "foreign_form": ("This page was opened by another site", "Go back to where you came from and start again."),
    "framed": ("This step needs a window of its own", "Open it in a new window."),
    "app_misconfigured": (
        "This connection is not set up properly",
        "The people who run this service have to mend it. Tell them that you saw this page.",
    ),
    "exchange_failed": ("The provider did not accept this", "Nothing was connected. Go back and start again."),
    "account_mismatch": (
        "This is another account",
        "You signed in with another account than before, so nothing was changed. Go back and choose the first one.",
    ),
    "provider_unavailable": ("The provider cannot be reached", "Nothing was connected. Try again in a few minutes."),
    "gone": ("This connection no longer exists", "It was disconnected meanwhile. Go back and start again."),
    "busy": ("This takes longer than usual", "Nothing was connected. Try again in a moment."),
    "internal": ("Something went wrong here", "Nothing was connected. Go back to where you came from and start again."),
}
_DECLINED: dict[str, tuple[str, str]] = {
    "access_denied": ("You did not allow access", "Nothing was connected. You can try again, or go back."),
    "temporarily_unavailable": ("The provider is busy", "Nothing was connected. Try again in a few minutes."),
    "server_error": ("The provider had a problem", "Nothing was connected. Try again in a few minutes."),
    "invalid_scope": (
        "The provider does not know this permission",
        "The people who run this service have to mend it. Tell them that you saw this page.",
    ),
    "admin_consent_required": (
        "An administrator has to approve this first",
        "Ask the administrator of your account to approve the app, then try again.",
    ),
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
    request: HttpRequest, *, failure: str, session: ConnectSession | None = None, status: int = 400
) -> HttpResponse:
    """Render a failure in plain words, with the way back where there is one."""
    title, advice = _FAILURES.get(failure, _FAILURES["unknown"])
    context: dict[str, Any] = {"title": title, "advice": advice, "failure": failure}
    if session is not None:
        context |= {
            "session": session,
            "tenant": session.tenant,
            "text_color": text_on(session.tenant.brand_color),
            "back_url": return_address(session, error=failure),
        }
    return render(request, "connect/problem.html", context, status=status)


def failure_named(refusal: Refusal) -> str:
    """Return the name of the failure that ``problem_page`` has words for."""
    return refusal.failure if isinstance(refusal, SessionUnusable) else refusal.code


def declined_page(request: HttpRequest, session: ConnectSession, error: str) -> HttpResponse:
    """Render the provider's refusal, with the choice to try again or to go back."""
    title, advice = _DECLINED.get(error, ("The provider refused", "Nothing was connected. Try again, or go back."))
    return widget(
        request, "declined", session, title=title, advice=advice, back_url=return_address(session, error=error)
    )


def return_address(session: ConnectSession, **result: str) -> str:
    """Return the session's return URL with its id and ``result`` added to the query."""
    separator = "&" if urlsplit(session.return_url).query else "?"
    return f"{session.return_url}{separator}{urlencode({'connect_session': str(session.id), **result})}"
