"""The settings of a running stack, in a file for commands that people type beside it. The stack's stop removes it.

Owns that file (mode 0600, it holds the secrets). The lock of the stack's folder shows whether the stack runs.
"""

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config.local.supervisor.state import LOCK, read_record, write_record

_SETTINGS = "settings.json"


class NotRunning(Exception):
    """No stack can be used from this folder; the message is one line that says what to do."""


@contextmanager
def published(folder: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Let commands find these settings until the block ends. The caller holds the folder's lock."""
    write_record(folder / _SETTINGS, dict(settings))
    try:
        yield
    finally:
        withdraw(folder)


def withdraw(folder: Path) -> None:
    """Take back what a run has published, one that was killed as well."""
    (folder / _SETTINGS).unlink(missing_ok=True)


def settings_of_the_running(folder: Path) -> dict[str, str]:
    """Return the settings of the stack that runs from ``folder`` now.

    Raises ``NotRunning``, and ``LocalStackError`` if they cannot be read.
    """
    _check_owner(folder)
    if not _is_locked(folder):
        raise NotRunning(
            f"`make demo` does not run from {folder}. Start it in another terminal, or set the variables of the README."
        )
    settings = {name: str(value) for name, value in read_record(folder / _SETTINGS).items()}
    if not settings:
        raise NotRunning("`make demo` is still starting (or stopping). Try again when it says that Latchkey is ready.")
    return settings


def _check_owner(folder: Path) -> None:
    """Raise ``NotRunning`` where somebody else could have written the settings: they decide whose database is used."""
    for path in (folder, folder / _SETTINGS):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        except OSError:
            return  # the reader reports a file that cannot be inspected
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise NotRunning(f"{path} is not yours alone to write: set LATCHKEY_STATE to a folder of your own.")


def _is_locked(folder: Path) -> bool:
    """Whether a process holds the folder's lock. Takes it shared for a moment, which needs no right to write."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise NotRunning(f"{folder} cannot be read ({error.strerror}): be the user who started `make demo`.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
