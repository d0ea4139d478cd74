"""Where the secrets of an entry go: every address that it names, and whatever may decide a host within one.

Two entries with the same destinations send the same secrets to the same servers, whatever else differs. So a change of
an entry that is in use may be let through where its destinations stay, and needs the secrets again where they do not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.catalog.schema import CatalogEntry, sections
from providers.catalog.template import names

# What is for people to read, and what limits or counts: none of it leads anywhere. Names of scopes may look like links.
_NO_ADDRESSES = frozenset(
    {
        "schema_version",
        "slug",
        "name",
        "category",
        "aliases",
        "website",
        "docs_url",
        "colour",
        "facts",
        "registration",
        "notes",
        "requests_per_minute",
        "proxy",
        "scopes",
        "scope_spelling",
        "params",
    }
)
_FOR_PEOPLE = frozenset({"label", "help", "example", "description"})
# Keys whose value is an address, or names a party, also where it holds no "://" because a parameter is all of it.
_ADDRESSES = ("url", "issuer", "protected_resource", "audience", "aud", "recipient", "resource")
_DECIDE = frozenset({"discover", "extra_response_fields", "workspaces", "callback", "jwks_url"})


def destinations_of(entry: CatalogEntry) -> dict[str, Any]:
    """Return what decides where secrets go, by its key in the entry: addresses, and what fills in their parts. No I/O.

    It holds rather too much than too little.
    """
    said = entry.model_dump(mode="json", exclude=set(_NO_ADDRESSES), exclude_defaults=True)
    found: dict[str, Any] = {}
    for key, value in said.items():
        found |= dict(_walk(value, key))
    used = {name for value in found.values() if isinstance(value, str) for name in names(value)}
    for param in entry.params:
        if param.name in used:
            found[f"params.{param.name}"] = param.model_dump(mode="json", exclude=set(_FOR_PEOPLE))
    return found


def moved(before: CatalogEntry | None, after: CatalogEntry | None) -> tuple[str, ...]:
    """Return the keys by which secrets could go elsewhere once ``after`` takes the place of ``before``; () if by none.

    None stands for no entry: then all of it could. A section that is new has no secrets yet. One that is gone counts,
    because it might come back with other addresses. No I/O.
    """
    if before is None or after is None:
        return () if before is after else ("the entry",)
    old, new = destinations_of(before), destinations_of(after)
    kept = {method.section() for method in before.methods.values()}
    gone = kept - {method.section() for method in after.methods.values()}
    added = sections().keys() - kept
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return tuple(sorted(gone | {key for key in changed if key.partition(".")[0] not in added}))


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and value of each part that is an address, or decides one."""
    last = path.rpartition(".")[2]
    if last in _DECIDE:
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _FOR_PEOPLE:
                yield from _walk(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _walk(inner, f"{path}.{position}")
    elif isinstance(value, str) and value and ("://" in value or last.endswith(_ADDRESSES)):
        yield path, value
