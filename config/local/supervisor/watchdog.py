"""A process that outlives a killed supervisor just long enough to stop the processes that the supervisor had started.

The parent-death signal of Linux would not do: it is cleared when a process changes its user (PostgreSQL under root),
follows the thread that started the process, and does not reach grandchildren. The end of a pipe is the parent's end.

Run as a script by ``Watchdog``: it reads ``watch GROUP STAGE SIGNAL SECONDS``, ``forget GROUP`` and ``remove FOLDER``
lines. At the end of input it stops the groups stage by stage, then removes the folders. Standard library only.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Watched:
    """A process group and how to stop it: lower stages first, ``signal``, then after ``seconds`` SIGKILL."""

    group: int
    stage: int
    signal: int
    seconds: float


class Watchdog:
    """The supervisor's end. Safe to use from several threads; every method does a little pipe I/O."""

    def __init__(self, *, keep_open: tuple[int, ...] = ()) -> None:
        """Start the process; it inherits ``keep_open``, so that a lock is held until it has finished."""
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
            pass_fds=keep_open,
        )

    def watch(self, group: int, *, stage: int, stop_signal: int = signal.SIGTERM, seconds: float = 10.0) -> None:
        """Have the process group stopped should this process die."""
        self._say(f"watch {group} {stage} {int(stop_signal)} {seconds}")

    def forget(self, group: int) -> None:
        """Leave the process group alone: it is gone."""
        self._say(f"forget {group}")

    def remove(self, folder: Path) -> None:
        """Have the folder removed at the end, by whichever way it comes."""
        self._say(f"remove {folder}")

    def close(self) -> None:
        """End the watchdog, which stops whatever is still watched, and wait for that."""
        with self._lock, contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; returns False when none of it is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    return True


def stop_groups(watched: list[Watched]) -> None:
    """Stop the groups, a lower stage first, and return when they are gone or were killed."""
    for stage in sorted({entry.stage for entry in watched}):
        entries = [entry for entry in watched if entry.stage == stage]
        for entry in entries:
            signal_group(entry.group, entry.signal)
            # A stopped process acts on no signal but this one (and SIGKILL).
            signal_group(entry.group, signal.SIGCONT)
        begun = time.monotonic()
        while entries := [entry for entry in entries if _is_group_alive(entry.group)]:
            for entry in entries:
                if time.monotonic() - begun > entry.seconds:
                    signal_group(entry.group, signal.SIGKILL)
            if time.monotonic() - begun > max(entry.seconds for entry in entries) + 5:
                break
            time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Return whether the process exists and is no zombie: an orphan's may stay for ever where nobody reaps them."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state = _state_and_group(Path(f"/proc/{pid}/stat"))
    return state is None or state[0] not in "ZX"


def _is_group_alive(group: int) -> bool:
    if not signal_group(group, 0):
        return False
    found = [_state_and_group(path) for path in Path("/proc").glob("[0-9]*/stat")]
    states = [entry[0] for entry in found if entry and entry[1] == group]
    return not states or any(state not in "ZX" for state in states)


def _state_and_group(path: Path) -> tuple[str, int] | None:
    """Return (state, process group) from a ``/proc/PID/stat``, or None where there is none."""
    try:
        # The name, in brackets, may hold anything; state, parent and group follow it.
        state, _, group = path.read_text(errors="replace").rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return state, int(group)


def _main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    parent = os.getppid()
    watched: dict[int, Watched] = {}
    folders: list[str] = []
    pending = b""
    while True:
        # Another child of the parent may have inherited the pipe by a plain fork: then its end never comes.
        if not select.select([0], [], [], 1.0)[0]:
            if os.getppid() != parent:
                break
            continue
        data = os.read(0, 65536)
        if not data:
            break
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            verb, _, rest = os.fsdecode(line).partition(" ")
            if verb == "watch":
                group, stage, number_, seconds = rest.split()
                watched[int(group)] = Watched(int(group), int(stage), int(number_), float(seconds))
            elif verb == "forget":
                watched.pop(int(rest), None)
            elif verb == "remove":
                folders.append(rest)
    stop_groups(list(watched.values()))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main()
