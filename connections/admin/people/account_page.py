"""The page of one's own account: second factors, single sign-on, and where one is logged in."""

from http import HTTPStatus
from typing import Any, cast

from allauth.mfa.base.views import IndexView
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from connections.admin.base import operator_behind
from connections.admin.people import sessions
from connections.admin.proof import is_proven, page_that_proves
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.provision.staff import end_sessions
from connections.models import StaffIdentity


class AccountView(IndexView):
    """Adds to django-allauth's page of second factors what else there is of an account."""

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
        user = self.request.user
        return context | {
            "title": "Your account",
            "places": sessions.places_of(user, asking=self.request.session.session_key),
            "is_linked": StaffIdentity.objects.filter(user_id=user.pk).exists(),
        }


account = never_cache(AccountView.as_view())


@never_cache
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password, on Django's page. One transaction: no change without its audit row.

    A proof comes first, since nothing counts the guesses at the old password that this page asks for.
    """
    if not is_proven(request):
        return page_that_proves(request, request.get_full_path())
    with short_transaction():
        answer = admin.site.password_change(request)
        if answer.status_code == HTTPStatus.FOUND:
            audit.record("operator.password", decision="changed", actor=operator_behind(request))
    return answer


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions."""
    return _end(request, only=session_id)


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    """End all of one's own sessions but this one."""
    return _end(request, but=request.session.session_key)


def _end(request: HttpRequest, **which: Any) -> HttpResponse:
    count = end_sessions(cast("User", request.user), actor=operator_behind(request), **which)
    messages.success(request, f"Logged out in {count} place{'' if count == 1 else 's'}.")
    return HttpResponseRedirect(reverse("mfa_index"))
