"""Kills a process of a test at a moment that the test chooses: before a statement to the database."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.db import connection


def killed_before(statement: int) -> AbstractContextManager[None]:
    """Return a context in which this process is killed (SIGKILL) before its ``statement``-th statement, counted from 0.

    It comes to its end if it makes fewer. Only for a process of its own, with Django set up.
    """
    left = statement

    def count(execute: Callable[..., Any], *parameters: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*parameters)

    return connection.execute_wrapper(count)
