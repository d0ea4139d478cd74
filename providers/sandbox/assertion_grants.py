"""An access token for a signed assertion: a JWT (RFC 7523 §2.1), or one of SAML (RFC 7522 §2.1).

``iss`` is a client with ``jwks``; ``sub``, if it is there, is that client or a person for whom it acts. The client need
not authenticate beside that. A ``scope`` claim counts like the parameter, as Google has it.
"""

from oauthlib.common import Request
from oauthlib.oauth2 import ClientCredentialsGrant
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, UnauthorizedClientError

from providers.sandbox.people import PEOPLE
from providers.sandbox.registry import SAML_BEARER_GRANT
from providers.sandbox.validator import Validator


class SignedAssertionGrant(ClientCredentialsGrant):
    """The client is whoever has signed the assertion."""

    def __init__(self, validator: Validator) -> None:
        super().__init__(validator)
        self._validator = validator

    def validate_token_request(self, request: Request) -> None:
        """Accept the request, or raise the error with which it is refused."""
        validator = self._validator
        judge = validator.believed_saml if request.grant_type == SAML_BEARER_GRANT else validator.believed
        claims = judge(getattr(request, "assertion", "") or "")
        if claims is None or not validator.validate_client_id(str(claims["iss"]), request):
            raise InvalidGrantError(request=request)
        if not validator.validate_grant_type(request.client_id or "", request.grant_type or "", None, request):
            raise UnauthorizedClientError(request=request)
        subject = claims.get("sub", request.client_id)
        if subject != request.client_id:
            if subject not in PEOPLE or validator.must_sign_in(str(subject)):
                validator.entry.outcome = "unknown_subject"
                raise InvalidGrantError(request=request)
            request.user = str(subject)
        if isinstance(claims.get("scope"), str):
            request.scopes = claims["scope"].split()
        self.validate_scopes(request)
        for further in self.custom_validators.post_token:  # type: ignore[attr-defined]  # the stub leaves it out
            further(request)
