"""Record the scopes that were requested, granted and observed, and find those that are missing or were lost.

The rows hold the names as they were given. Comparisons use the rules of the provider's entry as it is now. So an entry
that learns that one scope includes another corrects the display of existing connections as well.
"""

from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, Q

from connections.access.targets import scope_rules_of
from connections.journal import events
from connections.models import Connection, ProviderApp, Scope
from providers.catalog.loader import load_catalog
from providers.catalog.scopes import ScopeSpelling

_MOST_NAMES = 300


def missing_scopes(provider: str, scopes: Iterable[Scope]) -> list[str]:
    """Return the names of requested ``scopes`` for which no granted scope stands. No I/O beyond the catalogue."""
    scopes = list(scopes)
    requested = [scope.name for scope in scopes if scope.is_requested]
    granted = [scope.name for scope in scopes if scope.is_granted]
    return list(scope_rules_of(provider).missing(requested, granted=granted))


def lacks_scopes() -> Q:
    """Return the query condition for connections that miss a requested scope, for long lists.

    Reads the catalogue's entries of those providers that have an app: one query. Where an entry's rules cover names
    that it does not list (``*``, case, prefixes), this also queries the names in use at that provider: the first few
    hundred. Any further name counts as missing.
    """
    missing = Scope.objects.filter(connection=OuterRef("pk"), is_requested=True, is_granted=False)
    granted = Scope.objects.filter(connection=OuterRef("connection"), is_granted=True)
    catalogue = load_catalog()
    used = ProviderApp.objects.order_by("provider").values_list("provider", flat=True).distinct()
    entries = {slug: catalogue[slug] for slug in used if slug in catalogue}
    in_use = _names_in_use([slug for slug, entry in entries.items() if entry.scope_spelling != ScopeSpelling()])
    for slug, entry in entries.items():
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
    """Return the scope names in use, by provider: those that were requested and not granted, and those granted."""
    found: dict[str, set[str]] = {}
    for is_granted in (False, True):
        scopes = Scope.objects.filter(connection__provider__in=providers, is_granted=is_granted)
        scopes = scopes if is_granted else scopes.filter(is_requested=True)
        for provider, name in scopes.values_list("connection__provider", "name").distinct()[:_MOST_NAMES]:
            found.setdefault(provider, set()).add(name)
    return found


def sync_scopes(
    connection: Connection, scopes: Iterable[Scope], *, granted: Sequence[str], requested: Sequence[str] | None = None
) -> None:
    """Record the scopes granted and requested with a new version, and emit an event if granted scopes were lost.

    ``scopes`` are those of ``connection`` so far; ``requested`` None leaves what was requested as it is. Call it in a
    transaction, with ``connection`` locked.
    """
    known = {scope.name: scope for scope in scopes}
    before = [name for name, scope in known.items() if scope.is_granted]
    for name, scope in known.items():
        said = (name in granted, scope.is_requested if requested is None else name in requested)
        if said != (scope.is_granted, scope.is_requested):
            scope.is_granted, scope.is_requested = said
            scope.save(update_fields=["is_granted", "is_requested", "updated_at"])
    named = set(granted).union(requested or ())
    Scope.objects.bulk_create(
        [
            Scope(connection=connection, name=name, is_granted=name in granted, is_requested=name in (requested or ()))
            for name in sorted(named - known.keys())
        ]
    )
    rules = scope_rules_of(connection.provider)
    held = _held([*known], granted=before, provider=connection.provider)
    if lost := rules.missing(sorted(held), granted=granted):
        events.emit("connection.scopes_lost", connection, lost_scopes=list(lost))


def observe_scopes(connection: Connection, observed: Sequence[str], *, unnamed: str = "") -> None:
    """Record the scopes that the provider names now. Emit an event if granted scopes are gone since it last named them.

    ``unnamed`` is a scope that the provider grants without naming it, or "". Call it with ``connection`` locked.
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
    """Return the ``names`` that a grant names, and those that were requested and for which a granted scope stands."""
    return set(names) - set(scope_rules_of(provider).missing(names, granted=granted, asked=()))
