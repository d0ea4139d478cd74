"""Turns: equal shares of one provider's rate limit for all who call by the same credential, in whatever process.

The limit is a bucket that fills by the minute. Whoever finds it empty stands in line, and the line is in the order of
start-time fair queueing (Goyal, Vin and Cheng, 1996): each turn of a caller moves its place behind those who have had
as few. So a caller with fifty requests gets as many turns as one that always has a single request waiting, and what
one leaves is shared by the others. In any minute no more is let through than the provider allows.

Shares are shared on (hierarchical fair queueing: Goyal, Vin and Cheng, section 3): a caller is a path, as
``tenant/client/end user``, and whoever stands below one of its parts shares that part's turns.

The line is kept in Redis. Without Redis every request has its turn.
"""

from connections.lifecycle.throttle import turn_scripts
from connections.lifecycle.throttle.shared import run_script

# How much of a minute's limit may go at once. The bucket fills by the rest of it.
BURST = 1 / 20
LONGEST_HOLD_SECONDS = 900.0
LOOK_SECONDS: float = turn_scripts.LOOK_SECONDS


def take_turn(line: str, caller: str, per_minute: int, *, now: float | None = None) -> float:
    """Return 0 if it is the caller's turn, which is taken then, else the seconds until it can be at the soonest.

    ``line`` names whose limit it is, and ``caller`` is its path, with slashes. One round trip to Redis. Ask again
    then, or after ``LOOK_SECONDS``: whoever does not loses its place. A caller that asks no more says so by ``leave``.
    ``now`` is in seconds and the same for all who share a line; without it, it is as late as Redis says.
    """
    room = max(1.0, per_minute * BURST)
    found = run_script(turn_scripts.TAKE, line, _given(now), caller, max(per_minute - room, per_minute / 2) / 60, room)
    return 0.0 if found is None else float(found)


def leave(line: str, caller: str) -> None:
    """Give up the caller's place in the line. One round trip to Redis."""
    run_script(turn_scripts.LEAVE, line, _given(None), caller)


def hold(line: str, seconds: float, *, now: float | None = None) -> None:
    """Let nobody's turn come for so many seconds: the provider has asked for that. One round trip to Redis."""
    run_script(turn_scripts.HOLD, line, _given(now), min(seconds, LONGEST_HOLD_SECONDS))


def _given(now: float | None) -> float | str:
    return "" if now is None else now
