"""Charts as SVG: geometry in attributes and colours by class, as the policy allows no style that is written inline.

Each template that draws one has its numbers as a table, too, for whoever cannot see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 120
_GAP = 0.22  # of a column's width


@dataclass(frozen=True, slots=True)
class Part:
    """One coloured part of a column, in the units of the picture."""

    tone: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that is counted: its name, its colour, and its number in each column."""

    name: str
    tone: str
    numbers: Sequence[int]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.numbers)


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of stacked columns over time. ``labels`` names each column; ``url`` leads to the rows behind it."""

    slug: str
    title: str
    url: str
    unit: str
    labels: Sequence[str]
    series: Sequence[Series]

    width = WIDTH
    height = HEIGHT

    @property
    def top(self) -> int:
        """The greatest column, at least 1."""
        return max([1, *map(sum, zip(*(one.numbers for one in self.series), strict=True))])

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not any(one.total for one in self.series)

    @property
    def parts(self) -> list[Part]:
        """Every part of every column, each series on top of the one before."""
        step = WIDTH / max(1, len(self.labels))
        drawn = []
        for place in range(len(self.labels)):
            floor = float(HEIGHT)
            for one in self.series:
                if not one.numbers[place]:
                    continue
                height = max(1.5, HEIGHT * one.numbers[place] / self.top)
                floor -= height
                box = (place * step, floor, step * (1 - _GAP), height)
                drawn.append(Part(one.tone, *(round(side, 2) for side in box)))
        return drawn

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """The same as a table, without the columns in which nothing was counted."""
        numbers = zip(*(one.numbers for one in self.series), strict=True)
        return [(label, list(row)) for label, row in zip(self.labels, numbers, strict=True) if any(row)]

    @property
    def description(self) -> str:
        """What the picture shows, in a sentence."""
        told = ", ".join(f"{one.name.lower()}: {one.total:,}" for one in self.series)
        return f"{told}; at most {self.top:,} {self.unit}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart that lies: a name with a bar. ``shares`` are the widths of its parts, of 100, by colour."""

    label: str
    url: str
    count: int
    shares: Sequence[tuple[str, float, float]]
    note: str = ""


def line(label: str, url: str, parts: Sequence[tuple[str, int]], *, of: int, note: str = "") -> Line:
    """Return a line whose ``parts`` (colour and number) are drawn against the longest, which has ``of``."""
    shares, begin = [], 0.0
    for tone, number in parts:
        width = round(100 * number / max(1, of), 2)
        if width:
            shares.append((tone, round(begin, 2), max(width, 0.6)))
        begin += width
    return Line(label, url, sum(number for _, number in parts), shares, note)
