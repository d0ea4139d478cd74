"""Signatures of OAuth 1.0a (RFC 5849 §3): requests-oauthlib makes them, in the header ``Authorization``."""

from typing import Any

from pydantic import SecretStr
from requests_oauthlib import OAuth1

from providers import quiet
from providers.egress import Signer
from providers.values import ClientRegistration

quiet.silence()  # the import has made loggers that would show what is signed


def oauth1_signer(
    *,
    registration: ClientRegistration,
    signature_method: str,
    token: SecretStr | None = None,
    token_secret: SecretStr | None = None,
    realm: str = "",
    callback: str = "",
    verifier: SecretStr | None = None,
) -> Signer:
    """Return what signs a request by the first client secret of ``registration``, or for RSA by its key.

    ``callback`` and ``verifier`` go into the requests for temporary and for token credentials. No I/O.
    """
    secret = registration.client_secrets[0] if registration.client_secrets else None
    made = OAuth1(
        registration.client_id,
        client_secret=_plain(secret),
        resource_owner_key=_plain(token),
        resource_owner_secret=_plain(token_secret),
        callback_uri=callback or None,
        verifier=_plain(verifier),
        signature_method=signature_method,
        rsa_key=_plain(registration.key.private_key) if registration.key is not None else None,
        realm=realm or None,
    )

    def sign(request: Any) -> Any:
        try:
            return made(request)
        except Exception as error:  # noqa: BLE001 - whatever these libraries raise about a key may quote it
            raise ValueError(f"The request cannot be signed: {type(error).__name__}.") from None

    return sign


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
