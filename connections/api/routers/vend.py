"""The vend: ``/connections/{id}/credential`` and ``/credentials``, as the OpenAPI document describes them.

Calls that come the usual way are answered before Django (``vend_calls``). What arrives here is unusual in its host,
headers or body. The same use case answers it, in this thread.
"""

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router

from connections.api.auth import PresentedKey, presented_key_of
from connections.api.representations import vend_out
from connections.api.schemas import VendByOwnerIn, VendIn, VendOut
from connections.api.vend_calls import find_connection, order_of, parties_of, wait_wanted
from connections.lifecycle.vend.vend import vend
from connections.lifecycle.vend.verified import Parties

router = Router(tags=["vend"])


@router.post("/connections/{connection_id}/credential", response=VendOut, summary="Vend a credential")
def vend_by_id(request: HttpRequest, connection_id: uuid.UUID, body: VendIn) -> HttpResponse:
    """Return a credential that works now, or the reason why none does; each call is audited."""
    presented = presented_key_of(request)
    return _vend(request, presented, connection_id, body, parties_of(presented, body))


@router.post("/credentials", response=VendOut, summary="Vend a credential by provider and end user")
def vend_by_owner(request: HttpRequest, body: VendByOwnerIn) -> HttpResponse:
    """The same for the one connection of an end user (or of the whole tenant) at a provider."""
    presented = presented_key_of(request)
    parties = parties_of(presented, body)
    return _vend(request, presented, find_connection(presented, body, parties=parties), body, parties)


def _vend(
    request: HttpRequest, presented: PresentedKey, connection_id: uuid.UUID, body: VendIn, parties: Parties
) -> HttpResponse:
    """Vend, and return the same bytes as the short way does."""
    wait_seconds = wait_wanted(body, request.headers.get("Prefer", ""))
    vended = vend(order_of(presented, connection_id, body, wait_seconds=wait_seconds, parties=parties))
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(vend_out(vended).model_dump_json(), content_type="application/json", headers=headers)
