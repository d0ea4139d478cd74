"""Wrong guesses at passwords and codes, counted by account and by address. The counts run down as time goes by.

Nobody can lock an account's owner out. Wrong guesses of strangers are counted apart from those of a browser, or an
address, that the account is known at (``known``). A refused guess is not counted at the account, so one address cannot
use up what strangers have there. And where strangers from all over have used it up, a stranger still gets in with the
password and a code of the second factor, typed together; with a passkey in any case.

Codes of the second factor are counted apart from passwords, and only once the password was right: whoever does not know
it uses up nothing. Those of a session that is asked for a proof are counted by session, which its owner ends.

A guess is counted before it is looked at, so that many at once are no more than one after the other.
"""

import hashlib
import ipaddress
from dataclasses import dataclass

from django.db import connection

from connections.models import GuessCount


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many wrong guesses at once, and one more after each ``seconds``. ``kind`` tells what is counted."""

    kind: str
    at_once: int
    seconds: float


FROM_ADDRESS = Allowance("address", 30, 20.0)  # whatever the accounts
AT_ACCOUNT_FROM_ADDRESS = Allowance("pair", 6, 60.0)
AT_ACCOUNT = Allowance("account", 50, 120.0)  # by strangers, from all over
BY_OWNER = Allowance("owner", 10, 30.0)  # from where the account is known
CODES = Allowance("code", 6, 60.0)  # by somebody who has the password, from one address or known browser
CODES_AT_ACCOUNT = Allowance("codes", 50, 120.0)  # by strangers who have the password, from all over
CODES_AS_PROOF = Allowance("code proof", 6, 60.0)  # by somebody who has a session
PROOFS = Allowance("proof", 5, 180.0)  # by somebody who has a session

_COUNT = """
INSERT INTO connections_guesscount AS known (key, level, counted_at)
VALUES (%(key)s, 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET
    level = LEAST(
        GREATEST(
            known.level - extract(epoch FROM clock_timestamp() - known.counted_at)::float8 / %(seconds)s::float8, 0
        ) + 1,
        %(most)s::float8 + 1
    ),
    counted_at = clock_timestamp()
RETURNING level
"""


def may_guess(allowance: Allowance, *of: object) -> bool:
    """Count a guess, and return whether it may be looked at. One statement."""
    values: dict[str, str | float] = {
        "key": _key(allowance, of),
        "seconds": allowance.seconds,
        "most": allowance.at_once,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        (level,) = cursor.fetchone()
    return bool(level <= allowance.at_once)


def was_right(allowance: Allowance, *of: object) -> None:
    """Take back what was counted: the guess was no guess, and neither were those just before it."""
    GuessCount.objects.filter(key=_key(allowance, of)).delete()


def network_of(address: str | None) -> str:
    """Return what an address is counted as: for IPv6 the network of a household, which has billions of addresses."""
    if address is None:
        return "unknown"
    found = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if found.version == 6 else address


def _key(allowance: Allowance, of: tuple[object, ...]) -> str:
    return hashlib.sha256(repr((allowance.kind, *map(str, of))).encode()).hexdigest()
