"""The types of members, as far as the document uses JSON Schema: what a language makes of them is elsewhere. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plain:
    """One of "string", "datetime", "integer", "number", "boolean", "null", "any"."""

    kind: str


@dataclass(frozen=True)
class Ref:
    """A shape, or a choice with a name."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of these values."""

    values: tuple[str | int | bool, ...]


@dataclass(frozen=True)
class ListOf:
    """A list."""

    item: "Type"


@dataclass(frozen=True)
class MapOf:
    """An object whose members nobody knows."""

    value: "Type"


@dataclass(frozen=True)
class Either:
    """One of several types."""

    options: tuple["Type", ...]


Type = Plain | Ref | Choice | ListOf | MapOf | Either
_PLAIN = {"string", "integer", "number", "boolean", "null"}


def type_of(schema: Mapping[str, Any]) -> Type:
    """Return the type that a schema describes. Raises ``ValueError`` for what no client could express."""
    if "$ref" in schema:
        return Ref(str(schema["$ref"]).rpartition("/")[2])
    if "const" in schema:
        return Choice((schema["const"],))
    if "enum" in schema:
        return Choice(tuple(schema["enum"]))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return _either(type_of(one) for one in schema[word])
    if len(schema.get("allOf", ())) == 1:
        return type_of(schema["allOf"][0])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _either(type_of({**schema, "type": one}) for one in kind)
    if kind == "array":
        return ListOf(type_of(schema.get("items", {})))
    if kind == "object":
        more = schema.get("additionalProperties", True)
        return MapOf(Plain("any") if isinstance(more, bool) else type_of(more))
    if kind == "string" and schema.get("format") == "date-time":
        return Plain("datetime")
    if kind in _PLAIN:
        return Plain(str(kind))
    if kind is None:
        return Plain("any")
    raise ValueError(f"No client can express {dict(schema)}.")


def named_in(type_: Type) -> Iterator[str]:
    """Yield the names of the shapes and choices in a type."""
    match type_:
        case Ref(name):
            yield name
        case ListOf(inner) | MapOf(inner):
            yield from named_in(inner)
        case Either(options):
            for option in options:
                yield from named_in(option)


def _either(options: Iterator[Type]) -> Type:
    flat: dict[Type, None] = {}
    for option in options:
        flat |= dict.fromkeys(option.options if isinstance(option, Either) else (option,))
    if Plain("any") in flat:
        return Plain("any")
    return next(iter(flat)) if len(flat) == 1 else Either(tuple(flat))
