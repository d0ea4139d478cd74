"""``manage.py drill``: real faults on a database of its own, and nothing of it left behind.

Run as a process, as operators run it: it points the whole process at another database. It has to be a cold one where it
is interrupted.
"""

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from connections.drills.ground import Ground
from connections.drills.matrix import SCENARIOS, Scenario, judge
from connections.drills.oracles import Broken, expect
from connections.drills.throwaway import Server
from connections.management.commands.drill import document_of
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.sessions import session
from tests.warm.start import Warm

ROOT = Path(__file__).resolve().parents[3]
# Each scenario is a test in tests/faults; these show that the command plays them, in processes and threads of its own.
QUICK = ("redelivered", "killed-stored", "database-cut", "corrupt-row-swept")


def drill(warmed: Warm, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return warmed.run("manage.py", "drill", *arguments, env=os.environ | environment)


def drill_databases(*, of: str = "") -> set[str]:
    """Return the drills' databases; those that the application ``of`` that name is connected to, where one is given."""
    look = "SELECT datname FROM pg_database WHERE datname LIKE %s"
    if of:
        look = "SELECT datname FROM pg_stat_activity WHERE datname LIKE %s AND application_name = %s"
    with psycopg.connect(os.environ["DATABASE_URL"]) as connected:
        return {row[0] for row in connected.execute(look, [r"latchkey\_drill\_%", of][: 1 + bool(of)])}


def tables() -> Any:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connected:
        return connected.execute("SELECT count(*) FROM information_schema.tables").fetchone()


def test_keeps_its_promises_and_leaves_nothing_behind(warmed: Warm) -> None:
    before, touched = drill_databases(), tables()
    ran = drill(warmed, "--json", "--only", *QUICK)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    document = json.loads(ran.stdout)
    assert document["ok"] is True
    assert {one["name"]: one["ok"] for one in document["drills"]} == dict.fromkeys(QUICK, True)
    assert ran.stderr == ""
    assert drill_databases() <= before
    assert tables() == touched


def test_ctrl_c_drops_the_database() -> None:
    name = f"drill-{uuid.uuid4().hex[:12]}"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "drill", "--only", "database-away"],
        cwd=ROOT,
        env=os.environ | {"PGAPPNAME": name},  # other workers of this run may drill at the same time
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def made() -> set[str]:
        assert process.poll() is None, process.communicate()[1]
        return drill_databases(of=name)

    database = until(made, "a throw-away database")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "has been dropped" in told
    assert not database & drill_databases()


def test_a_role_that_may_not_create_databases_is_told_so(warmed: Warm) -> None:
    url = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connected:
        connected.execute("DROP ROLE IF EXISTS drill_nobody")
        connected.execute("CREATE ROLE drill_nobody LOGIN PASSWORD 'drill'")
        try:
            ran = drill(
                warmed, DATABASE_URL=url._replace(netloc=f"drill_nobody:drill@{url.hostname}:{url.port}").geturl()
            )
        finally:
            connected.execute("DROP ROLE drill_nobody")
    assert ran.returncode == 1
    assert "may not create one" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_unknown_drill_is_a_usage_error(warmed: Warm) -> None:
    assert drill(warmed, "--only", "nonsense").returncode == 2


def test_a_broken_promise_is_told_as_such_and_the_exit_code_says_so(warmed: Warm) -> None:
    # Without Redis nothing that one refresh learns reaches the next: this promise does not hold, the other one does.
    names = ("redelivered", "rate-limited-app")
    ran = drill(warmed, "--only", *names, REDIS_URL="redis://127.0.0.1:1/0")
    assert ran.returncode == 1
    heading, kept, broken = ran.stdout.splitlines()
    assert heading.split()[0] == "DRILL"
    assert kept.startswith("redelivered") and kept.endswith("kept")
    assert broken.startswith("rate-limited-app") and broken.endswith("BROKEN")
    assert "is Redis reachable?" in broken
    assert "1 of 2 promises broken: rate-limited-app" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.django_db
def test_what_a_drill_raises_is_a_promise_that_was_not_kept_and_programs_are_told(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    def broken(ground: Ground) -> str:
        expect(False, "it did not hold")
        return ""

    def raising(ground: Ground) -> str:
        raise ValueError("secret")

    with session("") as connected:
        ground = Ground(sandbox.control, Server(connected, "never made"), tmp_path)
        results = [judge(Scenario("a name", "a fault", "a promise", play), ground) for play in (broken, raising)]
    assert [(one.is_kept, one.happened) for one in results] == [
        (False, "it did not hold"),
        (False, "ValueError was raised"),
    ]
    told = document_of(results)
    assert (told["ok"], [one["ok"] for one in told["drills"]]) == (False, [False, False])


def test_every_drill_has_a_name_of_its_own() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS) >= 20
    assert issubclass(Broken, Exception)
