"""When a refresh token that may be used up was last sent for each connection, kept outside of the database.

A database that is put back to an earlier moment forgets which refresh tokens it has sent since. Redis does not: before
each refresh at a provider that rotates, the moment is noted there (the database's clock). So it can be known of a
connection whose database was put back that its refresh token was never sent, or that it was.

A note is one round trip, and no refresh fails for it. One that cannot be written leaves a gap, and so does a Redis that
was emptied, put back or started anew. What is known is whole only since the last gap. It holds ids and moments.

A process that leaves a gap writes a file into the spool's folder before the token is sent, so a kill does not hide it,
and a thread of it tries to tell Redis until that is done. Whichever process with that folder keeps the notes next tells
the gaps of all files there.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog

from connections.lifecycle.credentials import spool
from connections.lifecycle.throttle.shared import run_script

logger = structlog.get_logger(__name__)

_TELL_SECONDS = 1.0
_GAP = "gap."
_SENT, _WHOLE, _RUN = (f"latchkey:refresh:sent{part}" for part in ("", ":whole_since", ":run"))

# ARGV: connections, each followed by the moment. Answers the moments that were noted before, or ''.
_NOTE = f"""
local before = {{}}
for place = 1, #ARGV, 2 do
    before[#before + 1] = redis.call('HGET', '{_SENT}', ARGV[place]) or ''
    redis.call('HSET', '{_SENT}', ARGV[place], ARGV[place + 1])
end
return before
"""
# ARGV: the connection, the moment of its note, and what was noted before that, or ''.
_TAKE_BACK = f"""
if redis.call('HGET', '{_SENT}', ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', '{_SENT}', ARGV[1]) else redis.call('HSET', '{_SENT}', ARGV[1], ARGV[3]) end
return 1
"""
# ARGV: the moment of a gap. Where nothing is whole, there is nothing to take back. Moments in UTC sort as text.
_TELL = f"""
local whole = redis.call('GET', '{_WHOLE}')
if whole and whole < ARGV[1] then redis.call('SET', '{_WHOLE}', ARGV[1]) end
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
    """``gap_at``: when the last note of this process was missed of which Redis does not know. Read it under _guard."""

    gap_at: datetime | None = None
    teller: threading.Thread | None = None


_process = _Process()

# Whoever holds it knows of every gap of this process, also while Redis is told: none is forgotten by another's success.
_guard = threading.Lock()

os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_guard.release)


@dataclass(frozen=True, slots=True)
class Sent:
    """What is remembered. ``whole_since``: every token that was sent since then is in ``at``; None: nothing is sure."""

    whole_since: datetime | None = None
    at: dict[uuid.UUID, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """That the connection's refresh token was sent at ``at``. ``before`` is what was noted of it until then, or ""."""

    connection_id: uuid.UUID
    at: datetime
    before: str

    def take_back(self) -> None:
        """Forget the note, unless a later one has come: nothing was used up. One round trip to Redis."""
        run_script(_TAKE_BACK, self.connection_id, self.at.isoformat(), self.before)


def note(*sendings: tuple[uuid.UUID, datetime]) -> dict[uuid.UUID, Note]:
    """Note of each connection that its refresh token is about to be sent, at that moment. Return the notes by id.

    One round trip to Redis; never raises for it. Where the notes could not be kept there are none.
    """
    if not sendings:
        return {}
    earlier = run_script(_NOTE, *(part for one, at in sendings for part in (one, at.isoformat())))
    if earlier is None:
        _miss(max(at for _, at in sendings))
        return {}
    return {one: Note(one, at, before.decode()) for (one, at), before in zip(sendings, earlier, strict=True)}


def keep(*, now: datetime, has_gap: bool) -> None:
    """Say that the notes are whole, but for what a gap before ``now`` has left out. One round trip to Redis.

    Gaps are told of this process, and of all others that have left a file in the spool's folder.
    """
    with _guard:
        files = _take_files()
        if run_script(_KEEP, now.isoformat(), int(has_gap or _process.gap_at is not None or bool(files))) is not None:
            _process.gap_at = None
            _remove(files)


def _miss(at: datetime) -> None:
    """Remember a gap in this process and on the disk, and have Redis be told of it as soon as that is there."""
    with _guard:
        _process.gap_at = max(at, _process.gap_at or at)
        _write_file()
        if _process.teller is None or not _process.teller.is_alive():
            _process.teller = threading.Thread(target=_tell_until_told, name="gap in notes", daemon=True)
            with suppress(RuntimeError):  # the process ends: the file says the rest
                _process.teller.start()


def _tell_until_told() -> None:
    while True:
        time.sleep(_TELL_SECONDS)
        with _guard:
            if _process.gap_at is not None and run_script(_TELL, _process.gap_at.isoformat()) is not None:
                _process.gap_at = None
                _remove([_own_file()])
            if _process.gap_at is None:
                _process.teller = None
                return


def _own_file() -> Path:
    return spool.folder() / f"{_GAP}{socket.gethostname()}.{os.getpid()}"


def _write_file() -> None:
    """Leave this process's file, unless it is there: it is on the disk when this returns."""
    path = _own_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError), path.open("xb") as file:
            os.fsync(file.fileno())
            spool.sync(path.parent)
    except OSError as error:
        logger.warning("gap_not_kept", error=type(error).__name__)


def _files() -> list[Path]:
    return list(spool.folder().glob(f"{_GAP}*"))


def _take_files() -> list[Path]:
    """Take the files of all processes, under other names: one that misses a note from now on leaves another file."""
    taken = []
    for path in _files():
        with suppress(OSError):
            taken.append(path.rename(path.with_name(f"{_GAP}{uuid.uuid4().hex}")))
    return taken


def _remove(files: Collection[Path]) -> None:
    for path in files:
        with suppress(OSError):
            path.unlink()


def recall(connection_ids: Collection[uuid.UUID]) -> Sent | None:
    """Return what is remembered of these connections. One round trip to Redis. With a gap to tell, none is sure.

    None: Redis does not answer. What it remembers may well say more, so nobody may take that for nothing.
    """
    asked = list(connection_ids)
    answer = run_script(_RECALL, *asked)
    if answer is None:
        return None
    whole, *found = (item.decode() for item in answer)
    sent = {one: datetime.fromisoformat(at) for one, at in zip(asked, found, strict=True) if at}
    is_sure = whole and _process.gap_at is None and not _files()
    return Sent(datetime.fromisoformat(whole) if is_sure else None, sent)
