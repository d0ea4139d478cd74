"""The page of one's own account: second factors, single sign-on, and where one is logged in."""

from functools import partial
from http import HTTPStatus
from typing import Any, cast

from allauth.mfa.base.views import IndexView
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from connections.admin.base import operator_behind
from connections.admin.buttons import done
from connections.admin.people import sessions
from connections.admin.proof import is_proven, page_that_proves
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.provision.staff import cut_link, end_sessions
from connections.lifecycle.steer.on_demand import Told
from connections.models import StaffIdentity


class AccountView(IndexView):
    """Adds to django-allauth's page of second factors what else there is of an account."""

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
        user = self.request.user
        links = StaffIdentity.objects.filter(user_id=user.pk).order_by("made_at")
        return context | {
            "title": "Your account",
            "places": sessions.places_of(user, asking=self.request.session.session_key),
            "links": links,
            "is_linked": any(link.issuer == settings.OIDC_ISSUER for link in links),
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
            # The others are not good any more: no list is to show them.
            user = cast("User", request.user)
            end_sessions(user, actor=operator_behind(request), but=request.session.session_key)
    return answer


@require_POST
@login_required
def cut(request: HttpRequest, link_id: int) -> HttpResponse:
    """Take a person of the identity provider from one's own account."""
    if not is_proven(request):
        return page_that_proves(request, reverse("mfa_index"))
    told = done(partial(_cut, request, link_id))
    messages.add_message(request, messages.SUCCESS if told.is_success else messages.WARNING, told.detail)
    return HttpResponseRedirect(reverse("mfa_index"))


def _cut(request: HttpRequest, link_id: int) -> Told:
    cut_link(cast("User", request.user), link_id, actor=operator_behind(request))
    return Told(True, "cut", "Cut: that person does not log in to this account any more.")


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
