"""A program that starts warm notices nothing of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warm.start import Warm

PROGRAM = """
import os, sys
print(sys.argv, sys.path[0], os.getcwd(), dict(os.environ), __name__, sys.stdin.read())
sys.stderr.write("told")
{ending}
"""


@pytest.mark.parametrize("ending", ["", "sys.exit(3)", "sys.exit('why')", "os.kill(os.getpid(), 9)", "os._exit(7)"])
def test_a_program_says_and_ends_as_it_would_cold(warmed: Warm, tmp_path: Path, ending: str) -> None:
    file, elsewhere = tmp_path / "program.py", tmp_path / "elsewhere"
    file.write_text(PROGRAM.format(ending=ending))
    elsewhere.mkdir()
    # The streams of a warm one are as those of the process that it is forked from.
    inherited = {name: os.environ.get(name, "") for name in ("PATH", "PYTHONUNBUFFERED")}
    environment = inherited | {"LC_ALL": "C.UTF-8", "GIVEN": "é"}
    words = [str(file), "--word", "é"]
    cold = subprocess.run(
        [sys.executable, *words],
        cwd=elsewhere,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    warm = warmed.run(*words, env=environment, cwd=elsewhere)
    assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_one_that_takes_too_long_is_killed_and_the_next_one_runs(warmed: Warm, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text("import time; time.sleep(600)")
    with pytest.raises(subprocess.TimeoutExpired):
        warmed.run(file, seconds=0.1)
    file.write_text("print('here')")
    assert warmed.run(file).stdout == "here\n"
