"""Proof: an operator types the password again before an act that could lead to a credential.

So a stolen session, or a page left open, is not enough. The audit trail counts wrong passwords by operator; after a
few of them no password is tried for a while.
"""

from datetime import timedelta

from django import forms
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from connections.admin.base import operator_behind
from connections.database.clock import database_now
from connections.journal import audit
from connections.models import AuditEvent

MAY_ISSUE = "connections.issue_apikey"
MAY_ENTRUST = "connections.entrust_apiclient"
TRIES, WITHIN = 5, timedelta(minutes=15)
_ACTION, _WRONG = "operator.proof", "wrong_password"


def password_field(*, required: bool, help_text: str = "") -> forms.CharField:
    """Return the field for the operator's own password. A form that comes back with errors does not show it again."""
    return forms.CharField(
        label="Your password",
        required=required,
        strip=False,
        max_length=4096,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def prove(request: HttpRequest, password: str) -> None:
    """Raise ``ValidationError`` unless ``password`` is that of the operator who is logged in.

    A wrong password leaves an audit row. After five wrong ones within 15 minutes no password is tried.
    """
    actor = operator_behind(request)
    recent = AuditEvent.objects.filter(
        action=_ACTION, decision=_WRONG, operator=actor.operator, at__gt=database_now() - WITHIN
    )
    if recent[:TRIES].count() >= TRIES:
        raise ValidationError("Too many wrong passwords: wait a quarter of an hour.", code="too_many")
    if not password:
        raise ValidationError("Type your password: this needs it.", code="required")
    if not _knows(request.user, password):
        audit.record(_ACTION, decision=_WRONG, actor=actor)
        raise ValidationError("This is not your password.", code=_WRONG)


def _knows(user: AbstractBaseUser | AnonymousUser, password: str) -> bool:
    return bool(user.check_password(password)) if isinstance(user, AbstractBaseUser) else False
