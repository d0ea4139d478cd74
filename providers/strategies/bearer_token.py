"""A token that the end user made at the provider and pastes: a personal access token. Nothing is refreshed."""

from providers.catalog.typed_methods import BearerTokenMethod
from providers.strategies.api_key import ApiKey


class BearerToken(ApiKey):
    """One pasted token, which travels as RFC 6750 §2.1 says. A caller uses it like a token that OAuth has brought."""

    method = BearerTokenMethod
    title = "Pasted access token"
    invitation = "Paste an access token"
    auth_method = "bearer"
