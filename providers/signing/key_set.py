"""The public halves of a client's keys as a JWK Set (RFC 7517 §5). Only what is public is ever put in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from providers.signing.certificates import certificate_members
from providers.signing.keys import public_jwk
from providers.vocabulary import SigningAlgorithm


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """The public half of a key: ``public_key`` and ``certificates`` are PEM, the latter "" if there is none."""

    kid: str
    algorithm: SigningAlgorithm
    public_key: str
    certificates: str = ""


def key_set(keys: Iterable[PublishedKey]) -> dict[str, list[dict[str, Any]]]:
    """Return the JWK Set of ``keys``, in their order, with the certificates beside them."""
    return {"keys": [_jwk(key) for key in keys]}


def _jwk(key: PublishedKey) -> dict[str, Any]:
    shown = certificate_members(key.certificates) if key.certificates else {}
    return {**public_jwk(key.public_key), "use": "sig", "alg": key.algorithm.value, "kid": key.kid, **shown}
