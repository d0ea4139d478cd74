"""The steps of single sign-on: to the identity provider, and back from it."""

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections.admin.logins import record_sso
from connections.admin.people import accounts, sso
from connections.admin.people.sso import Person, SsoRefused
from connections.admin.proof import is_proven, page_that_proves
from connections.entrance import client_address


@never_cache
@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """Lead to the identity provider, to log in. HTTP."""
    return _leave(request, "login")


@never_cache
@require_safe
@login_required
def prove(request: HttpRequest) -> HttpResponse:
    """Lead there to prove oneself again: it has to ask anew. HTTP."""
    return _leave(request, "proof")


@never_cache
@require_safe
@login_required
def link(request: HttpRequest) -> HttpResponse:
    """Lead there to link the account that is logged in. HTTP."""
    if not is_proven(request):
        return page_that_proves(request, reverse("staff_sso_link"))
    return _leave(request, "link")


@never_cache
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Take the answer. HTTP."""
    if not sso.name():
        raise Http404
    try:
        person, pending = sso.finish(request)
        return _let_in(request, person, str(pending["purpose"]), str(pending["next"]))
    except SsoRefused as refused:
        record_sso(request, decision=refused.why)
        messages.error(request, refused.words)
        return HttpResponseRedirect(reverse("mfa_index" if request.user.is_authenticated else "account_login"))


def _leave(request: HttpRequest, purpose: str) -> HttpResponse:
    if not sso.name():
        raise Http404
    try:
        return HttpResponseRedirect(sso.begin(request, purpose=purpose, next_url=get_next_redirect_url(request) or ""))
    except SsoRefused as refused:
        messages.error(request, refused.words)
        return HttpResponseRedirect(reverse("mfa_index" if request.user.is_authenticated else "account_login"))


def _let_in(request: HttpRequest, person: Person, purpose: str, next_url: str) -> HttpResponse:
    vouched = {"second_factor": person.has_second_factor}
    if purpose == "login":
        user = accounts.account_of(person, address=client_address(request))
        record_authentication(request, user, "sso", **vouched)
        return perform_login(request, Login(user=user, redirect_url=next_url or None))
    if not request.user.is_authenticated:
        raise SsoRefused("logged_out", "You are not logged in any more.")
    if purpose == "link":
        accounts.link(person, request.user)
        record_sso(request, decision="linked", person={"issuer": person.issuer, "subject": person.subject})
        messages.success(request, "From now on you can log in by single sign-on.")
        return HttpResponseRedirect(reverse("mfa_index"))
    if not accounts.is_of(person, request.user):
        raise SsoRefused("another_person", "This is another account: nothing is proven.")
    record_authentication(request, request.user, "sso", reauthenticated=True, **vouched)
    return HttpResponseRedirect(next_url or reverse("admin:index"))
