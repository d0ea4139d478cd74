"""What a catalogue entry says about the answers of its token endpoint: the names of members, and when a token ends."""

from typing import Literal

from pydantic import Field

from providers.catalog.fields import Shape


class TokenFields(Shape):
    """The names of the members of RFC 6749 §5.1 in the token response, if the provider uses other names.

    Each is a name or a pointer, within the object to which ``token_pointer`` leads.
    """

    access_token: str = Field(default="access_token", min_length=1)
    refresh_token: str = Field(default="refresh_token", min_length=1)
    token_type: str = Field(default="token_type", min_length=1)


class Expiry(Shape):
    """How an answer says when a token ends, if not by ``expires_in`` in seconds (RFC 6749 §5.1).

    ``field`` is a name in the object that holds the tokens, or a pointer into that or else the whole answer. The
    formats ``epoch`` (seconds), ``epoch_ms`` and ``timestamp`` (RFC 3339, ISO 8601 or an HTTP date) are moments, the
    others counts from now; ``duration`` is one in words, such as "1h30m", "90 minutes" or "PT1H". ``never`` lists the
    values, as text, that mean that the token does not end: "0", "-1", "null" for null and for a missing field. Other
    values that cannot be true are ignored: then the entry's ``default_lifetime_seconds`` counts, else introspection,
    else probes.
    """

    field: str = Field(default="expires_in", min_length=1)
    format: Literal["seconds", "milliseconds", "minutes", "epoch", "epoch_ms", "timestamp", "duration"] = "seconds"
    never: tuple[str, ...] = ()
