"""The assertion by which a client authenticates with a key instead of a secret (RFC 7523 §2.2, RFC 7521 §4.2).

It names one audience, as a string: the issuer of the server that it is meant for. An assertion that names several
could be shown to one of them by another (draft-ietf-oauth-rfc7523bis).
"""

import time
import uuid

from providers.catalog.resolve import Target
from providers.catalog.template import render
from providers.errors import Evidence, MisconfiguredProvider
from providers.signing.bounds import UnusableKey
from providers.signing.tokens import BACKDATED_SECONDS, sign_as_client
from providers.values import ClientRegistration

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def client_assertion(target: Target, registration: ClientRegistration) -> dict[str, str]:
    """Return the parameters that authenticate one request to the target's authorization server. No I/O.

    Raises ``MisconfiguredProvider`` if the registration has no key that signs.
    """
    if registration.key is None:
        raise MisconfiguredProvider(Evidence("The provider app has no key that signs now.", sent=False))
    described = target.oauth_method.client_assertion
    scopes = target.oauth_method.scope_separator.join(target.entry.default_scopes)
    values = {**target.params, "client_id": registration.client_id, "scopes": scopes}
    now = int(time.time())
    claims = {name: render(value, values) for name, value in described.claims.items()} | {
        "iss": render(described.issuer, values),
        "sub": render(described.subject, values),
        "aud": render(described.audience, values) or target.endpoints.issuer or target.endpoints.token,
        "jti": str(uuid.uuid4()),
        "iat": now - BACKDATED_SECONDS,
        "exp": now + described.lifetime_seconds,
    }
    try:
        assertion = sign_as_client(claims, registration.key)
    except UnusableKey as unusable:
        raise MisconfiguredProvider(Evidence(str(unusable), sent=False)) from None
    return {
        "client_id": registration.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
