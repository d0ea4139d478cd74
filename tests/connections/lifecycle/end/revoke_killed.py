"""``python -m tests.connections.lifecycle.end.revoke_killed ID STATEMENT``: revoke, and be killed on the way.

The process is killed (SIGKILL) before its STATEMENT-th statement, or comes to its end.
"""

import os
import signal
import sys
import uuid
from collections.abc import Callable
from typing import Any

import django


def main(connection_id: uuid.UUID, statements: int) -> None:
    """Revoke, for so many statements."""
    django.setup()
    from django.db import connection

    from connections.lifecycle.end.revoke import revoke

    left = statements

    def count(execute: Callable[..., Any], *statement: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*statement)

    connection.execute_wrappers.append(count)
    revoke(connection_id)


if __name__ == "__main__":
    main(uuid.UUID(sys.argv[1]), int(sys.argv[2]))
