"""Changes: what was or would be made of what a document declares, for people and for programs. No secret is in it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.serializers.json import DjangoJSONEncoder

What = Literal["make", "change", "leave"]
_SIGNS: dict[What, str] = {"make": "+", "change": "~", "leave": "="}
_LONGEST = 200


class Hidden:
    """Stands for a value that is not shown: a secret, a picture, the text of an entry."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of the document. ``columns`` maps what differs to (old, new); of a new thing it has what is set."""

    what: What
    kind: str
    name: str
    columns: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    note: str = ""


def compared(
    kind: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any], *, note: str = ""
) -> Change:
    """Return the change that leads from ``before`` (None: it was not there) to ``after``. No I/O."""
    if before is None:
        return Change("make", kind, name, {key: (None, value) for key, value in after.items() if value}, note)
    columns = {key: (before[key], value) for key, value in after.items() if before[key] != value}
    return Change("change" if columns else "leave", kind, name, columns, note)


def text_of(changes: Sequence[Change], *, is_rehearsal: bool) -> str:
    """Return the changes as a diff: what is made (+), changed (~, old → new) and left alone (=)."""
    lines = [line for change in changes for line in _lines(change)]
    counts = {what: sum(change.what == what for change in changes) for what in _SIGNS}
    made, changed, left = counts["make"], counts["change"], counts["leave"]
    told = (
        f"{made} to make, {changed} to change, {left} as declared."
        if is_rehearsal
        else (f"{made} made, {changed} changed, {left} left alone.")
    )
    return "\n".join([*lines, told + (" Nothing was changed: this is a dry run." if is_rehearsal else "")])


def data_of(changes: Iterable[Change], *, is_rehearsal: bool) -> dict[str, Any]:
    """Return the same for programs: keys ``dry_run`` and ``changes``."""
    return {
        "dry_run": is_rehearsal,
        "changes": [
            {
                "what": change.what,
                "kind": change.kind,
                "name": change.name,
                "columns": {key: _plain(change.what, *pair) for key, pair in change.columns.items()},
                "note": change.note,
            }
            for change in changes
        ],
    }


def _lines(change: Change) -> list[str]:
    head = f"{_SIGNS[change.what]} {change.kind} {change.name}"
    lines = [head]
    for key, (old, new) in change.columns.items():
        if isinstance(new, Hidden):
            lines.append(f"    {key}: {_told(change.what)}")
        elif change.what == "make":
            lines.append(f"    {key}: {_shown(new)}")
        else:
            lines.append(f"    {key}: {_shown(old)} → {_shown(new)}")
    return [*lines, f"    note: {change.note}"] if change.note else lines


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _told(what: What) -> str:
    return "set" if what == "make" else "changed"


def _plain(what: What, old: Any, new: Any) -> Any:
    return _told(what) if isinstance(new, Hidden) else {"old": old, "new": new}
