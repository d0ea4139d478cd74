"""What the lean processes do: call the product's own ``refresh`` and ``probe``, again and again.

Each takes its marks and its arguments, and returns what is to be told of it, JSON-ready. An exception that the product
lets out is counted by its name: no promise allows one.
"""

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection as database

from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.reread import discard_unread
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection
from tests.campaigns.faults.marks import Marks

Player = Callable[[Marks, Any], dict[str, Any]]

_WINDOW = 12
# Somebody who is stopped may hold the row: whoever makes it due does not queue up behind.
_MAKE_DUE = (
    "UPDATE connections_connection SET refresh_due_at = clock_timestamp(), next_attempt_at = NULL WHERE id ="
    " (SELECT id FROM connections_connection WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)"
)


def make_due(connection_id: uuid.UUID) -> None:
    """Do what the passing of time does: the connection's credential is to be replaced now."""
    with database.cursor() as cursor:
        cursor.execute(_MAKE_DUE, [connection_id])


def cycle(marks: Marks, arguments: Any) -> dict[str, Any]:
    """Refresh the connections ``ids`` in turn, without a pause, until killed."""
    ids = [uuid.UUID(one) for one in arguments["ids"]]
    while not marks.is_to_stop:
        connection_id = ids[marks.turn % len(ids)]
        make_due(connection_id)
        marks.enter(time.time())
        marks.leave(done=refresh(connection_id, trigger="campaign").outcome is Outcome.REFRESHED)
    return {}


def contend(marks: Marks, arguments: Any) -> dict[str, Any]:
    """Refresh whatever of ``ids`` is hot at this moment; all processes are at the same dozen at the same time."""
    ids = [uuid.UUID(one) for one in arguments["ids"]]
    chance = random.Random(arguments["seed"])
    tally: Counter[str] = Counter()
    while not marks.is_to_stop:
        connection_id = ids[(int(time.monotonic()) * _WINDOW + chance.randrange(_WINDOW)) % len(ids)]
        make_due(connection_id)
        marks.enter(time.time())
        outcome = _told(_refresh, connection_id)
        tally[outcome] += 1
        marks.leave(done=outcome == Outcome.REFRESHED)
    return dict(tally)


def endure(marks: Marks, arguments: Any) -> dict[str, Any]:
    """Refresh and probe ``ids`` in turn, whatever the backoff says, until told to stop.

    An answer that nobody can read holds its connection back once the provider's grace is over, rightly; an operator is
    played, who discards it.
    """
    ids = [uuid.UUID(one) for one in arguments["ids"]]
    tally: Counter[str] = Counter()
    while not marks.is_to_stop:
        turn = marks.turn
        connection_id = ids[turn % len(ids)]
        marks.enter(time.time())
        if turn % arguments["probe_each"] == 0:
            outcome = _told(_probe, connection_id)
        else:
            outcome = _told(_replace, connection_id)
        tally[outcome] += 1
        marks.leave(done=True)
    return dict(tally)


def _replace(connection_id: uuid.UUID) -> str:
    version_id = Connection.objects.values_list("current_version_id", flat=True).get(id=connection_id)
    outcome = refresh(connection_id, trigger="campaign", need=Need(instead_of=version_id, at_once=True)).outcome
    if outcome is Outcome.ANSWER_UNREAD:
        discard_unread(connection_id, actor=SYSTEM)
    return outcome.value


def _refresh(connection_id: uuid.UUID) -> str:
    return refresh(connection_id, trigger="campaign").outcome.value


def _probe(connection_id: uuid.UUID) -> str:
    return str(probe(connection_id, trigger="campaign").verdict)


def _told(act: Callable[[uuid.UUID], str], connection_id: uuid.UUID) -> str:
    try:
        return act(connection_id)
    except Exception as error:  # noqa: BLE001 (what is let out is what is measured)
        return f"raised {type(error).__name__}"


PLAYERS: dict[str, Player] = {"cycle": cycle, "contend": contend, "endure": endure}
