"""Proof: an operator shows once more who they are, before an act that could lead to a credential or stop the service.

So a stolen session, or a page left open, is not enough. A password, a code, a passkey or single sign-on proves it, for
five minutes, at the address where it was done. Logging in is no proof.
"""

import time
from typing import TypeVar

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django import forms
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.http import urlencode

from connections.admin.base import operator_behind
from connections.entrance import client_address
from connections.journal import audit

MAY_ISSUE = "connections.issue_apikey"
MAY_ENTRUST = "connections.entrust_apiclient"
F = TypeVar("F", bound=forms.BaseForm)
_METHODS = ("password", "mfa", "sso")
_PLACE = "latchkey_proof_address"


def is_proven(request: HttpRequest) -> bool:
    """Whether the operator has proven themselves lately, in this session and at this address. No I/O."""
    proofs = [
        record["at"]
        for record in get_authentication_records(request, request.user)
        if record.get("reauthenticated") and record.get("method") in _METHODS
    ]
    is_recent = bool(proofs) and 0 <= time.time() - proofs[-1] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return is_recent and request.session.get(_PLACE) == client_address(request)


def note_place(request: HttpRequest) -> None:
    """Note where the operator has just proven themselves. No I/O."""
    request.session[_PLACE] = client_address(request)


def prove(request: HttpRequest) -> None:
    """Raise ``ValidationError``, with a link to the page that asks, unless the operator has proven themselves."""
    if is_proven(request):
        return
    audit.record("operator.proof", decision="missing", actor=operator_behind(request))
    page = _page(request, "")
    if not page:
        raise ValidationError("This needs a proof that it is you, and your account has nothing to prove it by.")
    link = format_html('<a href="{}" target="_blank" rel="noopener">Prove it in another window</a>', page)
    raise ValidationError(
        format_html("This needs a proof that it is you. {}, then come back and send this once more.", link),
        code="unproven",
    )


def page_that_proves(request: HttpRequest, next_url: str) -> HttpResponse:
    """Lead to the page that asks who it is, and from there to ``next_url``. Raises ``PermissionDenied``."""
    page = _page(request, next_url)
    if not page:
        raise PermissionDenied
    return HttpResponseRedirect(page)


def with_request(form: type[F], request: HttpRequest) -> type[F]:
    """Return ``form`` for this ``request``: it can ``prove`` who has sent it."""
    return type(form.__name__, (form,), {"request": request})


def _page(request: HttpRequest, next_url: str) -> str:
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        return ""
    query = urlencode({REDIRECT_FIELD_NAME: next_url}) if next_url else ""
    return f"{methods[0]['url']}?{query}" if query else str(methods[0]["url"])
