"""JWT bearer (RFC 7523 §2.1): an assertion that we sign buys an access token, and the next one as that ends.

Service accounts (the key is typed), and apps that act for a user who allowed it (the key is the provider app's). There
is no refresh token. A refusal of a typed key is a refusal of that connection, and no incident of ours.
"""

from abc import abstractmethod
from typing import ClassVar

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.catalog.signed_methods import AssertionMethod, JwtBearerMethod
from providers.oauth import token_endpoint
from providers.strategies.blame import blame_typed_registration
from providers.strategies.issued import IssuedToken
from providers.strategies.signatures import signed_token, taken
from providers.values import Credential, Obtained


class AssertionBearer(IssuedToken):
    """Shows the token endpoint a fresh assertion for each token. ``grant_type`` is what that is called there."""

    grant_type: ClassVar[str]

    @abstractmethod
    def _assertion(self, target: Target, credential: Credential) -> SecretStr:
        """Return a fresh assertion. No I/O."""

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, taken(target, typed))

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        signed = target.described_as(AssertionMethod).signed
        scopes = () if signed.mentions("scopes") else target.entry.default_scopes
        with blame_typed_registration(target):
            return token_endpoint.assertion(
                target=target,
                grant_type=self.grant_type,
                assert_=lambda: self._assertion(target, credential),
                scopes=scopes,
                previous=credential,
            )


class JwtBearer(AssertionBearer):
    """The assertion is a JWT."""

    method = JwtBearerMethod
    title = "OAuth 2.0, signed assertion (JWT bearer)"
    invitation = "Connect {name} with a key"
    grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    def _assertion(self, target: Target, credential: Credential) -> SecretStr:
        return signed_token(target, credential)
