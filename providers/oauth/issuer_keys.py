"""The public keys of an issuer (RFC 7517), and what they prove: whether one of them has signed a token (RFC 7515).

Owns the fetching of keys, which are kept for minutes, and the check of the signature. What a token must say besides is
its reader's to judge: ``identity`` for ID tokens, ``connections.lifecycle.identify`` for those of callers.

Whoever brings tokens never decides how often an issuer is asked: once in ``_NOT_AGAIN_SECONDS`` at the most, whatever
keys the tokens name and however often it fails. Only the header's ``alg`` and ``kid`` are read. Keys, or addresses of
keys, that a token brings itself (``jwk``, ``jku``, ``x5c``, ``x5u``) are never looked at (RFC 8725 §3.10).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt

from providers import egress
from providers.errors import Evidence, ProviderError, ProviderUnavailable
from providers.oauth.classify import json_object, retry_after_seconds
from providers.oauth.discovery import discover
from providers.signing.bounds import SHORTEST_RSA_BITS, UnusableKey, check_public

# Public-key algorithms only, by kty: with HMAC anybody who knows a public key could sign (RFC 8725 §2.1).
_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
ALGORITHMS = tuple(algorithm for known in _ALGORITHMS.values() for algorithm in known)
_USES = ("sig", "jwt-svid")  # SPIFFE names the latter (SPIFFE Trust Domain and Bundle §4.2.2)
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_LONGEST_KID = 500
_MOST_KEYS = 50
_MOST_TRIED = 10
_LARGEST_SET_BYTES = 262_144
_KEPT_SECONDS = 300.0
_LAST_GOOD_SECONDS = 3600.0
_NOT_AGAIN_SECONDS = 10.0
_MOST_ISSUERS = 256
_LONGEST_FETCH_SECONDS = 10.0  # callers wait for it
_SPELLED_OUT = ("token", "client_authentication", "pushed_authorization", "request_delivery")

Keys = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where an issuer's keys are: ``jwks_url``, or wherever the metadata of ``issuer`` says, where that is ""."""

    jwks_url: str = ""
    issuer: str = ""


@dataclass(slots=True)
class _Kept:
    """The keys of one source. Moments are of the monotonic clock. ``failure`` is how the last try went wrong."""

    keys: Keys = ()
    fetched_at: float = float("-inf")
    tried_at: float = float("-inf")
    failure: ProviderError | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)


_known: OrderedDict[KeySource, _Kept] = OrderedDict()
_lock = threading.Lock()
_SIGNATURE_ALONE: Any = {
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub"), False),
    "verify_jti": False,
}


def verified_claims(
    token: str, source: KeySource | Keys, *, algorithms: Collection[str] = ALGORITHMS
) -> dict[str, Any]:
    """Return the claims of ``token``, which a key of ``source`` has signed by one of ``algorithms``.

    ``source`` may be the keys themselves. Fetches keys (HTTP) that are not kept, and once more for a token that none of
    those kept has signed. Judges neither issuer, audience nor times. Raises ``jwt.InvalidTokenError`` (and
    ``ValueError``, ``TypeError`` or ``RecursionError`` for what is no token), ``ProviderError`` if keys cannot be had.
    """
    header = jwt.get_unverified_header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms or "crit" in header or "b64" in header:
        raise jwt.InvalidTokenError
    if kid is not None and not (isinstance(kid, str) and len(kid) <= _LONGEST_KID):
        raise jwt.InvalidTokenError
    sets = (keys_of(source, anew=anew) for anew in (False, True)) if isinstance(source, KeySource) else iter((source,))
    for keys in sets:
        for tried, key in enumerate(_fitting(keys, algorithm, kid)):
            if tried == _MOST_TRIED:
                break
            try:
                return jwt.decode(token, key, algorithms=[algorithm], options=_SIGNATURE_ALONE)
            except (jwt.InvalidSignatureError, jwt.InvalidKeyError, TypeError):
                continue
    raise jwt.InvalidTokenError


def usable_keys(described: Iterable[object]) -> int:
    """Return how many of these JWKs could have signed a token here. No I/O."""
    keys = tuple(key for key in described if isinstance(key, dict))[:_MOST_KEYS]
    return sum(any(True for _ in _fitting((key,), algorithm, None)) for key in keys for algorithm in _first_of(key))


