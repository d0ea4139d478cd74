"""Who makes a request beside those that oauthlib's own endpoints authenticate."""

from oauthlib.common import Request

from providers.sandbox.validator import Validator


def is_authenticated(validator: Validator, asked: Request) -> bool:
    """Whether the request comes from a registered client, proven as at the token endpoint."""
    is_public = not validator.client_authentication_required(asked)
    known = validator.authenticate_client_id(asked.client_id or "", asked) if is_public else False
    return known or validator.authenticate_client(asked)
