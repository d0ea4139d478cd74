"""The gate: what stands between a login session and the pages of the admin, whatever the pages themselves would say.

A session that has lasted or lain idle too long is ended. One without a second factor reaches the pages that get one,
and no other. Limited staff open the pages that show the rows of one model by the rules of ``access.staff``, and the few
others that are named here: a new page is shut to them until it is named, and a new model's until it has such rules.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from connections.access.staff import PATHS, is_limited
from connections.admin.base import ChosenRowsAdmin
from connections.admin.logins import record_session_over
from connections.admin.people import sessions
from connections.admin.people.factors import factors_of, lacks_second_factor

_ADMIN = "/admin/"
_ACCOUNT = "/admin/account/"
_PREVIEW = "connect:preview"
# To log in and out, for whoever comes.
_ENTRANCE = frozenset({"account_login", "account_logout", "first_operator", "admin:jsi18n"})
# What gets a second factor, and nothing that shows a row.
_GETS_FACTOR = frozenset(
    {
        *("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes"),
        *("mfa_generate_recovery_codes", "account_reauthenticate", "staff_sso_prove", "staff_sso_callback"),
    }
)
# Pages without rows of a tenant's, or with those alone that the account may see.
_OPEN_TO_LIMITED = frozenset(
    {
        *("admin:index", "admin:app_list", "admin:jsi18n", "found_rows"),
        *("own_password", "admin:password_change_done", "catalogue:list", "catalogue:entry", "search"),
        "forecast",
        "admin:connections_auditevent_export",
    }
)


class StaffGate:
    """Middleware: ends sessions that are over, asks for a second factor, and refuses what an account may not open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer in the page's place, or let it answer. Raises ``PermissionDenied``."""
        match = request.resolver_match
        name = "" if match is None else match.view_name
        if not (request.path_info.startswith(_ADMIN) or name == _PREVIEW) or not request.user.is_authenticated:
            return None
        if sessions.is_over(request):
            record_session_over(request)
            logout(request)
            messages.info(request, "You were logged out: the session was over.")
            return _to_login(request)
        sessions.note_use(request)
        if name in _ENTRANCE:
            return None
        if lacks_second_factor(request) and (answer := _ask_for_factor(request, name)) is not None:
            return answer
        if is_limited(request.user) and not _is_open_to_limited(request, view, name):
            raise PermissionDenied
        return None


def _ask_for_factor(request: HttpRequest, name: str) -> HttpResponse | None:
    """Lead to the page that gets a second factor. An account that has one logs in anew, with it."""
    if factors_of(request.user):
        logout(request)
        return _to_login(request)
    if name in _GETS_FACTOR:
        return None
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    return HttpResponseRedirect(reverse("mfa_index"))


def _to_login(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(reverse("account_login"))


def _is_open_to_limited(request: HttpRequest, view: Any, name: str) -> bool:
    """Whether ``view`` is one of Django's own of a model with rules, a button of such a model, or named above."""
    if name in _OPEN_TO_LIMITED or name == _PREVIEW or request.path_info.startswith(_ACCOUNT):
        return True
    page = getattr(view, "model_admin", None)
    while page is None and view is not None and name.endswith("_press"):
        page, view = getattr(view, "__self__", None), getattr(view, "__wrapped__", None)
    return isinstance(page, ChosenRowsAdmin) and page.model in PATHS
