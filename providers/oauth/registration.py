"""Dynamic client registration (RFC 7591) and its management (RFC 7592): how we become a client of a server.

Owns what we say of ourselves, and the reading of what the server made of it. The same metadata is what we publish where
a server reads a Client ID Metadata Document instead (draft-ietf-oauth-client-id-metadata-document). When we register,
and where the result is kept, is ``connections/lifecycle/registration``.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from providers import egress
from providers.addresses import are_of_one_party
from providers.errors import ClientRejected, Evidence, MalformedResponse, MisconfiguredProvider
from providers.oauth.classify import failure_of, json_object
from providers.response import Response
from providers.vocabulary import ClientAuthentication

_LONGEST_ID = 1000
_LONGEST_SECRET = 4096
_LATEST_EPOCH = 32_503_680_000  # the year 3000: a later end is none


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What we say of one client (RFC 7591 §2). The addresses are https URLs of ours, "" for none."""

    name: str
    redirect_uri: str
    client_authentication: ClientAuthentication
    client_uri: str = ""
    logo_uri: str = ""
    jwks_uri: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return the metadata, JSON-ready, without what is empty."""
        described = {
            "client_name": self.name,
            "client_uri": self.client_uri,
            "logo_uri": self.logo_uri,
            "jwks_uri": self.jwks_uri,
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": _as_registered(self.client_authentication),
            "application_type": "web",
        }
        return {name: value for name, value in described.items() if value}


@dataclass(frozen=True, slots=True)
class Management:
    """Where a registration can be read and changed (RFC 7592 §3), with the token that allows it."""

    uri: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration as the server confirmed it (RFC 7591 §3.2.1).

    ``client_secret`` is None where the client has none, and after an update that has kept the one of before.
    ``secret_expires_at`` is an epoch in seconds, None for a secret without an end.
    """

    client_id: str
    client_secret: SecretStr | None
    client_authentication: ClientAuthentication
    secret_expires_at: int | None = None
    management: Management | None = field(default=None, repr=False)


def register(endpoint: str, metadata: ClientMetadata) -> Registered:
    """Register a client at ``endpoint`` (RFC 7591 §3.1). HTTP.

    Raises ``RequestRejected`` and ``ClientRejected`` where the server does not admit us, ``MisconfiguredProvider``
    where it made of us what we cannot be, and what ``egress.request`` raises.
    """
    answer = egress.request("POST", endpoint, headers=_ACCEPT, json=metadata.as_document())
    return _registered(answer, metadata, endpoint=endpoint)


def read(management: Management, metadata: ClientMetadata) -> Registered:
    """Return the registration as it stands at the server (RFC 7592 §2.1). HTTP. Raises as ``register``.

    ``ClientRejected`` means that the server knows neither the client nor the token any more.
    """
    answer = egress.request("GET", management.uri, headers=_with(management))
    return _registered(answer, metadata, before=management)


def update(
    management: Management, metadata: ClientMetadata, *, client_id: str, secret_expires_at: int | None = None
) -> Registered:
    """Replace the registration's metadata (RFC 7592 §2.2); the server may give out a new secret. HTTP.

    Where it gives none, the one of before goes on, until ``secret_expires_at`` unless the answer names another end.
    Raises as ``read``. The secret of before is not sent: that is only allowed, and would carry it to an address that a
    server named.
    """
    document = {**metadata.as_document(), "client_id": client_id}
    answer = egress.request("PUT", management.uri, headers=_with(management), json=document)
    return _registered(answer, metadata, before=management, ends_at=secret_expires_at)


def delete(management: Management) -> None:
    """End the registration (RFC 7592 §2.3). HTTP. Raises as ``read``; one that is gone already is no failure."""
    answer = egress.request("DELETE", management.uri, headers=_with(management))
    if answer.status in (401, 403, 404):
        return
    if (failure := failure_of(answer, rules=())) is not None:
        raise failure


_ACCEPT = {"Accept": "application/json"}


def _with(management: Management) -> Mapping[str, str]:
    return {**_ACCEPT, "Authorization": f"Bearer {management.token.get_secret_value()}"}


def _as_registered(method: ClientAuthentication) -> str:
    """Return the method's registered name. How Basic encodes its parts is between us and the token endpoint."""
    return ClientAuthentication.BASIC if method is ClientAuthentication.BASIC_RAW else method


