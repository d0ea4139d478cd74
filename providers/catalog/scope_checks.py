"""What must agree among the scopes of an entry: one name each, one meaning each, and no circle of implications."""

from collections.abc import Iterator

from providers.catalog.schema import CatalogEntry
from providers.catalog.scopes import ScopeRules


def scope_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what is wrong with the scopes of ``entry``: the key, and what to do. No I/O."""
    declared = [scope.name for scope in entry.scopes]
    for name in _repeated(declared):
        yield f"scopes: {name!r} is declared twice"
    for scope in entry.scopes:
        if scope.required and not scope.default:
            yield f"scopes: {scope.name!r} is required, so it is asked for by default: say default = true"
    yield from _spelling_problems(entry)
    rules = entry.scope_rules
    samples = [rule.scope.replace("*", "any") for rule in entry.scope_spelling.implications]
    circles = {frozenset(circle): circle for name in [*declared, *samples] if (circle := rules.circle(name))}
    for circle in circles.values():
        yield f"scopes: {' implies '.join(circle)}: a circle; where several names mean the same, say so by aliases"


def _spelling_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield a problem for each spelling that stands for several scopes, and for each rule that matches none."""
    spelling = ScopeRules(entry.scope_spelling)
    keys = [spelling.key(name) for name in dict.fromkeys(scope.name for scope in entry.scopes)]
    for key in _repeated(keys):
        yield f"scopes: {key!r} is declared in several spellings that [scope_spelling] makes one; keep one of them"
    aliases = [spelling.key(alias) for scope in entry.scopes for alias in dict.fromkeys(scope.aliases)]
    for key in sorted({key for key in aliases if key in keys} | set(_repeated(aliases))):
        yield f"scopes: {key!r} stands for more than one scope, or for itself; write an alias once, and no name as one"
    for position, rule in enumerate(entry.scope_spelling.implications):
        if any(name.count("*") > rule.scope.count("*") for name in rule.implies):
            yield (
                f"scope_spelling.implications.{position}: implies has more * than scope, "
                "so there is nothing to put in; write one * in each"
            )


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
