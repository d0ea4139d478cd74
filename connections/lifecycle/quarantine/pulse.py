"""The pulse: notices that the database was put back to an earlier moment, by whatever means that was done.

The database keeps two things of itself, and both are compared with the truth at each beat:

- which server, database and history of it (timeline) it is. A recovery to a point in time, the promotion of a standby
  and a dump that was restored elsewhere change that. Each claim of a refresh compares it as well (``claim_query``), so
  that nothing is sent even before the first beat. One that says it no longer, but has said it, is another as well: it
  was moved to a server that tells nobody.
- a number that grows with each beat, and is remembered in Redis and in a file of the spool's folder. A snapshot of the
  disk, or a dump that was restored into the same database, brings back a smaller one. That is noticed at the next beat
  or when a worker starts, so not before a refresh that begins in the seconds between.

Where Redis does not answer, nothing is concluded from that: beats are counted on, and what Redis says later is compared
with the number until which it was told (``Installation.told``).

A database that has no beat at all is behind as well where a beat is remembered, of whatever installation: its data is
from before there were beats. Its first beat waits for Redis, unless the file has one.

What is put back together with Redis and with the spool's folder, to the same moment, is not noticed: then an operator
has to say so (``manage.py quarantine begin``).
"""

import os
import uuid
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from connections.database.locks import lock_installation
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials import spool
from connections.lifecycle.quarantine.begin import put_into_quarantine
from connections.lifecycle.refresh import sent
from connections.lifecycle.throttle.shared import run_script
from connections.models import Installation, RewindCause
from connections.models.quarantine import Identity

logger = structlog.get_logger(__name__)

SILENCE = timedelta(minutes=10)
_KEY = "latchkey:pulse:"
_FILE = "pulse"
# ARGV: the key, a number. Keeps the greater of both.
_REMEMBER = """
local known = tonumber(redis.call('GET', ARGV[1]) or '0')
if tonumber(ARGV[2]) > known then redis.call('SET', ARGV[1], ARGV[2]) end
return known
"""


def beat(*, now: datetime) -> RewindCause | None:
    """Look whether the database was put back, and count one beat. Return why quarantine was begun, or None.

    One short transaction that locks the installation's row; round trips to Redis before and after; a small file.
    """
    before = Installation.objects.first() or Installation()
    in_redis, in_file, notes = _in_redis(before.id), _in_file(before.id), sent.recall([])
    is_answered = in_redis is not None and notes is not None
    remembered = max(in_redis or 0, in_file)
    has_memories = (spool.folder() / _FILE).exists() or (notes is not None and notes.whole_since is not None)
    with transaction.atomic(durable=True):
        here = lock_installation()
        identity = Installation.objects.values_list(Identity(), flat=True).get()
        cause = _cause(here, identity, in_redis=in_redis, in_file=in_file)
        if cause is None and has_memories and here.number == 0:
            cause = RewindCause.BEHIND  # where nothing is stored yet, this holds nothing
        was_silent = cause is None and _was_silent(before, now=now)
        if here.quarantined_at is not None and here.sorted_at is None:
            if was_silent:
                here.wait_for_redis_anew()
            cause, was_silent = None, False  # everything is held already, as after ``manage.py backup restore``
        elif cause is None and here.number == 0 and not is_answered:
            return None
        if cause is not None:
            # One that has beaten on since without Redis says no longer from when its data was.
            is_late = cause is RewindCause.BEHIND and here.is_alone
            rewound_to = None if is_late else here.beaten_at
            put_into_quarantine(here, cause, rewound_to=rewound_to, actor=SYSTEM, now=now)
        here.be_in(identity)
        here.beat(max(here.number, remembered) + 1, is_answered=is_answered, now=now)
    # Notes are kept only after a beat is stored: who finds notes, but no beat, has data from before.
    # A Redis that is behind lacks notes. By one it is behind while another process beats.
    is_behind = in_redis is not None and in_redis < max(before.number, in_file) - 1
    sent.keep(now=now, has_gap=is_behind or was_silent)
    if is_answered:  # else it would be told of more than ``here.told``
        run_script(_REMEMBER, f"{_KEY}{here.id}", here.number)
    _write_file(here)
    return cause


def _cause(here: Installation, identity: str, *, in_redis: int | None, in_file: int) -> RewindCause | None:
    if here.database and identity != here.database:
        return RewindCause.OTHER_DATABASE
    return RewindCause.BEHIND if (in_redis or 0) > here.told or in_file > here.number else None


def _was_silent(before: Installation, *, now: datetime) -> bool:
    """Whether nobody has beaten for long: an older release may have run, which notes nothing."""
    return before.beaten_at is not None and now - before.beaten_at > SILENCE


def _in_redis(installation_id: uuid.UUID) -> int | None:
    """Return the number that Redis remembers; None with Redis away."""
    answer = run_script(_REMEMBER, f"{_KEY}{installation_id}", 0)
    return None if answer is None else int(answer)


def _in_file(installation_id: uuid.UUID) -> int:
    try:
        whose, _, number = (spool.folder() / _FILE).read_text(encoding="ascii").partition(" ")
        return int(number) if whose == str(installation_id) else 0
    except (OSError, ValueError):
        return 0


def _write_file(here: Installation) -> None:
    folder = spool.folder()
    draft = folder / f"{_FILE}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_text(f"{here.id} {here.number}", encoding="ascii")
        draft.rename(folder / _FILE)
    except OSError as error:
        logger.warning("pulse_not_kept", error=type(error).__name__)
