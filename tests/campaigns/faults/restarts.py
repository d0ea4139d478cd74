"""The database restarted as in a crash, and Redis flushed, again and again under a working Latchkey.

Real: worker and beat with their default pools, PostgreSQL restarted with ``immediate`` (the next start recovers from
the log), FLUSHALL, a strict provider that takes its time. Nothing dies but the database, so nothing may be lost. Made
hot: the connections are due again as soon as they were refreshed. A short campaign does not wait for the lease of an
attempt that a lost transaction left; it moves it, and adds it to the time for which the connection was stuck.
"""

import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis

from providers.sandbox.waiting import until
from tests.campaigns.faults.beside import beside
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground, patient
from tests.campaigns.stacks import database

LEASE_SECONDS = 60.0
_CONNECTIONS, _FEW = 24, 8
_PROVIDER_SECONDS = 0.4
_GAP_SECONDS = (0.8, 2.5)
_SETTLE_SECONDS = 150.0
_STUCK = """
SELECT coalesce(max(extract(epoch FROM coalesce(
    (SELECT min(later.ended_at) FROM connections_refreshattempt later
     WHERE later.connection_id = attempt.connection_id AND later.state = 'promoted'
       AND later.ended_at >= attempt.claimed_at),
    clock_timestamp()) - attempt.claimed_at)), 0)::float8
FROM connections_refreshattempt attempt WHERE connection_id = ANY(%s)
"""


def restarts(ground: Ground) -> Figure:
    """Count the connections lost, and find how long any was stuck."""
    count = ground.count(100, least=1)
    connections = _CONNECTIONS if count > 1 else _FEW
    app = ground.make_app(grace_seconds=0, access_lifetime=3600)
    ids = [member.id for member in ground.make_members(app, connections)]
    ground.control.settings(delay_seconds={"token": _PROVIDER_SECONDS})
    moved = 0.0
    with ground.running("worker", "beat"):
        with _hot(ground, ids):
            until(lambda: _promoted(ground, ids), "the first refresh")
            for _ in range(count):
                time.sleep(random.uniform(*_GAP_SECONDS))
                _flush(ground)
                time.sleep(random.uniform(0, _PROVIDER_SECONDS))
                assert ground.stack.postgres is not None
                ground.stack.postgres.restart(immediate=True)
            time.sleep(_GAP_SECONDS[1])
        ground.reconnect()
        if ground.scale < 1:
            moved = _shorten_leases(ground, ids)
        until(lambda: _is_quiet(ground, ids), "the end of all refreshes", seconds=_SETTLE_SECONDS, pause=0.3)
    ground.control.settings(delay_seconds=0)
    stuck = float(patient(lambda: ground.rows(_STUCK, ids))[0][0])
    stuck = max(stuck, moved + stuck if moved else 0.0)
    lost = [str(one) for one in ids if not (ground.prove(one) == "refreshed" and ground.works(one))]
    refreshes = _promoted(ground, ids)
    return Figure(
        row="restarts",
        measure=f"database restart x{count}, Redis flush x{count}",
        measured=f"{len(lost)} lost, none stuck longer than {stuck:.0f} s, in {refreshes:,} refreshes",
        target=f"0 lost, none stuck longer than twice the lease ({2 * LEASE_SECONDS:.0f} s)",
        is_kept=not lost and stuck <= 2 * LEASE_SECONDS and refreshes > count,
        facts={
            "restarts": count,
            "flushes": count,
            "lost": lost,
            "stuck_seconds": round(stuck, 1),
            "lease_moved_seconds": moved,
            "refreshes": refreshes,
            "attempts": _states(ground, ids),
        },
    )


@contextmanager
def _hot(ground: Ground, ids: list[uuid.UUID]) -> Iterator[None]:
    """Keep the connections due until the block ends, whenever the database is there."""

    def heat(over: threading.Event) -> None:
        while not over.wait(0.2):
            try:
                with database(ground.stack) as connected:
                    connected.execute(
                        "UPDATE connections_connection SET refresh_due_at = now(), refresh_enqueued_until = NULL,"
                        " next_attempt_at = NULL WHERE id IN (SELECT id FROM connections_connection"
                        " WHERE id = ANY(%s) AND status = 'active' FOR NO KEY UPDATE SKIP LOCKED)",
                        [ids],
                    )
            except psycopg.Error:  # the database is being restarted
                continue

    with beside(heat, name="heat"):
        yield


def _flush(ground: Ground) -> None:
    with redis.Redis.from_url(ground.stack.environment["REDIS_URL"]) as client:
        client.flushall()


def _shorten_leases(ground: Ground, ids: list[uuid.UUID]) -> float:
    """Move the lease of what is left unanswered, and return by how much; it is added to what is measured."""
    deadline = time.monotonic() + 9  # a store that is still being tried ends within 8 s
    while not _is_quiet(ground, ids) and time.monotonic() < deadline:
        time.sleep(0.3)
    moved = patient(
        lambda: ground.rows(
            "UPDATE connections_refreshattempt SET deadline_at = clock_timestamp() WHERE connection_id = ANY(%s)"
            " AND state = 'sent' AND claimed_at < clock_timestamp() - interval '9 seconds' RETURNING id",
            ids,
        )
    )
    return LEASE_SECONDS if moved else 0.0


def _is_quiet(ground: Ground, ids: list[uuid.UUID]) -> bool:
    """Whether every attempt has ended, and every connection was refreshed since."""
    ((unfinished, due),) = patient(
        lambda: ground.rows(
            "SELECT (SELECT count(*) FROM connections_refreshattempt WHERE connection_id = ANY(%s)"
            " AND state IN ('sent', 'in_doubt', 'received')),"
            " (SELECT count(*) FROM connections_connection WHERE id = ANY(%s) AND refresh_due_at <= now())",
            ids,
            ids,
        )
    )
    return not unfinished and not due


def _promoted(ground: Ground, ids: list[uuid.UUID]) -> int:
    return int(
        patient(
            lambda: ground.rows(
                "SELECT count(*) FROM connections_refreshattempt WHERE connection_id = ANY(%s) AND state = 'promoted'",
                ids,
            )
        )[0][0]
    )


def _states(ground: Ground, ids: list[uuid.UUID]) -> dict[str, Any]:
    return dict(
        ground.rows(
            "SELECT state, count(*) FROM connections_refreshattempt WHERE connection_id = ANY(%s) GROUP BY state", ids
        )
    )
