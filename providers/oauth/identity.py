"""Identity: which account a grant belongs to, by what an OpenID server has signed: an ID token, or a probe's userinfo.

Owns their validation (OpenID Connect Core §3.1.3.7 and §5.3.2, RFC 8725) and the issuer's keys (RFC 7517), which it
keeps for minutes. What cannot be validated is not believed: then the account is unknown, and a warning says why.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any, TypeGuard

import jwt
import structlog

from providers import egress
from providers.catalog.resolve import Target
from providers.errors import Evidence, ProviderUnavailable
from providers.lines import plain_line
from providers.oauth.classify import json_object, retry_after_seconds
from providers.response import Response
from providers.signing.bounds import UnusableKey, check_public
from providers.values import Account, Obtained

# Public-key algorithms only, by kty: with HMAC anybody who knows a public key could sign (RFC 8725 §2.1).
_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
_SHORTEST_RSA_BITS = 2048
_LEEWAY_SECONDS = 120
_LONGEST_TEXT = 255
_MOST_KEYS = 50
_KEPT_SECONDS = 300.0
_NOT_AGAIN_SECONDS = 10.0
_MOST_ISSUERS = 256
_NAMES = ("name", "preferred_username", "email")

logger = structlog.get_logger(__name__)
_known: dict[str, tuple[float, tuple[dict[str, Any], ...]]] = {}
_lock = threading.Lock()


def can_identify(target: Target) -> bool:
    """Whether this module can check signatures of the target's issuer. No I/O."""
    return bool(target.endpoints.issuer and target.endpoints.jwks)


def account_of(target: Target, obtained: Obtained, *, received_at: float) -> Account | None:
    """Return the account that the ID token of ``obtained`` names, or None if there is no token to believe.

    ``received_at`` is the epoch at which it was received: it had to be valid then. May fetch the issuer's keys (HTTP).
    Raises ``ProviderUnavailable`` if they cannot be fetched.
    """
    described = target.entry.probe
    # One account must get one id. If the entry names another source for the id, the ID token must not name a second.
    if described is not None and (described.lists_workspaces or described.account_id not in ("", "/sub")):
        return None
    if obtained.id_token is None or not can_identify(target):
        return None
    claims = _claims(target, obtained.id_token.get_secret_value(), now=received_at, is_id_token=True)
    subject = ":".join([*target.account_within, claims["sub"]]) if claims else ""
    if not claims or len(subject) > _LONGEST_TEXT:
        return None
    named = (claims.get(name) for name in _NAMES)
    name = next((line for text in named if isinstance(text, str) and (line := plain_line(text))), "")
    return Account(id=subject, name=name[:_LONGEST_TEXT])


def is_signed(response: Response) -> bool:
    """Whether ``response`` is a JWT (OpenID Connect Core §5.3.2). No I/O."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/jwt"


def signed_claims(target: Target, response: Response) -> dict[str, Any] | None:
    """Return the claims of a signed userinfo, or None if it must not be believed.

    May fetch the issuer's keys (HTTP). Raises ``ProviderUnavailable`` if they cannot be fetched.
    """
    if not can_identify(target):
        return None
    return _claims(target, response.body.decode("ascii", "replace").strip(), now=time.time(), is_id_token=False)


def _claims(target: Target, token: str, *, now: float, is_id_token: bool) -> dict[str, Any] | None:
    try:
        header = jwt.get_unverified_header(token)
        claims = _verify(target, token, header)
        why = _standing_against(claims, target, now=now, is_id_token=is_id_token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        # The exception's own text is not used: it quotes the token.
        claims, why = {}, "it is no JWT, or signed with none of the issuer's keys"
    if why:
        logger.warning("identity_not_believed", provider=target.entry.slug, id_token=is_id_token, why=why)
        return None
    return claims


def _verify(target: Target, token: str, header: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of ``token``, whose signature is one of the issuer's. Raises ``jwt.InvalidTokenError``."""
    algorithm, kid = header.get("alg"), header.get("kid")
    if "crit" in header or not isinstance(algorithm, str):
        raise jwt.InvalidTokenError
    for is_second in (False, True):
        for key in _fitting(_keys_of(target.endpoints.jwks, anew=is_second), algorithm, kid):
            try:
                # Audience, issuer and times are judged below, by the moment at which the token was received.
                return jwt.decode(token, key, algorithms=[algorithm], options=_SIGNATURE_ALONE)
            except (jwt.InvalidSignatureError, jwt.InvalidKeyError, TypeError):
                continue
    raise jwt.InvalidTokenError


