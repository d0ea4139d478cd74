"""The tokens that an entry has us sign: whose key signs, what the claims are, and what an end user typed for it."""

import base64
import binascii
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from pydantic import JsonValue, SecretStr

from providers.catalog.pointer import text_at, value_at
from providers.catalog.resolve import Target
from providers.catalog.signed_methods import KeyFile, SamlAssertion, Signed, SignedToken, SigningMethod
from providers.catalog.template import render
from providers.errors import Evidence, FieldInvalid, MisconfiguredProvider
from providers.signing.bounds import UnusableKey
from providers.signing.keys import load_known_key, read_key_pair
from providers.signing.saml import Statement, sign_statement
from providers.signing.tokens import BACKDATED_SECONDS, sign, sign_as_client, sign_with_secret
from providers.values import ClientKey, Credential
from providers.vocabulary import SigningAlgorithm

_LONGEST_KEY, _LONGEST_TEXT = 16_384, 1024


def taken(target: Target, typed: Credential) -> Credential:
    """Return ``typed`` with what its key file holds in the file's place, and with a key that is checked. No I/O.

    Raises ``FieldInvalid`` naming the field; its text quotes nothing that was typed.
    """
    method = target.described_as(SigningMethod)
    fields, source = dict(typed.fields), method.signed.key_field
    if (described := method.key_file) is not None:
        fields |= _unpacked(described, fields.pop(described.field), key_field=method.signed.key_field)
        source = described.field if method.signed.key_field in described.values else source
    if method.signed.key == "typed":
        fields[method.signed.key_field] = _checked(method.signed, fields[method.signed.key_field], source)
    return Credential(fields=fields)


def signed_token(target: Target, credential: Credential) -> SecretStr:
    """Return a fresh JWT, signed with the key of ``credential`` or the provider app's. No I/O.

    Raises ``MisconfiguredProvider`` if there is no such key, or it does not sign as the entry says.
    """
    method = target.described_as(SigningMethod)
    signed = method.signed
    if not isinstance(signed, SignedToken):
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} signs no JWT.", sent=False))
    private = _private_key(target, signed, credential)
    values = _values(target, method, credential, private)
    header: dict[str, Any] = {name: render(value, values) for name, value in signed.header.items()}
    if kid := render(signed.kid, values):
        header["kid"] = kid
    claims = {name: said for name, value in signed.claims.items() if (said := _filled(value, values)) != ""}
    now = int(time.time())
    claims |= {"iat": now - BACKDATED_SECONDS, "exp": now + signed.lifetime_seconds}
    if signed.jti:
        claims["jti"] = str(uuid.uuid4())
    try:
        return SecretStr(_signed(signed, private, claims, header))
    except UnusableKey as unusable:
        raise MisconfiguredProvider(Evidence(str(unusable), sent=False)) from None


def signed_assertion(target: Target, credential: Credential) -> SecretStr:
    """Return a fresh SAML assertion, encoded as the entry says, signed like ``signed_token``'s. Raises the same."""
    method = target.described_as(SigningMethod)
    signed = method.signed
    if not isinstance(signed, SamlAssertion):
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} signs no SAML assertion.", sent=False))
    private = _private_key(target, signed, credential)
    values = _values(target, method, credential, private)
    attributes = {name: render(value, values) for name, value in signed.attributes.items()}
    statement = Statement(
        issuer=render(signed.issuer, values),
        subject=render(signed.subject, values),
        name_id_format=signed.name_id_format,
        audience=render(signed.audience, values),
        recipient=render(signed.recipient, values),
        attributes={name: value for name, value in attributes.items() if value},
        lifetime_seconds=signed.lifetime_seconds,
    )
    key, certificates = (private.private_key, private.certificates) if isinstance(private, ClientKey) else (private, "")
    try:
        written = sign_statement(statement, private_key=key, certificates=certificates)
    except UnusableKey as unusable:
        raise MisconfiguredProvider(Evidence(str(unusable), sent=False)) from None
    encode = base64.urlsafe_b64encode if signed.encoding == "base64url" else base64.b64encode
    text = encode(written).decode()
    return SecretStr(text.rstrip("=") if signed.encoding == "base64url" else text)


def _signed(
    signed: SignedToken, private: ClientKey | SecretStr, claims: Mapping[str, Any], header: Mapping[str, Any]
) -> str:
    if isinstance(private, ClientKey):
        return sign_as_client(claims, private, header=header)
    if signed.algorithm.is_symmetric:
        return sign_with_secret(claims, secret=_decoded(signed, private), header=header)
    return sign(claims, private_key=private, algorithm=signed.algorithm, header=header)


