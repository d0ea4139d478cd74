"""Login sessions: how long they last, and where they are. ``provision.staff`` ends them.

A session ends when nobody has used it for `LATCHKEY_SESSION_IDLE_SECONDS`, and in any case
`LATCHKEY_SESSION_SECONDS` after the login.
"""

import time
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

_BEGAN, _SEEN = "latchkey_began", "latchkey_seen"
_JUST = 600  # seconds
_NOTED_AGAIN = 60  # seconds: not each page is a write


@dataclass(frozen=True, slots=True)
class Place:
    """One session: where it is, and whether it is the one that asks."""

    session: UserSession
    is_this_one: bool


def begin(request: HttpRequest) -> None:
    """Note when the session began. No I/O."""
    request.session[_BEGAN] = request.session[_SEEN] = time.time()


def is_over(request: HttpRequest) -> bool:
    """Whether the session has lasted, or lain idle, too long. A session that says neither is over. No I/O."""
    now, began, seen = time.time(), request.session.get(_BEGAN), request.session.get(_SEEN)
    if not isinstance(began, float) or not isinstance(seen, float):
        return True
    return now - began > settings.SESSION_SECONDS or now - seen > settings.SESSION_IDLE_SECONDS


def has_just_begun(request: HttpRequest) -> bool:
    """Whether whoever is logged in has typed a password, or the like, within the last ten minutes. No I/O."""
    began = request.session.get(_BEGAN)
    return isinstance(began, float) and 0 <= time.time() - began < _JUST


def note_use(request: HttpRequest) -> None:
    """Note that the session is in use, once a minute at the most. A write then."""
    if time.time() - request.session[_SEEN] >= _NOTED_AGAIN:
        request.session[_SEEN] = time.time()
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())


def places_of(user: AbstractBaseUser, *, asking: str | None) -> list[Place]:
    """Return the sessions of an account that are not over, the newest first. A few queries."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    found = UserSession.objects.filter(user_id=user.pk, session_key__in=alive).order_by("-last_seen_at")
    return [Place(one, one.session_key == asking) for one in found]
