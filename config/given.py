"""Settings as they are given: in the environment, or in files that it names (``KEK_KEYS_FILE`` for ``KEK_KEYS``)."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping


class _Given(FileAwareMapping):  # type: ignore[misc]  # it has no types
    """The environment, and what its files say. Nothing that a file says is written into the environment."""

    def __init__(self) -> None:
        super().__init__(cache=False)

    def __getitem__(self, name: str) -> str:
        if (path := file_of(name)) is None:
            return str(self.env[name])
        if self.env.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: leave one of them out.")
        try:
            return given_text(path).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {reason_of(error)}.") from None


class GivenEnv(FileAwareEnv):  # type: ignore[misc]  # likewise
    """Reads settings. Raises ``ImproperlyConfigured`` for a file that cannot be read, or beside its variable."""

    ENVIRON = _Given()

    def count(self, name: str, *, default: int, least: int = 0) -> int:
        """Return a whole number, ``least`` or more. Raises ``ImproperlyConfigured`` for anything else."""
        try:
            number = int(self.str(name, default=str(default)))
        except ValueError:
            number = least - 1
        if number < least:
            raise ImproperlyConfigured(f"{name} must be a whole number, {least} or more.")
        return number

    def seconds(self, name: str, *, default: float) -> float:
        """Return a number of seconds above 0. Raises ``ImproperlyConfigured`` for anything else."""
        [found] = self.several_seconds(name, default=[default])
        return found

    def several_seconds(self, name: str, *, default: Sequence[float]) -> list[float]:
        """Return as many numbers of seconds above 0 as ``default`` has. Raises ``ImproperlyConfigured`` else."""
        try:
            found = [float(one) for one in self.list(name, default=[str(one) for one in default])]
        except ValueError:
            found = []
        if len(found) != len(default) or not all(0 < one < math.inf for one in found):
            what = "a number" if len(default) == 1 else f"{len(default)} numbers, with commas between,"
            raise ImproperlyConfigured(f"{name} must be {what} of seconds, above 0.")
        return found


def file_of(name: str) -> Path | None:
    """Return the file that the environment names for the setting ``name``, or None. No I/O."""
    named = os.environ.get(f"{name}_FILE")
    return Path(named) if named else None


def given_text(path: Path) -> str:
    """Return what a file of settings holds, without the mark that some editors put before it (U+FEFF).

    Raises ``OSError`` and ``UnicodeDecodeError``.
    """
    return path.read_text(encoding="utf-8-sig")


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, without anything that it holds."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is not text"
