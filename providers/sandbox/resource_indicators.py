"""Resource indicators (RFC 8707): which API a token is asked for, and which a client may ask for.

A client that was registered with ``resources`` has to name one of them in each request for a code or a token, and is
answered ``invalid_target`` otherwise. Of any other client every name is taken. The log shows what was named.
"""

from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.grant_types.base import GrantTypeBase

from providers.sandbox.validator import Validator


class InvalidTargetError(OAuth2Error):
    """The API that was named is none for which this client may have a token (RFC 8707 §2)."""

    error = "invalid_target"
    description = "The resource is missing, or is none of this client's."


def demand_resource(grant: GrantTypeBase, validator: Validator) -> None:
    """Have ``grant`` refuse each token request that names no API of the client's."""
    validators = grant.custom_validators  # type: ignore[attr-defined]  # the stub leaves it out
    validators.post_token.append(lambda asked: check_resource(validator, asked))


def check_resource(validator: Validator, asked: Request) -> dict[str, Any]:
    """Raise ``InvalidTargetError`` unless ``asked`` names an API of the client's. Notes on the log what it names."""
    validator.entry.resource = asked.resource or ""
    allowed = validator.client.resources
    if allowed and asked.resource not in allowed:
        raise InvalidTargetError(request=asked)
    return {}
