"""How long a fresh credential lives, where its response did not say."""

from dataclasses import replace

from connections.lifecycle.targets import Access
from providers.values import Obtained
from providers.vocabulary import ProbeVerdict


def with_known_lifetime(access: Access, obtained: Obtained) -> Obtained:
    """Return ``obtained`` with its lifetime, asking introspection (HTTP) where response and catalogue are silent.

    Where that does not know either, the lifetime stays None: a refreshable credential is then taken for one of an hour,
    and any other is watched by probes.
    """
    if obtained.lifetime_seconds is not None or not access.capabilities.introspects:
        return obtained
    found = access.strategy.introspect(access.target, obtained.credential)
    if found.verdict is not ProbeVerdict.ALIVE or found.expires_in_seconds is None:
        return obtained
    return replace(obtained, lifetime_seconds=max(30, found.expires_in_seconds))
