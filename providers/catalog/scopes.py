"""The scopes of an entry, and when one stands for another.

Providers answer with other names than they were asked: longer ones, those that include the rest, or none at all. What
is granted and what is missing is therefore compared by ``ScopeRules``, never by name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from providers.catalog.fields import Shape

_MOST_STEPS = 32


class ScopeInfo(Shape):
    """A scope in plain words, for the consent page.

    ``default`` is asked for unless a session names its own scopes; ``required`` always, because without it the grant
    could not be refreshed or probed. ``aliases`` are other spellings of the very same scope; ``implies`` names those
    that are part of it, by whatever spelling. With ``echoed = false`` the provider never names it in its answers: once
    it was asked for it counts as granted, unless it is the ``refresh_scope``, for which the refresh token stands.
    """

    name: str
    description: str
    default: bool = False
    required: bool = False
    aliases: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    echoed: bool = True


class Implication(Shape):
    """A rule for many scopes: ``*`` in ``scope`` stands for any text, and for the same text in ``implies``."""

    scope: str = Field(pattern=r"^[^*]*\*?[^*]*$", min_length=2)
    implies: tuple[str, ...] = Field(min_length=1)


class ScopeSpelling(Shape):
    """How a provider spells scopes: whether case matters, and what may stand before any of them without a meaning."""

    ignores_case: bool = False
    prefixes: tuple[str, ...] = ()
    implications: tuple[Implication, ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """When one scope stands for another at one provider; without anything said, names are compared as they are."""

    spelling: ScopeSpelling = field(default_factory=ScopeSpelling)
    same: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unechoed: frozenset[str] = frozenset()
    patterns: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, scopes: Sequence[ScopeInfo], spelling: ScopeSpelling, *, refresh_scope: str = "") -> "ScopeRules":
        """Return the rules that an entry's scopes make."""
        plain = cls(spelling)
        same = {plain.key(alias): plain.key(scope.name) for scope in scopes for alias in scope.aliases}
        spelt = cls(spelling, same)
        implied = {spelt.key(scope.name): tuple(spelt.key(name) for name in scope.implies) for scope in scopes}
        unechoed = frozenset(spelt.key(scope.name) for scope in scopes if not scope.echoed)
        flags = re.IGNORECASE if spelling.ignores_case else 0
        patterns = tuple(
            (re.compile(re.escape(rule.scope).replace(r"\*", "(.+)"), flags), rule.implies)
            for rule in spelling.implications
        )
        return cls(spelling, same, implied, unechoed - {spelt.key(refresh_scope)}, patterns)

    def key(self, scope: str) -> str:
        """Return the one spelling of ``scope`` by which it is compared."""
        for prefix in filter(None, self.spelling.prefixes):
            start = scope[: len(prefix)]
            if start == prefix or (self.spelling.ignores_case and start.casefold() == prefix.casefold()):
                scope = scope[len(prefix) :] or scope
                break
        if self.spelling.ignores_case:
            scope = scope.casefold()
        return self.same.get(scope, scope)

    def is_unechoed(self, scope: str) -> bool:
        """Whether the provider never names ``scope``, and no refresh token stands for it."""
        return self.key(scope) in self.unechoed

    def missing(
        self, wanted: Iterable[str], *, granted: Iterable[str], asked: Iterable[str] | None = None
    ) -> tuple[str, ...]:
        """Return those of ``wanted`` that ``granted`` does not stand for, in their order.

        ``asked`` are the scopes that the end user was asked for, by default the wanted ones: of those that the provider
        never names, these count as granted.
        """
        wanted = tuple(wanted)
        covered = self._covered(granted)
        covered |= self.unechoed & {self.key(scope) for scope in (wanted if asked is None else asked)}
        return tuple(scope for scope in wanted if self.key(scope) not in covered)

    def witnesses(self, wanted: Iterable[str], *, granted: Sequence[str]) -> tuple[str, ...]:
        """Return for each of ``wanted`` the one of ``granted`` that stands for it; nothing for those without one."""
        opened = {scope: self._covered([scope]) for scope in granted}
        found = (next((scope for scope in granted if self.key(name) in opened[scope]), "") for name in wanted)
        return tuple(dict.fromkeys(filter(None, found)))

    def circle(self, scope: str) -> tuple[str, ...]:
        """Return the way on which ``scope`` comes to imply itself, or to imply without an end; () if it does not."""
        way: list[tuple[str, ...]] = [(self.key(scope),)]
        while way:
            steps = way.pop()
            for name in self._parts(steps[-1]):
                if name in steps or len(steps) >= _MOST_STEPS:
                    return (*steps, name)[:6]
                way.append((*steps, name))
        return ()

    def _covered(self, granted: Iterable[str]) -> set[str]:
        covered: set[str] = set()
        new = [self.key(scope) for scope in granted]
        while new:
            scope = new.pop()
            if scope not in covered:
                covered.add(scope)
                new += self._parts(scope)
        return covered

    def _parts(self, scope: str) -> list[str]:
        parts = list(self.implied.get(scope, ()))
        for pattern, implied in self.patterns:
            if (match := pattern.fullmatch(scope)) is not None:
                text = match[1] if match.re.groups else ""
                parts += [self.key(name.replace("*", text)) for name in implied]
        return parts
