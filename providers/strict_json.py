"""JSON that has one meaning (RFC 8259): no name twice, nothing that is no JSON, and no deeper than anybody needs.

Two readers of a body with a name twice may see two accounts. Whoever sent it meant one of them.
"""

import json
import math
from typing import Any, Never


class TooDeep(ValueError):
    """It is JSON, with more levels than are read."""


def parse(body: bytes, *, deepest: int) -> Any:
    """Return what ``body`` says, in UTF-8. Raises ``TooDeep``, or ``ValueError`` for what has no one meaning."""
    try:
        document = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_float=_float, parse_constant=_no_number
        )
    except RecursionError:
        raise ValueError("It has more levels than can be read.") from None
    if _is_deeper(document, deepest):
        raise TooDeep("It has too many levels.")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name is there twice.")
    return found


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # a number for JSON, but none that we could write down again
        raise ValueError("This number is too large.")
    return number


def _no_number(_: str) -> Never:
    raise ValueError("This is no JSON.")


def _is_deeper(document: Any, deepest: int) -> bool:
    level = [document]
    for _ in range(deepest):
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        if not level:
            return False
    return True
