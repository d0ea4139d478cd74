"""Describe: change what is the operator's own of a connection: its metadata, its label, and which is the default."""

import json
import uuid
from typing import Any

from django.db import IntegrityError

from connections.database.locks import RowCheck, lock_connections
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.models import LIVE, Connection
from connections.refusals import InvalidRequest, NotFound

MAX_BYTES = 16 * 1024
_LABEL_TAKEN = "Another connection of the same owner at this provider has the label already."
_NOT_CONNECTED = "The connection is not connected, so it cannot be the default."


def describe(
    connection_id: uuid.UUID,
    *,
    metadata: dict[str, Any] | None = None,
    label: str | None = None,
    is_default: bool | None = None,
    check: RowCheck | None = None,
    actor: audit.Actor,
) -> None:
    """Change what is given of one connection, and leave what is None.

    ``metadata`` is any JSON object of the operator's. A ``label`` is unique among the owner's live connections at the
    provider. Making it the default takes that from the earlier one. One short transaction, which locks the connection
    and the earlier default. Raises ``NotFound`` and ``InvalidRequest`` naming the field, and what ``check`` raises of
    the locked connection.
    """
    if metadata is None and label is None and is_default is None:
        raise InvalidRequest("Say what to change: metadata, label or default.", field="metadata")
    if metadata is not None and len(json.dumps(metadata)) > MAX_BYTES:
        raise InvalidRequest("The metadata is larger than 16 KiB.", field="metadata")
    try:
        with short_transaction():
            _describe_locked(
                connection_id, metadata=metadata, label=label, is_default=is_default, check=check, actor=actor
            )
    except IntegrityError as error:  # another call was faster
        if "one_live_connection_a_label" in str(error.__cause__):
            raise InvalidRequest(_LABEL_TAKEN, field="label") from None
        if "one_default_connection" in str(error.__cause__):
            raise InvalidRequest("Another connection has become the default meanwhile.", field="default") from None
        raise


def _describe_locked(
    connection_id: uuid.UUID,
    *,
    metadata: dict[str, Any] | None,
    label: str | None,
    is_default: bool | None,
    check: RowCheck | None,
    actor: audit.Actor,
) -> None:
    found = Connection.objects.filter(id=connection_id).first()
    if found is None:
        raise NotFound("There is no such connection.")
    others = Connection.objects.of_the_owner_of(found).exclude(id=found.id)
    defaults = [row.id for row in others.filter(is_default=True)] if is_default else []
    locked = lock_connections([found.id, *defaults])
    connection = locked.pop(found.id, None)
    if connection is None:
        raise NotFound("There is no such connection.")
    if check is not None:
        check(connection)
    changed = []
    if metadata is not None:
        connection.describe(metadata)
        changed.append("metadata")
    if label is not None and label != connection.label:
        if label and connection.status in LIVE and others.filter(label=label).exists():
            raise InvalidRequest(_LABEL_TAKEN, field="label")
        connection.name(label)
        changed.append("label")
    if is_default is not None and is_default != connection.is_default:
        if is_default and connection.status not in LIVE:
            raise InvalidRequest(_NOT_CONNECTED, field="default")
        for earlier in locked.values():
            earlier.prefer(is_default=False)
        connection.prefer(is_default=is_default)
        changed.append("default")
    audit.record("connection.described", actor=actor, connection=connection, detail={"changed": changed})
