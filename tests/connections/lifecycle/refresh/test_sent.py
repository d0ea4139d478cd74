"""Notes of what was sent: a gap in them is known, in whichever thread, process or order it came and was told."""

import threading
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from pytest_django import Settings

from connections.lifecycle.credentials import spool
from connections.lifecycle.refresh import sent
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.clockwork import due
from tests.connections.lifecycle.observed import last_attempt

NOWHERE = "redis://127.0.0.1:1/0"
LONG_AGO = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
pytestmark = pytest.mark.usefixtures("redis_of_its_own")


def gaps() -> list[Path]:
    return list(spool.folder().glob("gap.*"))


def miss(settings: Settings, at: datetime) -> None:
    there, settings.REDIS_URL = settings.REDIS_URL, NOWHERE
    sent.note((uuid.uuid4(), at))
    settings.REDIS_URL = there


@pytest.fixture(autouse=True)
def whole(redis_of_its_own: "redis.Redis") -> None:
    """Notes are whole since long ago, and this process has none to tell."""
    sent.keep(now=LONG_AGO, has_gap=False)
    redis_of_its_own.delete("latchkey:refresh:sent:whole_since")
    sent.keep(now=LONG_AGO, has_gap=False)
    assert (sent.recall([]).whole_since, gaps()) == (LONG_AGO, [])


def test_a_gap_is_on_the_disk_before_the_token_is_sent_and_told_without_a_beat(settings: Settings) -> None:
    at = LONG_AGO + timedelta(days=1)
    miss(settings, at)
    assert len(gaps()) == 1
    sent.note((uuid.uuid4(), at - timedelta(seconds=1)))  # of another thread, which succeeds
    assert len(gaps()) == 1
    until(lambda: sent.recall([]).whole_since == at, "the gap, told by the process that left it")
    until(lambda: gaps() == [], "its file, gone")


def test_the_gap_of_a_process_that_was_killed_is_told_by_another() -> None:
    spool.folder().mkdir(exist_ok=True)
    (spool.folder() / "gap.elsewhere.17").touch()
    now = LONG_AGO + timedelta(days=2)
    sent.keep(now=now, has_gap=False)
    assert (sent.recall([]).whole_since, gaps()) == (now, [])
    sent.keep(now=now + timedelta(days=1), has_gap=False)
    assert sent.recall([]).whole_since == now


def test_a_gap_stays_where_nobody_can_be_told(settings: Settings) -> None:
    spool.folder().mkdir(exist_ok=True)
    (spool.folder() / "gap.elsewhere.17").touch()
    there, settings.REDIS_URL = settings.REDIS_URL, NOWHERE
    sent.keep(now=LONG_AGO, has_gap=False)
    assert len(gaps()) == 1
    settings.REDIS_URL = there
    assert sent.recall([]).whole_since is None
    sent.keep(now=(now := LONG_AGO + timedelta(days=3)), has_gap=False)
    assert (sent.recall([]).whole_since, gaps()) == (now, [])


def test_gaps_of_many_threads_are_told_to_the_last_of_them(settings: Settings) -> None:
    moments = [LONG_AGO + timedelta(hours=number) for number in range(1, 21)]
    there, settings.REDIS_URL = settings.REDIS_URL, NOWHERE
    threads = [threading.Thread(target=sent.note, args=((uuid.uuid4(), at),)) for at in moments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settings.REDIS_URL = there
    until(lambda: gaps() == [], "every gap, told")
    assert sent.recall([]).whole_since == moments[-1]


def test_an_older_gap_does_not_make_a_newer_one_whole(settings: Settings) -> None:
    newer = LONG_AGO + timedelta(days=5)
    sent.keep(now=newer, has_gap=True)
    miss(settings, newer - timedelta(days=1))
    until(lambda: gaps() == [], "the older gap, told")
    assert sent.recall([]).whole_since == newer


def test_a_folder_that_cannot_be_written_stops_no_refresh(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.SPOOL_DIR = str(tmp_path / "file")
    miss(settings, at := LONG_AGO + timedelta(days=1))
    until(lambda: sent.recall([]).whole_since == at, "the gap, told from memory")


@pytest.mark.parametrize(("kind", "is_noted"), [("rate_limited", False), ("error", False), ("html", True)])
@pytest.mark.parametrize("has_earlier", [True, False])
def test_only_a_request_that_may_have_used_the_token_up_stays_noted(
    connection: Connection, sandbox: SandboxProcess, kind: str, is_noted: bool, has_earlier: bool
) -> None:
    due(connection)
    if has_earlier:
        sent.note((connection.id, LONG_AGO))
    options = {"error": "invalid_client"} if kind == "error" else {}
    sandbox.control.fault(kind, grant_type="refresh_token", **options)
    assert refresh(connection.id, trigger="sweep").outcome in (Outcome.UNAVAILABLE, Outcome.CLIENT_REJECTED)
    noted = sent.recall([connection.id]).at.get(connection.id)
    assert noted == (last_attempt(connection).claimed_at if is_noted else LONG_AGO if has_earlier else None)


def test_a_later_note_is_not_taken_back() -> None:
    first = sent.note((one := uuid.uuid4(), LONG_AGO))[one]
    sent.note((one, (later := LONG_AGO + timedelta(seconds=1))))
    first.take_back()
    assert sent.recall([one]).at == {one: later}


def test_several_are_noted_at_once_and_each_is_taken_back_by_itself() -> None:
    one, other, third = (uuid.uuid4() for _ in range(3))
    later = LONG_AGO + timedelta(seconds=1)
    sent.note((other, LONG_AGO))
    noted = sent.note((one, later), (other, later), (third, later))
    for taken in (noted[one], noted[other]):
        taken.take_back()
    assert sent.recall([one, other, third]).at == {other: LONG_AGO, third: later}


def test_of_several_that_cannot_be_noted_the_gap_is_the_last_ones(settings: Settings) -> None:
    there, settings.REDIS_URL = settings.REDIS_URL, NOWHERE
    assert sent.note((uuid.uuid4(), LONG_AGO + timedelta(days=2)), (uuid.uuid4(), LONG_AGO)) == {}
    settings.REDIS_URL = there
    until(lambda: sent.recall([]).whole_since == LONG_AGO + timedelta(days=2), "the gap, told")
