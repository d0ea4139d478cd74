"""Clients that the sandbox knows by their keys, and those keys."""

from providers.sandbox.client import SandboxProcess
from providers.signing.key_set import PublishedKey, key_set
from providers.signing.keys import KeyPair, make_key_pair
from providers.vocabulary import SigningAlgorithm

SCOPES = ["profile.read", "files.read", "files.write"]


def make_signer(
    sandbox: SandboxProcess, client_id: str = "machine", algorithm: SigningAlgorithm = SigningAlgorithm.ES256
) -> KeyPair:
    """Register a client with a fresh key, in place of the one that it had, and return that."""
    pair = make_key_pair(algorithm)
    keys = key_set([PublishedKey("k1", algorithm, pair.public_key)])
    sandbox.control.register_client(client_id, jwks=keys, scopes=SCOPES)
    return pair
