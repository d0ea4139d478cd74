import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.smoke.__main__ import Steps, check_nothing_left, processes_of
from tests.smoke.visitor import Unexpected


def test_finds_a_process_by_the_folder_in_its_environment(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    script = (
        "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], env={'STATE': sys.argv[1]})"
    )
    # Its parent has ended: only the environment tells whose it is.
    orphan = subprocess.Popen([sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE)
    assert orphan.stdin is not None
    with orphan.stdin:
        orphan.wait()
        assert any("input()" in process for process in processes_of(folder))
    until(lambda: not any("input()" in process for process in processes_of(folder)), "the end of the orphan")


def test_a_folder_that_is_left_behind_fails_the_run(tmp_path: Path) -> None:
    with pytest.raises(Unexpected, match="files are left behind"):
        check_nothing_left(LocalStack(state_dir=tmp_path), tmp_path)


def test_the_step_that_failed_first_is_named_and_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps()
    with steps.step("start", "all is up"):
        pass
    for name in ("connect", "stop"):
        with pytest.raises(Unexpected), steps.step(name, "never told"):
            raise Unexpected("no")
    assert steps.failed == "connect"
    assert list(steps.seconds) == ["start"]
    assert capsys.readouterr().out.endswith("all is up\n")


def test_a_step_that_began_earlier_is_timed_from_there() -> None:
    steps = Steps()
    with steps.step("wait", "it came", since=time.monotonic() - 5):
        pass
    assert 5 <= steps.seconds["wait"] < 60
