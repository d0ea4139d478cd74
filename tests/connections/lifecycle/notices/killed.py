"""``python -m tests.connections.lifecycle.notices.killed PORT STATEMENT``: mail what is due, and be killed on the way.

The process is killed (SIGKILL) before its STATEMENT-th statement, or comes to its end.
"""

import sys

import django
from django.conf import settings


def main(port: int, statement: int) -> None:
    """Mail what is due, until that statement."""
    django.setup()
    settings.OPERATOR_MAIL = ["olga@operator.example"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    from connections.lifecycle.notices.send import send_due
    from tests.killing import killed_before

    with killed_before(statement):
        send_due()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
