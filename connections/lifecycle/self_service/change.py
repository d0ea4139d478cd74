"""Change: what an end user changes of one connection of theirs. Each first makes sure that it is theirs (``own``)."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from connections.journal import audit
from connections.lifecycle.end.disconnect import disconnect, foresee
from connections.lifecycle.self_service.own import own_connection
from connections.lifecycle.steer.describe import describe
from connections.models import AccessGrant, Connection, ManagementSession, Revocation


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


@dataclass(frozen=True, slots=True)
class Consequences:
    """What ending a connection would mean.

    ``revocation`` is what would become of the permission at the provider. ``is_shared``: others may use it, by an
    access grant on it. ``loses_default``: the owner's other connections at the provider would have no default.
    """

    revocation: Revocation
    is_shared: bool
    loses_default: bool


def foresee_end(connection: Connection, *, now: datetime) -> Consequences:
    """Return what ending ``connection`` would mean. Takes no lock, asks no provider."""
    shared = AccessGrant.objects.standing().filter(connection=connection).exclude(expires_at__lte=now)
    others = Connection.objects.of_the_owner_of(connection).exclude(id=connection.id)
    return Consequences(
        foresee(connection.id),
        is_shared=shared.exists(),
        loses_default=connection.is_default and others.exists(),
    )
