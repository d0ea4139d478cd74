import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.supervisor.watchdog import Watchdog, is_alive
from providers.sandbox.waiting import until

# Starts a child that starts a grandchild, has both watched, prints their ids and dies as told.
_SUPERVISOR = """
import os, signal, subprocess, sys
from pathlib import Path
from config.local.supervisor.watchdog import Watchdog
child_code = sys.argv[1]
watchdog = Watchdog()
child = subprocess.Popen([sys.executable, "-c", child_code], stdout=subprocess.PIPE, start_new_session=True)
watchdog.watch(child.pid, stage=0, seconds=float(sys.argv[2]))
watchdog.remove(Path(sys.argv[3]))
print(child.pid, child.stdout.readline().decode().strip(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
_WITH_GRANDCHILD = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, flush=True)
time.sleep(600)
"""
_DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)
"""
_STOPPED = """
import os, signal, time
print(os.getpid(), flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(600)
"""


def _wait_for_end(pids: list[int], *, seconds: float) -> None:
    until(lambda: not any(is_alive(pid) for pid in pids), f"the end of {pids}", seconds=seconds, pause=0.02)


@pytest.mark.parametrize("code", [_WITH_GRANDCHILD, _DEAF, _STOPPED], ids=["with-grandchild", "deaf", "stopped"])
def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, code: str) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    result = subprocess.run(
        [sys.executable, "-c", _SUPERVISOR, code, "0.5", str(folder)], capture_output=True, text=True, check=False
    )
    assert result.returncode == -signal.SIGKILL, result.stderr
    _wait_for_end([int(pid) for pid in result.stdout.split()], seconds=60)
    until(lambda: not folder.exists(), "an end of the folder", seconds=60)


def test_a_lower_stage_is_gone_before_the_next_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = (
        "import signal, sys, time\n"
        "def on_term(*_):\n"
        "    time.sleep(float(sys.argv[2]))\n"
        "    open(sys.argv[3], 'a').write(sys.argv[1] + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, on_term)\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    watchdog = Watchdog()
    children = []
    for stage, delay in ((2, "0"), (1, "0.3")):
        argv = [sys.executable, "-c", code, str(stage), delay, str(told)]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        assert child.stdout is not None
        child.stdout.readline()
        watchdog.watch(child.pid, stage=stage, seconds=60)
        children.append(child)
    watchdog.close()
    for child in children:
        child.communicate()
    assert told.read_text() == "1 2 "


def test_a_forgotten_process_is_left_alone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    watchdog = Watchdog()
    watchdog.watch(child.pid, stage=0)
    watchdog.forget(child.pid)
    watchdog.close()
    assert child.poll() is None
    child.kill()
    child.wait()


def test_an_inherited_descriptor_stays_open_until_the_watchdog_has_finished() -> None:
    read_end, write_end = os.pipe()
    watchdog = Watchdog(keep_open=(write_end,))
    os.close(write_end)
    os.set_blocking(read_end, False)
    with pytest.raises(BlockingIOError):
        os.read(read_end, 1)
    watchdog.close()
    assert os.read(read_end, 1) == b""
    os.close(read_end)
