"""The lifetime of a fresh credential and of its grant, where the token response did not state it."""

from dataclasses import replace

from connections.access.targets import Access, entry_named
from connections.lifecycle.credentials.due import GrantLifetimes
from connections.refusals import AppMisconfigured
from providers.catalog.refresh_tokens import RefreshTokens
from providers.oauth.expiry import SHORTEST_SECONDS
from providers.values import Obtained
from providers.vocabulary import ProbeVerdict


def with_known_lifetime(access: Access, obtained: Obtained) -> Obtained:
    """Return ``obtained`` with its lifetime. Ask introspection (HTTP) where response and catalogue do not state it.

    The lifetime stays None where introspection does not know it either. A refreshable credential is then assumed to
    live for an hour; probes watch any other.
    """
    if obtained.lifetime_seconds is not None or obtained.is_endless or not access.capabilities.introspects:
        return obtained
    found = access.strategy.introspect(access.target, obtained.credential)
    if found.verdict is not ProbeVerdict.ALIVE or found.expires_in_seconds is None:
        return obtained
    return replace(obtained, lifetime_seconds=max(SHORTEST_SECONDS, found.expires_in_seconds))


def grant_lifetimes(provider: str, auth_style: str, *, refresh_lifetime_seconds: int | None = None) -> GrantLifetimes:
    """Return how long a grant at this provider lives, by the catalogue. No I/O.

    ``refresh_lifetime_seconds`` is the lifetime that the provider stated for this refresh token. It comes before the
    catalogue's idle lifetime, because organisations and apps may have terms of their own.
    """
    try:
        method = entry_named(provider).methods.get(auth_style)
    except AppMisconfigured:
        method = None
    known = RefreshTokens() if method is None else method.refresh_tokens
    return GrantLifetimes(idle=refresh_lifetime_seconds or known.idle_seconds, absolute=known.absolute_seconds)
