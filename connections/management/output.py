"""What the commands print: a table or a sheet for people, JSON for programs. Both say the same."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

NOTHING = "-"
_WIDEST = 48


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of a subcommand: ``data`` with ``--json``, else ``text``. Without success the exit code is 1.

    One that has written all that it says itself is not shown.
    """

    data: Any
    text: str
    is_success: bool = True
    is_shown: bool = True


def as_json(data: Any) -> str:
    """Return ``data`` as indented JSON; times in ISO 8601, UUIDs as text."""
    return json.dumps(data, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, nothing: str) -> str:
    """Return a table with its columns aligned, or the sentence ``nothing`` if there are no rows.

    What is too long is cut, but in the last column: nothing stands behind it.
    """
    cells = [[*map(_cell, row[:-1]), plain(row[-1])] for row in rows]
    if not cells:
        return nothing
    widths = [max(len(line[column]) for line in [list(headings), *cells]) for column in range(len(headings))]
    lines = ([heading.upper() for heading in headings], *cells)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def sheet(facts: Iterable[tuple[str, object]]) -> str:
    """Return one "name  value" line for each fact, aligned; a list gets a line for each item."""
    shown = [(name, _lines(value)) for name, value in facts]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(
        f"{name if position == 0 else '':<{width}}  {line}".rstrip()
        for name, lines in shown
        for position, line in enumerate(lines)
    )


def plain(value: object) -> str:
    """Return ``value`` as people read it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or NOTHING
    if isinstance(value, dict):
        return ", ".join(f"{name}={plain(item)}" for name, item in value.items()) or NOTHING
    return str(value)


def _lines(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [plain(item) for item in value] or [NOTHING]
    return [plain(value)]


def _cell(value: object) -> str:
    text = plain(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
