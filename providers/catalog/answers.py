"""What a catalogue entry says of the answers of its token endpoint: what the members are called."""

from pydantic import Field

from providers.catalog.fields import Shape


class TokenFields(Shape):
    """What the token response calls the members of RFC 6749 §5.1, where it calls them otherwise.

    Each is a name or a pointer, within the object to which ``token_pointer`` leads.
    """

    access_token: str = Field(default="access_token", min_length=1)
    refresh_token: str = Field(default="refresh_token", min_length=1)
    token_type: str = Field(default="token_type", min_length=1)
