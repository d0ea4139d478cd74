"""How much CPU time the processes of a stack take: what a bench divides by the vends or refreshes that it counted.

Programs that share the processors disturb CPU time less than they disturb a rate.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(root: int) -> float:
    """Return the CPU time of a process, its descendants, and those of them that have ended (proc(5))."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        spent[pid] = sum(int(field) for field in fields[11:15])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(spent.get(pid, 0) for pid in family) / _TICKS_A_SECOND


class Meter:
    """The CPU time that groups of processes take from now on, by the groups' names; descendants count."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self._groups = groups
        self._before = self._taken()

    def milliseconds_each(self, count: int) -> dict[str, float]:
        """Return what each group took since the beginning, in milliseconds for one of ``count`` units of work."""
        taken = self._taken()
        return {name: round(1000 * (taken[name] - before) / count, 2) for name, before in self._before.items()}

    def _taken(self) -> dict[str, float]:
        return {name: sum(cpu_seconds(pid) for pid in pids) for name, pids in self._groups.items()}
