"""Settings as they are given: in the environment, or in files that it names (``KEK_KEYS_FILE`` for ``KEK_KEYS``)."""

import os
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
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {reason_of(error)}.") from None


class GivenEnv(FileAwareEnv):  # type: ignore[misc]  # likewise
    """Reads settings. Raises ``ImproperlyConfigured`` for a file that cannot be read, or beside its variable."""

    ENVIRON = _Given()


def file_of(name: str) -> Path | None:
    """Return the file that the environment names for the setting ``name``, or None. No I/O."""
    named = os.environ.get(f"{name}_FILE")
    return Path(named) if named else None


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, without anything that it holds."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is not text"
