"""``python -m tests.processes.killed_jobs bulk|verify``: go on with what is under way in processes that are killed.

Each process is killed (SIGKILL) a few statements later than the one before it, until one comes to its end, and finds a
clock on which the claim of the killed one is over. Prints how many were killed. They are forked: Django is loaded once.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

STEP = 5
_CLAIM = timedelta(seconds=61)


def main(work: str) -> int:
    """Return how many processes were killed before one ended by itself."""
    for number in range(1000):
        if (child := os.fork()) == 0:
            _go_on(work, statements=1 + number * STEP, later=number * _CLAIM)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            if os.waitstatus_to_exitcode(status) != 0:
                raise SystemExit("A process failed.")
            return number
    raise AssertionError("None came to its end.")


def _go_on(work: str, *, statements: int, later: timedelta) -> None:
    from django.db import connection

    from connections.database.clock import database_now
    from connections.journal.verifications import continue_verifications
    from connections.lifecycle.steer.bulk import continue_bulk
    from connections.models import AuditVerification

    left = statements

    def kill_in_time(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)

    code = 1
    try:
        now = database_now() + later
        connection.execute_wrappers.append(kill_in_time)
        if work == "bulk":
            continue_bulk(now=now)
        while work == "verify" and AuditVerification.objects.filter(finished_at=None).exists():
            continue_verifications(now=now, seconds=0.005)  # so that it notes how far it is, again and again
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    django.setup()
    print(main(sys.argv[1]))
