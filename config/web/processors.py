"""Keeps each web process on one processor, where ``LATCHKEY_PIN_WEB`` says so.

A web process uses one processor at a time, because its threads share Python's lock. Where the kernel moves it from one
to another, each call begins with cold caches.
"""

import os
from collections import Counter
from pathlib import Path


def keep_to_one() -> int | None:
    """Keep all threads of this process, and those to come, on one processor. Return its number.

    It is the one to which the fewest processes of the same parent are kept. Returns None, and changes nothing, where
    there is only one, or the system has no such thing (it is Linux's).
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return None
    others = _children(os.getppid())
    kept = Counter(processor for pid in others if (processor := _kept_to(pid)) is not None)
    # Those that start at the same time see each other on all processors: each prefers another one.
    own_turn = sorted(others).index(os.getpid()) if os.getpid() in others else 0
    _, _, chosen = min((kept[allowed[at]], (at - own_turn) % len(allowed), allowed[at]) for at in range(len(allowed)))
    for thread in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(thread.name), {chosen})
        except ProcessLookupError:
            continue  # a thread that has just ended
    return chosen


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _kept_to(pid: int) -> int | None:
    try:
        processors = os.sched_getaffinity(pid)
    except OSError:
        return None  # it has ended, or may not be asked
    return processors.pop() if len(processors) == 1 else None
