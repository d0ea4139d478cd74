"""Arrivals: answers that have come at the same time are stored with one commit, and promoted with the next.

Nobody waits for others to come. The first thread with an answer stores it at once (T2a); what comes meanwhile waits for
that, and is then stored together by one of the waiting threads. While that thread stores, the one before promotes
what it has stored (T2b). So an answer waits for one store at the most, and a lone answer for nothing.

No answer depends on another. If the database refuses the statement, each answer is stored by itself, and so is one
whose attempt another transaction has locked. What is not promoted here is left to ``settle``. If the database is away,
every answer that waits is told so at once, and its thread writes it to the spool.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

import structlog
from django.db import Error, InterfaceError, OperationalError

from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.promote import promote_plainly
from connections.lifecycle.credentials.store import store_free, store_received
from connections.lifecycle.credentials.versions import SealedVersion

logger = structlog.get_logger(__name__)

LARGEST_BATCH = 32


class _Fate(Enum):
    """What has become of an arrival."""

    LEFT = auto()  # nobody has stored it: its own thread has to
    CUT_OFF = auto()  # the database is away
    STORED = auto()
    PROMOTED = auto()
    LEADS = auto()  # its thread has to store all that wait


@dataclass(slots=True, eq=False)
class _Arrival:
    """A version to store. It is promoted as well if the ``lifetimes`` of its grant are given."""

    sealed: SealedVersion
    lifetimes: GrantLifetimes | None
    fate: _Fate = _Fate.LEFT
    told: threading.Lock = field(default_factory=threading.Lock)


def store_and_promote(sealed: SealedVersion, *, lifetimes: GrantLifetimes | None) -> bool:
    """Store ``sealed`` as ``store_received`` does (T2a), then promote it if its case is plain. Return whether it was.

    ``lifetimes`` are those of the grant by the catalogue; with None it is only stored. Transactions of its own, maybe
    in another thread, for which this waits. Raises ``OperationalError`` or ``InterfaceError`` where the database is
    away, for whatever was to be stored with it.
    """
    arrival = _Arrival(sealed, lifetimes)
    _desk.settle(arrival)
    if arrival.fate is _Fate.CUT_OFF:
        raise OperationalError("The database went away before the answer was stored.")
    if arrival.fate is _Fate.LEFT:
        store_received(sealed)
    return arrival.fate is _Fate.PROMOTED


class _Desk:
    """The arrivals of this process that wait, and whether a thread is storing."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[_Arrival] = deque()
        self._is_storing = False

    def settle(self, arrival: _Arrival) -> None:
        """Wait until ``arrival`` has its fate; store it, with all others that wait, if it falls to this thread."""
        with self._guard:
            self._waiting.append(arrival)
            leads, self._is_storing = not self._is_storing, True
            if not leads:
                arrival.told.acquire()
        if not leads:
            with arrival.told:  # until another thread releases it
                leads = arrival.fate is _Fate.LEADS
        if leads:
            self._lead(arrival)

    def _lead(self, own: _Arrival) -> None:
        """Store what waits, let the next thread store what has come since, and promote."""
        batch = self._take()  # this thread's own arrival is the first of those that wait
        for arrival in batch:
            arrival.fate = _Fate.LEFT
        try:
            try:
                _store(batch)
            finally:
                if own.fate is _Fate.CUT_OFF:
                    batch += self._take_all_cut_off()
                self._pass_on()
            _promote(batch)
        finally:
            for arrival in batch:
                if arrival is not own:
                    arrival.told.release()

    def _take(self) -> list[_Arrival]:
        with self._guard:
            return [self._waiting.popleft() for _ in range(min(LARGEST_BATCH, len(self._waiting)))]

    def _take_all_cut_off(self) -> list[_Arrival]:
        with self._guard:
            others = [*self._waiting]
            self._waiting.clear()
        for arrival in others:
            arrival.fate = _Fate.CUT_OFF
        return others

    def _pass_on(self) -> None:
        with self._guard:
            self._is_storing = bool(self._waiting)
            if self._waiting:
                self._waiting[0].fate = _Fate.LEADS
                self._waiting[0].told.release()


def _store(batch: list[_Arrival]) -> None:
    try:
        stored = store_free([arrival.sealed for arrival in batch])
    except (OperationalError, InterfaceError):
        for arrival in batch:
            arrival.fate = _Fate.CUT_OFF
    except Exception as error:  # noqa: BLE001 (one of them may be at fault: each is stored by itself, and says so)
        logger.warning("answers_stored_apart", answers=len(batch), error=type(error).__name__)
    else:
        for arrival in batch:
            if arrival.sealed.id in stored:
                arrival.fate = _Fate.STORED


def _promote(batch: list[_Arrival]) -> None:
    """Promote those that are stored and plain, at most one of each connection."""
    plain = {
        arrival.sealed.connection_id: (arrival.sealed, arrival.lifetimes)
        for arrival in batch
        if arrival.fate is _Fate.STORED and arrival.lifetimes is not None
    }
    try:
        promoted = promote_plainly(list(plain.values()))
    except Error as error:  # all are stored: the rules promote each by itself, at once or in ``recover``
        logger.warning("answers_promoted_apart", answers=len(plain), error=type(error).__name__)
        return
    for arrival in batch:
        if arrival.sealed.id in promoted:
            arrival.fate = _Fate.PROMOTED


_desk = _Desk()
