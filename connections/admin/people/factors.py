"""Second factors: their seeds at rest, codes that are good once, and whether a session has one.

A seed is sealed by the vault under the operator's data key. Passkeys keep nothing secret here.
"""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q
from django.http import HttpRequest

from connections.access.secrets import SEED_PLACE, current_data_key, open_stored
from connections.models.fields import StoredSecret, outer_fernet
from connections.vault.sealing import seal

_SPENT = "spent_counter"


def sealed(text: str) -> str:
    """Return a seed as it is stored. One query."""
    inner = seal(text.encode(), key=current_data_key(None), place=SEED_PLACE)
    return outer_fernet().encrypt(inner).decode()


def opened(stored: str) -> str:
    """Return a stored seed. One query. Raises ``Unreadable``."""
    return open_stored(StoredSecret(stored.encode()), place=SEED_PLACE).decode()


def factors_of(user: AbstractBaseUser | AnonymousUser) -> list[Authenticator]:
    """Return the second factors of an account; recovery codes alone are none. One query."""
    found = list(Authenticator.objects.filter(user_id=user.pk))
    return found if any(one.type != Authenticator.Type.RECOVERY_CODES for one in found) else []


def take_code(user: AbstractBaseUser, code: str) -> Authenticator | None:
    """Return the factor that this code is of, and spend the code: it is not taken again. None for a wrong one.

    A code of an app stands for one half minute; neither it nor an earlier one is taken afterwards (RFC 6238 §5.2), by
    whichever process it is brought to. Queries; a write.
    """
    for factor in factors_of(user):
        if factor.type == Authenticator.Type.TOTP and _spend(factor, code):
            return factor
        if factor.type == Authenticator.Type.RECOVERY_CODES and factor.wrap().validate_code(code):
            return factor
    return None


def _spend(factor: Authenticator, code: str) -> bool:
    secret = opened(factor.data["secret"])
    for counter in yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
            unspent = Q(**{f"data__{_SPENT}__isnull": True}) | Q(**{f"data__{_SPENT}__lt": counter})
            rows = Authenticator.objects.filter(unspent, pk=factor.pk)
            # Changed by a condition in the statement itself: of two who bring one code, one finds it spent.
            if not rows.update(data=factor.data | {_SPENT: counter}):
                return False
            factor.refresh_from_db()
            return True
    return False


def has_second_factor(request: HttpRequest, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this session has shown a second factor or a passkey, or the identity provider vouches for one. No I/O."""
    return any(_counts(record) for record in get_authentication_records(request, user))


def _counts(record: dict[str, Any]) -> bool:
    return record.get("method") == "mfa" or (record.get("method") == "sso" and bool(record.get("second_factor")))


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether this session may not go on because it has no second factor. No I/O."""
    return bool(settings.SECOND_FACTOR_REQUIRED) and not has_second_factor(request, request.user)
