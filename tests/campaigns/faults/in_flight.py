"""Exactly one refresh in flight for a connection: many processes after the same hot connections, and pauses.

Real: eight processes forked from the zygote, ``refresh``, PostgreSQL, the provider, SIGSTOP and SIGCONT at random
instants. Most pauses are short; the others last longer than the 5 s within which a claim must be sent, and meanwhile
the lease of what the stopped process had claimed is moved into the past, so that another takes the connection over.
The provider has a grace period, so that what goes wrong is counted rather than ending the connection. A process that is
stopped for longer than 5 s in the middle of a transaction makes others give up on the row: these are counted as well.
"""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground, Member
from tests.campaigns.faults.lean import Lean, stopped
from tests.campaigns.faults.oracle import Attempt, Found, examine

PROCESSES = 8
# So few that one which a stopped process had claimed is soon refreshed by another.
_CONNECTIONS = 24
_ENOUGH_TO_OVERTAKE = 50
_GRACE_SECONDS = 600
_PAST_THE_LEASE = 0.15
_KINDS = 2
_LONG_SECONDS = (5.3, 6.5)
_SHORT_SECONDS = (0.01, 0.4)
_MOST_STOPPED = 3
_GAVE_UP = "raised LockTimeout"


@dataclass(slots=True)
class _Pauses:
    """Who is stopped, and until when; the lease of the second kind is moved once 5 s have passed."""

    until: dict[int, float] = field(default_factory=dict)
    lease_at: dict[int, float] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)


def in_flight(ground: Ground) -> Figure:
    """Count the requests that were in flight beside another of the same connection."""
    wanted = ground.count(100_000, least=100)
    app = ground.make_app(grace_seconds=_GRACE_SECONDS, access_lifetime=3600)
    members = ground.make_members(app, _CONNECTIONS)
    ground.control.settings(delay_seconds={"token": 0.01})
    after = ground.control.last_id()
    ids = [str(member.id) for member in members]
    children = [ground.zygote.fork("contend", ids=ids, seed=number) for number in range(PROCESSES)]
    pauses = _pause_until_done(ground, children, wanted)
    outcomes: Counter[str] = Counter()
    for told in stopped(children):
        outcomes.update(told)
    ground.control.settings(delay_seconds=0)
    entries = ground.wait_for_provider(after=after)
    found = examine(entries, _attempts(ground, members), grants={one.grant: str(one.id) for one in members})
    lost = [str(one.id) for one in members if ground.recover([one.id])[one.id] != "refreshed"]
    raised = {name: count for name, count in outcomes.items() if name.startswith("raised") and name != _GAVE_UP}
    return Figure(
        row="in_flight",
        measure="refreshes in flight twice for one connection",
        measured=_told(found, count=len(entries), pauses=pauses, lost=lost, raised=raised),
        target="0 in ≥ 100,000 across ≥ 8 processes, pauses injected",
        is_kept=not found.twice
        and not lost
        and not raised
        and len(entries) >= wanted
        and (found.retries > 0 or pauses["past the lease"] < _ENOUGH_TO_OVERTAKE),
        facts={
            "requests": len(entries),
            "twice": len(found.twice),
            "examples": found.twice[:10],
            "stopped_between_check_and_first_byte": found.stopped_before_the_send,
            "retries_after_a_doubt": found.retries,
            "processes": PROCESSES,
            "connections": len(members),
            "pauses": dict(pauses),
            "outcomes": dict(outcomes),
            "lost": lost,
        },
    )


def _told(found: Found, *, count: int, pauses: Counter[str], lost: list[str], raised: dict[str, int]) -> str:
    told = (
        f"{len(found.twice)} in {count:,} across {PROCESSES} processes, {pauses.total()} pauses"
        f" ({pauses['past the lease']} past the lease, {found.retries} of them overtaken after the send; counted apart:"
        f" {len(found.stopped_before_the_send)} stopped between check and first byte)"
    )
    return told + (f"; {len(lost)} LOST" if lost else "") + (f"; {raised}" if raised else "")


def _pause_until_done(ground: Ground, children: list[Lean], wanted: int) -> Counter[str]:
    """Stop and continue random processes until enough refreshes are done; return how many pauses there were.

    However few are enough, there are pauses of both kinds.
    """
    for child in children:
        child.wait_for_turns(1)
    pauses = _Pauses()
    deadline = time.monotonic() + 300 + wanted / 10
    while sum(child.marks.done for child in children) < wanted or len(pauses.tally) < _KINDS:
        assert time.monotonic() < deadline, "the refreshes do not get done (see logs/lean.log)"
        _step(ground, children, pauses)
        time.sleep(random.uniform(0, 0.2))
    for number in list(pauses.until):
        _continue(ground, children, pauses, number)
    return pauses.tally


def _step(ground: Ground, children: list[Lean], pauses: _Pauses) -> None:
    now = time.monotonic()
    for number in [one for one, at in pauses.lease_at.items() if at <= now]:
        del pauses.lease_at[number]
        _move_lease(ground, children[number])
    for number in [one for one, at in pauses.until.items() if at <= now]:
        _continue(ground, children, pauses, number)
    awake = [number for number in range(len(children)) if number not in pauses.until]
    if len(pauses.until) >= _MOST_STOPPED or random.random() < 0.5:
        return
    number = random.choice(awake)
    children[number].send(signal.SIGSTOP)
    if random.random() < _PAST_THE_LEASE:
        pauses.tally["past the lease"] += 1
        pauses.until[number] = now + random.uniform(*_LONG_SECONDS)
        pauses.lease_at[number] = now + 5.1
    else:
        pauses.tally["short"] += 1
        pauses.until[number] = now + random.uniform(*_SHORT_SECONDS)


def _continue(ground: Ground, children: list[Lean], pauses: _Pauses, number: int) -> None:
    del pauses.until[number]
    pauses.lease_at.pop(number, None)
    children[number].send(signal.SIGCONT)


def _move_lease(ground: Ground, child: Lean) -> None:
    """Let the lease of what a stopped process has claimed run out, unless it has the row locked: nobody else can then.

    Waiting for that lock would be for ever: who holds it goes on only when this process tells it to.
    """
    ground.rows(
        "UPDATE connections_refreshattempt SET deadline_at = clock_timestamp() - interval '1 second' WHERE id IN"
        " (SELECT id FROM connections_refreshattempt WHERE state = 'sent' AND claimed_by ~ %s"
        " FOR NO KEY UPDATE SKIP LOCKED)",
        rf"(^|\D){child.pid}(\D|$)",
    )


def _attempts(ground: Ground, members: list[Member]) -> list[Attempt]:
    """Return the attempts of which something may have been sent."""
    found: list[Any] = ground.rows(
        "SELECT connection_id::text, parent_version_id::text, extract(epoch FROM claimed_at)::float8, state"
        " FROM connections_refreshattempt WHERE connection_id = ANY(%s)"
        " AND evidence ->> 'sent' IS DISTINCT FROM 'false'",
        [member.id for member in members],
    )
    return [Attempt(*row) for row in found]
