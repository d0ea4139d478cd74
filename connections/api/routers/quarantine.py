"""``/quarantine``: whose refreshes wait because the database was put back to an earlier moment.

One connection is released by ``/connections/{connection_id}/release``, a tenant's by the bulk job ``release``.
"""

from django.http import HttpRequest
from ninja import Router

from connections.api.auth import caller_of
from connections.api.pages import Cursor, Limit, page_of
from connections.api.quarantine import HeldConnectionPage, QuarantineOut, held_connection_out, quarantine_out
from connections.api.texts import EndUser, Slug
from connections.database.clock import database_now
from connections.lifecycle.quarantine.standing import standing
from connections.models import Connection, HeldConnection, Permission, TokenVerdict
from connections.models.quarantine import held

router = Router(tags=["connections"])


@router.get("", response=QuarantineOut, summary="Say how refresh quarantine stands")
def get_quarantine(request: HttpRequest) -> QuarantineOut:
    """Say whether refreshes wait because the database was put back, and how many of each tenant.

    A tenant's client sees its own, an operator-wide one those of all tenants.
    """
    caller = caller_of(request, may=Permission.READ)
    own = caller.client.tenant_id
    return quarantine_out(standing(now=database_now(), tenants=None if own is None else [own]))


@router.get("/connections", response=HeldConnectionPage, summary="List what refresh quarantine holds")
def list_held_connections(
    request: HttpRequest,
    tenant: Slug | None = None,
    verdict: TokenVerdict | None = None,
    provider: Slug | None = None,
    end_user: EndUser | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> HeldConnectionPage:
    """List a tenant's connections whose refreshes wait until they are released, or their end users connect again."""
    owner = caller_of(request, may=Permission.READ).tenant(tenant)
    wanted = {"verdict": verdict, "connection__provider": provider, "connection__end_user": end_user}
    found = HeldConnection.objects.select_related("connection").filter(
        held(),
        connection__in=Connection.objects.for_callers_of(owner.id),
        **{name: value for name, value in wanted.items() if value is not None},
    )
    page, following = page_of(found, cursor, limit=limit, by="connection_id")
    return HeldConnectionPage(items=[held_connection_out(row) for row in page], next=following)
