"""SAML bearer (RFC 7522 §2.1): like JWT bearer, with a SAML 2.0 assertion that we sign."""

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.catalog.signed_methods import SamlBearerMethod
from providers.strategies.jwt_bearer import AssertionBearer
from providers.strategies.signatures import signed_assertion
from providers.values import Credential


class SamlBearer(AssertionBearer):
    """The assertion is of SAML 2.0."""

    method = SamlBearerMethod
    title = "OAuth 2.0, signed assertion (SAML bearer)"
    invitation = "Connect {name} with a key"
    grant_type = "urn:ietf:params:oauth:grant-type:saml2-bearer"

    def _assertion(self, target: Target, credential: Credential) -> SecretStr:
        return signed_assertion(target, credential)
