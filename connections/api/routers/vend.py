"""The vend: ``/connections/{id}/credential`` and ``/credentials``."""

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router

from connections.api.auth import PresentedKey, presented_key_of
from connections.api.representations import vend_out
from connections.api.schemas import VendByOwnerIn, VendIn, VendOut
from connections.journal.audit import Actor
from connections.lifecycle.vend.by_owner import connection_of_owner
from connections.lifecycle.vend.vend import Vended, VendOrder, vend
from connections.refusals import NotFound

router = Router(tags=["vend"])


@router.post("/connections/{connection_id}/credential", response=VendOut, summary="Vend a credential")
def vend_by_id(request: HttpRequest, connection_id: uuid.UUID, body: VendIn) -> HttpResponse:
    """Return a credential that works now, or the reason why none does; each call is audited."""
    presented = presented_key_of(request)
    try:
        return _answer(vend(_order(presented, connection_id, body)))
    except NotFound:
        if body.tenant is None:
            presented.must_name_tenant()
        raise


@router.post("/credentials", response=VendOut, summary="Vend a credential by provider and end user")
def vend_by_owner(request: HttpRequest, body: VendByOwnerIn) -> HttpResponse:
    """The same for the one connection of an end user (or of the whole tenant) at a provider."""
    presented = presented_key_of(request)
    connection_id = connection_of_owner(
        key_hash=presented.key_hash,
        tenant=body.tenant,
        provider=body.provider,
        end_user=body.end_user,
        asker=Actor(subject=body.end_user or "", agent=body.agent, purpose=body.purpose, address=presented.address),
    )
    return _answer(vend(_order(presented, connection_id, body)))


def _answer(vended: Vended) -> HttpResponse:
    """Return the body as it is: ninja would validate and copy the new object a second time."""
    return HttpResponse(
        vend_out(vended).model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


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
