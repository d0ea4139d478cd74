"""Proof: before what could lead to a credential, an operator types their password again.

A session that somebody else has got hold of, or a page left open, is then not enough. Wrong passwords are counted by
operator, in the audit trail, and after a few nothing is tried for a while.
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
    """Return the field for the operator's own password; it is never shown again, not even in a form that comes back."""
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

    A wrong one leaves an audit row; after five within 15 minutes none is tried.
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
