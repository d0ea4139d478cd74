"""The state folder of one local stack: what must survive a restart, and the lock that keeps a second start out.

Owns the folder's permissions, its JSON records (mode 0600) and its lock. The modules that write the records know their
meaning: ``environment`` (secrets), ``ports``, ``postgres`` and ``valkey``.
"""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.local.supervisor.watchdog import is_alive

PROJECT_ROOT = Path(__file__).resolve().parents[3]
LOCK = "lock"
# A killed supervisor's watchdog holds the lock until the last of its processes is gone.
_LEFTOVER_SECONDS = 60.0


class LocalStackError(Exception):
    """The local stack cannot do what was asked; the message is one line for the person who started it."""


def default_state_folder() -> Path:
    """Return ``LATCHKEY_STATE`` or ``.local`` in the clone, absolute."""
    return Path(os.environ.get("LATCHKEY_STATE") or PROJECT_ROOT / ".local").absolute()


def make_folder(path: Path) -> Path:
    """Create ``path`` if it is missing, so that nobody else can list it, and return it.

    As root it may be traversed, because PostgreSQL runs as another user and its data lies inside.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
        if path.stat().st_uid != os.geteuid():
            raise LocalStackError(f"{path} belongs to another user: set LATCHKEY_STATE to a folder of your own.")
        path.chmod(mode)
    except OSError as error:
        raise LocalStackError(
            f"{path} cannot be used ({error.strerror}): set LATCHKEY_STATE to another folder."
        ) from None
    return path


def read_record(path: Path) -> dict[str, Any]:
    """Return the JSON object in ``path``, or an empty one when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LocalStackError(
            f"{path} cannot be read ({error.strerror}): set LATCHKEY_STATE to another folder."
        ) from None
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise LocalStackError(f"{path} is damaged: delete the folder {path.parent} to start afresh.")
    return record


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Replace ``path`` with ``record`` as JSON, atomically and with mode 0600 from the first byte on."""
    write_private(path, json.dumps(record, indent=1) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` with ``text``, atomically and with mode 0600 from the first byte on."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the folder's lock; yields its file descriptor, which a watchdog may inherit to hold the lock longer.

    Raises ``LocalStackError`` at once if a living process holds it. Waits if the holder is dead, because then a
    watchdog is stopping the processes that the holder left running.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while not _try_lock(descriptor):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            if not holder.isdigit() or is_alive(int(holder)):
                raise LocalStackError(
                    f"Latchkey already runs from {folder} (process {holder or 'unknown'}): stop it first."
                )
            if time.monotonic() > deadline:
                raise LocalStackError(f"Processes of an earlier run still hold {folder}: stop them first.")
            time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
