"""Findings: what an examination says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. Only ``FAULT`` makes the examination fail."""

    FINE = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about an ``area``, and one on ``what_to_do`` where there is something to do."""

    level: Level
    area: str
    says: str
    what_to_do: str = ""


Look = Callable[[], Iterator[Finding]]


def fine(area: str, says: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Level.FINE, area, says)


def warning(area: str, says: str, what_to_do: str) -> Finding:
    """Return a finding that will hurt one day."""
    return Finding(Level.WARNING, area, says, what_to_do)


def fault(area: str, says: str, what_to_do: str) -> Finding:
    """Return a finding that hurts now."""
    return Finding(Level.FAULT, area, says, what_to_do)
