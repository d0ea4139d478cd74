"""A session of the pool plans each prepared statement once, for any values."""

import runpy

import pytest
from django.db import connection

from config.local.supervisor.state import PROJECT_ROOT
from connections import tasks
from connections.database.pool import release_database
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser

_PLANS = "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements"


def test_what_is_prepared_is_never_planned_for_its_values(alice: EndUser) -> None:
    made = alice.connect(scopes=["profile.read"])["id"]
    release_database()
    connection.close_pool()  # other tests have prepared other statements
    for _ in range(7):  # PostgreSQL by itself plans the first five times for the values
        age(made, hours=1)
        tasks.refresh_connections(made)
        assert alice.vend(made).status_code == 200
    release_database()
    pool = connection.pool
    sessions = [pool.getconn() for _ in range(pool.get_stats()["pool_size"])]
    try:
        prepared = [row for session in sessions for row in session.execute(_PLANS).fetchall()]
    finally:
        for session in sessions:
            pool.putconn(session)
    for table in ("refreshattempt", "credentialversion", "auditevent"):
        assert any(f"INSERT INTO connections_{table}" in statement for statement, _, _ in prepared), table
    assert [statement for statement, _, custom in prepared if custom] == []


@pytest.mark.parametrize("pooled", ["true", "false"])
def test_a_session_that_a_pooler_shares_keeps_nothing(pooled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_POOLED", pooled)
    settings = runpy.run_path(str(PROJECT_ROOT / "config" / "settings.py"))
    assert ("connection_class" in settings["DATABASES"]["default"]["OPTIONS"]["pool"]) is (pooled == "false")
