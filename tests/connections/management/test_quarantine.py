"""``manage.py quarantine`` at the shell: what waits, what is let go, and what is left out."""

import pytest
from django.test import override_settings

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.quarantine import sort
from connections.lifecycle.quarantine.begin import begin_quarantine
from connections.lifecycle.quarantine.pulse import beat
from connections.models import AuditEvent, HeldConnection, RewindCause, Tenant, TokenVerdict
from tests.connections.api.stored import make_connection
from tests.connections.management.conftest import Run


@pytest.mark.usefixtures("transactional_db")
def test_without_one_it_says_so(run: Run) -> None:
    assert "There is no quarantine" in run("quarantine", "status").out
    assert run("quarantine", "list").out.strip() == "No connection waits."


def test_from_its_begin_to_its_end(run: Run, acme: Tenant, globex: Tenant) -> None:
    ids = [str(make_connection(tenant).id) for tenant in (acme, globex)]
    begun = run("quarantine", "begin", "--rewound-to", "2026-01-01T00:00:00Z")
    assert (begun.code, "2 unknown" in begun.out) == (0, True), begun.err
    assert AuditEvent.objects.filter(action="quarantine.begin").exclude(operator="").count() == 1
    found = run("quarantine", "status", "--json").data
    assert (found["waits"], found["cause"], found["rewound_to"][:10]) == (2, "ordered", "2026-01-01")
    assert {row["connection"] for row in run("quarantine", "list", "--json").data} == set(ids)
    assert [row["tenant"] for row in run("quarantine", "list", "--tenant", "globex", "--json").data] == ["globex"]

    assert run("quarantine", "release", "--tenant", "acme").out == "1 connections refresh again.\n"
    HeldConnection.objects.update(verdict=TokenVerdict.USED)
    left = run("quarantine", "release", "--connection", ids[1], "--json").data
    assert left == {"released": 0, "left": 1}
    assert run("quarantine", "release", "--all", "--with-used", "--json").data == {"released": 1, "left": 0}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("begin", "--rewound-to", "yesterday"), "invalid _moment value"),
        (("begin", "--rewound-to", "2999-01-01T00:00:00Z"), "lies ahead"),
        (("release",), "required"),
        (("release", "--tenant", "nobody"), "no tenant"),
        (("list", "--tenant", "nobody"), "no tenant"),
    ],
)
def test_what_makes_no_sense_is_refused(
    run: Run, transactional_db: None, arguments: tuple[str, ...], says: str
) -> None:
    ran = run("quarantine", *arguments)
    assert (ran.code != 0, says in ran.err) == (True, True), ran.err


def test_begun_after_beats_without_a_moment_everything_waits(run: Run, acme: Tenant) -> None:
    """Database, Redis and spool are all from yesterday, so they agree; workers have beaten since."""
    make_connection(acme)
    beat(now=database_now())
    assert run("quarantine", "begin", "--json").data["sorted"]["unknown"] == 1
    assert run("quarantine", "status", "--json").data["rewound_to"] is None


def test_a_release_before_any_worker_has_sorted_sorts_first(run: Run, acme: Tenant) -> None:
    """As after a restore, when nothing runs yet."""
    make_connection(acme)
    beat(now=database_now())
    begin_quarantine(RewindCause.ORDERED, rewound_to=None, actor=Actor(operator="anna"), now=database_now())
    assert run("quarantine", "release", "--tenant", "acme", "--json").data == {"released": 1, "left": 0}
    assert run("quarantine", "status", "--json").data["waits"] == 0


@pytest.mark.usefixtures("redis_of_its_own")
def test_with_redis_away_everything_is_held_until_somebody_orders_otherwise(
    run: Run, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort, "ASKED_AGAIN", 0)
    make_connection(acme)
    beat(now=database_now())
    assert run("quarantine", "sort").out == "There is nothing to sort.\n"
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        begun = run("quarantine", "begin")
        assert ("Everything is held" in begun.out, "--without-redis" in begun.out) == (True, True)
        assert "Redis does not answer since" in run("quarantine", "status").out
        refused = run("quarantine", "release", "--all")
        assert (refused.code != 0, "--without-redis" in refused.err) == (True, True)
        assert run("quarantine", "sort", "--json").data == {"sorted": None}
        ordered = run("quarantine", "sort", "--without-redis")
        assert "1 unknown" in ordered.out
    row = AuditEvent.objects.get(action="quarantine.sorted")
    assert (row.operator != "", row.detail["without_redis"]) == (True, 1)
