"""``/providers``: the catalogue, and what of it the tenant can connect to."""

from django.http import HttpRequest
from ninja import Router

from connections.api.auth import caller_of
from connections.api.schemas import MethodOut, ProviderOut, ScopeOut
from connections.api.texts import Slug
from connections.models import Permission, ProviderApp
from connections.refusals import NotFound
from providers.catalog.loader import form_schema, load_catalog
from providers.catalog.schema import CatalogEntry

router = Router(tags=["providers"])


@router.get("", response=list[ProviderOut], summary="List the catalogue")
def list_providers(request: HttpRequest, tenant: Slug | None = None) -> list[ProviderOut]:
    """List every provider; ``configured`` tells whether the tenant has an app for it."""
    configured = _configured(request, tenant)
    return [_provider_out(entry, configured) for entry in load_catalog().values()]


@router.get("/{slug}", response=ProviderOut, summary="Show one provider")
def get_provider(request: HttpRequest, slug: Slug, tenant: Slug | None = None) -> ProviderOut:
    """Show one provider: its methods, the fields that each asks for, and its scopes."""
    configured = _configured(request, tenant)
    entry = load_catalog().get(slug)
    if entry is None:
        raise NotFound("There is no such provider.")
    return _provider_out(entry, configured)


def _configured(request: HttpRequest, slug: str | None) -> set[tuple[str, str]]:
    caller = caller_of(request, may=Permission.READ)
    tenant = caller.tenant(slug)
    return {(app.provider, app.auth_style) for app in ProviderApp.objects.usable_by(tenant) if not app.is_draft}


def _provider_out(entry: CatalogEntry, configured: set[tuple[str, str]]) -> ProviderOut:
    return ProviderOut(
        slug=entry.slug,
        name=entry.name,
        category=entry.category,
        website=entry.website,
        methods=[
            MethodOut(
                auth_style=style,
                configured=(entry.slug, style) in configured,
                proxy_only=entry.methods[style].proxy_only,
                fields=form_schema(entry, style),
            )
            for style in entry.auth_styles
        ],
        scopes=[ScopeOut(**scope.model_dump()) for scope in entry.scopes],
    )
