"""Waiting, with a deadline, until another process has done something: for drills, tests and campaigns.

Owns the one polling loop. A tool, like the rest of this package.
"""

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class NotInTime(AssertionError):
    """The awaited thing did not come in time; the text says what it was."""


def until(look: Callable[[], _T], what: str | Callable[[], str], *, seconds: float = 60.0, pause: float = 0.05) -> _T:
    """Call ``look`` every ``pause`` seconds, and return its first true result.

    ``what`` names the awaited thing, as in "the request at the provider". If it is a function, it is called after the
    last look, and can say what was there instead. Raises ``NotInTime`` after ``seconds``, but always looks once more
    after the deadline. An exception of ``look`` is raised at once.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() > give_up_at
        if found := look():
            return found
        if is_last:
            raise NotInTime(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(pause)
