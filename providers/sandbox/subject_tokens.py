"""Acting for a subject: token exchange (RFC 8693), and Microsoft's on-behalf-of form of a JWT bearer assertion.

A subject's token is any live access token of this server that belongs to a person; the one that is issued belongs to
the asking client and the same person. A person who is locked has to sign in first: ``interaction_required``, with the
claims to ask for. What is common to all grants is in ``validator``.
"""

import json
from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2 import ClientCredentialsGrant, OAuth2Error
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError, UnsupportedGrantTypeError

from providers.sandbox.registry import TOKEN_EXCHANGE_GRANT
from providers.sandbox.validator import Validator

CLAIMS = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_TYPES = (_ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt")


class InteractionRequiredError(OAuth2Error):
    """The person has to sign in before anybody may act for them."""

    error = "interaction_required"
    description = "The person has to sign in."

    @property
    def twotuples(self) -> list[tuple[str, str | None]]:
        """The members of the answer: with the claims, as Microsoft has them."""
        return [*super().twotuples, ("claims", CLAIMS)]


class SubjectTokenGrant(ClientCredentialsGrant):
    """Both forms: the client authenticates, and shows the subject's token."""

    def __init__(self, validator: Validator) -> None:
        super().__init__(validator)
        self._validator = validator
        self.register_token_modifier(_name_type)

    def validate_token_request(self, request: Request) -> None:
        """Accept the request, or raise the error with which it is refused."""
        validator = self._validator
        self.validate_client_confidential(request)
        self.validate_grant_type(request)
        is_exchange = request.grant_type == TOKEN_EXCHANGE_GRANT
        if not is_exchange and _said(request, "requested_token_use") != "on_behalf_of":
            raise UnsupportedGrantTypeError(request=request)
        token = _said(request, "subject_token" if is_exchange else "assertion")
        if is_exchange and (not token or _said(request, "subject_token_type") not in _TYPES):
            raise InvalidRequestError("The subject_token or its type is missing.", request=request)
        person = validator.person_of(token)
        if person is None:  # RFC 8693 §2.2.2; RFC 7521 §4.1.1
            raise (InvalidRequestError if is_exchange else InvalidGrantError)(request=request)
        if validator.must_sign_in(person):
            raise InteractionRequiredError(request=request)
        request.user = person
        self.validate_scopes(request)
        for further in self.custom_validators.post_token:  # type: ignore[attr-defined]  # the stub leaves it out
            further(request)


def _said(request: Request, name: str) -> str:
    """Return a parameter of the request, "" if it is not there: oauthlib knows only those of its own grants."""
    found: str = getattr(request, name, "")
    return found


def _name_type(token: dict[str, Any], token_handler: Any = None, request: Any = None) -> dict[str, Any]:
    """Add what RFC 8693 §2.2.1 wants in the answer; the other form ignores it."""
    return {**token, "issued_token_type": _ACCESS_TOKEN}