def _private_key(target: Target, signed: Signed, credential: Credential) -> ClientKey | SecretStr:
    if signed.key == "app":
        key = target.registration.key
        if key is None:
            raise MisconfiguredProvider(Evidence("The provider app has no key that signs now.", sent=False))
        if key.algorithm is not signed.algorithm:
            detail = f"{target.entry.slug} wants {signed.algorithm}, and the provider app's key signs {key.algorithm}."
            raise MisconfiguredProvider(Evidence(detail, sent=False))
        return key
    if signed.key_field not in credential.fields:
        raise MisconfiguredProvider(Evidence(f"The credential lacks its {signed.key_field}.", sent=False))
    return credential.fields[signed.key_field]


def _values(
    target: Target, method: SigningMethod, credential: Credential, private: ClientKey | SecretStr
) -> Mapping[str, str]:
    told = dict.fromkeys(method.told_names, "")  # what nobody typed is empty
    told |= {name: credential.fields[name].get_secret_value() for name in told if name in credential.fields}
    values = {
        **told,
        **target.params,
        "client_id": target.registration.client_id,
        "token_url": target.endpoints.token,
        "scopes": " ".join(target.entry.default_scopes),
    }
    if method.signed.mentions("public_key_sha256"):
        values["public_key_sha256"] = _digest(private)
    return values


def _digest(private: ClientKey | SecretStr) -> str:
    """Return the Base64 of the SHA-256 of the public key (DER, SubjectPublicKeyInfo)."""
    pem = private.private_key if isinstance(private, ClientKey) else private
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    try:
        public: bytes = load_known_key(pem).public_key().public_bytes(*form)
    except UnusableKey as unusable:
        raise MisconfiguredProvider(Evidence(str(unusable), sent=False)) from None
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


def _filled(value: JsonValue, values: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        return render(value, values)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return {name: _filled(item, values) for name, item in value.items()} if isinstance(value, dict) else value


def _unpacked(described: KeyFile, file: SecretStr, *, key_field: str) -> dict[str, SecretStr]:
    """Return the values of a key file, of which ``key_field`` is the key. Raises ``FieldInvalid``."""
    try:
        document = json.loads(file.get_secret_value())
    except (ValueError, RecursionError):
        raise FieldInvalid(described.field, f"{described.label}: this is no JSON. Paste the whole file.") from None
    found: dict[str, SecretStr] = {}
    for name, pointer in described.values.items():
        value, member = value_at(document, pointer), pointer.rpartition("/")[2]
        text = value if isinstance(value, str) else text_at(document, pointer)
        if not text:
            raise FieldInvalid(described.field, f"{described.label}: it holds no {member}.")
        # A key has line breaks. What goes into claims and addresses has none, nor what JSON hides behind an escape.
        is_key = name == key_field
        is_plain = all(line.isascii() and line.isprintable() for line in (text.splitlines() if is_key else [text]))
        if not is_plain or len(text) > (_LONGEST_KEY if is_key else _LONGEST_TEXT):
            raise FieldInvalid(
                described.field,
                f"{described.label}: its {member} is too long, or has characters that no such file has.",
            )
        found[name] = SecretStr(text)
    return found


def _checked(signed: Signed, key: SecretStr, field: str) -> SecretStr:
    try:
        if isinstance(signed, SignedToken) and signed.algorithm.is_symmetric:
            sign_with_secret({}, secret=_decoded(signed, key))
            return key
    except UnusableKey as unusable:
        raise FieldInvalid(field, str(unusable)) from None
    return checked_key(key, signed.algorithm, field=field)


def checked_key(key: SecretStr, algorithm: SigningAlgorithm, *, field: str) -> SecretStr:
    """Return a private key that was typed into ``field`` as PKCS #8 in PEM. Raises ``FieldInvalid``."""
    try:
        return read_key_pair(key.get_secret_value(), algorithm=algorithm).private_key
    except UnusableKey as unusable:
        raise FieldInvalid(field, str(unusable)) from None


def _decoded(signed: SignedToken, secret: SecretStr) -> bytes:
    """Return the bytes of a shared secret. Raises ``UnusableKey``."""
    text = secret.get_secret_value().strip()
    try:
        match signed.key_encoding:
            case "hex":
                return bytes.fromhex(text)
            case "base64":
                return base64.b64decode(
                    text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True
                )
            case _:
                return text.encode()
    except (ValueError, binascii.Error):
        raise UnusableKey(f"This secret is not written in {signed.key_encoding}.") from None
