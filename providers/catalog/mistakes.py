"""Mistakes in an entry's file, in words: which key, what is wrong with it, and what would be right.

Owns the words for what no entry can be made of: text that is no TOML, keys that there are not, values of another type.
What must agree within an entry is ``providers.catalog.checks``.
"""

import datetime
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from providers.catalog.descriptions import Description
from providers.catalog.fields import Shape
from providers.catalog.method_descriptions import DESCRIPTIONS
from providers.catalog.schema import CatalogEntry, sections

Location = tuple[int | str, ...]

_NEAR = 0.6
_MOST_NAMES = 14
_LONGEST_SHOWN = 60
_DEEPEST = 32
_MOST_TOLD = 100  # each takes a look at all keys that there are
_LONGEST_INT_BITS = 63
# Control characters but the line feed and the tab, and those that turn the direction of what follows.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Nothing else in an entry depends on these: without them the rest can be checked.
_APART = frozenset({"aliases", "category", "colour", "docs_url", "facts", "notes", "registration", "website"})
_TYPES: Sequence[tuple[type | tuple[type, ...], str]] = (
    (bool, "true or false"),
    (str, "a text"),
    ((int, float), "a number"),
    ((list, tuple), "a list"),
    (dict, "a table"),
)
_WANTED = {
    "string_type": 'write a text, in quotes: "…"',
    "int_type": "write a whole number, without quotes",
    "int_parsing": "write a whole number, without quotes",
    "int_from_float": "write a whole number",
    "float_type": "write a number, without quotes",
    "float_parsing": "write a number, without quotes",
    "bool_type": "write true or false, without quotes",
    "bool_parsing": "write true or false, without quotes",
    "tuple_type": "write a list: [ … ], or [[{key}]] above each table",
    "list_type": "write a list: [ … ], or [[{key}]] above each table",
    "dict_type": "write a table: [{key}] above its keys, or {{ … }}",
    "model_type": "write a table: [{key}] above its keys, or {{ … }}",
    "model_attributes_type": "write a table: [{key}] above its keys, or {{ … }}",
}
_FORMS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "lower-case letters and digits, with single - between them, as acme-crm",
    r"^(#[0-9a-f]{6})?$": "# and six digits of 0-9 and a-f, as #00a1e0",
    r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$": "a day, as 2026-11-29",
    r"^[a-z][a-z0-9_]{0,40}$": "lower-case letters, digits and _, as account_id",
}
_TOML_HINTS = (
    ("Cannot overwrite a value", "this key is there twice; keep one of the two"),
    ("Cannot declare", "this table is there twice; put its keys together, or write [[…]] for a list of tables"),
    ("Cannot mutate immutable namespace", "this key is part of a table that is complete already; put it there"),
    ("Illegal character '\\n'", "a text is not closed at the end of this line; close its quotes"),
    ("Unterminated string", "a text is not closed; close its quotes"),
    ("Unclosed array", "a list is not closed; write ] at its end, and commas between its items"),
    ("Unclosed inline table", "a table is not closed; write } at its end, and commas between its keys"),
    ("Invalid value", "this is no value; a text stands in quotes, and true and false are in small letters"),
    ("Expected '='", "a key needs = and a value, and a table its name in [ ]"),
    ("Invalid statement", "this is neither key = value nor [table]"),
    ("Expected newline", "something stands behind the value; write one key a line, and quotes around the whole text"),
    ("Unescaped '\\'", "in \"…\" a \\ is doubled; or write the text in '…', as it is"),
    ("Expected ']'", "the name of a table ends with ]"),
)
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def toml_mistake(error: tomllib.TOMLDecodeError, text: str) -> str:
    """Return why ``text`` is no TOML: the line, and what to do. No I/O."""
    said = str(error)
    place = _PLACE.search(said)
    plain = said if place is None else said[: place.start()].strip()
    hint = next((hint for start, hint in _TOML_HINTS if start in said), plain)
    if place is None or place[1] is None:
        return f"is not TOML: at its end: {hint}"
    lines = text.splitlines()
    number = min(int(place[1]), len(lines))
    line = lines[number - 1].strip()[:_LONGEST_SHOWN] if lines else ""
    return f"is not TOML: line {place[1]}, column {place[2]}: {hint}: {line}"


def encoding_mistake(error: UnicodeDecodeError) -> str:
    """Return why a file is no text: the line, and what to do. No I/O."""
    line = error.object[: error.start].count(b"\n") + 1
    return f"is not TOML: line {line}: holds what is not UTF-8; save the file as UTF-8"


