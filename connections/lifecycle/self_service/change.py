"""Change: what an end user changes of one connection of theirs. Each first makes sure that it is theirs (``own``)."""

import uuid
from datetime import datetime

from connections.journal import audit
from connections.lifecycle.end.disconnect import disconnect, foresee
from connections.lifecycle.self_service.own import own_connection
from connections.lifecycle.steer.describe import describe
from connections.models import Connection, ManagementSession, Revocation


def rename_own(session: ManagementSession, connection_id: uuid.UUID, *, label: str, actor: audit.Actor) -> None:
    """Give a connection a label, "" for none. Raises ``SessionUnusable`` ("gone"), and ``InvalidRequest`` if taken."""
    describe(own_connection(session, connection_id).id, label=label, actor=actor)


def prefer_own(session: ManagementSession, connection_id: uuid.UUID, *, actor: audit.Actor) -> None:
    """Make a connection the default at its provider. Raises ``SessionUnusable`` ("gone") and ``InvalidRequest``."""
    describe(own_connection(session, connection_id).id, is_default=True, actor=actor)


def disconnect_own(
    session: ManagementSession, connection_id: uuid.UUID, *, now: datetime, actor: audit.Actor
) -> Connection:
    """End a connection for good (``end.disconnect``). Repeating it changes nothing. Raises ``SessionUnusable``."""
    return disconnect(own_connection(session, connection_id).id, now=now, actor=actor)


def revocation_foreseen(connection: Connection) -> Revocation:
    """Return what would become of the permission at the provider. Takes no lock, asks no provider."""
    return foresee(connection.id)
