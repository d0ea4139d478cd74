"""The broker's user has the rights that ``OPERATIONS.md`` names, or too few: then the doctor says what is refused."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import redis
from pytest_django import Settings

from config.celery import app as celery
from config.local.supervisor.state import PROJECT_ROOT
from connections.database.clock import database_now
from connections.lifecycle.refresh import sent
from connections.management.doctor.findings import Finding, Level
from connections.management.doctor.storage import broker

DOCUMENTED = re.compile(r"^ACL SETUSER latchkey on >PASSWORD (.+)$", re.MULTILINE)


@pytest.fixture
def user(redis_of_its_own: "redis.Redis", settings: Settings) -> Iterator[str]:
    """The user that the page describes, whom ``REDIS_URL`` names."""
    rights = DOCUMENTED.search((PROJECT_ROOT / "OPERATIONS.md").read_text(encoding="utf-8"))
    assert rights is not None
    name = f"latchkey_{uuid.uuid4().hex[:12]}"
    redis_of_its_own.execute_command("ACL", "SETUSER", name, "on", f">{name}", *rights[1].split())
    parts = urlsplit(settings.REDIS_URL)
    settings.REDIS_URL = parts._replace(netloc=f"{name}:{name}@{parts.hostname}:{parts.port}").geturl()
    yield name
    redis_of_its_own.execute_command("ACL", "DELUSER", name)


def only() -> Finding:
    (found,) = broker()
    return found


@pytest.mark.django_db
def test_the_documented_rights_are_enough(user: str, settings: Settings) -> None:
    assert only().level is Level.FINE
    now = database_now()
    for _ in range(2):
        sent.keep(now=now - timedelta(minutes=1), has_gap=False)
    told = sent.recall([])
    assert told is not None and told.whole_since is not None
    with celery.connection(settings.REDIS_URL) as connected, connected.SimpleQueue(user) as queue:
        queue.put({"task": 1})
        message = queue.get(timeout=30)
        assert message.payload == {"task": 1}
        message.ack()
        queue.queue.delete()


@pytest.mark.parametrize("lacks", ["-info", "-select", "-eval"])
def test_a_right_that_is_missing_is_named(user: str, redis_of_its_own: "redis.Redis", lacks: str) -> None:
    redis_of_its_own.execute_command("ACL", "SETUSER", user, lacks)
    found = only()
    assert (found.level, lacks.removeprefix("-") in found.says) == (Level.FAULT, True)
    assert "The broker's user" in found.what_to_do


def test_a_database_that_is_not_there_is_told(redis_of_its_own: "redis.Redis", settings: Settings) -> None:
    settings.REDIS_URL = f"{settings.REDIS_URL.rpartition('/')[0]}/99999"
    found = only()
    assert (found.level, "out of range" in found.says) == (Level.FAULT, True)
