"""The events in the body of a push: one, or several."""

from typing import Any

from providers.catalog.pointer import value_at
from providers.catalog.pushes import PushRules
from providers.pushes.arrival import PushRefused

MOST_EVENTS = 1000


def events_in(rules: PushRules, document: Any) -> list[dict[str, Any]]:
    """Return the events that ``document`` holds; () for none. No I/O. Raises ``PushRefused`` for what is no event."""
    found = value_at(document, rules.items)
    if found is None:
        return []
    several = found if isinstance(found, list) else [found]
    if len(several) > MOST_EVENTS or not all(isinstance(one, dict) for one in several):
        raise PushRefused("malformed")
    return several
