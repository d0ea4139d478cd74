import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.supervisor.processes import LogSink, ProcessSpec, Supervisor
from config.local.supervisor.state import LocalStackError
from config.local.supervisor.watchdog import Watchdog, is_alive
from providers.sandbox.waiting import until

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[LogSink]:
    sink = LogSink(folder=tmp_path, quiet=True)
    yield sink
    sink.close()


@pytest.fixture
def supervisor(sink: LogSink) -> Iterator[Supervisor]:
    watchdog = Watchdog()
    supervisor = Supervisor(environment=os.environ, sink=sink, watchdog=watchdog)
    yield supervisor
    supervisor.close()
    watchdog.close()


def _spec(code: str, *, name: str = "job", stage: int = 0, stop_seconds: float = 10) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-c", code), stage, stop_seconds)


def test_a_killed_process_is_started_again_and_a_line_says_so(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(_spec(SLEEP))
    first = supervisor.pid("job")
    supervisor.kill("job")
    until(lambda: supervisor.pid("job") not in (None, first), "another process")
    assert (tmp_path / "job.log").read_text() == "ended by SIGKILL, started again in 0.5 s\n"


def test_the_pause_before_a_restart_grows(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(_spec("raise SystemExit(3)"))
    log = tmp_path / "job.log"
    until(lambda: log.exists() and "in 1 s" in log.read_text(), "a second restart")
    assert log.read_text().splitlines() == [
        "ended with exit code 3, started again in 0.5 s",
        "ended with exit code 3, started again in 1 s",
    ]


def test_a_process_that_keeps_failing_is_reported_with_its_last_line(supervisor: Supervisor) -> None:
    supervisor.start(_spec("raise SystemExit('no port')"))
    assert supervisor.failure("job") is None
    until(lambda: supervisor.failure("job") is not None, "a failure")
    assert supervisor.failure("job") == "no port"


def test_what_a_crashed_process_left_behind_is_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    code = (
        "import os, pathlib, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    supervisor.start(_spec(code))
    until(lambda: note.exists() and note.read_text(), "the grandchild")
    grandchild = int(note.read_text())
    pid = supervisor.pid("job")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(grandchild), "the end of the grandchild")


def test_a_process_that_will_not_stop_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(_spec(STUBBORN, stop_seconds=0.3))
    until((tmp_path / "job.log").exists, "a line in the log")
    pid = supervisor.pid("job")
    assert pid is not None
    supervisor.stop("job")
    assert not is_alive(pid)
    assert "killed" in (tmp_path / "job.log").read_text()


def test_a_stopped_process_can_be_started_again(supervisor: Supervisor) -> None:
    supervisor.start(_spec(SLEEP))
    supervisor.stop("job")
    assert supervisor.pid("job") is None
    supervisor.start(_spec(SLEEP))
    assert supervisor.pid("job") is not None


def test_closing_ends_a_paused_process(supervisor: Supervisor) -> None:
    supervisor.start(_spec(SLEEP))
    pid = supervisor.pid("job")
    assert pid is not None
    supervisor.kill("job", signal.SIGSTOP)
    supervisor.close()
    assert not is_alive(pid)


def test_later_stages_are_stopped_after_the_earlier_ones(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(time.sleep({delay}) or print('{name}', time.monotonic())))\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    for name, stage, delay in (("late", 1, 0), ("early", 0, 0.3)):
        supervisor.start(_spec(code.format(name=name, delay=delay), name=name, stage=stage, stop_seconds=60))
        until(lambda log=tmp_path / f"{name}.log": log.exists() and "up" in log.read_text(), f"{name} to be up")
    supervisor.close()
    logs = {name: tmp_path / f"{name}.log" for name in ("early", "late")}
    until(lambda: all(name in log.read_text() for name, log in logs.items()), "the last line of each log")
    ended = {name: float(log.read_text().split()[-1]) for name, log in logs.items()}
    assert ended["early"] < ended["late"]


def test_a_second_signal_kills_what_is_waited_for(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(_spec(STUBBORN, stop_seconds=60))
    until((tmp_path / "job.log").exists, "a line in the log")
    supervisor.hurry()
    begun = time.monotonic()
    supervisor.close()
    assert time.monotonic() - begun < 50


def test_running_once_returns_the_output_and_logs_the_errors(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import sys; print('result'); print('warning', file=sys.stderr)"
    assert supervisor.run(_spec(code), seconds=30) == "result\n"
    assert (tmp_path / "job.log").read_text() == "warning\n"


def test_running_once_fails_with_the_last_line(supervisor: Supervisor) -> None:
    with pytest.raises(LocalStackError, match="job failed: ValueError: no such table"):
        supervisor.run(_spec("raise ValueError('no such table')"), seconds=30)


def test_running_once_ends_at_its_deadline(supervisor: Supervisor) -> None:
    with pytest.raises(LocalStackError, match="job failed: ended by SIGKILL"):
        supervisor.run(_spec(SLEEP), seconds=0.3)


def test_lines_carry_the_name_of_their_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LogSink(folder=tmp_path, quiet=False).line("web", "ready")
    assert capsys.readouterr().out == "web          | ready\n"
