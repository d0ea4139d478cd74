"""What is suspicious: pure functions of what is usual of a client, and what it does. No I/O, no clock.

Each rule is made to be silent about growth: a client that serves a few percent more each day, or one more tenant, never
does three times what it did on its busiest day. Where that day is long past, it may have grown on each day since: else
a monthly report would be told of whenever its tenant has grown much in the month.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from connections.models import Step, WatchRule

LEARNS_FOR = timedelta(days=7)  # until then nobody knows what is usual
FAR_MORE = 3
GROWS_A_DAY = 1.05
AND_MORE = 1.5  # than it has grown
SLEEPS_DAYS = 45  # more than a month, for what is done once a month
AWAKE_FOR = timedelta(days=1)
ROAMS_FROM = 8  # a client with so many networks is one of a cloud that gives it any address of a larger network
_LARGER = {4: 16, 6: 32}
# Below these the rules never fire, unless an operator says otherwise.
LEAST: Mapping[WatchRule, int] = {
    WatchRule.NEW_NETWORK: 1,
    WatchRule.WIDE_USE: 50,
    WatchRule.MANY_DENIALS: 20,
    WatchRule.AWAKENED: 25,
    WatchRule.CANARY_USED: 1,
}


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of a client, and what it has done today, the latest use included.

    ``first_at`` is when it was seen first. ``networks`` are those that it is known to use, ``allowed_networks`` those
    to which it is bound. The numbers are of different connections, and of different ids that it was denied;
    ``forgiven`` are those of today that an operator has settled. ``days_since_highest``: how long
    ago it last did about as much as ``highest``.
    """

    first_at: datetime
    networks: Collection[str] = ()
    allowed_networks: Collection[str] = ()
    today: int = 0
    highest: int = 0
    forgiven: int = 0
    denied_today: int = 0
    highest_denied: int = 0
    forgiven_denied: int = 0
    days_since_highest: int = 0
    woke_at: datetime | None = None
    slept_days: int = 0


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a rule says: the facts are for the evidence, JSON-ready."""

    rule: WatchRule
    facts: dict[str, Any] = field(default_factory=dict)


def is_known(network: str, usual: Usual, *, at: datetime) -> bool:
    """Whether the use of ``network`` is usual of the client, or still to be learned."""
    if at < usual.first_at + LEARNS_FOR or network in usual.networks:
        return True
    one = ip_network(network)
    if any(one.overlaps(ip_network(other, strict=False)) for other in usual.allowed_networks):
        return True
    if len(usual.networks) < ROAMS_FROM:
        return False
    larger = one.supernet(new_prefix=_LARGER[one.version])
    return any(larger.overlaps(ip_network(other)) for other in usual.networks)


def is_wide(usual: Usual, *, at: datetime, least: int) -> bool:
    """Whether the client touches far more connections today than on any day before."""
    return at >= usual.first_at + LEARNS_FOR and usual.today - usual.forgiven > max(least, most_expected(usual, at=at))


def most_expected(usual: Usual, *, at: datetime) -> float:
    """Return how many connections the client may touch today, by its busiest day and what may have grown since.

    Days count up to where ``is_awakened`` judges a client that was unused. Of one that has slept only those count
    since it woke: whoever finds an old key earns nothing by the days on which nobody used it.
    """
    days = min(usual.days_since_highest, SLEEPS_DAYS)
    if usual.woke_at is not None:
        days = min(days, (at - usual.woke_at).days)
    grown = GROWS_A_DAY**days
    return usual.highest * max(FAR_MORE, AND_MORE * grown)


def is_denied_much(usual: Usual, *, least: int) -> bool:
    """Whether the client is denied far more different ids today than on any day before."""
    return usual.denied_today - usual.forgiven_denied >= max(least, FAR_MORE * usual.highest_denied)


def is_awakened(usual: Usual, *, at: datetime, least: int) -> bool:
    """Whether the client has been unused for long, and now touches many connections."""
    return usual.woke_at is not None and at < usual.woke_at + AWAKE_FOR and usual.today - usual.forgiven >= least


def has_slept(*, last_at: datetime, at: datetime, usual_sleep_days: int) -> bool:
    """Whether the client was unused for longer than it ever is as far as anybody expects."""
    return at - last_at >= timedelta(days=max(SLEEPS_DAYS, usual_sleep_days + SLEEPS_DAYS // 3))


def due_step(after: Mapping[Step, int | None], *, lasted: timedelta) -> Step:
    """Return the strongest step that is due for what has ``lasted`` so long; ``after`` has minutes, None for never."""
    due = [step for step, minutes in after.items() if minutes is not None and lasted >= timedelta(minutes=minutes)]
    return max(due, default=Step.ALERT)
