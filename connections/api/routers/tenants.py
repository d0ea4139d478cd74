"""``/tenants``: the operator's customers."""

from typing import Literal

from django.http import HttpRequest
from ninja import Router

from connections.api.auth import Caller, caller_of
from connections.api.representations import tenant_out
from connections.api.schemas import TenantDeletionOut, TenantIn, TenantOut
from connections.api.texts import Slug
from connections.database.clock import database_now
from connections.lifecycle.end.delete_tenant import order_deletion
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.models import Permission, Tenant
from connections.refusals import NotFound, PermissionDenied

router = Router(tags=["tenants"])


@router.put("/{slug}", response=TenantOut, summary="Make or change a tenant")
def put_tenant(request: HttpRequest, slug: Slug, body: TenantIn) -> TenantOut:
    """Make the tenant, or replace what it is known by. Operator-wide clients only."""
    caller = _manager_of(request)
    profile = TenantProfile(
        name=body.name,
        brand_color=body.branding.color,
        logo=body.branding.logo,
        allowed_origins=body.allowed_origins,
        return_urls=body.return_urls,
        reconnect_url=body.reconnect_url,
    )
    return tenant_out(upsert_tenant(slug, profile, actor=caller.actor))


@router.delete("/{slug}", response={202: TenantDeletionOut}, summary="Delete a tenant, shredding its secrets")
def delete_tenant(
    request: HttpRequest, slug: Slug, shred: Literal["now", "revoked"] = "revoked"
) -> tuple[int, TenantDeletionOut]:
    """Suspend the tenant for good, disconnect all that it has, and then destroy its data keys and its rows.

    The keys are destroyed when the providers have confirmed the revocations, after 24 hours at the latest; with
    `shred=now` at once, and no provider is asked. Repeating the call tells how far it is, until it answers 404.
    Operator-wide clients only. The audit trail stays.
    """
    caller = _manager_of(request)
    tenant = Tenant.objects.only("id").filter(slug=slug).first()
    if tenant is None:
        raise NotFound("There is no such tenant.")
    told = order_deletion(tenant.id, now=database_now(), at_once=shred == "now", actor=caller.actor)
    return 202, TenantDeletionOut(
        slug=told.slug, shred_at=told.shred_at, connections=told.connections, revoking=told.revoking
    )


@router.get("", response=list[TenantOut], summary="List tenants")
def list_tenants(request: HttpRequest) -> list[TenantOut]:
    """List the tenants that the client may see: its own, or all."""
    caller = caller_of(request, may=Permission.READ)
    tenants = Tenant.objects.all()
    if caller.client.tenant_id is not None:
        tenants = tenants.filter(id=caller.client.tenant_id)
    return [tenant_out(tenant) for tenant in tenants]


def _manager_of(request: HttpRequest) -> Caller:
    """Return who calls. Raises ``PermissionDenied`` unless it is an operator-wide client that may manage tenants."""
    caller = caller_of(request, may=Permission.TENANTS)
    if caller.client.tenant_id is not None:
        raise PermissionDenied("Only an operator-wide API client may manage tenants.")
    return caller