def name_mistake(stem: str) -> str:
    """Return why no file may be called ``stem``, "" if nothing in it keeps it from being read. No I/O."""
    if "\\" not in stem and stem.isprintable():
        return ""
    return "the file's name holds what cannot be read; write lower-case letters and digits, with single - between them"


class OutOfReach(ValueError):
    """A document cannot be looked at any further; the text says why."""


def value_mistakes(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values in ``document`` that no key may have, whatever it is called. No I/O.

    These are dates and times, which have to be texts, and what cannot be seen in a text: it may hide the rest, be
    obeyed by a terminal, or be refused by the database. Raises ``OutOfReach`` for a number that is longer than those
    of TOML, and for what is nested so deeply that walking through it might fail.
    """
    left: list[tuple[Location, Any]] = [((), document)]
    while left:
        at, value = left.pop()
        if isinstance(value, dict | list):
            if len(at) >= _DEEPEST:
                raise OutOfReach("is nested too deeply")
            items = value.items() if isinstance(value, dict) else enumerate(value)
            left += reversed([((*at, name), inner) for name, inner in items])
            for name in value if isinstance(value, dict) else ():
                if _UNSEEN.search(name):
                    yield f"{_key((*at, ascii(name)))}: the key holds a character that cannot be seen; remove it"
        elif isinstance(value, datetime.date | datetime.time):
            yield f"{_key(at)}: holds a date or a time; write it as a text, in quotes"
        elif isinstance(value, int) and value.bit_length() > _LONGEST_INT_BITS:
            raise OutOfReach("holds a number that is too long to read")
        elif isinstance(value, str) and (unseen := _UNSEEN.search(value)):
            yield f"{_key(at)}: holds {unseen[0]!a}, a character that cannot be seen; remove it"


def shape_mistakes(error: ValidationError, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the keys and values of ``document``, a line each. No I/O."""
    problems = error.errors(include_url=False)[:_MOST_TOLD]
    renamed = {
        (*problem["loc"][:-1], near)
        for problem in problems
        if problem["type"] == "extra_forbidden" and (near := _nearest(problem["loc"], document))
    }
    for problem in problems:
        if problem["type"] == "missing" and problem["loc"] in renamed:
            continue  # what stands in its place is told
        if isinstance(problem["input"], datetime.date | datetime.time):
            continue  # as ``value_mistakes`` tells
        yield f"{_key(_named(problem['loc'], document)) or 'the entry'}: {_told(problem, document)}"
    if error.error_count() > _MOST_TOLD:
        yield f"has {error.error_count() - _MOST_TOLD} mistakes more; mend these first"


def without_slips(error: ValidationError, document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return ``document`` with its misspelled keys mended, so that the rest can be checked; None if that cannot be.

    Keys that there are not, and wrong ones on which nothing depends, are left out. No I/O.
    """
    if error.error_count() > _MOST_TOLD:
        return None
    mended = deepcopy(dict(document))
    for problem in error.errors(include_url=False):
        at = problem["loc"]
        if problem["type"] == "extra_forbidden":
            within = _part(mended, at[:-1])
            near = _nearest(at, document)
            if not isinstance(within, dict):
                return None
            value = within.pop(at[-1], None)
            if near and near not in within:
                within[near] = value
        elif at and at[0] in _APART:
            mended.pop(str(at[0]), None)
        elif problem["type"] != "missing":
            return None
    return mended


def _told(problem: ErrorDetails, document: Mapping[str, Any]) -> str:
    at, kind, given = problem["loc"], problem["type"], problem.get("input")
    context = problem.get("ctx", {})
    if kind == "extra_forbidden":
        return _told_of_extra(at, document)
    if kind == "missing":
        return f"is missing{_described(at)}"
    if kind in _WANTED:
        key = ".".join(str(part) for part in at if isinstance(part, str))
        return f"is {_type_of(given)}; {_WANTED[kind].format(key=key)}"
    if kind in ("literal_error", "enum"):
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        if not known:
            return f"is {_shown(given)}; write {context.get('expected')}"
        near = get_close_matches(str(given), known, 1, _NEAR)
        return f"{_shown(given)} is none of {', '.join(known)}{f'; did you mean {near[0]}?' if near else ''}"
    if kind == "string_pattern_mismatch":
        form = _FORMS.get(context["pattern"], f"what fits {context['pattern']}")
        return f"is {_shown(given)}; write {form}"
    if kind == "value_error":
        return problem["msg"].removeprefix("Value error, ")
    bounds = {"greater_than_equal": ("ge", "from {} on"), "less_than_equal": ("le", "up to {}")}
    bounds |= {"greater_than": ("gt", "above {}"), "less_than": ("lt", "below {}")}
    if kind in bounds:
        name, words = bounds[kind]
        return f"is {_shown(given)}; write a number {words.format(context[name])}"
    if kind == "string_too_long":
        return f"is too long; write at most {context['max_length']} characters"
    if kind == "too_short":
        return f"is too short; write at least {context['min_length']}"
    return f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _told_of_extra(at: Location, document: Mapping[str, Any]) -> str:
    name, known = str(at[-1]), _names_at(at[:-1])
    if near := _nearest(at, document):
        return f"there is no such key; did you mean {near}?"
    if near := _likest(at):
        return f"there is no such key, and {near} is there already; remove one of the two"
    if len(at) > 1 and name in CatalogEntry.model_fields:
        is_table = isinstance(_part(document, at), dict | list)
        where = f"write it as [{name}]" if is_table else "write it above the first [table]"
        return f"there is no such key in [{_key(_named(at[:-1], document))}], but one of the whole entry; {where}"
    homes = [section for section, shape in sections().items() if name in shape.model_fields]
    if len(at) == 1 and homes:
        own = [section for section in homes if section in document] or homes
        return f"there is no such key of the whole entry; it belongs into [{own[0]}]"
    if known and len(known) <= _MOST_NAMES:
        return f"there is no such key; the keys here are {', '.join(sorted(known))}"
    return "there is no such key; remove it, or mend its spelling"


def _nearest(at: Location, document: Mapping[str, Any]) -> str:
    """Return the key that is meant by the last of ``at``, "" if none is like it, or if that is there already."""
    within, near = _part(document, at[:-1]), _likest(at)
    return "" if isinstance(within, dict) and near in within else near


def _likest(at: Location) -> str:
    return next(iter(get_close_matches(str(at[-1]), _names_at(at[:-1]), 1, _NEAR)), "")


def _names_at(at: Location) -> list[str]:
    shapes = _shapes_at(at)
    return [name for shape in shapes for name in shape.model_fields if name != "slug" or shape is not CatalogEntry]


def _shapes_at(at: Location) -> list[type[Shape]]:
    """Return the shapes that the part of an entry at ``at`` may have."""
    annotations: list[Any] = [CatalogEntry]
    for step in at:
        found = [inner for annotation in annotations for inner in _within(annotation, step)]
        annotations = found or annotations  # a step into a union names one of its kinds
    return [shape for annotation in annotations for shape in _shapes_of(annotation)]


def _within(annotation: Any, step: int | str) -> Iterator[Any]:
    for shape in _shapes_of(annotation):
        if step in shape.model_fields:
            yield shape.model_fields[str(step)].annotation
    for kind in _containers_of(annotation):
        yield get_args(kind)[-1 if issubclass(kind.__origin__, Mapping) else 0]


def _shapes_of(annotation: Any) -> Iterator[type[Shape]]:
    if isinstance(annotation, type) and not hasattr(annotation, "__origin__") and issubclass(annotation, Shape):
        yield annotation
    elif not _is_container(annotation):
        for part in get_args(annotation):
            yield from _shapes_of(part)


def _containers_of(annotation: Any) -> Iterator[Any]:
    if _is_container(annotation):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _containers_of(part)


def _is_container(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", None)
    return isinstance(origin, type) and issubclass(origin, Mapping | tuple | list)


def _described(at: Location) -> str:
    for shape in _shapes_at(at[:-1]):
        for base in shape.__mro__:
            said: Description | None = DESCRIPTIONS.get(base, {}).get(str(at[-1])) if at else None
            if said is not None:
                example = f" As {said.examples[0]!r}." if said.examples else ""
                return f"; write it. {said.text}{example}"
    return "; write it"


def _part(document: Any, at: Location) -> Any:
    for step in at:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def _named(at: Location, document: Mapping[str, Any]) -> Location:
    """Return ``at`` with the names of items, which people know, in place of their numbers."""
    named: list[int | str] = []
    for position, step in enumerate(at):
        item = _part(document, at[: position + 1])
        name = item.get("name") if isinstance(step, int) and isinstance(item, dict) else None
        named.append(name if isinstance(name, str) and name else step)
    return tuple(named)


def _key(at: Location) -> str:
    return ".".join(str(part) for part in at if part != "[key]")


def _type_of(value: Any) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "of another type")


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
