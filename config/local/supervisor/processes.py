"""Child processes with one supervisor: started in groups of their own, restarted when they crash, stopped in order.

``stack`` decides which processes run; ``watchdog`` ends the children of a killed supervisor.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from config.local.supervisor.state import PROJECT_ROOT, LocalStackError
from config.local.supervisor.watchdog import Watchdog, signal_group

_POLL_SECONDS = 0.1
_FIRST_BACKOFF_SECONDS = 0.5
_LAST_BACKOFF_SECONDS = 10.0
_HEALTHY_SECONDS = 30.0
_COLOURS = (36, 33, 35, 32, 34, 95, 96)
_NAME_WIDTH = 12
_KEPT_LINES = 20


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to keep running: processes of a lower ``stage`` are stopped first, with ``stop_seconds`` to finish."""

    name: str
    argv: tuple[str, ...]
    stage: int = 0
    stop_seconds: float = 10.0


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: "subprocess.Popen[bytes]"
    started_at: float
    failures: int = 0
    restart_at: float | None = None
    tail: list[str] = field(default_factory=list)


class LogSink:
    """Where output goes: prefixed lines on standard output, or quietly to one file a process in ``folder``."""

    def __init__(self, *, folder: Path, quiet: bool) -> None:
        self.folder = folder
        self.quiet = quiet
        self._lock = threading.Lock()
        self._files: dict[str, IO[str]] = {}
        self._colours: dict[str, int] = {}
        self._next_colour = itertools.cycle(_COLOURS)
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def line(self, name: str, text: str) -> None:
        """Write one line in the name of a process."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self.quiet:
                self._file(name).write(text + "\n")
                return
            prefix = f"{name:<{_NAME_WIDTH}} |"
            if self._coloured:
                colour = self._colours.get(name) or self._colours.setdefault(name, next(self._next_colour))
                prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
            print(prefix, text, flush=True)

    def close(self) -> None:
        """Close the files; later lines open them again."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()

    def _file(self, name: str) -> IO[str]:
        if name not in self._files:
            path = self.folder / f"{name}.log"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._files[name] = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="replace")
        return self._files[name]


