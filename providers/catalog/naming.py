"""Naming: which entry each name means, where an entry's aliases and the slugs of others meet.

The slug of an entry is what stored rows hold, so it comes before every alias. An operator's own entry takes the place
of a built-in one with the same slug. Among aliases the built-in ones come first, then those of the entry that is first
in the alphabet. An alias that means something else already is told, and is not in force.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from providers.catalog.compiled import Listed


@dataclass(frozen=True, slots=True)
class Names:
    """``aliases`` maps each that is in force to a slug and the auth style that it stands for.

    ``clashes`` are the problems of the operator's own entries, by slug: the key, what is wrong, and what to do.
    """

    aliases: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    clashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def names_of(built_in: Mapping[str, Listed], own: Mapping[str, Listed]) -> Names:
    """Return what the names of all entries mean. No I/O."""
    slugs = {**built_in, **own}
    aliases = {
        alias: (slug, style)
        for slug, found in built_in.items()
        if slug not in own
        for alias, style in found.aliases.items()
        if alias not in slugs
    }
    clashes: dict[str, tuple[str, ...]] = {}
    for slug, found in own.items():
        others = _Others(slugs, aliases, built_in.keys() - own.keys())
        told = list(others.clashes_of(slug, found.aliases))
        told += [
            f"slug: {slug!r} is another name of {others.told(owner)}, which it hides; give the file another name"
            for owner in others.built_in
            if slug in built_in[owner].aliases
        ]
        if told:
            clashes[slug] = tuple(told)
        for alias, style in found.aliases.items():
            if alias not in slugs:
                aliases.setdefault(alias, (slug, style))
    return Names(aliases, clashes)


def clashes_of(entry: Listed, built_in: Mapping[str, Listed], own: Mapping[str, Listed]) -> tuple[str, ...]:
    """Return where the names of ``entry`` are those of others already, a line each. No I/O.

    ``entry`` is about to become one of ``own``: an entry of its slug there, or built in, gives way to it.
    """
    others = {slug: found for slug, found in own.items() if slug != entry.slug}
    beside = {slug: found for slug, found in built_in.items() if slug != entry.slug}
    known = names_of(beside, others)
    kept_by = _Others({**beside, **others}, known.aliases, beside.keys() - others.keys())
    told = list(kept_by.clashes_of(entry.slug, entry.aliases))
    if entry.slug in known.aliases:
        owner, style = known.aliases[entry.slug]
        told.append(
            f"slug: {entry.slug!r} is another name of {kept_by.told(owner)}, by {style}; give the file another name"
        )
    return tuple(told)


def repeated(entries: Mapping[str, Listed]) -> Iterator[str]:
    """Yield where the entries of one folder give a name twice, a line each."""
    yield from (f"{slug}.toml: {problem}" for slug, told in names_of({}, entries).clashes.items() for problem in told)


@dataclass(frozen=True, slots=True)
class _Others:
    slugs: Mapping[str, Listed]
    aliases: Mapping[str, tuple[str, str]]
    built_in: frozenset[str] | set[str]

    def told(self, slug: str) -> str:
        return f"{slug} (built in)" if slug in self.built_in else f"{slug}.toml"

    def clashes_of(self, slug: str, aliases: Mapping[str, str]) -> Iterator[str]:
        for alias in aliases:
            if alias in self.slugs and alias != slug:
                yield f"aliases.{alias}: there is a provider {self.told(alias)}; choose another name"
            elif alias in self.aliases and self.aliases[alias][0] != slug:
                owner = self.told(self.aliases[alias][0])
                yield f"aliases.{alias}: {owner} has this alias too; remove it from one of the two"
