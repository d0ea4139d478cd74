"""Whose account a person of the identity provider has here, and with which role.

Their groups decide at each login: the roles that `OIDC_ROLES` names for them, and no others of the three. Nobody gets
an account, or keeps a way in, without one. An account that there is already is never taken over, whatever name or
address a token says: its owner links it, logged in.
"""

import hashlib
import re
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from connections.admin.people.sso import Person, SsoRefused
from connections.lifecycle.provision.roles import Role
from connections.models import StaffIdentity

_NO_ROLE = "None of your groups has a role here: ask whoever keeps them."
_NAME = re.compile(r"[^\w.@+-]")


def account_of(person: Person) -> User:
    """Return the account of ``person`` with today's roles, making it at the first login. Raises ``SsoRefused``."""
    roles = {role for group, role in settings.OIDC_ROLES.items() if group in person.groups}
    identity = StaffIdentity.objects.filter(issuer=person.issuer, subject=person.subject).select_related("user").first()
    if identity is None and not roles:
        raise SsoRefused("no_role", _NO_ROLE)
    user = _made(person) if identity is None else identity.user
    user.groups.remove(*Group.objects.filter(name__in=list(Role)).exclude(name__in=roles))
    user.groups.add(*Group.objects.filter(name__in=roles))
    if not roles and not user.is_superuser:
        raise SsoRefused("no_role", _NO_ROLE)
    return user


def link(person: Person, user: Any) -> None:
    """Let ``person`` log in to ``user``'s account from now on. Raises ``SsoRefused`` if it has another one."""
    known, _ = StaffIdentity.objects.get_or_create(
        issuer=person.issuer, subject=person.subject, defaults={"user_id": user.pk}
    )
    if known.user_id != user.pk:
        raise SsoRefused("linked", "This person of the identity provider has another account here.")


def is_of(person: Person, user: Any) -> bool:
    """Whether ``person`` may log in to this account. One query."""
    return StaffIdentity.objects.filter(issuer=person.issuer, subject=person.subject, user_id=user.pk).exists()


def _made(person: Person) -> User:
    """Make an account without a password, under a name that nobody has."""
    claimed = person.claims.get("preferred_username")
    name = _NAME.sub("-", claimed)[:120] if isinstance(claimed, str) and claimed else "sso"
    mark = hashlib.sha256(f"{person.issuer} {person.subject}".encode()).hexdigest()[:8]
    for username in (name, f"{name}.{mark}"):
        try:
            with transaction.atomic():
                user = User.objects.create_user(username, is_staff=True)
                StaffIdentity.objects.create(user=user, issuer=person.issuer, subject=person.subject)
        except IntegrityError:
            continue
        return user
    raise SsoRefused("name_taken", "Your name is taken here: ask whoever keeps the accounts.")
