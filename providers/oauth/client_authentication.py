"""Client authentication at the token, revocation and introspection endpoints (RFC 6749 §2.3)."""

import base64
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from pydantic import SecretStr

from providers.values import ClientRegistration
from providers.vocabulary import ClientAuthentication


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request carries to say who we are: headers, and parameters of its body."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    form: dict[str, str] = field(default_factory=dict, repr=False)


def prove(*, method: ClientAuthentication, registration: ClientRegistration) -> Proof:
    """Return the proof of ``registration``, by the preferred secret; without one, the client names itself only.

    Basic quotes both parts before joining them (RFC 6749 §2.3.1): an id or a secret may hold a colon.
    """
    if method is ClientAuthentication.NONE or not registration.client_secrets:
        return Proof(form={"client_id": registration.client_id})
    secret = registration.client_secrets[0].get_secret_value()
    if method is ClientAuthentication.POST:
        return Proof(form={"client_id": registration.client_id, "client_secret": secret})
    pair = f"{quote_plus(registration.client_id)}:{quote_plus(secret)}"
    return Proof(headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})


def bearer(secret: SecretStr | None) -> Proof:
    """Return the proof of whoever holds ``secret``: it travels as a bearer token (RFC 6750 §2.1)."""
    return Proof() if secret is None else Proof(headers={"Authorization": f"Bearer {secret.get_secret_value()}"})
