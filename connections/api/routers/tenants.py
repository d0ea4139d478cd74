"""``/tenants``: the operator's customers, and their own registrations at providers."""

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router

from connections.api.auth import Caller, caller_of, operator_of
from connections.api.branding import profile_of
from connections.api.conditional import as_seen, say_tag_of, unchanged
from connections.api.pages import Cursor, Limit, page_of
from connections.api.provider_apps import ProviderAppIn, ProviderAppOut, ProviderAppPage, provider_app_out, save_from
from connections.api.representations import domain_out, tenant_out
from connections.api.schemas import (
    DomainOut,
    DomainPage,
    TenantDeletionOut,
    TenantIn,
    TenantOut,
    TenantPage,
)
from connections.api.switches import KillSwitchIn, turn_kill_switch
from connections.api.texts import Address, Slug
from connections.database.clock import database_now
from connections.lifecycle.end.delete_tenant import order_deletion
from connections.lifecycle.provision.domains import add_domain, look_at_domain, remove_domain
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.models import Permission, ProviderApp, Tenant, TenantDomain
from connections.refusals import NotFound

router = Router(tags=["tenants"])


@router.put("/{slug}", response=TenantOut, summary="Make or change a tenant")
def put_tenant(request: HttpRequest, slug: Slug, body: TenantIn) -> TenantOut:
    """Make the tenant, or replace what it is known by. Operator-wide clients only."""
    caller = manager_of(request, conditional=True)
    profile = TenantProfile(
        name=body.name,
        allowed_origins=body.allowed_origins,
        return_urls=body.return_urls,
        reconnect_url=body.reconnect_url,
        brand=None if body.branding is None else profile_of(body.branding),
    )
    return tenant_out(upsert_tenant(slug, profile, actor=caller.actor, check=unchanged(request, tenant_out)))


@router.delete("/{slug}", response={202: TenantDeletionOut}, summary="Delete a tenant, shredding its secrets")
def delete_tenant(
    request: HttpRequest, slug: Slug, shred: Literal["now", "revoked"] = "revoked"
) -> tuple[int, TenantDeletionOut]:
    """Suspend the tenant for good, disconnect all that it has, and then destroy its data keys and its rows.

    The keys are destroyed when the providers have confirmed the revocations, after 24 hours at the latest; with
    `shred=now` at once, and no provider is asked. Repeating the call tells how far it is, until it answers 404.
    Operator-wide clients only. The audit trail stays.
    """
    caller = manager_of(request, conditional=True)
    told = order_deletion(
        _tenant(slug).id,
        now=database_now(),
        at_once=shred == "now",
        actor=caller.actor,
        check=unchanged(request, tenant_out),
    )
    return 202, TenantDeletionOut(
        slug=told.slug, shred_at=told.shred_at, connections=told.connections, revoking=told.revoking
    )


@router.get("", response=TenantPage, summary="List tenants")
def list_tenants(request: HttpRequest, cursor: Cursor | None = None, limit: Limit = 50) -> TenantPage:
    """List the tenants that the client may see by slug: its own, or all."""
    caller = caller_of(request, may=Permission.READ)
    tenants = Tenant.objects.select_related("brand").defer("brand__logo", "brand__favicon")
    if caller.client.tenant_id is not None:
        tenants = tenants.filter(id=caller.client.tenant_id)
    page, following = page_of(tenants, cursor, limit=limit, by="slug")
    return TenantPage(items=[tenant_out(tenant) for tenant in page], next=following)


@router.put(
    "/{slug}/provider-apps/{provider}", response=ProviderAppOut, summary="Make or change a tenant's own provider app"
)
def put_provider_app(
    request: HttpRequest, response: HttpResponse, slug: Slug, provider: Slug, body: ProviderAppIn
) -> ProviderAppOut:
    """Have the tenant use a registration of its own at a provider, in place of the shared one.

    Its end users then connect by that registration alone, and no other tenant sees or uses it. Repeating the call with
    other terms changes it. A tenant's own client makes its own tenant's only.
    """
    caller = caller_of(request, may=Permission.APPS, conditional=True)
    seen = unchanged(request, provider_app_out)
    saved = save_from(body, provider, tenant=caller.tenant(slug), actor=caller.actor, check=seen)
    say_tag_of(response, saved.model_copy(update={"notice": ""}))
    return saved


