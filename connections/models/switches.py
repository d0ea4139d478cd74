"""Switched off: the kill switches and the pauses that concern a connection, said once.

A kill switch stops everything, a pause background work alone. Each is a column: of the connection itself, of its
tenant, and of its provider app. ``thrown`` asks a row in hand, ``nothing_thrown`` is for a queryset, ``sql`` for a
statement; a test holds the three to each other.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q

from connections.models.provider_app import ProviderApp
from connections.models.tenant import Tenant

if TYPE_CHECKING:
    from connections.models.connection import Connection

KILL_SWITCH, PAUSE = "suspended_at", "paused_at"

# By the switch: whose it is, as a relation of the connection's ("" is its own).
_OF: dict[str, tuple[str, ...]] = {
    KILL_SWITCH: ("", "tenant", "provider_app"),
    PAUSE: ("", "provider_app"),
}
_MODELS = {"tenant": Tenant, "provider_app": ProviderApp}
_ALIASES = {"": "connection", "tenant": "tenant", "provider_app": "app"}


def thrown(connection: "Connection", switch: str) -> Iterator[tuple[str, datetime]]:
    """Give whose ``switch`` is thrown ("connection", "tenant", "provider app"), and since when."""
    for relation in _OF[switch]:
        since = getattr(getattr(connection, relation) if relation else connection, switch)
        if since is not None:
            yield (relation or "connection").replace("_", " "), since


def any_thrown(*switches: str) -> Q:
    """Return the condition that one of ``switches`` is thrown, for a queryset of connections."""
    found = Q()
    for switch in switches:
        for relation in _OF[switch]:
            found |= Q(**{f"{relation}__{switch}__isnull" if relation else f"{switch}__isnull": False})
    return found


def nothing_thrown() -> Q:
    """Return the condition that no switch is thrown, for a queryset of connections.

    Tenants and provider apps are looked up as lists: joined, they tempt a planner whose statistics are old to go
    through the connections app by app.
    """
    found = Q(**dict.fromkeys(_OF, None))
    for relation, model in _MODELS.items():
        off = Q()
        for switch, relations in _OF.items():
            if relation in relations:
                off |= Q(**{f"{switch}__isnull": False})
        found &= ~Q(**{f"{relation}_id__in": model._default_manager.filter(off).values("id")})
    return found


def sql(*switches: str) -> str:
    """Return the same as ``any_thrown``, as SQL over the aliases ``connection``, ``tenant`` and ``app``."""
    columns = [f"{_ALIASES[relation]}.{switch}" for switch in switches for relation in _OF[switch]]
    return "(" + " OR ".join(f"{column} IS NOT NULL" for column in columns) + ")"
