"""Short deadlines on a machine that may be too busy to get as far within one as a test is about."""

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")

# What a busy machine may add to a deadline; a server that is to be left goes on for longer than this and the deadline.
BUSY_SECONDS = 15.0


def cut_short(
    call: Callable[[float], _Found], *, has_begun: Callable[[_Found], bool] = lambda _: True, seconds: float = 0.4
) -> _Found:
    """Return what ``call`` returns with a deadline of ``seconds``, or with a longer one once it has begun within it.

    Fails where a call goes on past its deadline. The longest is ten times as long.
    """
    for deadline in (seconds, 3 * seconds, 10 * seconds):
        began = time.monotonic()
        found = call(deadline)
        took = time.monotonic() - began
        assert took < deadline + BUSY_SECONDS, f"it took {took:.1f} s, with a deadline of {deadline:g} s"
        if has_begun(found):
            break
    return found
