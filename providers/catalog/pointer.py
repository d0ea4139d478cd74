"""JSON Pointers (RFC 6901), by which catalogue entries name a place in an answer."""

import re
from typing import Any

_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def is_pointer(text: str) -> bool:
    """Whether ``text`` is a pointer as RFC 6901 §3 spells one."""
    return _POINTER.fullmatch(text) is not None


def pointer_to(name: str) -> str:
    """Return the pointer to the member ``name`` of the whole document."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def value_at(document: Any, pointer: str) -> Any:
    """Return the value at ``pointer`` in ``document``, or None if there is none; "" is the whole document."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and _INDEX.fullmatch(name) and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def text_at(document: Any, pointer: str) -> str:
    """Return the printable text or whole number at ``pointer``, as text; "" for anything else."""
    found = value_at(document, pointer)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return "".join(mark for mark in str(found) if mark.isprintable())
