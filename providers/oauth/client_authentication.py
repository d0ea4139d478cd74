"""Client authentication at the token, revocation and introspection endpoints (RFC 6749 §2.3).

Owns how a secret is sent, and which of several is used: while an operator rotates a client secret, the provider may not
know one of them yet, or no longer. ``client_assertion`` makes the proof by a key pair.
"""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import quote_plus

from pydantic import SecretStr

from providers import egress
from providers.catalog.resolve import Target
from providers.errors import (
    CertificateRefused,
    ClientRejected,
    Evidence,
    GrantRejected,
    MisconfiguredProvider,
    NotSentInTime,
)
from providers.oauth.client_assertion import client_assertion
from providers.response import Response
from providers.values import ClientCertificate, ClientRegistration
from providers.vocabulary import ClientAuthentication

_T = TypeVar("_T")

# A refusal usually comes fast. After this time no further secret is tried, so that the call keeps within its lease.
_TRY_OTHERS_WITHIN_SECONDS = 10.0
_MOST_REMEMBERED = 4096
# By a registration's digest: the index of the secret that the provider took last, if not the first. For this process.
_taken: dict[bytes, int] = {}


@dataclass(frozen=True, slots=True)
class Proof:
    """What authenticates us in a request: headers, parameters of its body, a certificate on its connection."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    form: dict[str, str] = field(default_factory=dict, repr=False)
    certificate: ClientCertificate | None = None


def with_each_secret(registration: ClientRegistration, ask: Callable[[ClientRegistration], _T]) -> _T:
    """Call ``ask`` with the registration and one secret, first the one that the provider took last; return its result.

    ``ask`` makes one request. Only if the provider refuses the client, it is called again with the next secret: such a
    refusal has used up neither code nor token (RFC 6749 §5.2). Every other failure is raised at once, because the
    provider may have acted. Raises ``ClientRejected`` if all secrets are refused.
    """
    secrets = registration.client_secrets
    if len(secrets) < 2 or registration.key is not None:  # no secret is sent where a key proves us
        return ask(registration)
    known = _digest(registration)
    last = _taken.get(known, 0)
    give_up_at = time.monotonic() + _TRY_OTHERS_WITHIN_SECONDS
    refusals: list[ClientRejected] = []
    for position in sorted(range(len(secrets)), key=lambda candidate: candidate != last):
        try:
            answer = ask(replace(registration, client_secrets=(secrets[position],)))
        except ClientRejected as refusal:
            refusals.append(refusal)
            if not _is_harmless(refusal) or time.monotonic() > give_up_at:
                break
        except NotSentInTime:
            if not refusals:
                raise
            break  # an earlier secret of this call was sent and refused: raise that refusal
        except GrantRejected as refusal:
            if refusal.sent:  # the provider accepted our authentication
                _remember(known, position)
            raise
        else:
            _remember(known, position)
            return answer
    raise refusals[0]


def prove(*, target: Target, registration: ClientRegistration, method: ClientAuthentication | None = None) -> Proof:
    """Return the proof of ``registration`` for one request to the authorization server of ``target``. No I/O.

    It is by the target's method unless ``method`` is another one: by the key or its certificate, or by the first
    secret; without a secret it is only the client id. Raises ``MisconfiguredProvider`` if the method needs a key, or a
    certificate beside it, and there is none.

    Basic form-encodes both parts before it joins them (RFC 6749 §2.3.1), because an id or a secret may hold a colon.
    For a server that does not decode them, they are sent as they are.
    """
    method = method or target.oauth_method.client_authentication
    if method is ClientAuthentication.PRIVATE_KEY_JWT:
        return Proof(form=client_assertion(target, registration))
    if method.needs_certificate:
        return Proof(form={"client_id": registration.client_id}, certificate=certificate_of(registration))
    if method is ClientAuthentication.NONE or not registration.client_secrets:
        return Proof(form={"client_id": registration.client_id} if registration.client_id else {})
    secret = registration.client_secrets[0].get_secret_value()
    if method is ClientAuthentication.POST:
        return Proof(form={"client_id": registration.client_id, "client_secret": secret})
    is_raw = method is ClientAuthentication.BASIC_RAW
    parts = (registration.client_id, secret)
    pair = ":".join(parts if is_raw else map(quote_plus, parts))
    return Proof(headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})


def send(method: str, url: str, *, proof: Proof, headers: Mapping[str, str], **content: Any) -> Response:
    """Make a request with ``proof`` and return the answer. HTTP.

    ``content`` is what ``egress.request`` takes. Raises what that does, and ``ClientRejected`` in place of
    ``CertificateRefused``: the certificate is our registration's.
    """
    try:
        return egress.request(
            method, url, headers={**headers, **proof.headers}, certificate=proof.certificate, **content
        )
    except CertificateRefused as refused:
        raise ClientRejected(refused.evidence) from None


def certificate_of(registration: ClientRegistration) -> ClientCertificate:
    """Return what proves ``registration`` in a TLS handshake (RFC 8705 §2). Raises ``MisconfiguredProvider``."""
    key = registration.key
    if key is None or not key.certificates:
        detail = "The key of the provider app has no certificate: bring one for it (manage.py app_keys)."
        raise MisconfiguredProvider(Evidence(detail, sent=False))
    return ClientCertificate(key.certificates, key.private_key)


def bearer(secret: SecretStr | None, *, scheme: str = "Bearer") -> Proof:
    """Return the proof that sends ``secret`` as a bearer token (RFC 6750 §2.1), or likewise under another scheme."""
    return Proof() if secret is None else Proof(headers={"Authorization": f"{scheme} {secret.get_secret_value()}"})


def _is_harmless(refusal: ClientRejected) -> bool:
    """Whether the answer can only refuse the client. A server that fails with a 5xx may have done half the work."""
    status = refusal.evidence.status
    return status is not None and status < 500


def _digest(registration: ClientRegistration) -> bytes:
    """Return a digest of the registration and the order of its secrets. In another order, the first is tried again."""
    parts = [registration.client_id, *(secret.get_secret_value() for secret in registration.client_secrets)]
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()


def _remember(known: bytes, position: int) -> None:
    if position == 0:
        _taken.pop(known, None)
        return
    if len(_taken) >= _MOST_REMEMBERED:
        _taken.clear()
    _taken[known] = position
