"""Security event tokens (RFC 8417), pushed over HTTP (RFC 8935): whose they are, for whom, and how old.

RFC 8417 §2.2 knows no end of a token, and an issuer that could not reach us sends it again much later; so its age is
that of ``iat``. Which keys may have signed is decided by ``providers.oauth.issuer_keys``.
"""

import json
from datetime import UTC, datetime
from typing import Any

import jwt

from providers.catalog.pushes import PushRules
from providers.errors import ProviderError
from providers.oauth.issuer_keys import KeySource, verified_claims
from providers.pushes.arrival import Arrival, Proven, PushRefused, digest_of, document_in

_LONGEST_TOKEN = 65_536
_TYPES = (None, "secevent+jwt", "application/secevent+jwt", "jwt")  # Google leaves it out, or says "JWT"
_MOST_EVENTS = 20
_MOST_AUDIENCES = 100
_LEEWAY_SECONDS = 300


def verified_token(rules: PushRules, arrival: Arrival, *, client_id: str, now: datetime) -> Proven:
    """Return what is proven of a security event token that is meant for ``client_id``.

    Its document is a list with an object for each event: ``type`` (the event's URI), ``event`` (what it says) and
    ``claims``. May fetch the issuer's keys (HTTP). Raises ``PushRefused``.
    """
    token = _token(arrival.body)
    _check_meant(rules, _unproven(token), client_id=client_id)
    try:
        claims = verified_claims(token, KeySource(jwks_url=rules.jwks_url))
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise PushRefused("signature") from None
    except ProviderError:
        raise PushRefused("keys_unavailable") from None
    issued_at = _moment(claims.get("iat"))
    if abs((now - issued_at).total_seconds()) > rules.max_age_seconds + _LEEWAY_SECONDS:
        raise PushRefused("stale")
    events, token_id = claims.get("events"), claims.get("jti")
    if not isinstance(events, dict) or not 0 < len(events) <= _MOST_EVENTS or not isinstance(token_id, str):
        raise PushRefused("token")
    document_in(json.dumps(claims).encode())  # no deeper than any push may be
    document = [{"type": kind, "event": said, "claims": claims} for kind, said in events.items()]
    return Proven(document, issued_at, digest_of(rules.issuer.encode(), token_id.encode("utf-8", "surrogatepass")))


def _token(body: bytes) -> str:
    try:
        token = body.decode("ascii").strip()
    except ValueError:
        raise PushRefused("token") from None
    if len(token) > _LONGEST_TOKEN or token.count(".") != 2:
        raise PushRefused("token")
    return token


def _unproven(token: str) -> dict[str, Any]:
    """Return the claims as they are read before anything is proven: what is not for us costs no request."""
    try:
        whole = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise PushRefused("token") from None
    kind = whole["header"].get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
        raise PushRefused("token")  # RFC 8725 §3.11: a token of another kind is none of these
    claims: dict[str, Any] = whole["payload"]
    return claims


def _check_meant(rules: PushRules, claims: dict[str, Any], *, client_id: str) -> None:
    if claims.get("iss") != rules.issuer:
        raise PushRefused("issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not client_id or len(audiences) > _MOST_AUDIENCES or client_id not in audiences:
        raise PushRefused("audience")


def _moment(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise PushRefused("timestamp")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise PushRefused("timestamp") from None
