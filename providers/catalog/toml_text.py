"""Writing a document of plain values as TOML, for entries that are made in a form. Comments have no place in it."""

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDEST_INLINE = 100


def toml_text(document: Mapping[str, Any]) -> str:
    """Return the TOML of ``document``, which holds texts, numbers, booleans, lists and tables of them.

    ``tomllib`` reads the same document back. Short tables stand on one line, others in a section of their own.
    """
    return "\n".join(_lines(document, ())).strip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if not _has_section(value, path)]
    for key, value in table.items():
        if not _has_section(value, path):
            continue
        name = ".".join(_key(part) for part in (*path, key))
        if isinstance(value, Mapping):
            inner = _lines(value, (*path, key))
            begins_with_section = bool(inner) and not inner[0]
            lines += [*([] if begins_with_section else ["", f"[{name}]"]), *inner]
        else:
            for item in value:
                lines += ["", f"[[{name}]]", *_lines(item, (*path, key))]
    return lines


def _has_section(value: Any, path: tuple[str, ...]) -> bool:
    """Whether a value stands in a section of its own: a table at the top, and whatever is too long for a line."""
    if isinstance(value, Mapping):
        return not path or len(_inline(value)) > _WIDEST_INLINE
    is_tables = isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    return is_tables and (not path or len(_inline(value)) > _WIDEST_INLINE)


def _value(value: Any) -> str:
    """Return what stands behind a key: on one line, or a list that is too long for it with an item a line."""
    line = _inline(value)
    if not isinstance(value, list) or len(line) <= _WIDEST_INLINE:
        return line
    return "\n".join(["[", *(f"    {_inline(item)}," for item in value), "]"])


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_inline(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(_inline(item) for item in value)}]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"  # a pattern is easier to read as it is
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
