"""PgBouncer in both its modes: what is prepared, and what is held in a session."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.local.services.ports import any_free_port
from config.local.supervisor.state import PROJECT_ROOT
from tests.campaigns.stacks import own_databases, wait_for_port

_BOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
pytestmark = pytest.mark.skipif(not Path(_BOUNCER).exists(), reason="needs pgbouncer (a package of Debian's)")
_SCRIPT = """
import json, sys, threading
from dataclasses import dataclass
import django
django.setup(set_prefix=False)
from django.db import connection
from connections.database.prepared import fetch_prepared
from connections.lifecycle.refresh import presence
from connections.management.doctor import storage
from providers.sandbox.waiting import until

@dataclass
class Row:
    n: int

failed, barrier = [], threading.Barrier(4)

def ask():
    barrier.wait()
    for number in range(40):
        try:
            with connection.cursor():
                assert fetch_prepared("SELECT %(n)s::int + 0 AS n", {"n": number}, Row).n == number
        except Exception as error:  # counted, and told by the last line
            failed.append(type(error).__name__)
            connection.close()

threads = [threading.Thread(target=ask) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
presence.start()
try:
    until(lambda: presence.key() is not None, "the lock", seconds=float(sys.argv[1]))
    held = True
except Exception:  # told by the last line
    held = False
says = [found.says for found in storage.database() if found.area == "database"]
print(json.dumps({"failed": len(failed), "held": held, "says": says}))
"""


@pytest.fixture(scope="module")
def bouncer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database behind PgBouncer with two sessions for all, by session as well, and how to reach it directly."""
    folder = tmp_path_factory.mktemp("pgbouncer")
    folder.chmod(0o755)
    with own_databases() as databases:
        server = urlsplit(databases["DATABASE_URL"])
        name, port = server.path[1:], any_free_port()
        leads = (
            f"host={server.hostname} port={server.port} dbname={name} user={server.username}"
            f" password={server.password or ''}"
        )
        (folder / "bouncer.ini").write_text(
            f"[databases]\n{name} = {leads}\nby_session = {leads} pool_mode=session pool_size=20\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nunix_socket_dir =\n"
            "ignore_startup_parameters = extra_float_digits,options\n"
        )
        as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen([_BOUNCER, "-q", *as_user, str(folder / "bouncer.ini")], stderr=subprocess.DEVNULL)
        try:
            wait_for_port(port)
            pooled = server._replace(netloc=f"{server.username}@127.0.0.1:{port}").geturl()
            by_session = urlsplit(pooled)._replace(path="/by_session").geturl()
            yield {"DATABASE_URL": pooled, "BY_SESSION": by_session, "DIRECT": databases["DATABASE_URL"]}
        finally:
            process.terminate()
            process.wait(60)


def played(bouncer: dict[str, str], *, lock_seconds: float = 4, **settings: str) -> dict[str, Any]:
    """Return what a process tells that works behind PgBouncer, and that waits so long for its presence's lock."""
    environment = os.environ | {"DATABASE_URL": bouncer["DATABASE_URL"]} | settings
    command = [sys.executable, "-c", _SCRIPT, str(lock_seconds)]
    ran = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return found


def test_it_works_when_the_settings_know(bouncer: dict[str, str]) -> None:
    found = played(bouncer, lock_seconds=60, DATABASE_POOLED="true", DATABASE_DIRECT_URL=bouncer["DIRECT"])
    assert (found["failed"], found["held"]) == (0, True)
    assert not any("pooler" in says or "DATABASE_DIRECT_URL" in says for says in found["says"])


def test_without_a_way_past_it_no_lock_is_held_and_doctor_says_so(bouncer: dict[str, str]) -> None:
    found = played(bouncer, DATABASE_POOLED="true")
    assert (found["failed"], found["held"]) == (0, False)
    assert any("DATABASE_DIRECT_URL" in says for says in found["says"])


def test_doctor_notices_a_pooler_of_which_nobody_told(bouncer: dict[str, str]) -> None:
    found = played(bouncer)
    assert any("A pooler gives each transaction" in says for says in found["says"])


@pytest.mark.parametrize("knows_the_way_past", [True, False])
def test_pooling_by_session_is_no_fault_and_wants_a_way_past_it(
    bouncer: dict[str, str], knows_the_way_past: bool
) -> None:
    direct = {"DATABASE_DIRECT_URL": bouncer["DIRECT"]} if knows_the_way_past else {}
    wait = 60 if knows_the_way_past else 4
    found = played(bouncer, lock_seconds=wait, DATABASE_URL=bouncer["BY_SESSION"], **direct)
    assert (found["failed"], found["held"]) == (0, knows_the_way_past)
    told = [says for says in found["says"] if "pooler" in says or "DATABASE_DIRECT_URL" in says]
    assert len(told) == (0 if knows_the_way_past else 1)
    assert not any("gives each transaction" in says for says in told)
