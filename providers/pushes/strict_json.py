"""JSON that has one meaning (RFC 8259): no name twice, nothing that is no JSON, and no deeper than anybody needs.

Two readers of a body with a name twice may see two accounts. Whoever signed it meant one of them.
"""

import json
from typing import Any, Never

from providers.pushes.arrival import PushRefused

DEEPEST = 64


def parse(body: bytes) -> Any:
    """Return what ``body`` says. Raises ``PushRefused``."""
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise PushRefused("malformed") from None
    if _is_too_deep(document):
        raise PushRefused("malformed")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name is there twice.")
    return found


def _no_number(_: str) -> Never:
    raise ValueError("This is no JSON.")


def _is_too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(DEEPEST):
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        if not level:
            return False
    return True
