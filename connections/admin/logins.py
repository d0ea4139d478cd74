"""Audits logins, logouts and refused logins of operators.

Anybody can try to log in. So of many consecutive refusals only a few are written, each with the number it stands for.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from connections.entrance import client_address
from connections.journal import audit
from connections.journal.flood import Gate

guesses, strangers = Gate(), Gate()


@receiver(user_logged_in)
def _record_login(sender: Any, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    actor = audit.Actor(operator=user.get_username()[:150], address=client_address(request))
    audit.record("operator.login", actor=actor)


@receiver(user_logged_out)
def _record_logout(sender: Any, request: HttpRequest, user: AbstractBaseUser | None, **kwargs: Any) -> None:
    if user is not None:
        actor = audit.Actor(operator=user.get_username()[:150], address=client_address(request))
        audit.record("operator.logout", actor=actor)


@receiver(user_login_failed)
def _record_refused_login(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record a refused login. The typed name is kept only if such an operator exists: it may be a password."""
    typed = str(credentials.get("username", ""))[:150]
    users = get_user_model()._default_manager
    known = "\x00" not in typed and users.filter(**{get_user_model().USERNAME_FIELD: typed}).exists()
    address = client_address(request) if request else None
    # Counted apart, so that nobody can hide guesses at an existing name behind many guesses at unknown names.
    detail = guesses.admit((typed, address)) if known else strangers.admit(address)
    if detail is not None:
        actor = audit.Actor(operator=typed if known else "", address=address)
        audit.record("operator.login", decision="refused", actor=actor, detail=detail)
