"""``python -m tests.connections.lifecycle.notices.killed PORT STATEMENT``: mail what is due, and be killed on the way.

The process is killed (SIGKILL) before its STATEMENT-th statement, or comes to its end.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings


def main(port: int, statements: int) -> None:
    """Mail what is due, for so many statements."""
    django.setup()
    settings.OPERATOR_MAIL = ["olga@operator.example"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    from django.db import connection

    from connections.lifecycle.notices.send import send_due

    left = statements

    def count(execute: Callable[..., Any], *statement: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*statement)

    with connection.execute_wrapper(count):
        send_due()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
