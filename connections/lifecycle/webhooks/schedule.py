"""When a delivery is tried again, and when it is given up. Pure functions: no I/O, no clock, no dice."""

from datetime import datetime, timedelta

GIVE_UP_AFTER = timedelta(days=3)
_FIRST_SECONDS = 5.0
_TIMES = 3.0
_LONGEST_SECONDS = 6 * 3600.0
# So many failures one after the other, of whichever lanes, are the endpoint's and not of what was sent.
FAILS_AS_A_WHOLE = 5
# These say of themselves that the whole endpoint cannot answer now (RFC 9110 §15.6, RFC 6585 §4).
_OF_THE_WHOLE = frozenset({429, 502, 503, 504})


def wait_seconds(failures: int, *, spread: float, retry_after_seconds: float | None = None) -> float:
    """Return the seconds to wait after the ``failures``-th failure in a row: 5 s, 15 s, 45 s… up to 6 hours.

    ``spread`` in [0, 1) takes up to half of it away. Never less than ``Retry-After``.
    """
    longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * _TIMES ** min(failures - 1, 12))
    return max(longest * (1 - spread / 2), retry_after_seconds or 0.0)


def fails_as_a_whole(status: int | None, *, failures: int) -> bool:
    """Whether an endpoint fails, and not only what was sent: no answer came, it says so, or nothing is taken.

    ``status`` is that of the failed attempt, ``failures`` how many there were since the last success.
    """
    return status is None or status in _OF_THE_WHOLE or failures >= FAILS_AS_A_WHOLE


def is_over(failing_since: datetime | None, *, now: datetime) -> bool:
    """Whether what has failed since then is given up."""
    return failing_since is not None and now - failing_since >= GIVE_UP_AFTER
