"""Where login sessions are stored: in Django's table. A session that gets a new key takes its place in the list along.

Django gives a session another key when its owner logs in or changes the password, and when `SECRET_KEY` was rotated.
The list of where somebody is logged in (``sessions``) names sessions by their keys, and so do those who end them.
"""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Django's, under its name: that is part of how sessions are signed."""

    def cycle_key(self) -> None:
        """Give the session another key, here and in the list."""
        before: Any = self.session_key
        super().cycle_key()
        if before:
            UserSession.objects.filter(session_key=before).update(session_key=self.session_key)
