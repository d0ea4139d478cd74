"""What is typed for an entry: values that its patterns take, each different from all others."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from re import _constants as codes  # type: ignore[attr-defined]  # the parser of the standard library has no types
from re import _parser as parser  # type: ignore[attr-defined]  # no stubs: it is private
from typing import Any

from providers.catalog.fields import Param, SecretField

_GUESSES = (
    "acme{n}",
    "acme{n}.example.com",
    "https://acme{n}.example.com",
    "0a1b2c3d4e5f60718293{n:012x}",
    "10{n}",
    "0a1b2c3d-4e5f-6071-8293-{n:012x}",
    "person{n}@acme.example",
)


def values_for(items: Iterable[Param | SecretField]) -> dict[str, str]:
    """Return a value for each of ``items``, by name. Raises ``LookupError`` naming one whose pattern is too odd."""
    found: dict[str, str] = {}
    for number, item in enumerate(items, start=1):
        if isinstance(item, Param) and item.choices:
            found[item.name] = next(iter(item.choices))
            continue
        told = [item.example, *([item.default] if isinstance(item, Param) else [])]
        guesses = (guess.format(n=number) for guess in _GUESSES)
        made = (_made(item.pattern, number),)
        fitting = (
            value
            for value in itertools.chain(filter(None, told), guesses, made)
            if re.fullmatch(item.pattern, value) and value not in found.values()
        )
        value = next(fitting, None)
        if value is None:
            raise LookupError(f"no value is known for {item.name}: {item.pattern}")
        found[item.name] = value
    return found


def as_placeholders(wanted: Sequence[str], typed: Mapping[str, str], secret: frozenset[str]) -> dict[str, str]:
    """Return what was typed by the placeholders of a fixture that certainly mean it.

    These are the ones of the same name, and then those that name a secret, for the fields that are ``secret``. Whatever
    is left stands for any other value that was typed.
    """
    found: dict[str, str] = {}
    left = dict(typed)
    plain = {_plain(name): name for name in typed}
    for name in wanted:
        if (twin := plain.get(_plain(name))) in left:
            found[name] = left.pop(str(twin))
    for name in wanted:
        if name in found or not _is_secret(name):
            continue
        same = [item for item in left if item in secret]
        alike = [item for item in same if _plain(item).endswith(_plain(name)) or _plain(name).endswith(_plain(item))]
        if same:
            found[name] = left.pop((alike or same)[0])
    return found


def named_alike(name: str, values: Mapping[str, str]) -> str:
    """Return the value whose name is written like ``name`` but for its separators, "" if there is none."""
    return next((value for other, value in values.items() if _plain(other) == _plain(name)), "")


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("key", "token", "secret", "password", "pat")) and "id" not in (
        name.lower().split("_")
    )


def _made(pattern: str, number: int) -> str:
    """Return a text that a simple pattern takes."""
    try:
        return _text(parser.parse(pattern), number)
    except (KeyError, IndexError, TypeError, ValueError):
        return ""


def _text(parsed: Any, number: int) -> str:
    text = ""
    for code, value in parsed:
        if code is codes.LITERAL:
            text += chr(value)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, inner = value
            times = min(most, max(least, 1 if least else 0))
            text += "".join(_text(inner, number + position) for position in range(times))
        elif code is codes.IN:
            text += _one_of(value, number)
        elif code is codes.SUBPATTERN:
            text += _text(value[3], number)
        elif code is codes.BRANCH:
            text += _text(value[1][0], number)
        elif code is codes.ANY:
            text += "x"
    return text


def _one_of(allowed: Any, number: int) -> str:
    if allowed[0][0] is codes.NEGATE or allowed[0][0] is codes.CATEGORY:
        return str(number % 10)
    kinds = [(chr(low), chr(high)) for code, pair in allowed if code is codes.RANGE for low, high in [pair]]
    if not kinds:
        return chr(allowed[0][1])
    low, high = kinds[-1]
    return chr(ord(low) + number % (ord(high) - ord(low) + 1))
