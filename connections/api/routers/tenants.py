"""``/tenants``: the operator's customers."""

from django.http import HttpRequest
from ninja import Router

from connections.api.auth import caller_of
from connections.api.representations import tenant_out
from connections.api.schemas import TenantIn, TenantOut
from connections.api.texts import Slug
from connections.lifecycle.outcomes import PermissionDenied
from connections.lifecycle.provision import TenantProfile, upsert_tenant
from connections.models import Permission, Tenant

router = Router(tags=["tenants"])


@router.put("/{slug}", response=TenantOut, summary="Make or change a tenant")
def put_tenant(request: HttpRequest, slug: Slug, body: TenantIn) -> TenantOut:
    """Make the tenant, or replace what it is known by. Operator-wide clients only."""
    caller = caller_of(request, may=Permission.TENANTS)
    if caller.client.tenant_id is not None:
        raise PermissionDenied("Only an operator-wide API client may manage tenants.")
    profile = TenantProfile(
        name=body.name,
        brand_color=body.branding.color,
        logo=body.branding.logo,
        allowed_origins=body.allowed_origins,
        return_urls=body.return_urls,
        reconnect_url=body.reconnect_url,
    )
    return tenant_out(upsert_tenant(slug, profile, actor=caller.actor))


@router.get("", response=list[TenantOut], summary="List tenants")
def list_tenants(request: HttpRequest) -> list[TenantOut]:
    """List the tenants that the client may see: its own, or all."""
    caller = caller_of(request, may=Permission.READ)
    tenants = Tenant.objects.all()
    if caller.client.tenant_id is not None:
        tenants = tenants.filter(id=caller.client.tenant_id)
    return [tenant_out(tenant) for tenant in tenants]
