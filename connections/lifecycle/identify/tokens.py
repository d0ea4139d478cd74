"""Read a token (a JWT, RFC 7519), and verify it for one trusted issuer. RFC 8725 says what to look at.

Whoever sends a token has not proven anything yet. So what is read before the signature is verified only chooses the
issuers that may have signed it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import jwt

from connections.database.pool import release_database
from connections.models import TrustedIssuer
from connections.refusals import IssuerUnavailable
from providers.catalog.pointer import value_at
from providers.errors import ProviderError
from providers.oauth.issuer_keys import Keys, KeySource, verified_claims

LONGEST_TOKEN = 16_384
LONGEST_NAME = 255
_SPIFFE = "spiffe"
_MOST_AUDIENCES = 20
_FARTHEST = 10**12
# RFC 8725 §3.11: a token of another kind (a logout token, a security event) never stands for one of these.
_TYPES = (None, "jwt", "jose", "at+jwt", "application/at+jwt", "client-authentication+jwt")


class TokenRefused(Exception):
    """A token is not believed. ``why`` is a word for the audit trail; whoever brought the token never learns it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class ReadToken:
    """A token as it was read; nothing in it is proven. ``issuers`` are the names by which its issuer may be known."""

    token: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    issuers: Sequence[str]
    audiences: Sequence[str]


def read_token(token: str) -> ReadToken:
    """Return what a token says, unproven. No I/O. Raises ``TokenRefused`` for what is no signed JWT of a usual type."""
    if len(token) > LONGEST_TOKEN or not token.isascii() or token.count(".") != 2:
        raise TokenRefused("malformed")
    try:
        whole = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenRefused("malformed") from None
    header, claims = whole["header"], whole["payload"]
    kind = header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES or "cty" in header:
        raise TokenRefused("type")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not 0 < len(audiences) <= _MOST_AUDIENCES:
        raise TokenRefused("audience")
    named = [claims.get("iss"), trust_domain(claims.get("sub"))]
    return ReadToken(
        token=token,
        claims=claims,
        issuers=[name for name in named if _is_line(name)],
        audiences=[name for name in audiences if _is_line(name)],
    )


def _is_line(name: object) -> TypeGuard[str]:
    """Whether a claim is one line of text, as whatever it is compared with is: no query takes NUL or half a letter."""
    return isinstance(name, str) and bool(name) and name.isprintable()


def trust_domain(subject: object) -> str:
    """Return the trust domain of a SPIFFE ID as ``spiffe://…``, "" for what is none (SPIFFE ID §2). No I/O."""
    try:
        parts = urlsplit(subject) if isinstance(subject, str) else urlsplit("")
    except ValueError:
        return ""
    return f"{_SPIFFE}://{parts.netloc}" if parts.scheme == _SPIFFE and parts.netloc else ""


def verify(read: ReadToken, issuer: TrustedIssuer, *, now: datetime) -> Mapping[str, Any]:
    """Return the claims of a token that ``issuer`` has signed for its audience, and that is valid ``now``.

    May fetch the issuer's keys (HTTP); gives the thread's database connection back before. Raises ``TokenRefused``, and
    ``IssuerUnavailable`` if the keys cannot be had.
    """
    if issuer.issuer not in read.issuers:
        raise TokenRefused("issuer")
    if issuer.audience not in read.audiences:
        raise TokenRefused("audience")
    check_times(
        read.claims, now=now, max_lifetime_seconds=issuer.max_lifetime_seconds, leeway_seconds=issuer.leeway_seconds
    )
    return check_signature(read.token, source_of(issuer), algorithms=issuer.algorithms)


def source_of(issuer: TrustedIssuer) -> KeySource | Keys:
    """Return where the keys of ``issuer`` are, or the keys themselves. No I/O."""
    if issuer.keys is not None:
        return tuple(issuer.keys)
    return KeySource(jwks_url=issuer.jwks_url, issuer="" if issuer.jwks_url else issuer.issuer)


def check_signature(token: str, source: KeySource | Keys, *, algorithms: Sequence[str]) -> dict[str, Any]:
    """Return the claims of ``token`` if one of the keys has signed it. HTTP where ``source`` is an address.

    Raises ``TokenRefused``, and ``IssuerUnavailable`` if the keys cannot be had.
    """
    if isinstance(source, KeySource):
        release_database()
    try:
        return verified_claims(token, source, algorithms=algorithms)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        # The exception's own text is not used: it quotes the token.
        raise TokenRefused("signature") from None
    except ProviderError as failure:
        seconds = failure.retry_after_seconds or 10
        raise IssuerUnavailable(
            "The keys of the token's issuer cannot be had at the moment.", retry_after_seconds=seconds
        ) from None


def check_times(claims: Mapping[str, Any], *, now: datetime, max_lifetime_seconds: int, leeway_seconds: int) -> None:
    """Raise ``TokenRefused`` unless a token with ``claims`` is valid ``now``, and not for longer than it may be.

    It has to say when it ends. Its life begins when it was issued, or when it becomes valid, or else now. No I/O.
    """
    moment = now.timestamp()
    ends, begins, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
    if ends is None:
        raise TokenRefused("lifetime")
    if ends + leeway_seconds <= moment:
        raise TokenRefused("expired")
    if any(at is not None and at - leeway_seconds > moment for at in (begins, issued)):
        raise TokenRefused("not_yet_valid")
    born = issued if issued is not None else begins if begins is not None else moment
    if ends - born > max_lifetime_seconds + leeway_seconds:
        raise TokenRefused("lifetime")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < _FARTHEST:
        raise TokenRefused("lifetime")  # also for infinity and for what is no number, which is less than nothing
    return float(found)


def claim_at(claims: Mapping[str, Any], name: str) -> Any:
    """Return the claim of this name, or at this JSON Pointer; None if there is none. No I/O."""
    return value_at(claims, name) if name.startswith("/") else claims.get(name)


def name_at(claims: Mapping[str, Any], name: str) -> str:
    """Return the claim as the id of somebody: one line of text. Raises ``TokenRefused`` for anything else. No I/O."""
    found = claim_at(claims, name)
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_NAME or not found.isprintable():
        raise TokenRefused("claim")
    return found
