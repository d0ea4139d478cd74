"""Change the one column of a connection that is the operator's own."""

import json
import uuid
from typing import Any

from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.refusals import InvalidRequest, NotFound

MAX_BYTES = 16 * 1024


def change_metadata(connection_id: uuid.UUID, metadata: dict[str, Any], *, actor: audit.Actor) -> None:
    """Replace the metadata of one connection: any JSON object of the operator's. One short transaction that locks it.

    Raises ``NotFound`` and ``InvalidRequest`` (over 16 KiB).
    """
    if len(json.dumps(metadata)) > MAX_BYTES:
        raise InvalidRequest("The metadata is larger than 16 KiB.", field="metadata")
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None:
            raise NotFound("There is no such connection.")
        connection.describe(metadata)
        audit.record("connection.metadata", actor=actor, connection=connection)
