"""One refresh in a process of its own, for a drill to kill or stop: ``python -m connections.drills.process``.

Arguments: the name of the throw-away database, the spool's folder, the connection's id. The settings are those of the
drill's own environment.
"""

import logging
import sys
import uuid
from pathlib import Path

import django


def main(database: str, spool: str, connection_id: str) -> None:
    """Refresh one connection, if it is due."""
    django.setup()
    from connections.drills.ground import isolate  # noqa: PLC0415 (the apps must be ready)
    from connections.drills.throwaway import point_at  # noqa: PLC0415 (likewise)
    from connections.lifecycle.refresh.refresh import refresh  # noqa: PLC0415 (likewise)
    from connections.models import Trigger  # noqa: PLC0415 (likewise)

    logging.disable(logging.CRITICAL)
    point_at(database)
    with isolate(Path(spool)):
        refresh(uuid.UUID(connection_id), trigger=Trigger.DRILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
