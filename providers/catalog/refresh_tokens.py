"""What an entry says about the refresh tokens of one style, as the lifecycle reads it."""

from dataclasses import dataclass

from providers.catalog.answers import Expiry


@dataclass(frozen=True, slots=True)
class RefreshTokens:
    """What an entry says about the refresh tokens of one style. The defaults are those of a style that has none.

    A replaced refresh token works for ``grace_seconds`` more. ``scope`` is the scope that stands for the refresh token;
    ``expiry`` says where an answer names its lifetime. A refresh token ends ``idle_seconds`` after its last use, and
    ``absolute_seconds`` after the end user's consent; one account has room for ``most_grants`` at one client, and the
    next ends the oldest (None: the entry does not say).
    """

    grace_seconds: int = 0
    scope: str = ""
    expiry: Expiry | None = None
    idle_seconds: int | None = None
    absolute_seconds: int | None = None
    most_grants: int | None = None
