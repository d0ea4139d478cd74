"""The pulse: a database that was put back is noticed, whatever was put back, and one that was not is left alone."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis
from django.db import OperationalError, transaction
from django.db import connection as database
from django.db.models import F
from django.test import override_settings
from pytest_django import Settings

from connections.database.clock import database_now
from connections.lifecycle.credentials import spool
from connections.lifecycle.quarantine.pulse import beat
from connections.lifecycle.refresh import sent
from connections.models import AuditEvent, Installation, Notice, RewindCause
from tests.connections.lifecycle.quarantine.conftest import Backup

pytestmark = pytest.mark.usefixtures("redis_of_its_own")

AWAY = override_settings(REDIS_URL="redis://127.0.0.1:1/0")


def beats(count: int) -> None:
    for _ in range(count):
        assert beat(now=database_now()) is None


def test_beats_of_several_processes_are_no_fault(transactional_db: None) -> None:
    beats(5)
    here = Installation.objects.get()
    assert (here.number, here.quarantined_at) == (5, None)
    assert here.database.count(".") == 2
    assert (spool.folder() / "pulse").read_text() == f"{here.id} 5"


def test_a_snapshot_is_noticed_by_what_redis_remembers(backup: type[Backup]) -> None:
    beats(2)
    snapshot = backup()
    beats(3)
    (spool.folder() / "pulse").unlink()
    snapshot.restore()
    before = Installation.objects.get().beaten_at
    assert beat(now=database_now()) is RewindCause.BEHIND
    here = Installation.objects.get()
    assert (here.cause, here.rewound_to, here.sorted_at, here.number) == ("behind", before, None, 6)
    assert AuditEvent.objects.filter(action="quarantine.begin", decision="behind").count() == 1
    assert Notice.objects.filter(cause__startswith="quarantine:").count() == 1
    beats(2)  # it is noticed once


def test_what_is_in_quarantine_already_is_not_begun_again(backup: type[Backup]) -> None:
    beats(2)
    snapshot = backup()
    beats(3)
    snapshot.restore()
    began = database_now()
    Installation.objects.update(quarantined_at=began, cause="restored", database="")
    beats(1)
    here = Installation.objects.get()
    assert (here.quarantined_at, here.cause, here.number) == (began, "restored", 6)
    assert here.database != ""


def test_a_snapshot_is_noticed_by_the_file_where_redis_was_lost(
    backup: type[Backup], redis_of_its_own: "redis.Redis"
) -> None:
    beats(1)
    snapshot = backup()
    beats(1)
    snapshot.restore()
    redis_of_its_own.delete(*redis_of_its_own.keys("latchkey:*"))
    assert beat(now=database_now()) is RewindCause.BEHIND
    assert (sent.recall([]).whole_since or database_now()) > database_now() - timedelta(minutes=1)


@pytest.mark.parametrize("lost", ["nothing", "redis", "file"])
def test_data_from_before_there_were_beats_is_noticed(
    transactional_db: None, redis_of_its_own: "redis.Redis", lost: str
) -> None:
    """Upgraded on Monday; on Wednesday Sunday's dump is restored and migrated: it has a row under a new id."""
    beats(2)
    if lost == "redis":
        redis_of_its_own.delete(*redis_of_its_own.keys("latchkey:*"))
    if lost == "file":
        (spool.folder() / "pulse").unlink()
    Installation.objects.all().delete()
    assert beat(now=database_now()) is RewindCause.BEHIND
    here = Installation.objects.get()
    assert (here.rewound_to, here.sorted_at, here.number) == (None, None, 1)
    beats(2)


def test_without_an_answer_of_redis_data_from_before_there_were_beats_is_not_taken_for_new(
    transactional_db: None,
) -> None:
    beats(2)
    (spool.folder() / "pulse").unlink()
    Installation.objects.all().delete()
    with AWAY:
        beats(2)
    assert (Installation.objects.get().number, (spool.folder() / "pulse").exists()) == (0, False)
    assert beat(now=database_now()) is RewindCause.BEHIND


def test_a_snapshot_is_noticed_however_many_beats_were_counted_without_redis(backup: type[Backup]) -> None:
    beats(2)
    snapshot = backup()
    beats(1)
    snapshot.restore()
    with AWAY:
        for _ in range(3):
            (spool.folder() / "pulse").unlink(missing_ok=True)
            beats(1)
    (spool.folder() / "pulse").unlink()
    assert beat(now=database_now()) is RewindCause.BEHIND
    assert Installation.objects.get().rewound_to is None  # it has beaten since
    beats(2)


@pytest.mark.parametrize("by_earlier_release", [False, True])
def test_beats_without_an_answer_of_redis_are_no_fault(
    transactional_db: None, redis_of_its_own: "redis.Redis", by_earlier_release: bool
) -> None:
    beats(2)
    with AWAY:
        beats(2)
    if by_earlier_release:  # which says nothing of Redis, and tells it each number
        Installation.objects.update(number=F("number") + 1)
        redis_of_its_own.set(f"latchkey:pulse:{Installation.objects.get().id}", 5)
    beats(2)
    with AWAY:
        beats(1)
    beats(1)


