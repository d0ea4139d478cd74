"""Clones of the project for tests of what a newcomer types in a fresh one."""

import os
import sys
from pathlib import Path

from config.local.supervisor.state import PROJECT_ROOT

_PACKAGES = ("config", "connections", "providers", "templates", "static")


def make_clone(folder: Path, *, with_environment: bool) -> Path:
    """Make a clone in ``folder``, and in it the environment that ``make`` would have made, and return it."""
    folder.mkdir()
    (folder / "manage.py").write_bytes((PROJECT_ROOT / "manage.py").read_bytes())
    (folder / "manage.py").chmod(0o755)
    for name in _PACKAGES:
        (folder / name).symlink_to(PROJECT_ROOT / name)
    if with_environment:
        (folder / ".venv").symlink_to(sys.prefix)
    return folder


def unconfigured(**settings: str) -> dict[str, str]:
    """Return the environment of a person who has set nothing of Latchkey's but ``settings``."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | settings
