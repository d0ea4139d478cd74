"""A backup that was made once, and an empty database beside the test run's."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.core.management.base import CommandError
from django.db import connection as database

from connections.management.backups import programs
from tests.connections.management.conftest import Run

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def client_programs(transactional_db: None) -> None:
    """PostgreSQL's client programs, or the test is skipped: the wheel has only the server."""
    try:
        for name in ("pg_dump", "pg_restore", "psql"):
            programs.find(name, folder="", least=programs.server_major())
    except CommandError as error:
        pytest.skip(str(error))


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    """A file with a passphrase."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return str(path)


@pytest.fixture
def make(
    run: Run, tmp_path: Path, passphrase: str, client_programs: None, redis_of_its_own: "redis.Redis"
) -> Callable[[], Path]:
    """Makes a backup of the database as it is. Nothing is remembered of refreshes before."""

    def made() -> Path:
        path = tmp_path / f"{uuid.uuid4().hex}.backup"
        ran = run("backup", "make", str(path), "--passphrase-file", passphrase)
        assert ran.code == 0, ran.err
        return path

    return made


@pytest.fixture(scope="module")
def content() -> list[bytes]:
    """What ``backup`` keeps for the next test."""
    return []


@pytest.fixture
def backup(make: Callable[[], Path], content: list[bytes], tmp_path: Path) -> Path:
    """A backup of a database of which it does not matter what is in it. The first test of a module makes it."""
    if not content:
        content.append(make().read_bytes())
    path = tmp_path / "kept.backup"
    path.touch(0o600)
    path.write_bytes(content[0])
    return path


@contextmanager
def at(name: str) -> Iterator[None]:
    """Let this process work on another database of the server."""
    before = database.settings_dict["NAME"]
    database.close()
    database.close_pool()  # type: ignore[attr-defined]
    database.settings_dict["NAME"] = name
    try:
        yield
    finally:
        database.close()
        database.close_pool()  # type: ignore[attr-defined]
        database.settings_dict["NAME"] = before


@pytest.fixture
def other(transactional_db: None) -> Iterator[str]:
    """The name of an empty database of the test run's server."""
    name = f"restored_{uuid.uuid4().hex[:12]}"
    with database.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield name
    with database.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
