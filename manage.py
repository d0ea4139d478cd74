#!/usr/bin/env python3
"""Django's command line for Latchkey.

Runs in the environment that ``make`` has made where this Python lacks the packages. With no settings in the environment
it takes those of a running ``make demo``. The part before the packages are there has to be read by older Pythons too.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
OLDEST = (3, 11)
PACKAGES = ("django", "environ", "csp", "celery", "psycopg")
REQUIRED = ("SECRET_KEY", "FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL")
# Set for the one start in .venv, so that a broken one is not tried for ever.
_TRIED = "_LATCHKEY_MANAGE_TRIED"
_MEND = f"run `make environment` in {HERE}, then try again."


def main() -> None:
    """Run one command. What keeps it from starting is said in one line, with exit code 1."""
    # Where a shell starts this in the background it is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _find_packages()
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    try:
        from django import setup  # noqa: PLC0415 (not before the packages were found)
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 (likewise)
        from django.core.management import execute_from_command_line  # noqa: PLC0415 (likewise)
    except ImportError as error:
        _fail(f"The environment in {sys.prefix} is damaged ({error}): {_MEND}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if os.environ["DJANGO_SETTINGS_MODULE"] == "config.settings":
        _find_settings()
    try:
        setup()
    except (ImproperlyConfigured, ValueError) as error:
        _fail(f"A setting is wrong: {error}")
    execute_from_command_line(sys.argv)


def _find_packages() -> None:
    """Go on in ``.venv`` if this Python is too old or lacks a package."""
    was_tried = os.environ.pop(_TRIED, "")
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if sys.version_info >= OLDEST and not missing:
        return
    python = HERE / ".venv" / "bin" / "python"
    if was_tried:
        lack = f"lacks {missing[0]}" if missing else "has a Python that is too old"
        _fail(f"The environment in {HERE / '.venv'} {lack}: {_MEND}")
    if not python.parent.is_dir():
        _fail(f"Latchkey's packages are not installed: {_MEND}")
    try:
        os.environ[_TRIED] = "yes"
        command = [str(python), str(HERE / "manage.py"), *sys.argv[1:]]
        os.execv(command[0], command)  # noqa: S606 (a file of this clone, with the caller's own words)
    except OSError as error:
        _fail(f"{python} cannot be run ({error.strerror}): {_MEND}")


def _find_settings() -> None:
    """Fill the environment where it holds no settings: from the running demo, or with placeholders to show help.

    What is set in the environment stays as it is.
    """
    missing = [name for name in REQUIRED if not os.environ.get(name) and not os.environ.get(f"{name}_FILE")]
    if not missing:
        return
    try:
        from config.local.supervisor.attach import NotRunning, settings_of_the_running  # noqa: PLC0415 (never in production)
        from config.local.supervisor.environment import placeholder_settings  # noqa: PLC0415 (likewise)
        from config.local.supervisor.state import LocalStackError, default_state_folder  # noqa: PLC0415 (likewise)
    except ImportError:
        _fail(f"{_not_set(missing)}.")
    given = [name for name in REQUIRED if name not in missing]
    folder = default_state_folder()
    settings = {}
    problem = ""
    try:
        settings = settings_of_the_running(folder)
        others = [name for name in given if os.environ.get(name) != settings[name]]
        if others:
            problem = f"{_not_set(missing)}. ({', '.join(others)}, which is set, is not that of the running demo.)"
    except (NotRunning, LocalStackError) as reason:
        problem = f"{_not_set(missing)}." if given else f"There are no settings. {reason}"
    if problem and not _asks_for_help():
        _fail(problem)
    if problem:
        settings = placeholder_settings()
    else:
        sys.stderr.write(f"manage.py: with the settings of the demo that runs from {folder}\n")
    for name, value in settings.items():
        if not os.environ.get(f"{name}_FILE"):
            os.environ.setdefault(name, value)


def _asks_for_help() -> bool:
    words = sys.argv[1:]
    return not words or words[0] == "help" or any(word in ("-h", "--help", "--version") for word in words)


def _not_set(missing: "list[str]") -> str:
    return f"Not set in the environment: {', '.join(missing)} (see the README's table of settings)"


def _fail(line: str) -> NoReturn:
    sys.stderr.write(f"manage.py: {line}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