class Supervisor:
    """Keeps processes running until told otherwise. Its methods may be called from several threads.

    ``popen`` starts them: ``subprocess.Popen``, or what is called like it.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        sink: LogSink,
        watchdog: Watchdog,
        restart: bool = True,
        popen: "Callable[..., subprocess.Popen[Any]]" = subprocess.Popen,
    ) -> None:
        self._environment = dict(environment)
        self._popen = popen
        self._sink = sink
        self._watchdog = watchdog
        self._restart = restart
        self._lock = threading.RLock()
        self._children: dict[str, _Child] = {}
        self._closing = threading.Event()
        self._stopping: list[_Child] = []
        self._hurried = False
        self._monitor = threading.Thread(target=self._watch_children, name="supervisor", daemon=True)
        self._monitor.start()

    def start(self, spec: ProcessSpec) -> None:
        """Start the process; it is restarted whenever it ends, with a growing pause, until it is stopped."""
        with self._lock:
            if self._closing.is_set():
                raise LocalStackError("The stack is stopping.")
            if spec.name in self._children:
                raise LocalStackError(f"{spec.name} has been started already.")
            self._children[spec.name] = self._launch(spec)

    def run(self, spec: ProcessSpec, *, seconds: float) -> str:
        """Run a process once, to its end, and return its standard output; the error stream goes to the log.

        Raises ``LocalStackError`` when it fails or takes longer than ``seconds``.
        """
        process = self._spawn(spec, merged=False)
        errors: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        reader = threading.Thread(target=self._pump, args=(spec.name, process.stderr, errors), daemon=True)
        reader.start()
        timer = threading.Timer(seconds, signal_group, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            output = process.stdout.read().decode(errors="replace")
            process.wait()
        finally:
            timer.cancel()
            self._clear(process)
        reader.join(2)
        if process.returncode:
            last = next((line for line in reversed(errors) if line.strip()), _how_it_ended(process.returncode))
            raise LocalStackError(f"{spec.name} failed: {last}")
        return output

    def pid(self, name: str) -> int | None:
        """Return the process id of ``name`` while it runs."""
        with self._lock:
            child = self._children.get(name)
            return child.process.pid if child and child.process.poll() is None else None

    def failure(self, name: str) -> str | None:
        """Return the last line of a process that ended at least twice since it last ran for long, else None."""
        with self._lock:
            child = self._children.get(name)
            if child is None or child.failures < 2:
                return None
            return next((line for line in reversed(child.tail) if line.strip()), "it ends without a word")

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process and everything that it started. Raises ``KeyError`` for an unknown name."""
        with self._lock:
            child = self._children[name]
            if child.restart_at is None:
                signal_group(child.process.pid, number)

    def stop(self, name: str) -> None:
        """Stop one process for good; it can be started again."""
        with self._lock:
            child = self._children.pop(name)
        self._stop([child])

    def close(self) -> None:
        """Stop everything, a lower stage first, and end the supervisor."""
        self._closing.set()
        if threading.current_thread() is not self._monitor:
            self._monitor.join()
        with self._lock:
            children, self._children = list(self._children.values()), {}
        for stage in sorted({child.spec.stage for child in children}):
            self._stop([child for child in children if child.spec.stage == stage])

    def hurry(self) -> None:
        """Kill at once what ``close`` is waiting for; may be called from a signal handler of the same thread."""
        self._hurried = True
        for child in self._stopping:
            signal_group(child.process.pid, signal.SIGKILL)

    def _stop(self, children: list[_Child]) -> None:
        self._stopping = children
        for child in children:
            # Only the first process of the group gets the signal: a manager would treat its workers' end as a failure.
            child.process.send_signal(signal.SIGKILL if self._hurried else signal.SIGTERM)
            signal_group(child.process.pid, signal.SIGCONT)
        begun = time.monotonic()
        try:
            for child in children:
                remaining = child.spec.stop_seconds - (time.monotonic() - begun)
                try:
                    child.process.wait(max(remaining, 0.01))
                except subprocess.TimeoutExpired:
                    self._sink.line(child.spec.name, f"did not stop within {child.spec.stop_seconds:.0f} s: killed")
        finally:
            self._stopping = []
            for child in children:
                self._clear(child.process)

    def _clear(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill what is left of the process's group and reap it."""
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
        self._watchdog.forget(process.pid)

    def _launch(self, spec: ProcessSpec) -> _Child:
        process = self._spawn(spec, merged=True)
        child = _Child(spec, process, time.monotonic())
        assert process.stdout is not None
        threading.Thread(target=self._pump, args=(spec.name, process.stdout, child.tail), daemon=True).start()
        return child

    def _spawn(self, spec: ProcessSpec, *, merged: bool) -> "subprocess.Popen[bytes]":
        process = self._popen(
            spec.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            cwd=PROJECT_ROOT,
            env=self._environment,
            start_new_session=True,
            umask=0o077,
        )
        self._watchdog.watch(process.pid, stage=spec.stage, seconds=spec.stop_seconds)
        return process

    def _pump(self, name: str, stream: IO[bytes], tail: list[str]) -> None:
        with stream:
            for raw in stream:
                text = raw.decode(errors="replace").rstrip("\r\n")
                tail.append(text)
                del tail[:-_KEPT_LINES]
                self._sink.line(name, text)

    def _watch_children(self) -> None:
        while not self._closing.wait(_POLL_SECONDS):
            with self._lock:
                for name, child in self._children.items():
                    if child.process.poll() is not None:
                        self._attend(name, child)

    def _attend(self, name: str, child: _Child) -> None:
        """Note that a child has ended, or start it anew when its pause is over."""
        now = time.monotonic()
        if child.restart_at is None:
            self._clear(child.process)
            child.failures = 1 if now - child.started_at > _HEALTHY_SECONDS else child.failures + 1
            pause = min(_FIRST_BACKOFF_SECONDS * 2 ** (child.failures - 1), _LAST_BACKOFF_SECONDS)
            child.restart_at = now + pause if self._restart else float("inf")
            then = f", started again in {pause:g} s" if self._restart else ""
            self._sink.line(name, f"{_how_it_ended(child.process.returncode)}{then}")
        elif now >= child.restart_at:
            replacement = self._launch(child.spec)
            replacement.failures = child.failures
            self._children[name] = replacement


def signals_that_end() -> tuple[signal.Signals, ...]:
    """Return the signals at which a supervisor ends what it runs, and then itself.

    SIGINT is among them even where it is ignored, which is how a shell without job control starts its background jobs.
    SIGHUP is not where it is ignored: that is what ``nohup`` is for.
    """
    ends_at_hangup = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if ends_at_hangup else []))


def _how_it_ended(returncode: int) -> str:
    if returncode < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"
