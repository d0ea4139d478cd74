"""A user name and a password that the end user types, as HTTP Basic (RFC 7617). Nothing is fetched or refreshed."""

from providers.catalog.typed_methods import HttpBasicMethod
from providers.strategies.api_key import ApiKey


class HttpBasic(ApiKey):
    """Two fields that travel as one header. The password is the value; the user name is shown."""

    method = HttpBasicMethod
    title = "User name and password"
    invitation = "Enter a user name and password"
    auth_method = "basic"
