"""``/providers``: the catalogue, and what of it the tenant can connect to."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from connections.api.auth import caller_of
from connections.api.catalogue import ProviderOut, ProviderPage, provider_out
from connections.api.pages import Cursor, Limit, read_cursor, write_cursor
from connections.api.texts import Slug, Text
from connections.models import Permission, ProviderApp
from connections.refusals import NotFound
from providers.catalog.compiled import Listed
from providers.catalog.facts import Confidence
from providers.catalog.loader import listed, load_catalog

router = Router(tags=["providers"])


@router.get("", response=ProviderPage, summary="List the catalogue")
def list_providers(
    request: HttpRequest,
    tenant: Slug | None = None,
    q: Annotated[Text, Field(max_length=200)] = "",
    category: Text | None = None,
    style: Text | None = None,
    confidence: Confidence | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ProviderPage:
    """List the catalogue by slug; ``configured`` tells whether the tenant has an app for it.

    ``q`` searches names, slugs, aliases and categories. With ``style``, ``confidence`` is that of the style.
    """
    configured = _configured(request, tenant)
    words = q.casefold().split()
    list_ = f"providers {(words, category, style, confidence)}"
    after = "" if cursor is None else read_cursor(cursor, of=list_)
    found = [
        slug
        for slug, entry in listed().items()
        if slug > after
        and category in (None, entry.category)
        and (style is None or style in entry.styles)
        and (confidence is None or confidence in _confidence(entry, style))
        and entry.is_meant_by(words)
    ]
    page, entries = found[:limit], load_catalog()
    items = [provider_out(entries[slug], configured) for slug in page if slug in entries]
    return ProviderPage(items=items, next=write_cursor(page[-1], of=list_) if len(found) > limit else None)


@router.get("/{slug}", response=ProviderOut, summary="Show one provider")
def get_provider(request: HttpRequest, slug: Slug, tenant: Slug | None = None) -> ProviderOut:
    """Show one provider: its methods, the fields that each asks for, and its scopes."""
    configured = _configured(request, tenant)
    entry = load_catalog().get(slug)
    if entry is None:
        raise NotFound("There is no such provider.")
    return provider_out(entry, configured)


def _confidence(entry: Listed, style: str | None) -> list[str | None]:
    return [entry.confidence.get(one) for one in ((style,) if style is not None else entry.styles)]


def _configured(request: HttpRequest, slug: str | None) -> set[tuple[str, str]]:
    caller = caller_of(request, may=Permission.READ)
    tenant = caller.tenant(slug)
    return {(app.provider, app.auth_style) for app in ProviderApp.objects.usable_by(tenant) if not app.is_draft}
