import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.supervisor.state import PROJECT_ROOT
from config.local.supervisor.watchdog import is_alive
from providers.sandbox.waiting import until
from tests.services import worker_environment

# Starts the services, prints what they are, and ends as told.
_RUN = """
import json, os, signal, sys
from tests.services import start_services
services = start_services()
postgres, valkey = services.postgres, services.valkey
print(json.dumps([str(services.folder), str(postgres.place), postgres.pid, valkey.pid]), flush=True)
if sys.argv[1] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
elif sys.argv[1] == "interrupt":
    os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize("ending", ["interrupt", "kill"])
def test_nothing_is_left_of_the_services_of_a_run(ending: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    result = subprocess.run(
        [sys.executable, "-c", _RUN, ending],
        cwd=PROJECT_ROOT,
        env=environment | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout, result.stderr
    folder, place, *pids = json.loads(result.stdout)
    until(
        lambda: not (any(is_alive(pid) for pid in pids) or Path(folder).exists() or Path(place).exists()),
        f"an end of {folder}, {place} and {pids} after {ending}",
        seconds=10,
    )


def test_each_worker_has_a_redis_database_of_its_own() -> None:
    shared = {"REDIS_URL": "redis://:secret@127.0.0.1:6379/0", "LATCHKEY_SPOOL_DIR": "/tmp/spool"}
    first, second = (worker_environment(shared, worker) for worker in ("gw0", "gw1"))
    assert first == {"REDIS_URL": "redis://:secret@127.0.0.1:6379/1", "LATCHKEY_SPOOL_DIR": "/tmp/spool-gw0"}
    assert second["REDIS_URL"].endswith("/2")
