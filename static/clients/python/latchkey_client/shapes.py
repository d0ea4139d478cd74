"""From JSON to values and back: answers become the frozen dataclasses of ``api``, requests plain JSON."""

import dataclasses
import types
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from latchkey_client.errors import UnexpectedAnswer


def decoded(kind: Any, value: Any) -> Any:
    """Return the JSON ``value`` as what the type ``kind`` says. Members that are not known are left out.

    Raises ``UnexpectedAnswer`` where a member is missing that is always there.
    """
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value)
    if value is None or kind is Any or origin is Literal:
        return value
    if origin is list:
        return [decoded(get_args(kind)[0], item) for item in value]
    if origin is dict:
        return {name: decoded(get_args(kind)[1], item) for name, item in value.items()}
    if kind is datetime:
        return datetime.fromisoformat(value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _instance(kind, value)
    return value


def plain(value: Any) -> Any:
    """Return what a caller gave as JSON has it: moments and ids become text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(member) for member in value]
    return value


def as_text(value: Any) -> str:
    """Return what a caller gave as a query or a path has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(plain(value))


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    shapes: list[Any] = [kind for kind in kinds if dataclasses.is_dataclass(kind)]
    if isinstance(value, dict) and shapes:
        fitting = [kind for kind in shapes if _required(kind) <= value.keys()]
        if not fitting:
            raise UnexpectedAnswer("An answer lacks members that each of its forms has.")
        return _instance(max(fitting, key=lambda kind: len(_required(kind))), value)
    others = [kind for kind in kinds if kind is not type(None)]
    return decoded(others[0], value) if len(others) == 1 else value


def _instance(kind: Any, value: Any) -> Any:
    if not isinstance(value, dict) or not _required(kind) <= value.keys():
        raise UnexpectedAnswer(f"An answer is no {kind.__name__}: members are missing.")
    return kind(**{name: decoded(hint, value[name]) for name, hint in _hints(kind).items() if name in value})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _required(kind: Any) -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING)
