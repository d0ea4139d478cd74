"""What PostgreSQL and Valkey have in common here: one process of our own, with its files in one folder."""

import signal
import subprocess
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from config.local.supervisor.watchdog import Watchdog


class PrivateServer(ABC):
    """One server with its files in ``home``, running within a ``with`` block or from ``start`` to ``stop``.

    ``durable`` is for the subclass to read. Should this process die, ``watchdog`` stops the server.
    """

    def __init__(self, *, home: Path, durable: bool, watchdog: Watchdog | None = None) -> None:
        self.home = home.absolute()
        self.url = ""
        self._durable = durable
        self._watchdog = watchdog
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> str:
        """Start the server and return its URL."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the server."""

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    @property
    def has_crashed(self) -> bool:
        """Whether the server has ended without having been asked to."""
        process = self._process
        return process is not None and process.poll() is not None

    def _end(self, *steps: tuple[signal.Signals, float | None]) -> None:
        """Send one signal after the other, waiting so many seconds after each, until the process has ended."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            for number, seconds in steps:
                process.send_signal(number)
                process.send_signal(signal.SIGCONT)  # a stopped process acts on the other one only then
                try:
                    process.wait(seconds)
                    break
                except subprocess.TimeoutExpired:
                    continue
            if self._watchdog:
                self._watchdog.forget(process.pid)
