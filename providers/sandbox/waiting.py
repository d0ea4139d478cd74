"""Waiting for what other processes do, with a deadline: for drills, tests and campaigns.

Owns the one loop that looks again and again until something is there. A tool, like the rest of this package.
"""

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class NotInTime(AssertionError):
    """What was waited for did not come; the text says what it was."""


def until(look: Callable[[], _T], what: str | Callable[[], str], *, seconds: float = 60.0, pause: float = 0.05) -> _T:
    """Return the first true thing that ``look`` returns, looking again every ``pause`` seconds.

    ``what`` says what is waited for, as in "the request at the provider"; as a function it is called after the last
    look, and can say what was there instead. Raises ``NotInTime`` after ``seconds``, but never without a look after the
    deadline. What ``look`` raises is raised at once.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() > give_up_at
        if found := look():
            return found
        if is_last:
            raise NotInTime(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(pause)
