"""Decide what a refusal, a probe's verdict or a failure means. Pure functions of the facts: no I/O, no clock, no dice.

Times are aware datetimes of the database's clock; randomness comes in as ``spread`` in [0, 1).
"""

from datetime import datetime, timedelta
from typing import Literal

from providers.vocabulary import ProbeVerdict

STRIKE_INTERVAL = timedelta(seconds=30)
FAILING_AFTER = 3
GIVE_UP_AFTER = 6
GIVE_UP_NOT_BEFORE = timedelta(minutes=10)
PROBE_RETRY = timedelta(seconds=60)
BACKOFF_BASE_SECONDS = 2.0
BACKOFF_CAP_SECONDS = 600.0

ProbeDecision = Literal["proved", "refresh", "strike", "nothing"]


def backoff_seconds(
    failures: int, *, spread: float, retry_after_seconds: float | None, grace_seconds: int = 0
) -> float:
    """Return the seconds to wait after the ``failures``-th failure in a row: full jitter, at least ``Retry-After``.

    ``grace_seconds`` caps the wait (0: no cap). It is set where the refresh token may have been rotated away and still
    works for that long only.
    """
    ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(failures, 12))
    wait = max(1.0, ceiling * spread)
    if grace_seconds:
        wait = min(wait, grace_seconds / 3)
    return max(wait, retry_after_seconds or 0.0)


def decide_probe(verdict: ProbeVerdict, *, is_refreshable: bool) -> ProbeDecision:
    """Decide what to do after a probe's verdict. A dead answer never ends a refreshable grant: a refresh decides.

    A refusal of permission (403), a time-out or a server's error is no evidence of a revocation.
    """
    if verdict is ProbeVerdict.ALIVE:
        return "proved"
    if verdict is ProbeVerdict.DEAD:
        return "refresh" if is_refreshable else "strike"
    return "nothing"


def next_probe_at(
    verdict: ProbeVerdict, *, usual: timedelta, retry_after_seconds: float | None, now: datetime
) -> datetime:
    """Return when to probe again: after the usual interval, or sooner where the provider could not answer."""
    if verdict is not ProbeVerdict.UNAVAILABLE:
        return now + usual
    return now + max(min(usual, PROBE_RETRY), timedelta(seconds=retry_after_seconds or 0))


def decide_refusal(
    *, refused_at: datetime | None, is_first: bool, is_decisive: bool, is_frozen: bool, now: datetime
) -> Literal["end", "suspect", "wait"]:
    """Decide what a refusal means: the end of the grant, a suspicion, or nothing while many connections fail at once.

    Two refusals at least 30 s apart end the grant. A refusal that follows a doubt counts as the second at once
    (``is_decisive``). ``is_frozen``: many connections of the provider app fail at once.
    """
    if is_frozen:
        return "wait"
    if is_decisive:
        return "end"
    if not is_first and refused_at is not None and now - refused_at >= STRIKE_INTERVAL:
        return "end"
    return "suspect"


def decide_failing(
    *, failures: int, is_expired: bool, refusals: int, refused_for: timedelta, names_a_code: bool, is_common: bool
) -> Literal["wait", "tell", "suspect", "end"]:
    """Decide what one more failed refresh means that blamed neither the grant nor our registration.

    "wait" while a token is valid, or after fewer than three failures. After that "tell" at least: an event reports it.
    "suspect" where the provider refuses and is not merely away: ``refusals`` counts the refusals of the current refresh
    token, the first of them ``refused_for`` ago. "end" after six refusals over ten minutes, if they came with an error
    code (``names_a_code``) and do not strike all connections of the provider app alike (``is_common``).
    """
    if failures < FAILING_AFTER or not is_expired:
        return "wait"
    if refusals < FAILING_AFTER:
        return "tell"
    is_over = refusals >= GIVE_UP_AFTER and refused_for >= GIVE_UP_NOT_BEFORE
    return "end" if is_over and names_a_code and not is_common else "suspect"
