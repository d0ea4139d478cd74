"""The scopes of an entry, and when one stands for another.

Providers may answer with other names than the requested ones: longer ones, ones that include others, or none at all.
So ``ScopeRules`` decides which scopes are granted or missing, never a comparison of names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from providers.catalog.fields import Shape

_MOST_STEPS = 32


class ScopeInfo(Shape):
    """A scope in plain words, for the consent page.

    A ``default`` scope is requested unless a session names its own scopes; a ``required`` one always, because without
    it the grant could not be refreshed or probed. ``aliases`` are other spellings of the same scope; ``implies`` names
    the scopes that are part of it, in any spelling. With ``echoed = false`` the provider never names the scope in its
    answers: it counts as granted once it was requested, unless it is the ``refresh_scope``, which counts as granted
    once there is a refresh token.
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
    """How a provider spells scopes: whether case matters, and which prefixes have no meaning."""

    ignores_case: bool = False
    prefixes: tuple[str, ...] = ()
    implications: tuple[Implication, ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """When one scope stands for another at one provider. By default names are compared as they are."""

    spelling: ScopeSpelling = field(default_factory=ScopeSpelling)
    same: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unechoed: frozenset[str] = frozenset()
    patterns: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, scopes: Sequence[ScopeInfo], spelling: ScopeSpelling, *, refresh_scope: str = "") -> "ScopeRules":
        """Return the rules for the scopes of an entry."""
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
        """Return the spelling of ``scope`` that comparisons use."""
        for prefix in filter(None, self.spelling.prefixes):
            start = scope[: len(prefix)]
            if start == prefix or (self.spelling.ignores_case and start.casefold() == prefix.casefold()):
                scope = scope[len(prefix) :] or scope
                break
        if self.spelling.ignores_case:
            scope = scope.casefold()
        return self.same.get(scope, scope)

    def is_unechoed(self, scope: str) -> bool:
        """Whether the provider never names ``scope``, and no refresh token proves it."""
        return self.key(scope) in self.unechoed

    def missing(
        self, wanted: Iterable[str], *, granted: Iterable[str], asked: Iterable[str] | None = None
    ) -> tuple[str, ...]:
        """Return the ``wanted`` scopes that ``granted`` does not cover, in their order.

        ``asked`` are the scopes requested from the end user, by default the wanted ones. A scope that the provider
        never names counts as granted if it was requested.
        """
        wanted = tuple(wanted)
        covered = self._covered(granted)
        covered |= self.unechoed & {self.key(scope) for scope in (wanted if asked is None else asked)}
        return tuple(scope for scope in wanted if self.key(scope) not in covered)

    def witnesses(self, wanted: Iterable[str], *, granted: Sequence[str]) -> tuple[str, ...]:
        """Return the granted scopes that cover the ``wanted`` ones, once each: the first for each wanted scope."""
        opened = {scope: self._covered([scope]) for scope in granted}
        found = (next((scope for scope in granted if self.key(name) in opened[scope]), "") for name in wanted)
        return tuple(dict.fromkeys(filter(None, found)))

    def circle(self, scope: str) -> tuple[str, ...]:
        """Return the chain by which ``scope`` implies itself, or implies ever further scopes; () if there is none."""
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
