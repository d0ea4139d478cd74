"""What the provider's log proves about refreshes in flight. Pure functions of log entries and attempts."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

SEND_WITHIN_SECONDS = 5.0


class Attempt(NamedTuple):
    """One attempt of which something was sent, or may have been; times are seconds since the epoch."""

    connection: str
    parent: str
    claimed_at: float
    state: str


@dataclass(frozen=True, slots=True)
class Found:
    """``twice`` are requests that were in flight beside another of their grant or that no attempt accounts for.

    ``stopped_before_the_send`` are apart from them: a SIGSTOP fell between the check of the claim's age and the first
    byte, where no fence can hold it. ``retries`` presented a token once more, after a doubt.
    """

    twice: list[str]
    stopped_before_the_send: list[str]
    retries: int


def overlapping(entries: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Return the pairs of requests of one grant of which the later began before the earlier was answered."""
    by_grant: dict[str, list[Any]] = defaultdict(list)
    for entry in entries:
        by_grant[entry.grant_id].append(entry)
    found = []
    for own in by_grant.values():
        own.sort(key=lambda entry: entry.started_at)
        found += [
            (earlier, later)
            for earlier, later in itertools.pairwise(own)
            if earlier.ended_at is None or later.started_at < earlier.ended_at
        ]
    return found


def examine(entries: Sequence[Any], attempts: Iterable[Attempt], *, grants: Mapping[str, str]) -> Found:
    """Judge all refreshes of a campaign; ``grants`` maps the provider's grants to connections.

    The requests of one connection that present the same token belong to the attempts with the same parent version, in
    the order of time; where several attempts had one token, a request that came more than 5 s after its claim had been
    stopped before the send.
    """
    requests: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        requests[grants[entry.grant_id]][entry.refresh_presented].append(entry)
    sent: dict[str, dict[str, list[Attempt]]] = defaultdict(lambda: defaultdict(list))
    for attempt in attempts:
        sent[attempt.connection][attempt.parent].append(attempt)
    late: dict[int, str] = {}
    twice, retries = [], 0
    for connection, by_token in requests.items():
        by_parent = _matched(by_token, sent[connection])
        for (token, asked), claimed in zip(by_token.items(), by_parent, strict=True):
            asked.sort(key=lambda entry: entry.started_at)
            retries += len(asked) - 1
            if len(asked) > len(claimed):
                twice.append(f"{len(asked)} requests with {token} for {len(claimed)} attempts")
            if len(claimed) == 1:
                continue  # nobody had taken over: however late it came, it was alone
            for entry, attempt in zip(asked, claimed, strict=False):
                if (waited := entry.started_at - attempt.claimed_at) > SEND_WITHIN_SECONDS:
                    states = ", ".join(f"{one.state} {one.claimed_at - claimed[0].claimed_at:.1f} s" for one in claimed)
                    late[entry.id] = f"request {entry.id}, {waited:.1f} s after its claim; attempts: {states}"
    twice += [
        f"requests {earlier.id} and {later.id} of {earlier.grant_id}"
        for earlier, later in overlapping(entries)
        if later.id not in late
    ]
    twice += [f"{entry.outcome} of {entry.grant_id}" for entry in entries
              if entry.outcome in ("refresh_reused", "refresh_unknown") and entry.id not in late]  # fmt: skip
    return Found(twice, list(late.values()), retries)


def _matched(by_token: Mapping[str, list[Any]], by_parent: Mapping[str, list[Attempt]]) -> list[list[Attempt]]:
    """Return the attempts of each token: the newest version whose first claim came before the token's first request."""
    parents = sorted((sorted(own, key=lambda one: one.claimed_at) for own in by_parent.values()), key=_first_claim)
    found = []
    for asked in by_token.values():
        first = min(entry.started_at for entry in asked)
        before = [own for own in parents if own[0].claimed_at <= first]
        found.append(before[-1] if before else [])
    return found


def _first_claim(attempts: list[Attempt]) -> float:
    return attempts[0].claimed_at