def _first_of(key: dict[str, Any]) -> tuple[str, ...]:
    named = key.get("alg")
    kty = key.get("kty")
    of_kind = _ALGORITHMS.get(kty if isinstance(kty, str) else "", ())
    if isinstance(named, str):
        return (named,) if named in of_kind else ()
    curves = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",)}
    return curves.get(str(key.get("crv")), ()) if kty == "EC" else of_kind[:1]


def keys_of(source: KeySource, *, anew: bool = False) -> Keys:
    """Return the keys of ``source``. Fetches them (HTTP) unless they are kept; ``anew`` fetches those just published.

    Keys that were had within the last hour are used on while new ones cannot be fetched. One thread fetches, the others
    use what is kept, or wait for the first keys. Raises ``ProviderError``.
    """
    kept = _kept(source)
    if _is_fresh(kept, anew=anew):
        return kept.keys
    if not kept.turn.acquire(blocking=not _is_usable(kept)):
        return kept.keys
    try:
        if not _is_fresh(kept, anew=anew) and time.monotonic() - kept.tried_at >= _NOT_AGAIN_SECONDS:
            _fetch(source, kept)
    finally:
        kept.turn.release()
    if kept.failure is not None and not _is_usable(kept):
        raise kept.failure
    return kept.keys


def _kept(source: KeySource) -> _Kept:
    with _lock:
        kept = _known.setdefault(source, _Kept())
        _known.move_to_end(source)
        while len(_known) > _MOST_ISSUERS:
            _known.popitem(last=False)
        return kept


def _is_fresh(kept: _Kept, *, anew: bool) -> bool:
    return time.monotonic() - kept.fetched_at < (_NOT_AGAIN_SECONDS if anew else _KEPT_SECONDS)


def _is_usable(kept: _Kept) -> bool:
    return time.monotonic() - kept.fetched_at < _LAST_GOOD_SECONDS


def _fetch(source: KeySource, kept: _Kept) -> None:
    """Ask once, and note how it went. HTTP."""
    try:
        keys = _published(source)
    except ProviderError as failure:
        kept.failure = failure
    else:
        # What is no set of keys withdraws none: a page of a proxy's must not lock every caller out.
        if keys is not None or not _is_usable(kept):
            kept.keys, kept.fetched_at = keys or (), time.monotonic()
        kept.failure = None
    kept.tried_at = time.monotonic()


def _published(source: KeySource) -> Keys | None:
    give_up_at = time.monotonic() + _LONGEST_FETCH_SECONDS
    url = source.jwks_url
    if not url:
        url = discover(source.issuer, spelled_out=_SPELLED_OUT, deadline=give_up_at)["jwks"]
    if not url:
        return None
    response = egress.request(
        "GET",
        url,
        headers={"Accept": "application/json"},
        max_body_bytes=_LARGEST_SET_BYTES,
        total_seconds=min(egress.current_policy().total_seconds, max(1.0, give_up_at - time.monotonic())),
    )
    if response.status == 429 or response.status >= 500:
        raise ProviderUnavailable(
            Evidence("The issuer's keys cannot be had now.", status=response.status),
            retry_after_seconds=retry_after_seconds(response.headers),
        )
    found = json_object(response).get("keys") if response.status == 200 else None
    return tuple(key for key in found if isinstance(key, dict))[:_MOST_KEYS] if isinstance(found, list) else None


def _fitting(keys: Keys, algorithm: str, kid: str | None) -> Iterator[Any]:
    """Yield the public keys that may have signed with ``algorithm``: only those named ``kid``, if it is given."""
    for described in keys:
        kty = described.get("kty")
        if algorithm not in _ALGORITHMS.get(kty if isinstance(kty, str) else "", ()):
            continue
        if (kid is not None and described.get("kid") != kid) or described.get("use", "sig") not in _USES:
            continue
        operations = described.get("key_ops", ["verify"])
        if described.get("alg", algorithm) != algorithm or not isinstance(operations, list):
            continue
        if "verify" not in operations:
            continue
        public = {name: value for name, value in described.items() if name not in _PRIVATE}
        try:
            key = jwt.PyJWK(public, algorithm=algorithm).key
            check_public(key)
        except (jwt.PyJWTError, UnusableKey, ValueError, TypeError):
            continue
        if kty != "RSA" or key.key_size >= SHORTEST_RSA_BITS:
            yield key
