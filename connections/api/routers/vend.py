"""The vend: ``/connections/{id}/credential`` and ``/credentials``."""

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router

from connections.api.auth import PresentedKey
from connections.api.representations import vend_out
from connections.api.schemas import VendByOwnerIn, VendIn, VendOut
from connections.lifecycle.audit import Actor
from connections.lifecycle.outcomes import NotFound
from connections.lifecycle.vend import VendOrder, vend
from connections.lifecycle.vend_by_owner import connection_of_owner

router = Router(tags=["vend"])


@router.post("/connections/{connection_id}/credential", response=VendOut, summary="Vend a credential")
def vend_by_id(request: HttpRequest, response: HttpResponse, connection_id: uuid.UUID, body: VendIn) -> VendOut:
    """Return a credential that works now, or the reason why none does; each call is audited."""
    response["Cache-Control"] = "no-store"
    presented: PresentedKey = request.auth  # type: ignore[attr-defined]
    try:
        return vend_out(vend(_order(presented, connection_id, body)))
    except NotFound:
        if body.tenant is None:
            presented.must_name_tenant()
        raise


@router.post("/credentials", response=VendOut, summary="Vend a credential by provider and end user")
def vend_by_owner(request: HttpRequest, response: HttpResponse, body: VendByOwnerIn) -> VendOut:
    """The same for the one connection of an end user (or of the whole tenant) at a provider."""
    response["Cache-Control"] = "no-store"
    presented: PresentedKey = request.auth  # type: ignore[attr-defined]
    connection_id = connection_of_owner(
        key_hash=presented.key_hash,
        tenant=body.tenant,
        provider=body.provider,
        end_user=body.end_user,
        asker=Actor(subject=body.end_user or "", agent=body.agent, purpose=body.purpose, address=presented.address),
    )
    return vend_out(vend(_order(presented, connection_id, body)))


def _order(presented: PresentedKey, connection_id: uuid.UUID, body: VendIn) -> VendOrder:
    return VendOrder(
        key_hash=presented.key_hash,
        connection_id=connection_id,
        tenant=body.tenant,
        end_user=body.end_user,
        scopes=body.scopes,
        min_ttl_seconds=body.min_ttl,
        agent=body.agent,
        purpose=body.purpose,
        address=presented.address,
    )
