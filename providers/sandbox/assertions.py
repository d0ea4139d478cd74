"""What others sign, as the sandbox judges it: signature, audience, times, and that each is shown once (RFC 7523 §3).

Stricter than many a server: one audience, as a string; a life of an hour at the most; a ``jti``, which is remembered.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from jwt.types import Options

LONGEST_SECONDS = 3600
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "HS256")
_UNCHECKED: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Refused(Exception):
    """A signed token is not believed; ``outcome`` is the word for the log."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Replays:
    """The ids that were shown already, until they would end anyway."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], float] = {}

    def show(self, issuer: str, jti: str, *, until: float, now: float) -> bool:
        """Note that ``issuer`` has shown ``jti``; return False if it has before."""
        with self._lock:
            self._seen = {known: end for known, end in self._seen.items() if end > now}
            is_new = (issuer, jti) not in self._seen
            self._seen[issuer, jti] = until
        return is_new


def judge(
    token: str,
    *,
    keys: Sequence[Mapping[str, Any]],
    audiences: Sequence[str | None],
    replays: Replays | None,
    now: float,
) -> dict[str, Any]:
    """Return the claims of ``token``, with its ``kid`` added. Raises ``Refused``.

    ``keys`` are the JWKs of whoever should have signed, and ``audiences`` what this server is called (None: nobody need
    be named). Without
    ``replays`` a token may be shown again, as one that is used like a password is.
    """
    claims = _verified(token, keys)
    if claims.get("aud") not in audiences:
        raise Refused("wrong_audience")
    issued, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(ends, int | float) or not isinstance(issued, int | float):
        raise Refused("no_times")
    if ends <= now:
        raise Refused("assertion_expired")
    if issued > now:
        raise Refused("issued_in_the_future")
    if ends - issued > LONGEST_SECONDS + 60:
        raise Refused("lives_too_long")
    if replays is not None:
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise Refused("no_jti")
        if not replays.show(str(claims.get("iss")), jti, until=float(ends), now=now):
            raise Refused("replayed")
    return claims


def signer_of(token: str) -> str:
    """Return who says to have signed ``token``, unchecked; "" if it is no JWT."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return ""
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else ""


def _verified(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the claims of a token that one of ``keys`` has signed. The times are judged by the caller's clock."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise Refused("no_token") from None
    named = [key for key in keys if kid is None or key.get("kid") == kid]
    if not named:
        raise Refused("unknown_key")
    for key in named:
        try:
            algorithms = [str(key["alg"])] if "alg" in key else list(ALGORITHMS)
            claims: dict[str, Any] = jwt.decode(token, jwt.PyJWK(dict(key)), algorithms=algorithms, options=_UNCHECKED)
        except jwt.PyJWTError:
            continue
        return claims | {"kid": str(kid or "")}
    raise Refused("bad_signature")
