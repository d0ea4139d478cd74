"""Rendering: one function a page. Their words are ``connections.consent.words``."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db import DatabaseError
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from connections.access.targets import entry_of
from connections.brand.look import OURS, Look, look_of
from connections.consent.language import language_for, shown_in
from connections.consent.words import WORDS_OF, Names, Words, filled_in, words_for, workspace_label
from connections.lifecycle.provision.domains import vouched_for
from connections.models import ConnectSession, ManagementSession, Tenant
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured
from providers.catalog.schema import CatalogEntry

PICTURES = ("logo", "favicon")
_FOR_THE_PRODUCT = {"completion_code", "connection"}

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
# What is no fault of anybody's; all others are an alarm.
_SIGN_OF: dict[str, str] = dict.fromkeys(
    (Failure.APPROVAL_REQUESTED, Failure.NOT_FINISHED, Failure.EXCHANGING, Failure.NO_CHOICE), "wait"
)


def branded(
    request: HttpRequest, template: str, tenant: Tenant | None, *, pictures: dict[str, str], **context: Any
) -> HttpResponse:
    """Render one page under the brand of ``tenant``, or the operator's, in the language of ``language_for``.

    ``pictures`` are the addresses of its own pictures. Words in ``context`` are lazy, so that they
    come out in the language too.
    """
    session = context.get("session")
    look = look_of(tenant) if tenant is not None else _operators_look()
    language = language_for(request, session.locale if session is not None else "", look.locale)
    addresses = {
        "logo_url": pictures["logo"] if look.has_logo else "",
        "favicon_url": pictures["favicon"] if look.has_favicon else "",
    }
    return rendered(request, template, look, language=language, **{"tenant": tenant, **addresses, **context})


def rendered(request: HttpRequest, template: str, look: Look, *, language: str, **context: Any) -> HttpResponse:
    """Render one page under ``look``, in one of ``settings.LANGUAGES``. No I/O."""
    with translation.override(language):
        names = {"tenant": look.name, "provider": str(context.get("provider") or "")}
        page = {**shown_in(language), "look": look, "own": look.all_own_words(language=language, names=names)}
        return render(request, f"connect/{template}.html", {**page, **context})


def widget(request: HttpRequest, template: str, session: ConnectSession, **context: Any) -> HttpResponse:
    """Render one page of ``session`` under its tenant's brand."""
    addresses = {name: reverse("connect:picture", args=[session.id, name]) for name in PICTURES}
    host = urlsplit(session.return_url).netloc
    is_own = vouched_for(session.tenant_id, host, now=Now())
    entry = _entry_asked(session)
    context = {"session": session, "return_host": host, "is_own_host": is_own, "entry": entry, **context}
    response = branded(request, template, session.tenant, pictures=addresses, **context)
    keep_opener(response, session)
    return response


def _operators_look() -> Look:
    """Return the operator's look, or ours while the database cannot be asked: the page is perhaps about just that."""
    try:
        return look_of(None)
    except DatabaseError:
        return OURS


def problem_page(
    request: HttpRequest,
    *,
    failure: Failure,
    session: ConnectSession | None = None,
    status: int = 400,
    retry: str = "",
    framed: bool = False,
    words: Words | None = None,
) -> HttpResponse:
    """Render a failure in plain words, with the way back where there is one.

    ``retry`` is the form proof for the button that finishes the session once more; "" shows no such button. A page that
    is ``framed`` leads back by telling the page around it. ``words`` are in place of those of the failure.
    """
    names = _names_in(session)
    words = words or WORDS_OF[failure]
    title, advice = filled_in(words.title, names), filled_in(words.advice, names)
    told = {"title": title, "advice": advice, "failure": failure.value, "sign": _SIGN_OF.get(failure, "")}
    context: dict[str, Any] = {**told, "retry": retry}
    if session is not None:
        context |= {"framed": framed and session.origin, "return_host": "", **way_back(session, error=failure)}
        response = widget(request, "problem", session, **context)
    else:
        addresses = {name: reverse("connect:operators-picture", args=[name]) for name in PICTURES}
        response = branded(request, "problem", None, pictures=addresses, **context)
    response.status_code = status
    return response


def keep_opener(response: HttpResponse, session: ConnectSession | ManagementSession) -> None:
    """Let the page keep the window that opened it, where the session's result goes to that window.

    One page of the flow with a stricter policy would sever the two for good.
    """
    if session.origin:
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"


def _entry_asked(session: ConnectSession | None) -> CatalogEntry | None:
    """Return the entry of the provider that the session has gone to, or None before that."""
    if session is None or session.provider_app is None:
        return None
    try:
        return entry_of(session.provider_app)
    except AppMisconfigured:  # it has gone
        return None


def _names_in(session: ConnectSession | None) -> Names:
    """Return the names to fill into the words of failures: ``provider`` and ``workspace``."""
    names: Names = {"provider": _("the provider"), "workspace": workspace_label("")}
    entry = _entry_asked(session)
    if entry is None:
        return names
    label = entry.workspaces.label if entry.workspaces else ""
    return {"provider": entry.name, "workspace": workspace_label(label)}


def try_again_page(request: HttpRequest, session: ConnectSession, failure: str, *, status: int = 200) -> HttpResponse:
    """Render why a session that is still open cannot go on, with the choice to try again or to go back.

    ``failure`` is a ``Failure``, or the provider's own error code.
    """
    words, names = words_for(failure), _names_in(session)
    response = widget(
        request,
        "try_again",
        session,
        title=filled_in(words.title, names),
        advice=filled_in(words.advice, names),
        failure=str(failure),
        sign=_SIGN_OF.get(failure, ""),
        **way_back(session, error=failure),
    )
    response.status_code = status
    return response


def status_of(failure: Failure) -> int:
    """Return the default HTTP status of a page about ``failure``."""
    return _STATUS_OF.get(failure, 400)


def way_back(session: ConnectSession, **result: str) -> dict[str, Any]:
    """Return what ``connect/way_back.html`` needs to take ``result`` to the product, by a message or by a link.

    What was begun on the page of one's own connections leads back there, unless the product has to confirm it first.
    """
    told = {name: value for name, value in result.items() if value}
    manage = manage_address(session)
    if manage and not told.keys() & _FOR_THE_PRODUCT:
        return {"address": manage, "stays": True}
    return {
        "address": return_address(session, **told),
        "message": {"source": "latchkey", **_named(session), **told},
        "onwards": manage,
    }


def return_address(session: ConnectSession, **result: str) -> str:
    """Return the session's return URL with its id and ``result`` added to the query."""
    separator = "&" if urlsplit(session.return_url).query else "?"
    return f"{session.return_url}{separator}{urlencode({**_named(session), **result})}"


def manage_address(session: ConnectSession) -> str:
    """Return the address of the page of one's own connections from which ``session`` was begun, "" for none. No I/O."""
    return "" if session.management_id is None else reverse("connect:manage", args=[session.management_id])


def _named(session: ConnectSession) -> dict[str, str]:
    """Return by which ids the product knows the session."""
    ids = {"connect_session": session.id, "management_session": session.management_id}
    return {name: str(value) for name, value in ids.items() if value is not None}
