"""Wrap a key by a key management service, and unwrap it: one interface, whoever has the key.

- AWS KMS: https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html and …/API_Decrypt.html
- Google Cloud KMS: https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt
- Azure Key Vault: https://learn.microsoft.com/rest/api/keyvault/keys/wrap-key/wrap-key, RSA-OAEP-256
- OpenBao and Vault: https://openbao.org/api-docs/secret/transit/ (all 2026-11)
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from providers.custodians import aws, azure, google, openbao
from providers.custodians.asking import CustodianAway, CustodianRefuses, text_in
from providers.custodians.custody import current_custody

_CONTEXT = "latchkey:kek"
_GOOGLE_KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+(/cryptoKeyVersions/[0-9]+)?")
_VERSIONS = "/cryptoKeyVersions/"
# What the transit engine says of a key that is gone, and of what it will not open any more. Its other errors, and those
# of whoever stands before it, leave open whether it could.
_TRANSIT_DECIDES = (
    "encryption key not found",
    "version is disallowed by policy (too old)",
    "message authentication failed",
    "invalid ciphertext: unable to decrypt",
)
_AZURE_KEY = re.compile(r"https?://[^/?#]+/keys/[^/?#]+(?P<version>/[^/?#]+)?")


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key that was wrapped: the name of what wraps it, as it is needed to unwrap it, and the bytes that came."""

    name: str
    ciphertext: bytes = field(repr=False)


class KeyService(Protocol):
    """A key management service. ``name`` is that of a key there; ``binding`` says what is wrapped, and for whom.

    Each blocks for seconds at most, and raises ``CustodianAway`` and ``CustodianRefuses``.
    """

    def wrap(self, name: str, key: bytes, *, binding: str) -> Wrapped:
        """Wrap ``key`` under the newest version of the key ``name``."""

    def unwrap(self, wrapped: Wrapped, *, binding: str) -> bytes:
        """Return the key that was wrapped with the same ``binding``."""

    def version_of(self, wrapped: Wrapped) -> str:
        """Return which version of its key has wrapped this, or "" where the service does not tell. No I/O."""


class AwsKms:
    """A symmetric key of AWS KMS, by its whole ARN. ``binding`` is its encryption context."""

    def wrap(self, name: str, key: bytes, *, binding: str) -> Wrapped:
        answer = self._call("Encrypt", name, {"Plaintext": _encoded(key)}, binding)
        return Wrapped(name, _decoded("AWS kms", answer, "CiphertextBlob"))

    def unwrap(self, wrapped: Wrapped, *, binding: str) -> bytes:
        body = {"CiphertextBlob": _encoded(wrapped.ciphertext)}
        return _decoded("AWS kms", self._call("Decrypt", wrapped.name, body, binding), "Plaintext")

    def version_of(self, wrapped: Wrapped) -> str:
        return ""

    def _call(self, what: str, name: str, body: dict[str, Any], binding: str) -> dict[str, Any]:
        given = {"KeyId": name, "EncryptionContext": {_CONTEXT: binding}, **body}
        return aws.call("kms", aws.region_of(name), f"TrentService.{what}", given)


class GoogleKms:
    """A symmetric key of Google Cloud KMS, by its resource name. ``binding`` is authenticated with what is wrapped."""

    def wrap(self, name: str, key: bytes, *, binding: str) -> Wrapped:
        answer = self._call("encrypt", name, {"plaintext": _encoded(key)}, binding)
        return Wrapped(text_in("Google Cloud", answer, "name"), _decoded("Google Cloud", answer, "ciphertext"))

    def unwrap(self, wrapped: Wrapped, *, binding: str) -> bytes:
        answer = self._call("decrypt", wrapped.name, {"ciphertext": _encoded(wrapped.ciphertext)}, binding)
        return _decoded("Google Cloud", answer, "plaintext")

    def version_of(self, wrapped: Wrapped) -> str:
        return wrapped.name.partition(_VERSIONS)[2]

    def _call(self, what: str, name: str, body: dict[str, Any], binding: str) -> dict[str, Any]:
        if not _GOOGLE_KEY.fullmatch(name):
            raise CustodianRefuses("It has to be like projects/…/locations/…/keyRings/…/cryptoKeys/….")
        where = f"{current_custody().google.kms_url.rstrip('/')}/v1/{name.partition(_VERSIONS)[0]}:{what}"
        return google.call("POST", where, {**body, "additionalAuthenticatedData": _encoded(_bound(binding))})


