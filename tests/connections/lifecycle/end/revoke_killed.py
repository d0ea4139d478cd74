"""``python -m tests.connections.lifecycle.end.revoke_killed ID STATEMENT``: revoke, and be killed on the way.

The process is killed (SIGKILL) before its STATEMENT-th statement, or comes to its end.
"""

import sys
import uuid

import django


def main(connection_id: uuid.UUID, statement: int) -> None:
    """Revoke, until that statement."""
    django.setup()
    from connections.lifecycle.end.revoke import revoke
    from tests.killing import killed_before

    with killed_before(statement):
        revoke(connection_id)


if __name__ == "__main__":
    main(uuid.UUID(sys.argv[1]), int(sys.argv[2]))
