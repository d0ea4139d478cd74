"""JWT bearer (RFC 7523 §2.1): an assertion that we sign buys an access token, and the next one as that ends.

Service accounts (the key is typed), and apps that act for a user who allowed it (the key is the provider app's). There
is no refresh token. A refusal of a typed key is a refusal of that connection, and no incident of ours.
"""

from providers.catalog.resolve import Target
from providers.catalog.signed_methods import JwtBearerMethod
from providers.oauth import token_endpoint
from providers.strategies.blame import blame_typed_registration
from providers.strategies.issued import IssuedToken
from providers.strategies.signatures import signed_token, taken
from providers.values import Credential, Obtained

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class JwtBearer(IssuedToken):
    """Shows the token endpoint a fresh assertion for each token."""

    method = JwtBearerMethod
    title = "OAuth 2.0, signed assertion (JWT bearer)"
    invitation = "Connect {name} with a key"

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, taken(target, typed))

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        method = target.described_as(JwtBearerMethod)
        scopes = () if method.assertion.mentions("scopes") else target.entry.default_scopes
        with blame_typed_registration(target):
            return token_endpoint.assertion(
                target=target,
                grant_type=GRANT_TYPE,
                assert_=lambda: signed_token(target, credential),
                scopes=scopes,
                previous=credential,
            )
