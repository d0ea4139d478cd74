"""``python -m tests.connections.lifecycle.pushes.killed ID…``: act on pushes, and be killed on the way.

Each push has a process of its own, which is killed (SIGKILL) before its first statement, its second, and so on, or
comes to its end. For each, "killed" or "ended" is printed.
"""

import os
import sys
import uuid

import django


def main(push_ids: list[uuid.UUID]) -> None:
    """Act on each in a process of its own, which begins with all that is imported."""
    django.setup()
    from connections.lifecycle.pushes.act import act
    from tests.killing import killed_before

    for statement, push_id in enumerate(push_ids):
        if (child := os.fork()) == 0:
            with killed_before(statement):
                act(push_id)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "ended", flush=True)


if __name__ == "__main__":
    main([uuid.UUID(one) for one in sys.argv[1:]])