def _registered(
    answer: Response,
    metadata: ClientMetadata,
    *,
    endpoint: str = "",
    before: Management | None = None,
    ends_at: int | None = None,
) -> Registered:
    if before is not None and answer.status in (401, 403, 404):
        detail = "The server knows our registration no more, or its token."
        raise ClientRejected(Evidence(detail, status=answer.status))
    if (failure := failure_of(answer, rules=())) is not None:
        raise failure
    document = json_object(answer)
    client_id = _text(document.get("client_id"), longest=_LONGEST_ID)
    if not client_id.strip():
        raise MalformedResponse(Evidence("The answer to the registration names no client id.", status=answer.status))
    redirects = document.get("redirect_uris")
    if isinstance(redirects, list) and redirects and metadata.redirect_uri not in redirects:
        raise _unusable(answer, "The server registered us with another redirect URI than ours.")
    given = document.get("client_secret")
    secret = _text(given, longest=_LONGEST_SECRET)
    if given and not secret.strip():
        raise _unusable(answer, "The server gave a client secret that no request can carry.")
    # Many servers show a secret once: an update that gives none leaves the one of before as it is (RFC 7592 §2.2).
    keeps_secret = before is not None and not secret and metadata.client_authentication.needs_secret
    method = _method(answer, document, metadata, has_secret=bool(secret) or keeps_secret)
    if method.needs_secret and not (keeps_secret and document.get("client_secret_expires_at") is None):
        ends_at = _epoch(document.get("client_secret_expires_at"))
    return Registered(
        client_id=client_id,
        client_secret=SecretStr(secret) if secret and method.needs_secret else None,
        client_authentication=method,
        secret_expires_at=ends_at if method.needs_secret else None,
        management=_management(document, endpoint, before),
    )


def _method(
    answer: Response, document: Mapping[str, Any], metadata: ClientMetadata, *, has_secret: bool
) -> ClientAuthentication:
    """Return the client authentication that the server gave us: it may give another than we asked for."""
    given = document.get("token_endpoint_auth_method")
    if given == _as_registered(metadata.client_authentication):
        method = metadata.client_authentication
    elif isinstance(given, str) and given in {*ClientAuthentication}:
        method = ClientAuthentication(given)
    elif given:
        raise _unusable(answer, "The server wants a client authentication that Latchkey does not speak.")
    elif metadata.client_authentication.needs_secret and not has_secret:
        return ClientAuthentication.NONE
    else:
        method = metadata.client_authentication
    if method.needs_secret and not has_secret:
        raise _unusable(answer, "The server wants a client secret, and gave none.")
    if not method.needs_secret and method not in (ClientAuthentication.NONE, metadata.client_authentication):
        raise _unusable(answer, f"The server wants {method.value}, for which we have shown it no key.")
    return method


def _management(document: Mapping[str, Any], endpoint: str, before: Management | None) -> Management | None:
    """Return where to manage the registration: as this answer says, else as the one before. None if nowhere.

    An address that may not be called is none, and neither is one at another party's than the registration endpoint: a
    server could have us send what it likes to whoever trusts our addresses.
    """
    token = _text(document.get("registration_access_token"), longest=_LONGEST_SECRET)
    uri = _text(document.get("registration_client_uri"), longest=2000)
    if before is not None:
        return Management(before.uri, SecretStr(token) if token else before.token)
    is_theirs = uri.startswith(("https://", "http://")) and are_of_one_party(uri, endpoint)
    if not token or not is_theirs or not egress.may_call(uri):
        return None
    return Management(uri, SecretStr(token))


def _text(value: object, *, longest: int) -> str:
    is_text = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= longest
    return str(value) if is_text else ""


def _epoch(value: object) -> int | None:
    """Return the end of a secret. 0 means that it has none (RFC 7591 §3.2.1); an odd value means an end at once."""
    if value in (0, None, "", "0"):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return int(time.time())
    if value >= _LATEST_EPOCH:
        return None
    return int(value) if value > 0 else int(time.time())


def _unusable(answer: Response, detail: str) -> MisconfiguredProvider:
    return MisconfiguredProvider(Evidence(detail, status=answer.status))
