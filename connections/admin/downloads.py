"""Downloads: what leaves the admin as a file has an audit row, which says by what the list was narrowed."""

import uuid

from django.http import HttpRequest

# What is chosen there is of a list of words, or names a tenant or a provider. What else is typed may name a person.
_CHOSEN = frozenset(
    {
        *("actor", "age", "binding__exact", "decision", "health", "kind", "owner_kind__exact", "provider"),
        *("reason", "status__exact", "tenant", "vends", "verdict__exact"),
    }
)
_LONGEST = 100
_UNSAID = "…"


def filter_of(request: HttpRequest) -> dict[str, str]:
    """Return by which parameters a list is narrowed, for the audit trail. What may name a person is left out."""
    return {name[:_LONGEST]: _told(name, request.GET.get(name, "")) for name in request.GET}


def _told(name: str, value: str) -> str:
    if name in _CHOSEN:
        return value[:_LONGEST]
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return _UNSAID
