"""The catalogue, as the API shows it."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from connections.api.pages import Page
from connections.monogram import icon_address
from providers.catalog.loader import form_schema, listed
from providers.catalog.schema import CatalogEntry


class ScopeOut(BaseModel):
    """A scope in plain words."""

    name: str
    description: str
    default: bool


class MethodOut(BaseModel):
    """One way to connect; ``fields`` is the JSON Schema of what the end user types.

    With ``proxy_only`` no caller is handed the credential. ``confidence`` says how sure the facts are: "high",
    "medium", or "low" for unverified; null for an entry of your own.
    """

    auth_style: str
    confidence: str | None
    configured: bool
    proxy_only: bool
    fields: dict[str, Any]


class ProviderOut(BaseModel):
    """One catalogue entry. ``aliases`` are further names by which it may be named, each for one of its styles.

    ``icon_url`` is an SVG of two letters on the provider's colour, as the widget shows it.
    """

    slug: str
    aliases: dict[str, str]
    name: str
    category: str
    icon_url: str
    website: str
    docs_url: str
    methods: list[MethodOut]
    scopes: list[ScopeOut]


class ProviderPage(Page[ProviderOut]):
    """One page, by slug; ``next`` is the cursor of the next one, or null."""


def provider_out(entry: CatalogEntry, configured: Collection[tuple[str, str]]) -> ProviderOut:
    """Return what the API shows of an entry. ``configured``: the slugs and styles that the tenant has apps for."""
    return ProviderOut(
        slug=entry.slug,
        aliases=dict(listed()[entry.slug].aliases) if entry.slug in listed() else {},
        name=entry.name,
        category=entry.category,
        icon_url=icon_address(entry),
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
