"""An issuer of tokens, as a cluster, a CI system or an identity provider is one: it signs, and publishes its keys."""

import base64
import hmac
import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.providers.conftest import Provider

CLUSTER = "https://kubernetes.default.svc.cluster.local"
IDP = "https://login.acme.example"
AUDIENCE = "https://latchkey.example"
DEPLOYER = "system:serviceaccount:prod:deployer"


@cache
def key_of(name: str) -> Any:
    """Return the private key of this name, the same throughout a run: RSA, or the kind that the name begins with."""
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    if name.startswith("ed"):
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def public_jwk(name: str, **members: Any) -> dict[str, Any]:
    """Return the public half of a key as a JWK, whose ``kid`` is its name."""
    key = key_of(name)
    kind: Any = RSAAlgorithm
    if isinstance(key, ec.EllipticCurvePrivateKey):
        kind = ECAlgorithm
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        kind = OKPAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": name, "use": "sig", **members}


def algorithm_of(name: str) -> str:
    """Return by which algorithm the key of this name signs."""
    return {"ec": "ES256", "ed": "EdDSA"}.get(name[:2], "RS256")


def sign(claims: dict[str, Any], key: str, *, header: dict[str, Any] | None = None) -> str:
    """Return ``claims`` signed with this key. ``header`` is added to the header; None leaves a member out."""
    members = {"kid": key, **(header or {})}
    named = {name: value for name, value in members.items() if value is not None}
    # As JWS: a JWT whose claims are of an odd type is refused by the library before it is signed.
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key_of(key), algorithm=algorithm_of(key), headers=named)


# What no honest issuer writes into a claim: what no text column, no clock and no float takes.
ODD_CLAIMS: list[Any] = [
    *("\x00", "\ud800", "x\x00y", "\u202e", "", " ", "x" * 9000),
    *(10**400, -(10**400), 10**20, -1, 0, 1e308, -1e308, 1.5, True),
    *(None, [], {}, [[]], [None], ["\x00"], ["\ud800"], [10**400], {"a": {}}, ["x"] * 200),
]


def unsigned(claims: dict[str, Any], header: dict[str, Any], signature: str = "") -> str:
    """Return a token that somebody has put together by hand."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, signature])


def signed_with_the_public_key(claims: dict[str, Any], key: str) -> str:
    """Return a token whose HMAC (HS256) has the public key as its secret, which anybody knows."""
    public = key_of(key).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    told = unsigned(claims, {"alg": "HS256", "kid": key})[:-1]
    mark = base64.urlsafe_b64encode(hmac.digest(public, told.encode(), "sha256")).rstrip(b"=")
    return f"{told}.{mark.decode()}"


@dataclass
class Issuer:
    """One issuer: its name, its key and whom its tokens are for. ``claims`` are in each of its tokens."""

    url: str = CLUSTER
    key: str = "cluster"
    audience: Any = AUDIENCE
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": DEPLOYER})

    def said(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a fresh token; None leaves a claim out."""
        now = int(time.time())
        made = {"iss": self.url, "aud": self.audience, "iat": now, "nbf": now, "exp": now + 600, **self.claims}
        return {name: value for name, value in (made | changes).items() if value is not None}

    def token(self, *, header: dict[str, Any] | None = None, key: str = "", **changes: Any) -> str:
        """Return a fresh token, with the claims changed."""
        return sign(self.said(**changes), key or self.key, header=header)

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The keys that it publishes."""
        return [public_jwk(self.key)]


def publish(server: Provider, *keys: dict[str, Any], status: int = 200) -> None:
    """Have a server say where its issuer's keys are, and publish them."""
    server.answers_with(
        body={
            "issuer": server.url,
            "jwks_uri": f"{server.url}/keys",
            "authorization_endpoint": f"{server.url}/authorize",
        },
        path="/.well-known/openid-configuration",
    )
    server.answers_with(status, {"keys": list(keys)}, path="/keys")


def asked_for_keys(server: Provider) -> int:
    """Return how often a server was asked for its issuer's keys."""
    return sum(request.path == "/keys" for request in server.requests)
