"""What django-allauth asks us: who may log in and prove themselves by what, where from, and how seeds are stored.

There is no signing up, no e-mail and no password by mail: accounts are made by operators, or by the identity provider.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from connections.admin.people import sso
from connections.admin.people.factors import factors_of, has_second_factor, opened, sealed
from connections.admin.people.guesses import PROOFS, may_guess, was_right
from connections.admin.people.known import remember
from connections.admin.people.sessions import has_just_begun
from connections.admin.proof import is_proven
from connections.entrance import client_address
from connections.journal import audit

_WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}
_UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 (of a session whose address cannot be told)


class AccountAdapter(DefaultAccountAdapter):
    """Logs in members of staff, and nobody else."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or _UNKNOWN_ADDRESS

    def is_safe_url(self, url: str) -> bool:
        """Whether a page may lead on to ``url``: only to a place of the admin's on this very host."""
        request: HttpRequest = context.request
        allowed = url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        climbs = ".." in unquote(urlsplit(url).path).split("/")  # as browsers read it, that leads out again
        return allowed and url.startswith(f"{settings.PUBLIC_PATH}/admin/") and not climbs

    def get_login_stages(self) -> list[str]:
        return [f"{SecondFactorStage.__module__}.{SecondFactorStage.__qualname__}"]

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        if not user.is_active or not user.is_staff:
            return self.respond_user_inactive(request, user)
        return None

    def login(self, request: HttpRequest, user: Any) -> None:
        """Log in, whichever way the account was proven: the only backend there is finds it again."""
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        remember(request, response, user)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, "This account may not log in: ask whoever keeps the accounts.")
        return HttpResponseRedirect(reverse("account_login"))

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Whether somebody has to prove themselves again: not for a first second factor, right after the login."""
        request: HttpRequest = context.request
        if app == "allauth.mfa" and has_just_begun(request) and not factors_of(request.user):
            return False
        return not is_proven(request)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Return the ways to prove oneself again, the one that is offered first at the beginning."""
        methods = [one | {"description": _WAYS[one["id"]]} for one in super().get_reauthentication_methods(user)]
        if user.is_authenticated and (url := sso.proof_url(user)):
            methods.append({"id": "sso", "description": "Use single sign-on", "url": url})
        return methods

    def reauthenticate(self, user: AbstractBaseUser, password: str) -> bool:
        """Whether ``password`` is the account's. Wrong ones are counted and audited; after five none is looked at."""
        of = (user.pk, context.request.session.session_key)
        if not may_guess(PROOFS, *of):
            raise self.validation_error("too_many_login_attempts")
        if user.check_password(password):
            was_right(PROOFS, *of)
            return True
        actor = audit.Actor(operator=user.get_username()[:150], address=client_address(context.request))
        audit.record("operator.proof", decision="wrong_password", actor=actor)
        return False

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: Mapping[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Leave out what django-allauth says of logins: the page that follows says enough."""
        if message_template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, level, message_template, message_context, extra_tags, message)


class SecondFactorStage(AuthenticateStage):
    """Asks for the second factor, unless it came with the password, or the identity provider vouches for one."""

    def _should_handle(self, request: HttpRequest) -> bool:
        if self.login.user is not None and has_second_factor(request, self.login.user):
            return False
        return bool(super()._should_handle(request))


class MfaAdapter(DefaultMFAAdapter):
    """Stores seeds sealed, and names us in people's apps."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": "This code is not right, or was used."}

    def encrypt(self, text: str) -> str:
        return sealed(text)

    def decrypt(self, encrypted_text: str) -> str:
        return opened(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": "Latchkey"}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002 (theirs)
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "Passkey" if not count else f"Passkey {count + 1}"
