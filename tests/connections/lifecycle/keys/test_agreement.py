"""Whether the processes that run follow the same lists: seen in the names of their sessions, as they really stand."""

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection as database
from pytest_django import Settings

from connections.access.key_lists import mark
from connections.database.pool import direct_parameters
from connections.lifecycle.keys.agreement import (
    Disagreement,
    Follower,
    check_agreement,
    disagreement,
    followers,
)
from connections.lifecycle.keys.retire import may_retire
from connections.lifecycle.keys.rewrap import rewrap
from connections.lifecycle.keys.uses import kek_uses
from connections.lifecycle.refresh import presence
from providers.sandbox.waiting import until


@contextmanager
def running(name: str) -> Iterator[None]:
    """A session of the name that a process gives its presence, which the server has forgotten afterwards."""
    with psycopg.connect(**direct_parameters(), application_name=name) as session:
        pid = session.info.backend_pid
        yield

    def is_over() -> bool:
        with database.cursor() as cursor:
            cursor.execute("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", [pid])
            return bool(cursor.fetchone()[0])

    until(is_over, "the end of a session")


def test_others_are_seen_with_whether_they_follow(transactional_db: None) -> None:
    with running(f"latchkey presence {mark()} 7@web"), running("latchkey presence 0123456789ab 8@worker"):
        assert followers() == [Follower("8@worker", False), Follower("7@web", True)]
        with pytest.raises(Disagreement, match=r"1 of 2 processes follow other lists.*: 8@"):
            check_agreement()
    check_agreement()


def test_an_earlier_release_does_not_say(transactional_db: None) -> None:
    with running("latchkey presence"):
        assert followers() == [Follower("", None)]
        assert "an earlier release does not say" in disagreement(followers())


def test_many_are_not_all_named() -> None:
    says = disagreement([Follower(f"{number}@worker", False) for number in range(8)])
    assert "8 of 8 processes" in says
    assert "4@worker and 3 more" in says


def test_a_process_tells_of_a_change_by_itself(transactional_db: None, add_keys: Callable[[], str]) -> None:
    def name() -> str:
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name"
                " ^@ 'latchkey presence '"
            )
            return " ".join(row[0] for row in cursor.fetchall())

    presence.stop()
    presence.start()
    try:
        before = until(name, "the session's name")
        assert mark() in before
        add_keys()
        assert mark() not in before
        until(lambda: mark() in name(), "the mark of the newer lists")
        assert followers() == [], "it is not another process to itself"
    finally:
        presence.stop()


def test_other_keys_of_the_audit_trail_are_other_lists(transactional_db: None, settings: Settings) -> None:
    """A process that still signs with the earlier key would have its seals doubted when that is gone."""
    before = mark()
    earlier = settings.AUDIT_KEYS[0]
    newer = f"newer:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    marks = [before]
    for keys in ([earlier, newer], [newer, earlier], [newer]):
        settings.AUDIT_KEYS = keys
        marks.append(mark())
    assert len(set(marks)) == 4
    settings.AUDIT_KEYS = [newer, earlier]
    with running(f"latchkey presence {before} worker:8@a"):
        (reason,) = may_retire(earlier.partition(":")[0]).reasons
        assert "worker:8@a" in reason
    assert may_retire(earlier.partition(":")[0]).may_go


def test_a_key_stays_while_a_process_may_not_know_the_newer_one(stored: list[str], add_keys: Callable[[], str]) -> None:
    add_keys()
    list(rewrap())
    earlier = kek_uses()[1].key
    with running("latchkey presence 0123456789ab 8@worker"):
        (reason,) = may_retire(earlier).reasons
        assert "8@worker" in reason
    assert may_retire(earlier).may_go