@router.get("/{slug}/provider-apps", response=ProviderAppPage, summary="List a tenant's own provider apps")
def list_provider_apps(
    request: HttpRequest, slug: Slug, cursor: Cursor | None = None, limit: Limit = 50
) -> ProviderAppPage:
    """List the registrations that are the tenant's own, newest first."""
    tenant = caller_of(request, may=Permission.APPS).tenant(slug)
    found = ProviderApp.objects.select_related("tenant").filter(tenant=tenant)
    page, following = page_of(found, cursor, limit=limit)
    return ProviderAppPage(items=[provider_app_out(app) for app in page], next=following)


@router.get("/{slug}", response=TenantOut, summary="Show one tenant")
def get_tenant(request: HttpRequest, slug: Slug) -> TenantOut:
    """Show one tenant. A tenant's own client sees its own tenant only."""
    return tenant_out(caller_of(request, may=Permission.READ).tenant(slug))


@router.put("/{slug}/switches", response=TenantOut, summary="Suspend or resume a tenant")
def put_tenant_switches(request: HttpRequest, slug: Slug, body: KillSwitchIn) -> TenantOut:
    """Throw the tenant's kill switch, or take it back: suspended, nothing of it vends, refreshes or connects.

    Operator-wide clients only.
    """
    caller = manager_of(request, conditional=True)
    tenant, seen = _tenant(slug), unchanged(request, tenant_out)
    turn_kill_switch(tenant, suspended=body.suspended, caller=caller, now=database_now(), check=seen)
    return tenant_out(tenant)


@router.put("/{slug}/domains/{host}", response=DomainOut, summary="Verify a tenant's domain")
def put_domain(request: HttpRequest, slug: Slug, host: Address) -> DomainOut:
    """Look for the file by which the host says that it is the tenant's; without it the answer says what it must hold.

    Pages vouch for a verified host that they lead back to. It is looked at every day, and ceases to be verified when
    the file is gone, or the host has not answered for a week. Operator-wide clients only.
    """
    caller = manager_of(request)
    domain = add_domain(_tenant(slug), host, actor=caller.actor)
    now = database_now()
    return domain_out(look_at_domain(domain, now=now, actor=caller.actor), now=now)


@router.get("/{slug}/domains", response=DomainPage, summary="List a tenant's domains")
def list_domains(request: HttpRequest, slug: Slug, cursor: Cursor | None = None, limit: Limit = 50) -> DomainPage:
    """List the tenant's domains by host, as they were last seen. Operator-wide clients only."""
    manager_of(request)
    now, domains = database_now(), TenantDomain.objects.filter(tenant=_tenant(slug))
    page, following = page_of(domains, cursor, limit=limit, by="host")
    return DomainPage(items=[domain_out(domain, now=now) for domain in page], next=following)


@router.get("/{slug}/domains/{host}", response=DomainOut, summary="Show one of a tenant's domains")
def get_domain(request: HttpRequest, slug: Slug, host: Address) -> DomainOut:
    """Show a domain as it was last seen, and the file that verifies it. Operator-wide clients only."""
    manager_of(request)
    return domain_out(_domain(slug, host), now=database_now())


@router.delete("/{slug}/domains/{host}", response={204: None}, summary="Forget a tenant's domain")
def delete_domain(request: HttpRequest, slug: Slug, host: Address) -> tuple[int, None]:
    """Forget the domain: pages vouch for it no longer. Operator-wide clients only."""
    caller, now = manager_of(request, conditional=True), database_now()
    with as_seen(request, _domain(slug, host), lambda row: domain_out(row, now=now)) as domain:
        remove_domain(domain.tenant, host, actor=caller.actor)
    return 204, None


def _domain(slug: str, host: str) -> TenantDomain:
    found = TenantDomain.objects.select_related("tenant").filter(tenant=_tenant(slug), host=host).first()
    if found is None:
        raise NotFound("There is no such domain.")
    return found


def _tenant(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NotFound("There is no such tenant.")
    return tenant


def manager_of(request: HttpRequest, *, conditional: bool = False) -> Caller:
    """Return who calls. Raises ``PermissionDenied`` unless it is an operator-wide client that may manage tenants."""
    return operator_of(request, may=Permission.TENANTS, conditional=conditional)
