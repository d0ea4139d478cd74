"""Health: alive whatever the Host header says; ready only with database, migrations and keys."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as project
from django.db import connection as database
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from connections.api import health
from connections.database.clock import database_now
from connections.models import ProviderApp
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_connection
from tests.factories import make_caller, make_tenant
from tests.flows import call


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    look_anew(monkeypatch)


def look_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know as little as a process that has just begun."""
    monkeypatch.setattr(health, "_readiness", health.Readiness())


@pytest.fixture
def opened() -> Iterator[list[object]]:
    """The database connections that were opened, in whichever thread."""
    seen: list[object] = []

    def note(connection: object, **_: object) -> None:
        seen.append(connection)

    connection_created.connect(note)
    yield seen
    connection_created.disconnect(note)


def ready(**headers: str) -> tuple[int, dict[str, str]]:
    answer = AsgiClient().get("/readyz", headers=headers)
    return answer.status_code, json.loads(answer.content)["checks"]


@pytest.mark.parametrize("host", ["testserver", "10.0.0.7:8000", "evil.example", "", "a b"])
def test_health_is_told_to_whoever_asks_by_whatever_name(host: str, transactional_db: None) -> None:
    alive = AsgiClient().get("/healthz", headers={"host": host})
    assert (alive.status_code, json.loads(alive.content)) == (200, {"status": "ok"})
    assert ready(host=host)[0] == 200


def test_is_ready_with_everything_in_order(transactional_db: None) -> None:
    make_connection(make_tenant("acme"))
    assert ready() == (
        200,
        {"database": "ok", "migrations": "ok", "keys": "ok", "key_files": "ok", "broker": "ok", "catalogue": "ok"},
    )


def test_is_not_ready_with_a_migration_to_apply(transactional_db: None) -> None:
    ((_, newest),) = MigrationLoader(database).graph.leaf_nodes("connections")
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'connections' AND name = %s", [newest])
    try:
        status, checks = ready()
        assert (status, checks["migrations"]) == (503, "1 to apply")
        assert AsgiClient().get("/healthz").status_code == 200
    finally:
        with database.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('connections', %s, %s)",
                [newest, database_now()],
            )


@pytest.mark.parametrize("setting", ["KEK_KEYS", "FERNET_KEYS"])
def test_a_wrong_key_fails_readiness_and_ends_no_connection(
    setting: str, transactional_db: None, settings: Any
) -> None:
    acme = make_tenant("acme")
    backend, connection = make_caller(acme), make_connection(acme)
    other = other_keys(setting)
    setattr(settings, setting, other)

    status, checks = ready()

    assert (status, checks["keys"]) == (503, "stored keys do not open")
    for _ in range(3):
        answer = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"})
        assert (answer.status_code, answer.json()["code"]) == (500, "credential_unreadable")
    connection.refresh_from_db()
    assert (connection.status, connection.failures) == ("active", 0)


def test_a_wrong_key_is_noticed_where_only_credentials_are_stored(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_connection(make_tenant("acme"))
    ProviderApp.objects.update(secrets=None)
    assert ready()[0] == 200
    settings.FERNET_KEYS = other_keys("FERNET_KEYS")
    look_anew(monkeypatch)
    status, checks = ready()
    assert (status, checks["keys"]) == (503, "stored keys do not open")


def other_keys(setting: str) -> list[str]:
    if setting == "FERNET_KEYS":
        return [Fernet.generate_key().decode()]
    name, _, _ = project.KEK_KEYS[0].partition(":")
    return [f"{name}:{Fernet.generate_key().decode()}"]


def test_an_unreachable_broker_is_told_but_stops_nobody(transactional_db: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, checks = ready()
    assert (status, checks["broker"]) == (200, "unreachable")


def test_an_unreachable_database_is_told_once(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    database.close()
    with monkeypatch.context() as patch:
        elsewhere = {"HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {"connect_timeout": 1}}
        for name, value in elsewhere.items():
            patch.setitem(database.settings_dict, name, value)
        status, checks = ready()
    assert status == 503
    assert checks == {
        "database": "unreachable",
        "migrations": "unknown",
        "keys": "unknown",
        "key_files": "ok",
        "broker": "ok",
        "catalogue": "ok",
    }


def test_neither_says_more_than_a_word(db: None) -> None:
    text = AsgiClient().get("/readyz").content.decode() + AsgiClient().get("/healthz").content.decode()
    for secret in (project.DATABASES["default"]["PASSWORD"], project.SECRET_KEY, project.REDIS_URL):
        assert not secret or str(secret) not in text


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The second that it is, which stands still on a slow machine too."""
    now = [1000.0]
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_asking_again_and_again_asks_the_database_once(
    transactional_db: None, opened: list[object], clock: list[float]
) -> None:
    with CaptureQueriesContext(database) as first:
        assert ready()[0] == 200
    assert len(first) > 0
    with CaptureQueriesContext(database) as repeated:
        opened.clear()  # capturing has opened one
        assert {ready()[0] for _ in range(100)} == {200}
    assert (len(repeated), len(opened)) == (0, 0)


def test_many_who_ask_at_once_have_one_look_among_them(
    transactional_db: None, opened: list[object], clock: list[float]
) -> None:
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: ready(), range(64)))
    assert {status for status, _ in answers} == {200}
    assert len(opened) == 1


def test_a_second_later_it_looks_again(transactional_db: None, settings: Any, clock: list[float]) -> None:
    make_connection(make_tenant("acme"))
    assert ready()[0] == 200
    settings.KEK_KEYS = other_keys("KEK_KEYS")
    clock[0] += 0.9
    assert ready()[0] == 200
    clock[0] += 0.2
    assert ready() == (
        503,
        {
            "database": "ok",
            "migrations": "ok",
            "keys": "stored keys do not open",
            "key_files": "ok",
            "broker": "ok",
            "catalogue": "ok",
        },
    )
