"""The phases of a refresh in which a process may die or stand still, and ways to stop one there.

A separate database session holds the lock that the next phase needs, so the product's code needs no change. The
campaigns (``tests/campaigns/faults``) kill at random instants instead, and tell the phases apart afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from subprocess import Popen
from typing import Any

from connections.drills.ground import Ground, Subject
from providers.sandbox.waiting import until


class Phase(StrEnum):
    """Where in its cycle a refresh is."""

    UNCLAIMED = "before claim"
    CLAIMED = "claimed, not sent"
    SENT = "sent, unanswered"
    ANSWERED = "answered, not stored"
    STORED = "stored, not promoted"
    PROMOTED = "promoted"


# A token can only be lost between the provider's rotation and the store.
LOSING = frozenset({Phase.SENT, Phase.ANSWERED})

_LOCK = 4711
_HOLD_COMMITS = f"""
CREATE FUNCTION drill_hold_commit() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
$$ BEGIN PERFORM pg_advisory_xact_lock({_LOCK}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER drill_hold_commit AFTER INSERT ON connections_refreshattempt
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION drill_hold_commit()
"""


@contextmanager
def hold_claims(ground: Ground) -> Iterator[Callable[[], None]]:
    """Keep every claim in its COMMIT, just before ``CLAIMED``. Yields the function that lets the claims go on."""
    with ground.session() as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        holder.execute(_HOLD_COMMITS)

        def release() -> None:
            holder.execute("SELECT pg_advisory_unlock_all()")

        try:
            yield release
        finally:
            release()
            holder.execute("DROP FUNCTION drill_hold_commit CASCADE")


@contextmanager
def hold_stores(ground: Ground) -> Iterator[None]:
    """Block the storing of new credential versions, so that a process with an answer waits in ``ANSWERED``."""
    with ground.session() as holder, holder.transaction(force_rollback=True):
        holder.execute("LOCK TABLE connections_credentialversion IN SHARE MODE")
        yield


@contextmanager
def hold_promotion(ground: Ground, *subjects: Subject) -> Iterator[None]:
    """Keep the connections' rows locked, so that a process that has stored an answer waits in ``STORED``."""
    with ground.session() as holder, holder.transaction(force_rollback=True):
        held = [subject.id for subject in subjects]
        holder.execute("SELECT FROM connections_connection WHERE id = ANY (%s) FOR NO KEY UPDATE", [held])
        yield


def wait_until_held(ground: Ground, kind: str) -> int:
    """Wait until a server process waits for a lock of that kind, and return its process id."""
    with ground.session() as looking:

        def found() -> Any:
            return looking.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND wait_event_type = 'Lock' AND wait_event = %s",
                [kind],
            ).fetchone()

        return int(until(found, "a process that waits for that lock")[0])


def kill_held(ground: Ground, process: "Popen[bytes]", kind: str) -> None:
    """Kill -9 a process that waits for a lock of that kind, and make the database server notice at once."""
    backend = wait_until_held(ground, kind)
    process.kill()
    process.wait()
    with ground.session() as session:
        session.execute("SELECT pg_terminate_backend(%s)", [backend])
