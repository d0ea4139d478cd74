"""``/branding``: how pages look that belong to no tenant, and what stands in where a tenant says nothing."""

from django.http import HttpRequest
from ninja import Router

from connections.api.auth import caller_of
from connections.api.branding import OperatorBrandingIn, OperatorBrandingOut, operators_branding_out, profile_of
from connections.api.conditional import unchanged
from connections.api.routers.tenants import manager_of
from connections.lifecycle.provision.brands import save_brand
from connections.models import Brand, Permission

router = Router(tags=["tenants"])


@router.put("", response=OperatorBrandingOut, summary="Change the operator's brand")
def put_branding(request: HttpRequest, body: OperatorBrandingIn) -> OperatorBrandingOut:
    """Replace the operator's brand; only pictures stay if they are not given. Operator-wide clients only."""
    actor, check = (
        manager_of(request, conditional=True).actor,
        unchanged(request, operators_branding_out, missing=operators_branding_out(Brand())),
    )
    return operators_branding_out(save_brand(None, profile_of(body), actor=actor, check=check))


@router.get("", response=OperatorBrandingOut, summary="Show the operator's brand")
def get_branding(request: HttpRequest) -> OperatorBrandingOut:
    """Show what is set of the operator's brand. Every client may see it, as end users do."""
    caller_of(request, may=Permission.READ)
    return operators_branding_out(Brand.objects.filter(tenant=None).defer("logo", "favicon").first() or Brand())