class AzureKeyVault:
    """An RSA key of an Azure Key Vault, by its URL. Its vault takes no binding: RSA-OAEP has none."""

    def wrap(self, name: str, key: bytes, *, binding: str) -> Wrapped:
        if not (named := _AZURE_KEY.fullmatch(name)):
            raise CustodianRefuses("It has to be like https://NAME.vault.azure.net/keys/KEY.")
        if named["version"] is None:
            name = text_in("Azure", azure.call("GET", name), "key", "kid")
        answer = self._call("wrapkey", name, key)
        return Wrapped(text_in("Azure", answer, "kid"), _decoded("Azure", answer, "value"))

    def unwrap(self, wrapped: Wrapped, *, binding: str) -> bytes:
        return _decoded("Azure", self._call("unwrapkey", wrapped.name, wrapped.ciphertext), "value")

    def version_of(self, wrapped: Wrapped) -> str:
        return wrapped.name.rpartition("/")[2]

    def _call(self, what: str, name: str, value: bytes) -> dict[str, Any]:
        return azure.call("POST", f"{name}/{what}", {"alg": "RSA-OAEP-256", "value": _encoded(value, url_safe=True)})


class Transit:
    """A key of the transit engine of OpenBao or HashiCorp Vault, as ``MOUNT/KEY``; one that takes associated data."""

    def wrap(self, name: str, key: bytes, *, binding: str) -> Wrapped:
        answer = self._call("encrypt", name, {"plaintext": _encoded(key)}, binding)
        return Wrapped(name, text_in("Vault", answer, "data", "ciphertext").encode())

    def unwrap(self, wrapped: Wrapped, *, binding: str) -> bytes:
        answer = self._call("decrypt", wrapped.name, {"ciphertext": wrapped.ciphertext.decode("ascii")}, binding)
        return _decoded("Vault", answer, "data", "plaintext")

    def version_of(self, wrapped: Wrapped) -> str:
        parts = wrapped.ciphertext.decode("ascii", "replace").split(":")
        return parts[1] if len(parts) == 3 else ""

    def _call(self, what: str, name: str, body: dict[str, Any], binding: str) -> dict[str, Any]:
        mount, _, key = name.rpartition("/")
        if not mount or not key:
            raise CustodianRefuses("It has to be like transit/KEY: the mount and the key.")
        given = {**body, "associated_data": _encoded(_bound(binding))}
        return openbao.call("POST", openbao.path_of(mount, what, key), decides=_transit_decides, body=given)


KEY_SERVICES: dict[str, KeyService] = {
    "aws-kms": AwsKms(),
    "google-kms": GoogleKms(),
    "azure-key-vault": AzureKeyVault(),
    "vault-transit": Transit(),
}


def _transit_decides(status: int, told: Mapping[str, Any]) -> bool:
    """Whether the engine has said one of its words, whatever status they came with. No I/O."""
    errors = told.get("errors")
    said = [error for error in errors if isinstance(error, str)] if isinstance(errors, list) else []
    return any(words in error for error in said for words in _TRANSIT_DECIDES)


def _bound(binding: str) -> bytes:
    return f"{_CONTEXT}={binding}".encode()


def _encoded(value: bytes, *, url_safe: bool = False) -> str:
    if url_safe:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")
    return base64.b64encode(value).decode()


def _decoded(name: str, answer: dict[str, Any], *path: str) -> bytes:
    text = text_in(name, answer, *path)
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise CustodianAway(f"{name} answered with a {path[-1]} that is no base64.") from None
