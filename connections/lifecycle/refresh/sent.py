"""When a refresh token that may be used up was last sent for each connection, kept outside of the database.

A database that is put back to an earlier moment forgets which refresh tokens it has sent since. Redis does not: before
each refresh at a provider that rotates, the moment is noted there (the database's clock). So it can be known of a
connection whose database was put back that its refresh token was never sent, or that it was.

A note is one round trip, and no refresh fails for it. One that cannot be written leaves a gap, and so does a Redis that
was emptied, put back or started anew. What is known is whole only since the last gap. It holds ids and moments.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from connections.lifecycle.throttle.shared import run_script

_SENT, _WHOLE, _RUN = (f"latchkey:refresh:sent{part}" for part in ("", ":whole_since", ":run"))

# ARGV: the connection, the moment, and whether a note before this one is missing.
_NOTE = f"""
if ARGV[3] == '1' then redis.call('SET', '{_WHOLE}', ARGV[2]) end
redis.call('HSET', '{_SENT}', ARGV[1], ARGV[2])
return 1
"""
# ARGV: the moment, and whether notes from before are missing. Each start of Redis has a name of its own.
_KEEP = f"""
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if ARGV[2] == '1' or redis.call('EXISTS', '{_WHOLE}') == 0 or redis.call('GET', '{_RUN}') ~= run then
    redis.call('SET', '{_WHOLE}', ARGV[1])
    redis.call('SET', '{_RUN}', run)
end
return 1
"""
# ARGV: the connections. Answers since when nothing is missing, or '', and the moment of each, or ''.
_RECALL = f"""
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local found = {{redis.call('GET', '{_RUN}') == run and redis.call('GET', '{_WHOLE}') or ''}}
for number, connection in ipairs(ARGV) do
    found[number + 1] = redis.call('HGET', '{_SENT}', connection) or ''
end
return found
"""


@dataclass(slots=True)
class _Process:
    """Whether a note of this process is missing."""

    has_gap: bool = False


_process = _Process()


@dataclass(frozen=True, slots=True)
class Sent:
    """What is remembered. ``whole_since``: every token that was sent since then is in ``at``; None: nothing is sure."""

    whole_since: datetime | None = None
    at: dict[uuid.UUID, datetime] = field(default_factory=dict)


def note(connection_id: uuid.UUID, *, now: datetime) -> None:
    """Note that the connection's refresh token is about to be sent. One round trip to Redis; never raises for it."""
    _process.has_gap = run_script(_NOTE, connection_id, now.isoformat(), int(_process.has_gap)) is None


def keep(*, now: datetime, has_gap: bool) -> None:
    """Say that the notes are whole, but for what a gap before ``now`` has left out. One round trip to Redis."""
    _process.has_gap = run_script(_KEEP, now.isoformat(), int(has_gap or _process.has_gap)) is None


def recall(connection_ids: Collection[uuid.UUID]) -> Sent:
    """Return what is remembered of these connections. One round trip to Redis."""
    asked = list(connection_ids)
    answer = run_script(_RECALL, *asked)
    if answer is None:
        return Sent()
    whole, *found = (item.decode() for item in answer)
    sent = {one: datetime.fromisoformat(at) for one, at in zip(asked, found, strict=True) if at}
    return Sent(datetime.fromisoformat(whole) if whole else None, sent)
