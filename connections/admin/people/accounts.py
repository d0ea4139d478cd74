"""Whose account a person of the identity provider has here, and with which role.

Their groups decide at each login: the roles that `OIDC_ROLES` names for them, and no others of the three. Nobody gets
an account, or gets in this way, without one, superusers neither: they have passwords. An account that there is already
is never taken over, whatever name or address a token says: its owner links it, logged in. What a login changes of an
account has an audit row.
"""

import hashlib
import re
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from connections.admin.people.sso import Person, SsoRefused
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.provision.roles import Role
from connections.models import StaffIdentity, StaffLimit

_NO_ROLE = "None of your groups has a role here: ask whoever keeps them."
_NAME = re.compile(r"[^\w.@+-]")


def account_of(person: Person, *, address: str | None) -> User:
    """Return the account of ``person`` with today's roles, making it at the first login. Raises ``SsoRefused``.

    A transaction. Whoever has no role any more loses those that the account has, and is refused.
    """
    roles = {role for group, role in settings.OIDC_ROLES.items() if group in person.groups}
    with short_transaction():
        found = StaffIdentity.objects.filter(issuer=person.issuer, subject=person.subject).select_related("user")
        identity = found.first()
        if identity is None and not roles:
            raise SsoRefused("no_role", _NO_ROLE)
        user = _made(person, address=address) if identity is None else identity.user
        _give(user, roles, address=address)
    if not roles:
        raise SsoRefused("no_role", _NO_ROLE)
    return user


def _give(user: User, roles: set[str], *, address: str | None) -> None:
    """Let the account have these roles of ours, and no others of them."""
    before = set(user.groups.filter(name__in=list(Role)).values_list("name", flat=True))
    if roles == before:
        return
    user.groups.remove(*Group.objects.filter(name__in=before - roles))
    user.groups.add(*Group.objects.filter(name__in=roles - before))
    detail = {"of": user.username[:150], "by": "sso", "gets": sorted(roles - before), "loses": sorted(before - roles)}
    audit.record("operator.account", decision="roles_changed", actor=_actor(user, address), detail=detail)


def _actor(user: User, address: str | None) -> audit.Actor:
    return audit.Actor(operator=user.username[:150], address=address)


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


def _made(person: Person, *, address: str | None) -> User:
    """Make an account without a password, under a name that nobody has."""
    claimed = person.claims.get("preferred_username")
    name = _NAME.sub("-", claimed)[:120] if isinstance(claimed, str) and claimed else "sso"
    mark = hashlib.sha256(f"{person.issuer} {person.subject}".encode()).hexdigest()[:8]
    for username in (name, f"{name}.{mark}"):
        try:
            with transaction.atomic():
                user = User.objects.create_user(username, is_staff=True)
                StaffIdentity.objects.create(user=user, issuer=person.issuer, subject=person.subject)
                if settings.OIDC_NEW_ACCOUNTS_SEE == "none":
                    StaffLimit.objects.create(user=user)
        except IntegrityError:
            continue
        detail = {
            "of": username,
            "by": "sso",
            "issuer": person.issuer,
            "subject": person.subject,
            "tenants": settings.OIDC_NEW_ACCOUNTS_SEE,
        }
        audit.record("operator.account", decision="added", actor=_actor(user, address), detail=detail)
        return user
    raise SsoRefused("name_taken", "Your name is taken here: ask whoever keeps the accounts.")
