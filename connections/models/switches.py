"""Switches: the one definition of the kill switches and pauses that concern a connection.

A kill switch stops everything; a pause stops only background work. Each switch is a column of the connection itself, of
its tenant, or of its provider app. ``thrown`` checks a loaded row, ``nothing_thrown`` filters a queryset, and ``sql``
is for a raw statement. A test checks that the three agree.
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

# By switch: the relations of a connection whose rows have that switch ("" is the connection itself).
_OF: dict[str, tuple[str, ...]] = {
    KILL_SWITCH: ("", "tenant", "provider_app"),
    PAUSE: ("", "provider_app"),
}
_MODELS = {"tenant": Tenant, "provider_app": ProviderApp}
_ALIASES = {"": "connection", "tenant": "tenant", "provider_app": "app"}


def thrown(connection: "Connection", switch: str) -> Iterator[tuple[str, datetime]]:
    """Yield where ``switch`` is thrown ("connection", "tenant" or "provider app"), and since when.

    No I/O if the tenant and the provider app of ``connection`` are loaded.
    """
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

    Tenants and provider apps are looked up as lists. With joins, a planner with old statistics may go through the
    connections app by app, which is slow.
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