_SIGNATURE_ALONE: Any = {
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub"), False),
    "verify_jti": False,
}


def _fitting(keys: tuple[dict[str, Any], ...], algorithm: str, kid: object) -> Iterator[Any]:
    """Yield the public keys that may have signed with ``algorithm``: only those named ``kid``, if it is given."""
    for described in keys:
        kty = described.get("kty")
        if algorithm not in _ALGORITHMS.get(kty if isinstance(kty, str) else "", ()):
            continue
        if (kid is not None and described.get("kid") != kid) or described.get("use", "sig") != "sig":
            continue
        if described.get("alg", algorithm) != algorithm or "verify" not in described.get("key_ops", ["verify"]):
            continue
        public = {name: value for name, value in described.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
        try:
            key = jwt.PyJWK(public, algorithm=algorithm).key
            check_public(key)
        except (jwt.PyJWTError, UnusableKey, ValueError, TypeError):
            continue
        if kty != "RSA" or key.key_size >= _SHORTEST_RSA_BITS:
            yield key


def _keys_of(url: str, *, anew: bool) -> tuple[dict[str, Any], ...]:
    """Return the keys published at ``url``. Fetches them (HTTP) unless they are cached; ``anew`` fetches new ones."""
    with _lock:
        fetched_at, keys = _known.get(url, (float("-inf"), ()))
    age = time.monotonic() - fetched_at
    if age < (_NOT_AGAIN_SECONDS if anew else _KEPT_SECONDS):
        return keys
    response = egress.request("GET", url, headers={"Accept": "application/json"}, max_body_bytes=262_144)
    if response.status == 429 or response.status >= 500:
        raise ProviderUnavailable(
            Evidence("The issuer's keys cannot be had now.", status=response.status),
            retry_after_seconds=retry_after_seconds(response.headers),
        )
    found = json_object(response).get("keys") if response.status == 200 else None
    keys = tuple(key for key in found if isinstance(key, dict))[:_MOST_KEYS] if isinstance(found, list) else ()
    with _lock:
        if len(_known) >= _MOST_ISSUERS:
            _known.clear()
        _known[url] = (time.monotonic(), keys)
    return keys


def _standing_against(claims: dict[str, Any], target: Target, *, now: float, is_id_token: bool) -> str:
    """Return why ``claims`` must not be believed, or "" if they may be."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    client_id, party = target.registration.client_id, claims.get("azp")
    ends, begins = claims.get("exp"), claims.get("nbf", claims.get("iat"))
    subject = claims.get("sub")
    if not (isinstance(subject, str) and subject.isprintable() and subject):
        return "it names no subject"
    if (is_id_token or "iss" in claims) and claims.get("iss") != target.endpoints.issuer:
        return "it names another issuer"
    if (is_id_token or "aud" in claims) and not (isinstance(audiences, list) and client_id in audiences):
        return "it is for another client"
    if party != client_id and (party is not None or (isinstance(audiences, list) and len(audiences) > 1)):
        return "it was given to another client"
    if (is_id_token or ends is not None) and not (_is_number(ends) and ends + _LEEWAY_SECONDS > now):
        return "it has ended"
    if begins is not None and not (_is_number(begins) and begins - _LEEWAY_SECONDS <= now):
        return "it is not valid yet"
    return "" if begins is not None or not is_id_token else "it does not say since when it is valid"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
