"""Share: who answers for a connection of the whole tenant's, and whether a connection is used under grants only."""

import uuid
from typing import Any

from connections.database.locks import RowCheck, lock_connection
from connections.database.pool import short_transaction
from connections.journal import audit, events
from connections.lifecycle.policy.reach import may_use_by_itself
from connections.models import ApiClient, Connection, OwnerKind
from connections.refusals import InvalidRequest, NotFound, PolicyDenied


def share(
    connection_id: uuid.UUID,
    *,
    granted_by: str | None = None,
    grants_only: bool | None = None,
    check: RowCheck | None = None,
    actor: audit.Actor,
) -> None:
    """Change what is given of one connection, and leave what is None.

    ``granted_by`` is the end user who answers from now on for what belongs to the whole tenant, "" for the tenant
    itself. One short transaction, which locks the connection. Raises ``NotFound``, and ``InvalidRequest`` for an end
    user's own connection, which is not handed over, what ``check`` raises of the locked connection, and
    ``PolicyDenied`` where an API client would open for itself what is kept to grants.
    """
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None:
            raise NotFound("There is no such connection.")
        if check is not None:
            check(connection)
        share_locked(connection, granted_by=granted_by, grants_only=grants_only, actor=actor)


def share_locked(
    connection: Connection, *, granted_by: str | None = None, grants_only: bool | None = None, actor: audit.Actor
) -> None:
    """Change who answers for a locked connection, or whether it is used under grants only. None leaves it as it is.

    In the caller's transaction, with an audit row and an event. Raises ``InvalidRequest`` for an end user's own
    connection, which is not handed over, and ``PolicyDenied`` where an API client would open for itself what is kept to
    grants.
    """
    if granted_by and connection.owner_kind != OwnerKind.TENANT:
        raise InvalidRequest("An end user's own connection is not handed over.", field="granted_by")
    if grants_only is False and connection.grants_only and not _may_open(actor):
        raise PolicyDenied(
            "An API client that uses connections for whomever it names opens none that is kept to grants, nor does one"
            " that such a client has made: let an operator do it, or a client that neither vends nor proxies.",
            rule="own_grant",
        )
    before = _told(connection)
    if granted_by is not None and granted_by != connection.granted_by:
        connection.hand_over(granted_by)
    if grants_only is not None and grants_only != connection.grants_only:
        connection.keep_to_grants(grants_only=grants_only)
    after = _told(connection)
    if after == before:
        return
    detail = after | {f"{name}_before": value for name, value in before.items()}
    audit.record("connection.shared", actor=actor, connection=connection, detail=detail)
    events.emit("connection.shared", connection, **detail)


def _may_open(actor: audit.Actor) -> bool:
    """Whether ``actor`` would not open the connection for itself. No I/O where it is no API client."""
    if actor.api_client_id is None:
        return True
    client = ApiClient.objects.filter(id=actor.api_client_id).first()
    return client is not None and not may_use_by_itself(client)


def _told(connection: Connection) -> dict[str, Any]:
    return {"granted_by": connection.granted_by or None, "grants_only": connection.grants_only}