def test_an_upgrade_at_which_several_begin_is_no_fault(transactional_db: None) -> None:
    """Neither remembers anything before the first beat is stored."""
    with transaction.atomic():
        Installation.objects.create()  # another process makes the row, and has stored no beat yet
    assert not (spool.folder() / "pulse").exists()
    assert sent.recall([]).whole_since is None
    beats(2)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_another_server_history_or_database_is_noticed(transactional_db: None, part: int) -> None:
    beats(1)
    mine = Installation.objects.get().database.split(".")
    Installation.objects.update(database=".".join([*mine[:part], f"{int(mine[part], 16) + 1}", *mine[part + 1 :]]))
    assert beat(now=database_now()) is RewindCause.OTHER_DATABASE
    assert Installation.objects.get().database == ".".join(mine)
    beats(1)


@pytest.fixture
def says(transactional_db: None) -> Iterator[Callable[[str], None]]:
    """Have the database, asked for its identity, do so much first; until the test ends."""
    head = "CREATE OR REPLACE FUNCTION connections_database_identity() RETURNS text LANGUAGE plpgsql STABLE AS"
    with database.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'connections_database_identity'")
        (source,) = cursor.fetchone()

        def says(first: str) -> None:
            cursor.execute(f"{head} $${source.replace('BEGIN', f'BEGIN {first};', 1)}$$")

        yield says
        cursor.execute(f"{head} $${source}$$")


@pytest.mark.parametrize("why", ["insufficient_privilege", "feature_not_supported", "object_not_in_prerequisite_state"])
def test_one_that_tells_nobody_is_another_than_one_that_has_told(says: Callable[[str], None], why: str) -> None:
    beats(1)
    says(f"RAISE {why}")
    assert beat(now=database_now()) is RewindCause.OTHER_DATABASE
    assert Installation.objects.get().database == ""
    beats(2)  # it is noticed once


def test_one_that_never_told_is_left_alone(says: Callable[[str], None]) -> None:
    says("RAISE insufficient_privilege")
    beats(3)
    says("NULL")
    beats(2)
    assert Installation.objects.get().database != ""


def test_an_error_that_passes_is_no_answer(says: Callable[[str], None]) -> None:
    beats(1)
    known = Installation.objects.get().database
    says("RAISE out_of_memory")
    with pytest.raises(OperationalError):
        beat(now=database_now())
    assert Installation.objects.get().database == known


def test_a_redis_that_is_away_or_emptied_begins_no_quarantine(
    transactional_db: None, settings: Settings, redis_of_its_own: "redis.Redis"
) -> None:
    beats(3)
    redis_of_its_own.delete(*redis_of_its_own.keys("latchkey:*"))
    beats(2)
    with_redis = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    beats(2)
    settings.REDIS_URL = with_redis
    beats(2)
    assert Installation.objects.get().quarantined_at is None


def test_notes_are_whole_only_since_redis_was_there(transactional_db: None, redis_of_its_own: "redis.Redis") -> None:
    long_ago = database_now() - timedelta(hours=2)
    for _ in range(3):
        beat(now=long_ago)
    assert sent.recall([]).whole_since == long_ago
    Installation.objects.update(number=F("number") + 5, beaten_at=database_now())  # as many beats did not reach it
    (spool.folder() / "pulse").unlink()
    now = database_now()
    beat(now=now)
    assert sent.recall([]).whole_since == now
    redis_of_its_own.set("latchkey:refresh:sent:run", "of another start")
    assert sent.recall([]).whole_since is None
    beat(now=(later := database_now()))
    assert sent.recall([]).whole_since == later


@pytest.mark.parametrize(("minutes", "is_whole"), [(9, True), (11, False)])
def test_notes_are_not_whole_where_nobody_has_beaten_for_long(
    transactional_db: None, minutes: int, is_whole: bool
) -> None:
    """An older release, to which somebody went back, refreshes and notes nothing."""
    before = database_now() - timedelta(minutes=minutes)
    beat(now=before)
    beat(now=(now := database_now()))
    assert sent.recall([]).whole_since == (before if is_whole else now)


@pytest.mark.parametrize("restored", [True, False])
def test_data_that_was_put_back_from_long_ago_leaves_the_notes_whole(backup: type[Backup], restored: bool) -> None:
    long_ago = database_now() - timedelta(hours=2)
    beat(now=long_ago)
    snapshot = backup()
    beat(now=long_ago + timedelta(minutes=5))
    snapshot.restore()
    if restored:  # by ``manage.py backup restore``, which says so itself
        Installation.objects.update(quarantined_at=database_now(), cause="restored")
    assert beat(now=database_now()) is (None if restored else RewindCause.BEHIND)
    assert sent.recall([]).whole_since == long_ago
