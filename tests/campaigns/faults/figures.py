"""What a row of the campaign found, and the table of it all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``facts`` are the numbers behind ``measured``, JSON-ready."""

    row: str
    measure: str
    measured: str
    target: str
    is_kept: bool
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """``kept`` or ``MISSED``."""
        return "kept" if self.is_kept else "MISSED"

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as a JSON-ready mapping."""
        return {
            "row": self.row,
            "ok": self.is_kept,
            "measure": self.measure,
            "measured": self.measured,
            "target": self.target,
            "seconds": round(self.seconds, 1),
            "facts": self.facts,
        }


def as_table(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| measure | measured | target | verdict |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.measure} | {one.measured} | {one.target} | {one.verdict} |" for one in figures]
    return "\n".join(lines)


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` do not exceed (nearest rank); 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
