"""Refreshes in a process of their own, for a drill to kill or stop: ``python -m connections.drills.process``.

Arguments: the name of the throw-away database, the spool's folder, the connections' ids. The settings are those of the
drill's own environment.
"""

import logging
import sys
import time
import uuid
from pathlib import Path

import django


def main(database: str, spool: str, *connection_ids: str) -> None:
    """Refresh one connection, or several together, if they are due."""
    django.setup()
    from connections.drills.ground import isolate  # noqa: PLC0415 (the apps must be ready)
    from connections.drills.throwaway import point_at  # noqa: PLC0415 (likewise)
    from connections.lifecycle.refresh.claim_query import find_apps  # noqa: PLC0415 (likewise)
    from connections.lifecycle.refresh.refresh import refresh  # noqa: PLC0415 (likewise)
    from connections.lifecycle.refresh.together import refresh_together  # noqa: PLC0415 (likewise)
    from connections.models import Trigger  # noqa: PLC0415 (likewise)

    logging.disable(logging.CRITICAL)
    point_at(database)
    with isolate(Path(spool)):
        first, *others = map(uuid.UUID, connection_ids)
        if others:
            refresh_together([*find_apps(first, *others).values()], begin_by=time.monotonic() + 30)
        else:
            refresh(first, trigger=Trigger.DRILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
