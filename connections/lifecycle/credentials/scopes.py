"""Scopes requested, granted and observed: what is recorded, and what of it is missing or was lost.

Recorded is what was named; compared is by the rules of the provider's entry as they are now, so that an entry which
comes to know that one scope includes another mends what is shown of the connections that are there already.
"""

from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, Q

from connections.access.targets import scope_rules_of
from connections.journal import events
from connections.models import Connection, CredentialVersion, Scope
from providers.catalog.loader import load_catalog
from providers.catalog.scopes import ScopeSpelling

_MOST_NAMES = 300


def missing_scopes(provider: str, scopes: Iterable[Scope]) -> list[str]:
    """Return the names of a connection's ``scopes`` that were requested and that nothing granted stands for. No I/O."""
    scopes = list(scopes)
    requested = [scope.name for scope in scopes if scope.is_requested]
    granted = [scope.name for scope in scopes if scope.is_granted]
    return list(scope_rules_of(provider).missing(requested, granted=granted))


def lacks_scopes() -> Q:
    """Return the condition for connections that miss a requested scope, for lists of many.

    Reads the catalogue and, where an entry has rules for names that it does not name itself (``*``, case, prefixes),
    the names in use at that provider: the first few hundred; any further one counts as missing.
    """
    missing = Scope.objects.filter(connection=OuterRef("pk"), is_requested=True, is_granted=False)
    granted = Scope.objects.filter(connection=OuterRef("connection"), is_granted=True)
    in_use = _names_in_use([slug for slug, entry in load_catalog().items() if entry.scope_spelling != ScopeSpelling()])
    for slug, entry in load_catalog().items():
        rules = entry.scope_rules
        names = {name for scope in entry.scopes for name in (scope.name, *scope.aliases, *scope.implies)}
        for rule in entry.scope_spelling.implications:
            names |= {name for name in (rule.scope, *rule.implies) if "*" not in name}
        names |= in_use.get(slug, set())
        opens = {other: names.difference(rules.missing(names, granted=[other], asked=())) for other in names}
        for name in sorted(names):
            stands = [other for other in names if name in opens[other]]
            here = Q(connection__provider=slug, name=name)
            if rules.is_unechoed(name):
                missing = missing.exclude(here)
            elif stands != [name]:
                missing = missing.exclude(here & Exists(granted.filter(name__in=stands)))
    return Q(Exists(missing))


def _names_in_use(providers: Sequence[str]) -> dict[str, set[str]]:
    """Return the names of scopes that connections to ``providers`` were asked for without getting them, or have."""
    found: dict[str, set[str]] = {}
    for is_granted in (False, True):
        scopes = Scope.objects.filter(connection__provider__in=providers, is_granted=is_granted)
        scopes = scopes if is_granted else scopes.filter(is_requested=True)
        for provider, name in scopes.values_list("connection__provider", "name").distinct()[:_MOST_NAMES]:
            found.setdefault(provider, set()).add(name)
    return found


def sync_granted_scopes(connection: Connection, version: CredentialVersion) -> None:
    """Record the scopes granted with ``version``, and tell of every one that was lost since the last."""
    granted = set(version.scopes)
    known = {scope.name: scope for scope in connection.scopes.all()}
    before = [name for name, scope in known.items() if scope.is_granted]
    for name, scope in known.items():
        if scope.is_granted != (name in granted):
            scope.is_granted = name in granted
            scope.save(update_fields=["is_granted", "updated_at"])
    Scope.objects.bulk_create(
        [Scope(connection=connection, name=name, is_granted=True) for name in sorted(granted - known.keys())]
    )
    rules = scope_rules_of(connection.provider)
    held = _held([*known], granted=before, provider=connection.provider)
    if lost := rules.missing(sorted(held), granted=granted):
        events.emit("connection.scopes_lost", connection, lost_scopes=list(lost))


def record_requested_scopes(connection: Connection, requested: tuple[str, ...]) -> None:
    """Replace the set of scopes that were asked for."""
    connection.scopes.filter(is_requested=True).exclude(name__in=requested).update(is_requested=False)
    for name in requested:
        Scope.objects.update_or_create(connection=connection, name=name, defaults={"is_requested": True})


def observe_scopes(connection: Connection, observed: Sequence[str], *, unnamed: str = "") -> None:
    """Record the scopes that the provider names now, and tell of granted ones that are gone since it named them last.

    ``unnamed`` is a scope that is granted without being named.
    """
    rules = scope_rules_of(connection.provider)
    known = list(connection.scopes.all())
    before = [scope.name for scope in known if scope.is_observed]
    granted = [scope.name for scope in known if scope.is_granted and scope.name != unnamed]
    gone = rules.missing(granted, granted=observed)
    unseen = {scope.name for scope in known if scope.is_observed is None}
    told_before = set(rules.missing(gone, granted=before)) - unseen
    for scope in known:
        if scope.is_observed != (scope.name in observed):
            scope.is_observed = scope.name in observed
            scope.save(update_fields=["is_observed", "updated_at"])
    new = sorted(set(observed) - {scope.name for scope in known})
    Scope.objects.bulk_create([Scope(connection=connection, name=name, is_observed=True) for name in new])
    if drifted := sorted(set(gone) - told_before):
        events.emit("connection.scopes_drifted", connection, missing_scopes=drifted)


def _held(names: Sequence[str], *, granted: Sequence[str], provider: str) -> set[str]:
    """Return those of ``names`` that were named by a grant, or were asked for and stood in for by one."""
    return set(names) - set(scope_rules_of(provider).missing(names, granted=granted, asked=()))
