"""``/canaries``: connections that lead nowhere. They are made here, and told from others by no operation."""

import uuid

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from connections.api.auth import operator_of
from connections.api.representations import connection_out
from connections.api.schemas import ConnectionOut
from connections.api.texts import EndUser, Label, Request, Slug, Text
from connections.database.clock import database_now
from connections.lifecycle.watch.lay import Canary, lay_canary
from connections.models import Permission, ProviderApp
from connections.refusals import NotFound

router = Router(tags=["connections"])


class CanaryIn(Request):
    """What a canary is to look like."""

    tenant: Slug = Field(description="among whose connections it is laid")
    provider_app: uuid.UUID = Field(description="where it seems to lead: an app of the tenant's, or a shared one")
    end_user: EndUser | None = Field(None, description="whose it seems to be; none: the whole tenant's")
    label: Label | None = Field(None, description="as connections have one")
    account: Text = Field("", max_length=255, description="the name of the account at the provider, as it is shown")


@router.post("", response={201: ConnectionOut}, summary="Lay a canary")
def create_canary(request: HttpRequest, body: CanaryIn) -> Status[ConnectionOut]:
    """Make a connection that leads nowhere. Who vends, proxies, reads or changes it causes the event `use.suspected`.

    It is listed and vended as any other, and no operation says which ones are canaries: note its id. Its credential
    opens nothing. Lay it for an end user whom your product never serves, or your product is who touches it. Only an
    operator-wide client may do this.
    """
    caller = operator_of(request, may=Permission.CALLERS)
    tenant = caller.tenant(body.tenant)
    app = ProviderApp.objects.filter(id=body.provider_app).first()
    if app is None:
        raise NotFound("There is no such provider app.")
    canary = Canary(end_user=body.end_user or "", label=body.label or "", account=body.account)
    laid = lay_canary(canary, tenant=tenant, app=app, now=database_now(), actor=caller.actor)
    return Status(201, connection_out(laid))
