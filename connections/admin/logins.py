"""Audits logins, logouts and refused logins of operators, and what they do to second factors and sessions.

Anybody can try to log in. So of many consecutive refusals only a few are written, each with the number it stands for.
"""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.signals import authentication_step_completed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from connections.admin.people.guesses import network_of
from connections.admin.people.sessions import begin, has_just_begun
from connections.admin.proof import note_place
from connections.entrance import client_address
from connections.journal import audit
from connections.journal.flood import Gate

guesses, strangers = Gate(), Gate()


@receiver(user_logged_in)
def _record_login(sender: Any, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    begin(request)
    shown = [str(one.get("type") or one.get("method")) for one in get_authentication_records(request, user)]
    audit.record("operator.login", actor=_actor(request, user), detail={"by": shown} if shown else None)


@receiver(user_logged_out)
def _record_logout(sender: Any, request: HttpRequest, user: AbstractBaseUser | None, **kwargs: Any) -> None:
    if user is not None:
        audit.record("operator.logout", actor=_actor(request, user))


@receiver(user_login_failed)
def _record_refused_login(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record a refused login. The typed name is kept only if such an operator exists: it may be a password."""
    typed = str(credentials.get("username", ""))[:150]
    users = get_user_model()._default_manager
    known = "\x00" not in typed and users.filter(**{get_user_model().USERNAME_FIELD: typed}).exists()
    _record_guess(typed, client_address(request) if request else None, known=known, decision="refused")


def _record_guess(typed: str, address: str | None, *, known: bool, decision: str) -> None:
    # Counted apart, so that nobody can hide guesses at an existing name behind many at unknown names, or at another one
    # from all addresses of a network.
    network = network_of(address)
    detail = guesses.admit((typed, network), about=typed) if known else strangers.admit(network)
    if detail is not None:
        actor = audit.Actor(operator=typed[:150] if known else "", address=address)
        audit.record("operator.login", decision=decision, actor=actor, detail=detail)


def _actor(request: HttpRequest, user: Any) -> audit.Actor:
    return audit.Actor(operator=user.get_username()[:150], address=client_address(request))


def record_held_back(request: HttpRequest, typed: str, *, is_known: bool) -> None:
    """Record that a password was not looked at, because too many wrong ones came before it."""
    _record_guess(typed, client_address(request), known=is_known, decision="held_back")


def record_wrong_code(request: HttpRequest, user: Any, *, is_proof: bool) -> None:
    """Record a wrong code of a second factor."""
    action = "operator.proof" if is_proof else "operator.login"
    audit.record(action, decision="wrong_code", actor=_actor(request, user))


def record_sso(request: HttpRequest, *, decision: str, person: dict[str, str] | None = None) -> None:
    """Record what came of a return from the identity provider, if that was no login. Strangers make few rows.

    ``person`` is who it is there, by issuer and subject.
    """
    if request.user.is_authenticated:
        audit.record("operator.sso", decision=decision, actor=_actor(request, request.user), detail=person)
    elif (detail := strangers.admit(("sso", client_address(request)))) is not None:
        actor = audit.Actor(address=client_address(request))
        audit.record("operator.sso", decision=decision, actor=actor, detail=detail)


def record_session_over(request: HttpRequest) -> None:
    """Record that a session has lasted, or lain idle, too long."""
    audit.record("operator.session", decision="over", actor=_actor(request, request.user))


@receiver(authentication_step_completed)
def _note_proof(sender: Any, request: HttpRequest, user: Any, method: str, **extra: Any) -> None:
    if extra.get("reauthenticated"):
        note_place(request)
        audit.record("operator.proof", actor=_actor(request, user), detail={"by": str(extra.get("type") or method)})


@receiver(authenticator_added)
def _record_new_factor(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    detail = {"factor": str(authenticator.type)}
    audit.record("operator.factor", decision="added", actor=_actor(request, user), detail=detail)
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        # Whoever enrols a factor has shown it in this session, and leads on to the recovery codes.
        proves = has_just_begun(request) or None
        factor = {"id": authenticator.pk, "type": authenticator.type}
        record_authentication(request, user, "mfa", **factor, reauthenticated=proves)


@receiver(authenticator_removed)
def _record_lost_factor(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    detail = {"factor": str(authenticator.type)}
    audit.record("operator.factor", decision="removed", actor=_actor(request, user), detail=detail)


@receiver(authenticator_reset)
def _record_new_codes(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    detail = {"factor": str(authenticator.type)}
    audit.record("operator.factor", decision="replaced", actor=_actor(request, user), detail=detail)


@receiver(authentication_failed)
def _record_refused_passkey(
    sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any
) -> None:
    detail = {"factor": str(authenticator.type)}
    audit.record("operator.factor", decision="refused", actor=_actor(request, user), detail=detail)
