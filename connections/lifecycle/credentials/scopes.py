"""Record the scopes that were requested, granted and observed, and find those that are missing or were lost.

The rows hold the names as they were given. Comparisons use the rules of the provider's entry as it is now. So an entry
that learns that one scope includes another corrects the display of existing connections as well.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Exists, OuterRef, Q

from connections.access.targets import scope_rules_of
from connections.journal import events
from connections.models import Connection, ProviderApp, Scope
from providers.catalog.loader import load_catalog
from providers.catalog.schema import CatalogEntry
from providers.catalog.scopes import ScopeRules, ScopeSpelling

_MOST_NAMES = 300


def missing_scopes(connection: Connection, scopes: Iterable[Scope]) -> list[str]:
    """Return the names of requested and required scopes for which no scope stands that ``connection`` still has.

    ``scopes`` are its rows; its provider app, which says what is required, has to be loaded. No I/O beyond the
    catalogue.
    """
    scopes = list(scopes)
    requested = [scope.name for scope in scopes if scope.is_requested]
    wanted = dict.fromkeys([*requested, *connection.provider_app.required_scopes])
    return list(scope_rules_of(connection.provider).missing(wanted, granted=held_scopes(scopes), asked=requested))


def held_scopes(scopes: Iterable[Scope]) -> list[str]:
    """Return the names of the granted ``scopes`` that the provider has not taken away since, as far as is known."""
    return [scope.name for scope in scopes if scope.is_granted and scope.is_observed is not False]


def observed_scopes(scopes: Iterable[Scope]) -> list[str] | None:
    """Return the names of ``scopes`` that the provider named or stood for when it last told of any, None if never."""
    told = [scope for scope in scopes if scope.is_observed is not None]
    return [scope.name for scope in told if scope.is_observed] if told else None


def not_allowed(scopes: Iterable[str], *, allowed: Sequence[str] | None, rules: ScopeRules) -> tuple[str, ...]:
    """Return those of ``scopes`` that the ``allowed`` ones of an app do not cover; none where any is (None). No I/O."""
    return () if allowed is None else rules.missing(scopes, granted=allowed, asked=())


def lacks_scopes() -> Q:
    """Return the query condition for connections that miss a requested or a required scope, for long lists.

    Reads the catalogue's entries of those providers that have an app: one query. Where an entry's rules cover names
    that it does not list (``*``, case, prefixes), this also queries the names in use at that provider: the first few
    hundred. Any further name counts as missing.
    """
    missing = Scope.objects.filter(
        Q(is_granted=False) | Q(is_observed=False), connection=OuterRef("pk"), is_requested=True
    )
    held = Q(is_granted=True) & (Q(is_observed=None) | Q(is_observed=True))
    granted = Scope.objects.filter(held, connection=OuterRef("connection"))
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
    return Q(Exists(missing)) | _lacks_required(entries, held)


def _lacks_required(entries: Mapping[str, CatalogEntry], held: Q) -> Q:
    """Return the condition for connections without a scope that their app requires. A query for each app with some."""
    lacks = Q(pk__in=[])
    for app in ProviderApp.objects.filter(provider__in=entries).exclude(required_scopes=[]):
        rules = entries[app.provider].scope_rules
        of_app = Scope.objects.filter(connection__provider_app=app)
        known = list(of_app.filter(held).values_list("name", flat=True).order_by("name").distinct()[:_MOST_NAMES])
        for name in app.required_scopes:
            stands = [other for other in {*known, name} if not rules.missing([name], granted=[other], asked=())]
            theirs = Scope.objects.filter(connection=OuterRef("pk"))
            has = Q(Exists(theirs.filter(held, name__in=stands)))
            if rules.is_unechoed(name):
                has |= Q(Exists(theirs.filter(name=name, is_requested=True)))
            lacks |= Q(provider_app=app) & ~has
    return lacks


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
    """Record the scopes granted and requested with a new version, with an event where some were lost or gained.

    ``scopes`` are those of ``connection`` so far; ``requested`` None leaves what was requested as it is, as at a
    refresh. What was observed of an earlier authorization is forgotten. A loss or gain that a probe has told of already
    is not told again. Call it in a transaction, with ``connection`` locked.
    """
    known = {scope.name: scope for scope in scopes}
    before, noticed = held_scopes(known.values()), [name for name, scope in known.items() if scope.is_observed]
    once = [name for name, scope in known.items() if scope.is_granted or scope.is_observed]
    for name, scope in known.items():
        is_anew = requested is not None or (name in granted and not scope.is_granted)
        said = (
            name in granted,
            scope.is_requested if requested is None else name in requested,
            None if is_anew else scope.is_observed,
        )
        if said != (scope.is_granted, scope.is_requested, scope.is_observed):
            scope.is_granted, scope.is_requested, scope.is_observed = said
            scope.save(update_fields=["is_granted", "is_requested", "is_observed", "updated_at"])
    named = set(granted).union(requested or ())
    Scope.objects.bulk_create(
        [
            Scope(connection=connection, name=name, is_granted=name in granted, is_requested=name in (requested or ()))
            for name in sorted(named - known.keys())
        ]
    )
    rules = scope_rules_of(connection.provider)
    stood_for = set(known) - set(rules.missing(known, granted=before, asked=()))
    if lost := rules.missing(sorted(stood_for), granted=granted):
        events.emit("connection.scopes_lost", connection, lost_scopes=list(lost))
    asked = [name for name, scope in known.items() if scope.is_requested]
    if known and (gained := rules.missing(granted, granted=[*once, *noticed], asked=asked)):
        events.emit("connection.scopes_gained", connection, gained_scopes=sorted(gained))


def observe_scopes(connection: Connection, observed: Sequence[str], *, unnamed: str = "") -> None:
    """Record the scopes that the provider names now, with an event where they differ from what was known before.

    ``unnamed`` is a scope that the provider grants without naming it, or "". Where no scope was known at all, as of a
    typed key, the first that are named are no change. Call it with ``connection`` locked.
    """
    rules, known = scope_rules_of(connection.provider), list(connection.scopes.all())
    granted = [scope.name for scope in known if scope.is_granted and scope.name != unnamed]
    before = [scope.name for scope in known if scope.is_observed or (scope.is_granted and scope.is_observed is None)]
    claimed = [name for name in before if name in granted] if granted else before
    gone = rules.missing([name for name in claimed if name != unnamed], granted=observed)
    covered = {scope.name for scope in known} - set(rules.missing([scope.name for scope in known], granted=observed))
    for scope in known:
        _note(scope, scope.name in covered or scope.name == unnamed)
    new = [name for name in dict.fromkeys(observed) if name not in {scope.name for scope in known}]
    Scope.objects.bulk_create([Scope(connection=connection, name=name, is_observed=True) for name in sorted(new)])
    gained = rules.missing(dict.fromkeys(observed), granted=before, asked=()) if before or known else ()
    _tell_drift(connection, gone=gone, gained=gained)


def observe_lack(connection: Connection, needed: Sequence[str]) -> None:
    """Record that the provider refused a call for want of the ``needed`` scopes (RFC 6750 §3.1), with an event.

    It counts only if ``connection`` holds all of them and they come down to one granted scope: then that one is gone.
    Otherwise the refusal has another explanation, or nobody knows which is gone. Call it with ``connection`` locked.
    """
    rules, known = scope_rules_of(connection.provider), list(connection.scopes.all())
    held = held_scopes(known)
    witnesses = rules.witnesses(needed, granted=held)
    if len(witnesses) != 1 or rules.missing(needed, granted=held, asked=()):
        return
    for scope in known:
        if scope.name == witnesses[0]:
            _note(scope, False)
    _tell_drift(connection, gone=witnesses, gained=())


def forget_lack(connection: Connection) -> None:
    """Take back what ``observe_lack`` has recorded, after the same call was answered; with an event.

    Where the provider names scopes, only what it names counts. Call it with ``connection`` locked.
    """
    known = list(connection.scopes.all())
    lacked = [scope for scope in known if scope.is_granted and scope.is_observed is False]
    if not lacked or any(scope.is_observed for scope in known):
        return
    for scope in lacked:
        _note(scope, None)
    _tell_drift(connection, gone=(), gained=[scope.name for scope in lacked])


def _note(scope: Scope, is_observed: bool | None) -> None:
    if scope.is_observed != is_observed:
        scope.is_observed = is_observed
        scope.save(update_fields=["is_observed", "updated_at"])


def _tell_drift(connection: Connection, *, gone: Iterable[str], gained: Iterable[str]) -> None:
    told = {"missing_scopes": sorted(gone), "gained_scopes": sorted(gained)}
    if any(told.values()):
        events.emit("connection.scopes_drifted", connection, **told)
