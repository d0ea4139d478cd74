"""``python -m config.local.run -- COMMAND``: run a command that needs settings but no running Latchkey, such as mypy.

The settings are throwaway values like those of a production installation. If the first word ends in ``.py``, this
Python runs it. With ``--database`` there is an empty private PostgreSQL; otherwise no service can be reached.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from config.local.services.postgres import PrivatePostgres
from config.local.supervisor.environment import inherited, placeholder_settings
from config.local.supervisor.state import PROJECT_ROOT, LocalStackError
from config.local.supervisor.watchdog import Watchdog


def main(arguments: list[str] | None = None) -> int:
    """Run the command in the project's folder and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.local.run", description=__doc__)
    parser.add_argument("--database", action="store_true", help="start an empty PostgreSQL for the command")
    parser.add_argument("command", nargs="+", help="after --")
    options = parser.parse_args(arguments)
    command: list[str] = options.command
    if command[0].endswith(".py"):
        command.insert(0, sys.executable)
    environment = inherited() | placeholder_settings()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits it as ignored
    if not options.database:
        return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode
    watchdog = Watchdog()
    postgres = PrivatePostgres(home=Path(tempfile.mkdtemp(prefix="latchkey-run-")), durable=False, watchdog=watchdog)
    try:
        environment["DATABASE_URL"] = postgres.start()
        return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        postgres.destroy()
        watchdog.close()


if __name__ == "__main__":
    sys.exit(main())
