"""``python -m tests.smoke`` (``make smoke``): the main job on the whole stack, headless, in under a minute.

Starts everything in a temporary folder on free ports, plays two users, and prints a line for each step and, last, one
line of JSON. The exit code is 0 only if everything held and nothing is left behind. The steps are in ``steps``.
"""

import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from config.local.demo.stack import PROCESSES, LocalStack
from config.local.supervisor.processes import signals_that_end
from config.local.supervisor.state import LocalStackError, make_folder
from config.local.supervisor.watchdog import Watchdog
from providers.sandbox.waiting import NotInTime
from tests.smoke.steps import run_steps
from tests.smoke.visitor import Unexpected

_INTERVALS = {"LATCHKEY_SWEEP_SECONDS": "1", "LATCHKEY_PROBE_SECONDS": "2,2,2", "SANDBOX_ACCESS_SECONDS": "30"}
_SHORTENED = (
    "Shortened: sweeps every 1 s (else 5 s), probes every 2 s (10 min to 6 h), access tokens of 30 s (an hour)."
)
_TAIL_LINES = 12
_GONE_SECONDS = 5.0


class Steps:
    """The steps done so far with their seconds, and the first one that failed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed = ""

    @contextlib.contextmanager
    def step(self, name: str, what: str, *, since: float | None = None) -> Iterator[None]:
        """Time a step and tell of it; ``since`` (monotonic) is for one that began before it was waited for."""
        begun = time.monotonic() if since is None else since
        try:
            yield
        except BaseException:
            self.failed = self.failed or name
            raise
        self.seconds[name] = round(time.monotonic() - begun, 2)
        print(f"{self.seconds[name]:6.2f} s  {name:<20} {what}", flush=True)


def main() -> int:
    """Run all steps; returns the exit code."""
    print(_SHORTENED, flush=True)
    steps = Steps()
    result: dict[str, object] = {"ok": True, "steps": steps.seconds}
    try:
        with _scratch_database() as overrides:
            _run(steps, _INTERVALS | overrides)
    except KeyboardInterrupt:
        result = {"ok": False, "failed": steps.failed, "error": "interrupted", "steps": steps.seconds}
    except Exception as error:  # noqa: BLE001 (whatever went wrong is the result of this run)
        is_told = isinstance(error, Unexpected | NotInTime | LocalStackError)
        text = f"{error}" if is_told else f"{type(error).__name__}: {error}"
        result = {"ok": False, "failed": steps.failed, "error": text, "steps": steps.seconds}
    print(json.dumps(result), flush=True)
    return 0 if result["ok"] else 1


def _run(steps: Steps, overrides: dict[str, str]) -> None:
    folder = make_folder(Path(tempfile.mkdtemp(prefix="latchkey-smoke-")))
    stack = LocalStack(state_dir=folder, overrides=overrides, durable=False, restart=False)
    _stop_on_signals(stack)
    watchdog = Watchdog()
    watchdog.remove(folder)  # when it is closed, or when this process is killed
    failure: BaseException | None = None
    try:
        with steps.step("start", f"the databases, {', '.join(PROCESSES)}"):
            stack.start()
        if stack.postgres is not None:
            watchdog.remove(stack.postgres.place)
        run_steps(stack, steps)
    except BaseException as error:  # noqa: BLE001 (raised again below, when all has been stopped)
        failure = error
        print(f"FAILED    {steps.failed:<20} {str(error) or 'interrupted'}", flush=True)
        _print_logs(folder / "logs")
    with steps.step("stop", "every process was asked to end, and the folder removed"):
        stack.stop()
        if stack.postgres is not None:
            stack.postgres.destroy()
        watchdog.close()
    with steps.step("nothing_left", "no process and no file is left behind"):
        check_nothing_left(stack, folder)
    if failure is not None:
        raise failure


def _stop_on_signals(stack: LocalStack) -> None:
    """Let the first signal end the steps, and a further one the patience with what is being stopped."""
    seen: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            stack.hurry()
        else:
            raise KeyboardInterrupt

    for number in signals_that_end():
        signal.signal(number, on_signal)


@contextlib.contextmanager
def _scratch_database() -> Iterator[dict[str, str]]:
    """Make a database of our own on the server that ``DATABASE_URL`` names; its other databases stay as they are.

    Yields what overrides the stack's environment: nothing where the stack brings a server along.
    """
    url = os.environ.get("DATABASE_URL")
    if not url:
        yield {}
        return
    name = f"latchkey_smoke_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield {"DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _print_logs(folder: Path) -> None:
    for path in sorted(folder.glob("*.log")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines[-_TAIL_LINES:]:
            print(f"{path.stem:<12} | {line}", flush=True)


def check_nothing_left(stack: LocalStack, folder: Path) -> None:
    """Raise ``Unexpected`` if a file or, 5 s later, a process of ``stack`` in ``folder`` is still there."""
    places = [folder] if stack.postgres is None else [folder, stack.postgres.place]
    if files := [str(place) for place in places if place.exists()]:
        raise Unexpected(f"files are left behind: {', '.join(files)}")
    give_up_at = time.monotonic() + _GONE_SECONDS
    while processes := processes_of(folder):
        if time.monotonic() > give_up_at:
            raise Unexpected(f"processes are left behind: {', '.join(processes)}")
        time.sleep(0.05)


def processes_of(folder: Path) -> list[str]:
    """Return the processes that name ``folder`` in their environment or arguments, or are children of this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            arguments = (entry / "cmdline").read_bytes()
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            named = os.fsencode(folder) in arguments + (entry / "environ").read_bytes()
            if named or int(parent) == os.getpid():
                found.append(f"{entry.name} ({arguments.replace(bytes(1), b' ').decode(errors='replace').strip()})")
    return found


if __name__ == "__main__":
    sys.exit(main())
