"""What the tests look at: the provider's log, the stored session, and what is left after a failure."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import LiteralString

import psycopg
from django.db import connection as database
from django.db.models import F

from connections.models import Connection, ConnectSession, CredentialVersion, SessionState
from providers.sandbox.client import SandboxProcess
from providers.sandbox.log import Entry
from providers.sandbox.waiting import until
from tests.flows import Invitation


def token_requests(*sandboxes: SandboxProcess) -> list[Entry]:
    """Return every request that reached a token endpoint."""
    return [entry for sandbox in sandboxes for entry in sandbox.control.log(endpoint="token")]


def session_of(invitation: Invitation) -> ConnectSession:
    """Return the session as it is stored now."""
    return ConnectSession.objects.get(id=invitation.id)


def pass_time(invitation: Invitation, **delta: float) -> None:
    """Let ``timedelta(**delta)`` pass for one session: its moments are shifted, the database's clock stays real."""
    passed = timedelta(**delta)
    ConnectSession.objects.filter(id=invitation.id).update(
        expires_at=F("expires_at") - passed,
        browser_expires_at=F("browser_expires_at") - passed,
        completion_expires_at=F("completion_expires_at") - passed,
        exchange_started_at=F("exchange_started_at") - passed,
        kept_until=F("kept_until") - passed,
    )


@contextmanager
def row_locked(invitation: Invitation) -> Iterator[Callable[[int], None]]:
    """Keep a session's row locked until the block ends; the value waits until that many others queue for it.

    They then go on at once: whoever read the row without locking it has read it too early.
    """
    with _locked("SELECT FROM connections_connectsession WHERE id = %s FOR NO KEY UPDATE", invitation.id):
        yield _wait_for_waiters


@contextmanager
def connections_locked() -> Iterator[Callable[[int], None]]:
    """Keep the rows of all connections locked, likewise."""
    with _locked("SELECT FROM connections_connection FOR NO KEY UPDATE"):
        yield _wait_for_waiters


@contextmanager
def _locked(statement: LiteralString, *arguments: str) -> Iterator[None]:
    parameters = {**database.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**parameters) as elsewhere:
        elsewhere.execute(statement, arguments)
        yield
        elsewhere.rollback()


def _wait_for_waiters(count: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def all_wait() -> bool:
        with database.cursor() as cursor:
            cursor.execute(waiting)
            row = cursor.fetchone()
        return row is not None and row[0] >= count

    until(all_wait, f"{count} that wait for the row", pause=0.02)


def assert_nothing_left(invitation: Invitation, failure: str) -> None:
    """Assert that the session ended with ``failure``, and that no secret and no connection remains of it."""
    session = session_of(invitation)
    assert (session.state, session.failure) == (SessionState.FAILED, failure)
    assert session.held is None
    assert session.code_verifier is None
    assert session.connection_id is None
    assert not Connection.objects.filter(status="pending").exists()
    assert not CredentialVersion.objects.exclude(stage__in=["current", "previous"]).exists()
