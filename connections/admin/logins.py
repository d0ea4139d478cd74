"""Logins: operators who come and go leave audit rows, and so do those who are not let in.

Of many refusals in a row a few are written, which tell how many they stand for: anybody can try.
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
    """Record who was not let in. What was typed is kept only if somebody has that name: it may be a password."""
    typed = str(credentials.get("username", ""))[:150]
    users = get_user_model()._default_manager
    known = "\x00" not in typed and users.filter(**{get_user_model().USERNAME_FIELD: typed}).exists()
    address = client_address(request) if request else None
    # Apart, so that nobody hides guesses at a name that exists behind many at names that do not.
    detail = guesses.admit((typed, address)) if known else strangers.admit(address)
    if detail is not None:
        actor = audit.Actor(operator=typed if known else "", address=address)
        audit.record("operator.login", decision="refused", actor=actor, detail=detail)
