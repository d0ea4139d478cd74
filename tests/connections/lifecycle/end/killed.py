"""``python -m tests.connections.lifecycle.end.killed ID``: go on with an offboarding in processes that are killed.

Each process is killed (SIGKILL) a few statements later than the one before it, until one comes to its end. Prints
how many were killed. They are forked, so that Django is loaded once.
"""

import itertools
import os
import signal
import sys
import uuid
from collections.abc import Callable
from typing import Any

import django

STEP = 5


def main(offboarding_id: uuid.UUID) -> int:
    """Return how many processes were killed before one ended by itself."""
    for number, statements in enumerate(itertools.count(1, STEP)):
        if (child := os.fork()) == 0:
            _go_on(offboarding_id, statements)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            if os.waitstatus_to_exitcode(status) != 0:
                raise SystemExit("A process failed.")
            return number
    raise AssertionError


def _go_on(offboarding_id: uuid.UUID, statements: int) -> None:
    from django.db import connection

    from connections.database.clock import database_now
    from connections.lifecycle.end.offboard import continue_offboarding

    left = statements

    def kill_in_time(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)

    code = 1
    try:
        now = database_now()
        connection.execute_wrappers.append(kill_in_time)
        continue_offboarding(offboarding_id, now=now)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    django.setup()
    print(main(uuid.UUID(sys.argv[1])))
