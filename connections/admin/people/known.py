"""The browsers and addresses that an account is known at, because somebody has logged in to it there.

A browser keeps a signed cookie that is good until the password changes, for 60 days at the most. It lets nobody in: it
only keeps the guesses of strangers apart from those of the owner (``guesses``).
"""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = f"{settings.COOKIE_PREFIX}known"
_SECONDS = 60 * 24 * 3600
_MOST = 5  # accounts that one browser is known at
_signer = TimestampSigner(salt="latchkey.known")


def is_known(request: HttpRequest, user: AbstractBaseUser, *, address: str | None) -> str:
    """Return by what the account is known here: "browser", "address", or "" for a stranger. One query."""
    if any(constant_time_compare(mark, _mark(user)) for mark in _marks(request)):
        return "browser"
    if address is not None and UserSession.objects.filter(user_id=user.pk, ip=address).exists():
        return "address"
    return ""


def remember(request: HttpRequest, response: HttpResponse, user: AbstractBaseUser) -> None:
    """Have this browser known at the account from now on. No I/O."""
    mark = _mark(user)
    marks = [mark, *(other for other in _marks(request) if other != mark)][:_MOST]
    response.set_cookie(
        COOKIE,
        _signer.sign(".".join(marks)),
        max_age=_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _marks(request: HttpRequest) -> list[str]:
    try:
        return _signer.unsign(request.COOKIES.get(COOKIE, ""), max_age=_SECONDS).split(".")
    except BadSignature:
        return []


def _mark(user: AbstractBaseUser) -> str:
    """Return what stands for the account in the cookie. It says nothing of it, and changes with the password."""
    return salted_hmac("latchkey.known", f"{user.pk}:{user.password}", algorithm="sha256").hexdigest()[:32]
