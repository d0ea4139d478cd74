"""``/connections/{connection_id}/…``: what an operator does to one connection, beside ``connections``."""

import uuid

from django.http import HttpRequest
from ninja import Router

from connections.api.auth import caller_of
from connections.api.conditional import unchanged
from connections.api.quarantine import ReleaseIn
from connections.api.representations import connection_out
from connections.api.routers.connections import as_it_is
from connections.api.schemas import ChangedOut, ConnectionOut, OutcomeOut
from connections.api.switches import SwitchesIn, turn_switches
from connections.api.texts import Slug
from connections.database.clock import database_now
from connections.lifecycle.steer.on_demand import (
    discard_on_demand,
    end_on_demand,
    release_on_demand,
    reread_on_demand,
)
from connections.models import Permission

router = Router(tags=["connections"])


@router.put(
    "/{connection_id}/switches",
    response=ConnectionOut | ChangedOut,
    summary="Suspend, resume, pause or unpause a connection",
)
def put_connection_switches(
    request: HttpRequest, connection_id: uuid.UUID, body: SwitchesIn, tenant: Slug | None = None
) -> ConnectionOut | ChangedOut:
    """Switch the connection off, or on again: suspended, it does not vend; paused, it is not refreshed or probed.

    Only an operator-wide client takes the kill switch back.
    """
    caller = caller_of(request, may=Permission.MANAGE, conditional=True)
    connection, seen = caller.connection(connection_id, tenant), unchanged(request, connection_out)
    turn_switches(connection, body, caller=caller, now=database_now(), check=seen)
    return as_it_is(caller, connection_id, tenant)


@router.post("/{connection_id}/revoke", response=OutcomeOut, summary="Revoke")
def revoke_connection(request: HttpRequest, connection_id: uuid.UUID, tenant: Slug | None = None) -> OutcomeOut:
    """Stop vending at once, and have the grant revoked at the provider; the end user can connect it anew.

    One that waits for its confirmation has nothing to revoke (`pending`). `DELETE` ends a connection for good.
    """
    caller = caller_of(request, may=Permission.MANAGE)
    connection = caller.connection(connection_id, tenant)
    told = end_on_demand(connection.id, now=database_now(), actor=caller.actor, keep=True)
    return OutcomeOut(outcome=told.code, connection=as_it_is(caller, connection_id, tenant))


@router.post("/{connection_id}/reread", response=OutcomeOut, summary="Read a kept answer again")
def reread_connection(request: HttpRequest, connection_id: uuid.UUID, tenant: Slug | None = None) -> OutcomeOut:
    """Read the provider's answer again that could not be read, once its catalogue entry is mended. Nothing is sent."""
    caller = caller_of(request, may=Permission.MANAGE)
    connection = caller.connection(connection_id, tenant)
    told = reread_on_demand(connection.id, actor=caller.actor)
    return OutcomeOut(outcome=told.code, connection=as_it_is(caller, connection_id, tenant))


@router.post("/{connection_id}/discard-answer", response=OutcomeOut, summary="Discard a kept answer")
def discard_answer(request: HttpRequest, connection_id: uuid.UUID, tenant: Slug | None = None) -> OutcomeOut:
    """Destroy the answer that could not be read, tokens included: the next refresh sends the token of before."""
    caller = caller_of(request, may=Permission.MANAGE)
    connection = caller.connection(connection_id, tenant)
    told = discard_on_demand(connection.id, actor=caller.actor)
    return OutcomeOut(outcome=told.code, connection=as_it_is(caller, connection_id, tenant))


@router.post("/{connection_id}/release", response=OutcomeOut, summary="Release from refresh quarantine")
def release_connection(
    request: HttpRequest, connection_id: uuid.UUID, body: ReleaseIn, tenant: Slug | None = None
) -> OutcomeOut:
    """Let a connection refresh again that waits because the database was put back to an earlier moment.

    One whose refresh token is known to be used is left alone (`token_used`), unless the call says `with_used`. All of a
    tenant's are released by the bulk job `release`.
    """
    caller = caller_of(request, may=Permission.MANAGE)
    connection = caller.connection(connection_id, tenant)
    now = database_now()
    told = release_on_demand(connection.id, with_used=body.with_used, now=now, actor=caller.actor)
    return OutcomeOut(outcome=told.code, connection=as_it_is(caller, connection_id, tenant))
