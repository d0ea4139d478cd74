"""The values that the lifecycle and ``providers`` exchange: immutable, and silent about their secrets.

Every secret is a ``pydantic.SecretStr``, so that no ``repr``, log line or traceback shows it. The vault
(``connections/vault``) seals them, not this module.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import SecretStr

from providers.vocabulary import ProbeVerdict, SigningAlgorithm


@dataclass(frozen=True, slots=True)
class Credential:
    """One set of secrets of a connection, in the form that is sealed.

    For OAuth ``access_token`` (and maybe ``refresh_token``) is set; for static keys ``fields`` holds what the user
    typed, by field name. ``extra`` holds what the catalogue keeps of the token response (an instance URL, a bot id).
    ``granted_by`` is the ``grantor`` of the target that issued it: the credential must never be sent anywhere else.
    """

    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    token_type: str = "Bearer"  # noqa: S105 - no password
    fields: Mapping[str, SecretStr] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    granted_by: str = ""

    def to_bytes(self) -> bytes:
        """Return the plaintext to seal: compact UTF-8 JSON."""
        document: dict[str, Any] = {"token_type": self.token_type}
        if self.access_token is not None:
            document["access_token"] = self.access_token.get_secret_value()
        if self.refresh_token is not None:
            document["refresh_token"] = self.refresh_token.get_secret_value()
        if self.fields:
            document["fields"] = {name: value.get_secret_value() for name, value in self.fields.items()}
        if self.extra:
            document["extra"] = dict(self.extra)
        if self.granted_by:
            document["granted_by"] = self.granted_by
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> Self:
        """Return the credential that ``to_bytes`` wrote."""
        document = json.loads(plaintext)
        return cls(
            access_token=_secret(document.get("access_token")),
            refresh_token=_secret(document.get("refresh_token")),
            token_type=document.get("token_type", "Bearer"),
            fields={name: SecretStr(value) for name, value in document.get("fields", {}).items()},
            extra=document.get("extra", {}),
            granted_by=document.get("granted_by", ""),
        )

    def main_secret(self) -> str:
        """Return the secret that a caller would use, for its fingerprint: the access token, else the typed fields."""
        if self.access_token is not None:
            return self.access_token.get_secret_value()
        return "\n".join(f"{name}={value.get_secret_value()}" for name, value in sorted(self.fields.items()))


def _secret(value: str | None) -> SecretStr | None:
    return None if value is None else SecretStr(value)


@dataclass(frozen=True, slots=True)
class Brought:
    """The parts of a credential that another system has kept until now, as its export names them.

    ``value`` is a pasted secret whose field is not named; ``fields`` are typed secrets by name. ``document`` is the
    provider's own token response, as that system kept it, {} if it did not.
    """

    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    token_secret: SecretStr | None = None
    token_type: str = "Bearer"  # noqa: S105 - no password
    value: SecretStr | None = None
    fields: Mapping[str, SecretStr] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Obtained:
    """A credential fresh from a provider, with what the provider said about it.

    ``lifetime_seconds`` is None if neither the response nor the catalogue knows it. None never means "for ever": ask
    introspection, or probe. ``is_endless`` means that by the catalogue this response stands for "for ever". ``scopes``
    is None if the response named none (RFC 6749 §5.1: as requested, on refresh: unchanged). The remaining lifetimes are
    in seconds too, or None: of this refresh token unless it is used (``refresh_lifetime_seconds``), of any idle refresh
    token, and of the grant whatever happens. ``id_token`` came with the answer to a code, and is not yet validated.
    """

    credential: Credential
    lifetime_seconds: int | None = None
    scopes: tuple[str, ...] | None = None
    refresh_lifetime_seconds: int | None = None
    idle_lifetime_seconds: int | None = None
    grant_lifetime_seconds: int | None = None
    is_endless: bool = False
    id_token: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a client presents in a TLS handshake: a chain in PEM with its own certificate first, and the private key."""

    chain: str = field(repr=False)
    private_key: SecretStr


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key pair of our registration, decrypted: ``private_key`` is PKCS #8 in PEM.

    ``certificates`` is PEM with the key's own certificate first, "" if it has none.
    """

    kid: str
    algorithm: SigningAlgorithm
    private_key: SecretStr
    certificates: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """Our registration at a provider: the contents of a provider app, decrypted.

    ``client_secrets`` is ordered, the preferred first; it is empty for a public client. ``params`` are the operator's
    values for the entry's parameters of scope ``app``. ``key`` is the key that signs now, if the target needs one.
    """

    client_id: str
    client_secrets: tuple[SecretStr, ...] = ()
    redirect_uri: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    key: ClientKey | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Our part of an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3).

    ``nonce`` is for the ID token (OpenID Connect Core §3.1.2.1). It is sent only where one is asked for.
    ``adds_scopes``: ``scopes`` are to come on top of those that the provider granted before.
    """

    state: str = field(repr=False)
    scopes: tuple[str, ...]
    code_verifier: str | None = field(default=None, repr=False)
    locale: str = ""
    nonce: str = field(default="", repr=False)
    adds_scopes: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the end user's browser goes, and what tells its way back from all others.

    ``state`` is the value that the authorization response names. ``kept`` is what its code will be exchanged with, None
    if nothing is needed: the code verifier (RFC 7636). ``nonce`` is what the ID token has to repeat, "" if nothing.
    """

    url: str = field(repr=False)
    state: str = field(repr=False)
    kept: SecretStr | None = None
    nonce: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """A code to exchange, with what its ``Departure`` kept for that, and the scopes of its authorization request."""

    code: SecretStr
    kept: SecretStr | None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectGrant:
    """A token of somebody whom the caller serves, to be exchanged, and the scopes that are wanted for them."""

    token: SecretStr
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """A code for the end user, and where to enter it (RFC 8628 §3.2).

    ``device_code`` is ours to ask with. ``verification_uri_complete`` has the code in it, "" if there is none.
    """

    device_code: SecretStr
    user_code: str = field(repr=False)
    verification_uri: str
    verification_uri_complete: str = field(repr=False)
    lifetime_seconds: int
    interval_seconds: int


@dataclass(frozen=True, slots=True)
class Account:
    """Who a credential belongs to at the provider: ``id`` is stable and opaque, ``name`` is for people."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of one probe or introspection.

    ``scopes`` and ``expires_in_seconds`` are None if the answer does not name them. ``lacks`` are the scopes for want
    of which it was refused, as the answer names them (RFC 6750 §3.1). ``status`` is the HTTP status, or None if there
    was no answer: ``unanswered`` is then True if the provider was asked. ``refuses_address``: it takes no
    calls from our address. ``refuses_client``: it refuses our registration, by which the request was signed.
    """

    verdict: ProbeVerdict
    status: int | None = None
    detail: str = ""
    account: Account | None = None
    scopes: tuple[str, ...] | None = None
    lacks: tuple[str, ...] = ()
    expires_in_seconds: int | None = None
    retry_after_seconds: float | None = None
    unanswered: bool = False
    refuses_address: bool = False
    refuses_client: bool = False


@dataclass(frozen=True, slots=True)
class Presentation:
    """How a caller uses a credential: the vend's payload without its bookkeeping.

    ``headers`` and ``query`` go into each request to ``base_url``, and ``body`` into the fields of its body.
    ``token_type`` is that of a token that goes into ``Authorization``, None of any other credential. With
    ``proxy_only`` there is no ``value`` and nothing to put into a request.
    """

    auth_method: str
    value: SecretStr | None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, str] = field(default_factory=dict, repr=False)
    base_url: str = field(default="", repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_type: str | None = None
    proxy_only: bool = False
