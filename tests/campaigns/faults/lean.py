"""The campaign's side of the lean processes: starting the zygote, having it fork, killing and stopping its children."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.local.demo.stack import LocalStack
from config.local.supervisor.state import PROJECT_ROOT
from providers.sandbox.waiting import until
from tests.campaigns.faults.marks import Marks

_START_SECONDS = 30.0


class Lean:
    """One forked process."""

    def __init__(self, pid: int, marks: Marks, result: Path) -> None:
        self.pid = pid
        self.marks = marks
        self._result = result

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; one that has ended is passed over."""
        # It may end, and be reaped by the kernel, at any moment before this.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill -9, and return when it is gone."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, *, seconds: float = 30.0) -> None:
        """Return when it has ended. Raises ``AssertionError`` when it does not."""
        until(
            lambda: not Path(f"/proc/{self.pid}").exists(),
            f"the end of the lean process {self.pid}",
            seconds=seconds,
            pause=0.002,
        )

    def result(self) -> dict[str, Any]:
        """Ask it to stop, wait, and return what it had to tell."""
        self.marks.ask_to_stop()
        self.wait()
        told: dict[str, Any] = json.loads(self._result.read_text())
        return told

    def wait_for_turns(self, count: int) -> None:
        """Return when it has begun that many refreshes."""
        until(
            lambda: self.marks.turn >= count,
            f"refresh {count} of the lean process {self.pid} (see logs/lean.log)",
            seconds=_START_SECONDS,
            pause=0.001,
        )


class Zygote:
    """The running zygote."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._count = 0

    def fork(self, player: str, **arguments: Any) -> Lean:
        """Start one lean process of that kind (see ``players``)."""
        self._count += 1
        marks, result = self._folder / f"{self._count}.marks", self._folder / f"{self._count}.json"
        shared = Marks(marks, create=True)
        order = {"player": player, "marks": str(marks), "result": str(result), "arguments": arguments}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        pid = self._process.stdout.readline()
        assert pid, "the zygote has ended (see logs/lean.log)"
        return Lean(int(pid), shared, result)


@contextmanager
def zygote(stack: LocalStack, folder: Path) -> Iterator[Zygote]:
    """Run a zygote under the stack's environment until the block ends, and its children with it."""
    shared = folder / "lean"
    shared.mkdir(exist_ok=True)
    with (folder / "logs" / "lean.log").open("ab") as log:
        process = stack.popen(
            [sys.executable, "-m", "tests.campaigns.faults.zygote"],
            cwd=PROJECT_ROOT,
            env=stack.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Zygote(process, shared)
        finally:
            process.kill()
            process.wait()


def stopped(children: Sequence[Lean]) -> list[dict[str, Any]]:
    """Ask all to stop, and return what each had to tell."""
    for child in children:
        child.marks.ask_to_stop()
    return [child.result() for child in children]
