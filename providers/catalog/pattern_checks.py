"""Patterns of what people type: that each is a regular expression which says no as fast as it says yes.

Python tries every way in which an expression could fit, and cannot be interrupted: ``(a+)+b`` takes longer than a
process lives to refuse forty letters. So what repeats must be told apart: where a group without a fixed count holds
something else without one, a character has to stand between two rounds that the inner one does not take, and the
alternatives of such a group begin differently. This refuses rather too much than too little.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHARACTERS = "".join(map(chr, range(0x180))) + "\u4e2d\U0001f600"
_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d*)(,?)(\d*)\})[?+]?")
_ATOM = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|.", re.DOTALL)
_OPENS = re.compile(r"\((?:\?(?:P<\w+>|:|=|!|<=|<!|>|[aiLmsux-]+:))?")
_FEW = 10  # rounds more or less: what that costs is bounded


@dataclass(slots=True)
class _Part:
    """One part of an expression: a single character, or a group of alternatives.

    ``repeats``: it may have many rounds. ``varies``: some matches have many more rounds than others.
    """

    text: str = ""
    alternatives: list[list["_Part"]] = field(default_factory=list)
    repeats: bool = False
    varies: bool = False
    is_optional: bool = False

    def takes(self) -> frozenset[str]:
        """Return the characters that it may begin with, or consist of if it is one."""
        if not self.alternatives:
            return frozenset(re.findall(self.text, _CHARACTERS, re.DOTALL))
        return frozenset().union(*map(_begins, self.alternatives))

    def inner(self) -> Iterator["_Part"]:
        """Yield all that is within it."""
        for part in (part for several in self.alternatives for part in several):
            yield part
            yield from part.inner()


def pattern_problem(pattern: str) -> str:
    """Return what is wrong with ``pattern``, "" if nothing is. No I/O."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"is no regular expression: {error}"
    if any(part.repeats and _is_ambiguous(part) for part in _parsed(pattern).inner()):
        return "could take for ever to refuse a text; let nothing that repeats repeat as a whole, as in (a+)+"
    return ""


def _is_ambiguous(group: _Part) -> bool:
    begins = [_begins(parts) for parts in group.alternatives]
    if any(one & other for place, one in enumerate(begins) for other in begins[place + 1 :]):
        return True
    return any(not _is_told_apart(parts) for parts in group.alternatives)


def _is_told_apart(parts: list[_Part]) -> bool:
    """Whether rounds of ``parts`` cannot be cut in two ways: a character stands there that nothing in them repeats."""
    inner = [part for outer in parts for part in (outer, *outer.inner())]
    repeated = frozenset().union(*(part.takes() for part in inner if part.varies or part.is_optional))
    if not repeated:
        return True
    fixed = (part for part in parts if not (part.alternatives or part.varies or part.is_optional))
    return any(not part.takes() & repeated for part in fixed if part.takes())


def _begins(parts: list[_Part]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for part in parts:
        found |= part.takes()
        if not part.is_optional and part.text not in ("^", "$", r"\b", r"\B", r"\A", r"\Z"):
            break
    return found


def _parsed(pattern: str) -> _Part:
    """Return the whole of ``pattern``, which is a regular expression, as one group."""
    whole = _Part(alternatives=[[]])
    open_groups = [whole]
    at = 0
    while at < len(pattern):
        group = open_groups[-1]
        quantifier = _QUANTIFIER.match(pattern, at)
        if quantifier and group.alternatives[-1] and any(quantifier.group(1, 2, 4)):
            _repeat(group.alternatives[-1][-1], quantifier)
            at = quantifier.end()
            continue
        if opens := _OPENS.match(pattern, at):
            group.alternatives[-1].append(_Part(alternatives=[[]]))
            open_groups.append(group.alternatives[-1][-1])
            at = opens.end()
        elif pattern[at] == ")":
            open_groups.pop()
            at += 1
        elif pattern[at] == "|":
            group.alternatives.append([])
            at += 1
        else:
            atom = _ATOM.match(pattern, at)
            text = atom[0] if atom is not None else pattern[at]
            group.alternatives[-1].append(_Part(text))
            at += len(text)
    return whole


def _repeat(part: _Part, quantifier: re.Match[str]) -> None:
    sign, least, comma, most = quantifier.groups()
    part.is_optional = sign in ("*", "?") or (not sign and int(least or 0) == 0)
    has_no_end = sign in ("*", "+") or (bool(comma) and not most)
    rounds = int(most or least or 0)
    part.repeats = has_no_end or rounds > _FEW
    part.varies = has_no_end or (bool(comma) and rounds - int(least or 0) > _FEW)
