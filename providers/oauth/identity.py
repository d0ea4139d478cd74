"""Identity: which account a grant belongs to, by what an OpenID server has signed: an ID token, or a probe's userinfo.

Owns their validation (OpenID Connect Core §3.1.3.7 and §5.3.2, RFC 8725), with the keys of ``issuer_keys``. What
cannot be validated is not believed: then the account is unknown, and a warning says why.
"""

import time
from dataclasses import replace
from typing import Any, TypeGuard

import jwt
import structlog

from providers.catalog.resolve import Target
from providers.errors import Evidence, IdentityMismatch
from providers.lines import plain_line
from providers.oauth.issuer_keys import KeySource, verified_claims
from providers.response import Response
from providers.values import Account, Obtained

_LEEWAY_SECONDS = 120
_LONGEST_TEXT = 255
_NAMES = ("name", "preferred_username", "email")

logger = structlog.get_logger(__name__)


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


def of_this_request(target: Target, obtained: Obtained, *, nonce: str, is_bound_otherwise: bool) -> Obtained:
    """Return ``obtained`` if its ID token repeats ``nonce`` (OpenID Connect Core §3.1.3.7, step 11). No I/O.

    A token with another nonce belongs to another authorization request: its code was put in the place of ours. That
    holds without a look at the signature, since the token came from the token endpoint itself (step 6). Some servers
    repeat none. If ``is_bound_otherwise``, by PKCE, the code is known to be ours (RFC 9700 §2.1.1); if not, such an ID
    token is dropped, and names no account. Raises ``IdentityMismatch``.
    """
    if not nonce or obtained.id_token is None:
        return obtained
    try:
        repeated = jwt.decode(obtained.id_token.get_secret_value(), options={"verify_signature": False}).get("nonce")
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return obtained  # it cannot be read, and is not believed either
    if repeated == nonce:
        return obtained
    if repeated not in (None, ""):
        raise IdentityMismatch(Evidence("The ID token repeats the nonce of another authorization request."))
    if is_bound_otherwise:
        return obtained
    _tell_doubt(target, "it does not repeat the nonce", is_id_token=True)
    return replace(obtained, id_token=None)


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
        claims = verified_claims(token, KeySource(target.endpoints.jwks))
        why = _standing_against(claims, target, now=now, is_id_token=is_id_token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        # The exception's own text is not used: it quotes the token.
        claims, why = {}, "it is no JWT, or signed with none of the issuer's keys"
    if why:
        _tell_doubt(target, why, is_id_token=is_id_token)
        return None
    return claims


def _tell_doubt(target: Target, why: str, *, is_id_token: bool) -> None:
    logger.warning("identity_not_believed", provider=target.entry.slug, id_token=is_id_token, why=why)


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
