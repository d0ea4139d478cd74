"""``/providers``: the catalogue, and what of it the tenant can connect to."""

import base64
import binascii
import re
from typing import Annotated

from django.conf import settings
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from connections.api.auth import caller_of
from connections.api.schemas import MethodOut, ProviderOut, ProviderPage, ScopeOut
from connections.api.texts import Slug, Text
from connections.models import Permission, ProviderApp
from connections.monogram import icon_path
from connections.refusals import InvalidRequest, NotFound
from providers.catalog.compiled import Listed
from providers.catalog.facts import Confidence
from providers.catalog.loader import form_schema, listed, load_catalog
from providers.catalog.schema import SLUG_PATTERN, CatalogEntry

router = Router(tags=["providers"])


@router.get("", response=ProviderPage, summary="List the catalogue")
def list_providers(
    request: HttpRequest,
    tenant: Slug | None = None,
    q: Annotated[Text, Field(max_length=200)] = "",
    category: Text | None = None,
    style: Text | None = None,
    confidence: Confidence | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> ProviderPage:
    """List the catalogue by slug; ``configured`` tells whether the tenant has an app for it.

    ``q`` searches names, slugs, aliases and categories. With ``style``, ``confidence`` is that of the style.
    """
    configured = _configured(request, tenant)
    after, words = "" if cursor is None else _parse_cursor(cursor), q.casefold().split()
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
    items = [_provider_out(entries[slug], configured) for slug in page if slug in entries]
    return ProviderPage(items=items, next=_cursor(page[-1]) if len(found) > limit else None)


@router.get("/{slug}", response=ProviderOut, summary="Show one provider")
def get_provider(request: HttpRequest, slug: Slug, tenant: Slug | None = None) -> ProviderOut:
    """Show one provider: its methods, the fields that each asks for, and its scopes."""
    configured = _configured(request, tenant)
    entry = load_catalog().get(slug)
    if entry is None:
        raise NotFound("There is no such provider.")
    return _provider_out(entry, configured)


def _confidence(entry: Listed, style: str | None) -> list[str | None]:
    return [entry.confidence.get(one) for one in ((style,) if style is not None else entry.styles)]


def _configured(request: HttpRequest, slug: str | None) -> set[tuple[str, str]]:
    caller = caller_of(request, may=Permission.READ)
    tenant = caller.tenant(slug)
    return {(app.provider, app.auth_style) for app in ProviderApp.objects.usable_by(tenant) if not app.is_draft}


def _provider_out(entry: CatalogEntry, configured: set[tuple[str, str]]) -> ProviderOut:
    return ProviderOut(
        slug=entry.slug,
        aliases=dict(listed()[entry.slug].aliases) if entry.slug in listed() else {},
        name=entry.name,
        category=entry.category,
        icon_url=f"{settings.PUBLIC_URL}{icon_path(entry)}",
        website=entry.website,
        docs_url=entry.docs_url,
        methods=[
            MethodOut(
                auth_style=style,
                confidence=entry.confidence_of(style),
                configured=(entry.slug, style) in configured,
                proxy_only=entry.methods[style].proxy_only,
                fields=form_schema(entry, style),
            )
            for style in entry.auth_styles
        ],
        scopes=[ScopeOut(**scope.model_dump()) for scope in entry.scopes],
    )


def _cursor(slug: str) -> str:
    return base64.urlsafe_b64encode(slug.encode()).decode()


def _parse_cursor(cursor: str) -> str:
    try:
        slug = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        slug = ""
    if re.fullmatch(SLUG_PATTERN, slug) is None:
        raise InvalidRequest("The cursor is not one that this call returned.", field="cursor")
    return slug
