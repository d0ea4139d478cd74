"""What a catalogue entry says of the answers of its token endpoint: what the members are called, when a token ends."""

from typing import Literal

from pydantic import Field

from providers.catalog.fields import Shape


class TokenFields(Shape):
    """What the token response calls the members of RFC 6749 §5.1, where it calls them otherwise.

    Each is a name or a pointer, within the object to which ``token_pointer`` leads.
    """

    access_token: str = Field(default="access_token", min_length=1)
    refresh_token: str = Field(default="refresh_token", min_length=1)
    token_type: str = Field(default="token_type", min_length=1)


class Expiry(Shape):
    """How an answer says when a token ends, where it is not ``expires_in`` in seconds (RFC 6749 §5.1).

    ``field`` is a name in the object that holds the tokens, or a pointer into that or else the whole answer. The
    formats ``epoch`` (seconds), ``epoch_ms`` and ``timestamp`` (RFC 3339, ISO 8601 or an HTTP date) are moments, the
    others counts from now; ``duration`` is one in words, such as "1h30m", "90 minutes" or "PT1H". ``never`` lists the
    values, as text, that mean that the token does not end: "0", "-1", "null" for null and for a field that is missing.
    Other values that cannot be true say nothing: the entry's ``default_lifetime_seconds`` counts then, else
    introspection, else probes.
    """

    field: str = Field(default="expires_in", min_length=1)
    format: Literal["seconds", "milliseconds", "minutes", "epoch", "epoch_ms", "timestamp", "duration"] = "seconds"
    never: tuple[str, ...] = ()
