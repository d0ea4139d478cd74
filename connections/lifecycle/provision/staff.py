"""Staff: the first operator, the tenants that an account sees, and what is taken back: factors, sessions, links.

The first operator is made by whoever holds a token of this installation: `manage.py operators first` prints one. It is
signed, and good for an hour; once there is an operator no token is good any more. So no stranger who finds a fresh
installation wins the race.
"""

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.signing import BadSignature, TimestampSigner
from django.utils import timezone

from connections.database.locks import lock_first_operator
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.models import StaffIdentity, StaffLimit, Tenant
from connections.refusals import InvalidRequest, NotFound

TOKEN_SECONDS = 3600
_signer = TimestampSigner(salt="latchkey.first_operator")


def there_are_operators() -> bool:
    """Whether anybody may log in to the admin. One query."""
    return User.objects.filter(is_staff=True, is_active=True).exists()


def new_token() -> str:
    """Return a token with which the first operator can be made. No I/O."""
    return _signer.sign("first")


def is_token(token: str) -> bool:
    """Whether ``token`` is one of this installation's, of the last hour. No I/O."""
    try:
        _signer.unsign(token.strip(), max_age=TOKEN_SECONDS)
    except BadSignature:
        return False
    return True


def make_first_operator(username: str, password: str, *, address: str | None) -> bool:
    """Make the first operator, who may do everything. Return False where somebody was faster. A transaction, a lock."""
    with short_transaction():
        lock_first_operator()
        if there_are_operators():
            return False
        User.objects.create_superuser(username, password=password)
        audit.record("operator.made", actor=audit.Actor(operator=username[:150], address=address))
    return True


def take_factors_back(user: User, *, actor: audit.Actor) -> int:
    """Take every second factor from an account, and end its sessions. Return how many factors. A transaction.

    Where second factors are required, its owner gets a new one at the next login. Whoever else was in the account may
    have linked it to a person of the identity provider, so its links are cut as well. One without a password keeps
    them: its owner has no other way in, and would get a new account at the next login.
    """
    with short_transaction():
        found = Authenticator.objects.filter(user=user)
        count: int = found.exclude(type=Authenticator.Type.RECOVERY_CODES).count()
        found.delete()
        detail = {"of": user.get_username()[:150], "factors": count}
        audit.record("operator.factor", decision="removed", actor=actor, detail=detail)
        if user.has_usable_password():
            for identity in StaffIdentity.objects.filter(user=user):
                _cut(identity, user, actor=actor)
    end_sessions(user, actor=actor)
    return count


def end_sessions(user: User, *, actor: audit.Actor, only: int | None = None, but: str | None = None) -> int:
    """End sessions of an account: that of the id ``only``, or all ``but`` the one of this key. Return how many.

    All are those as well that no list shows, whatever they were lost from: each session of a login is looked into.
    """
    listed = UserSession.objects.filter(user=user)
    listed = listed.filter(pk=only) if only is not None else listed.exclude(session_key=but or "")
    keys = {one.session_key for one in listed}
    if only is None:
        keys |= {one.session_key for one in _sessions_of(user) if one.session_key != but}
    Session.objects.filter(session_key__in=keys).delete()
    listed.delete()
    if keys:
        detail = {"of": user.get_username()[:150], "sessions": len(keys)}
        audit.record("operator.session", decision="ended", actor=actor, detail=detail)
    return len(keys)


def _sessions_of(user: User) -> list[Session]:
    """Return the sessions in which ``user`` is logged in. A query that reads all logins, which only staff have."""
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    return [one for one in alive.iterator() if one.get_decoded().get(SESSION_KEY) == str(user.pk)]


def cut_link(user: User, identity_id: int, *, actor: audit.Actor) -> None:
    """Take a person of the identity provider from ``user``'s own account. A transaction.

    Raises ``NotFound``, and ``InvalidRequest`` where nothing else lets its owner in, or the account is limited: the
    person would get a new one, without the limit, at the next login.
    """
    identity = StaffIdentity.objects.filter(pk=identity_id, user=user).first()
    if identity is None:
        raise NotFound("There is no such link.")
    if StaffLimit.objects.filter(user=user).exists():
        raise InvalidRequest("Your account is limited to tenants: ask whoever oversees the staff to cut it.")
    others = StaffIdentity.objects.filter(user=user).exclude(pk=identity_id)
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    if not (user.has_usable_password() or others.exists() or passkeys.exists()):
        raise InvalidRequest("It is the only way into your account. Have a password set, or add a passkey, first.")
    with short_transaction():
        _cut(identity, user, actor=actor)


def _cut(identity: StaffIdentity, user: User, *, actor: audit.Actor) -> None:
    detail = {"of": user.get_username()[:150], "issuer": identity.issuer, "subject": identity.subject}
    identity.delete()
    audit.record("operator.sso", decision="cut", actor=actor, detail=detail)


def limit_to(user: User, tenants: Iterable[Tenant], *, actor: audit.Actor) -> None:
    """Let an account see these tenants alone, from its next request on; with none, nothing. A transaction."""
    chosen = list(tenants)
    with short_transaction():
        limit, _ = StaffLimit.objects.get_or_create(user=user)
        limit.tenants.set(chosen)
        detail = {"of": user.get_username()[:150], "tenants": sorted(tenant.slug for tenant in chosen)}
        audit.record("operator.limit", decision="limited", actor=actor, detail=detail)


def unlimit(user: User, *, actor: audit.Actor) -> None:
    """Let an account see every tenant. A transaction."""
    with short_transaction():
        if StaffLimit.objects.filter(user=user).delete()[0]:
            detail = {"of": user.get_username()[:150]}
            audit.record("operator.limit", decision="lifted", actor=actor, detail=detail)
