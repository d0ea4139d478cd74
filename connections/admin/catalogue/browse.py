"""The list of the catalogue: searched by name, filtered by category, style, confidence and source.

It is made of the lines that the loader keeps of every entry, so no entry is validated for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connections.admin.catalogue.pages import MAY_DESCRIBE, SEE_APPS, catalogue_page, page
from connections.models import ProviderApp
from providers.catalog.compiled import Listed
from providers.catalog.facts import Confidence
from providers.catalog.loader import added_slugs, faulty_files, listed
from providers.strategies import strategies

PER_PAGE = 48
_LONGEST_SEARCH = 200
CONFIDENCE_WORDS: Mapping[str, tuple[str, str, str]] = {  # label, tone of the chip, and what it means
    Confidence.HIGH: ("High confidence", "good", "Two independent sources agree."),
    Confidence.MEDIUM: (
        "Medium confidence",
        "plain",
        "Two sources agree on most of it, or one and a page of the provider's.",
    ),
    Confidence.LOW: ("Unverified", "warn", "One source, or none that could be read: try it before others use it."),
    "": ("Your own", "busy", "An entry of your own: you answer for it."),
}
_SOURCES = {"built-in": "Comes with Latchkey", "own": "Your own", "used": "With a provider app"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for: the words of the search, and one value of each filter, "" for any."""

    words: tuple[str, ...] = ()
    category: str = ""
    style: str = ""
    confidence: str = ""
    source: str = ""

    def takes(self, entry: Listed, *, own: frozenset[str], used: frozenset[str]) -> bool:
        """Whether ``entry`` is among what is asked for."""
        styles = [self.style] if self.style else entry.styles
        sources = {"own": entry.slug in own, "built-in": entry.slug not in own, "used": entry.slug in used}
        return (
            self.category in ("", entry.category)
            and self.style in ("", *entry.styles)
            and (not self.confidence or self.confidence in [entry.confidence.get(style, "") for style in styles])
            and sources.get(self.source, True)
            and entry.is_meant_by(self.words)
        )


@catalogue_page
@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Show the entries that are asked for, a page at a time. One query."""
    entries, own, used = listed(), added_slugs(), _used(request)
    asked = str(request.GET.get("q", ""))[:_LONGEST_SEARCH].strip()
    filters = _filters(entries)
    picked = {name: str(request.GET.get(name, "")) for name in filters}
    picked = {name: value if value in dict(filters[name]) else "" for name, value in picked.items()}
    choice = Choice(words=tuple(asked.casefold().split()), **picked)
    found = [entry for entry in entries.values() if choice.takes(entry, own=own, used=used)]
    shown = Paginator(sorted(found, key=lambda entry: _rank(entry, asked)), PER_PAGE).get_page(request.GET.get("page"))
    return page(
        request,
        "list",
        "Catalogue",
        asked=asked,
        filters=[(name, options, picked[name]) for name, options in filters.items()],
        is_filtered=bool(asked or any(picked.values())),
        shown=shown,
        pages=[(number, _address(request, number)) for number in shown.paginator.page_range],
        rows=[_row(entry, used=used) for entry in shown.object_list],
        total=len(entries),
        faulty=faulty_files() if request.user.has_perm(MAY_DESCRIBE) else (),
    )


def _used(request: HttpRequest) -> frozenset[str]:
    """Return the providers that have an app which all tenants share, for those who may see apps."""
    if not request.user.has_perm(SEE_APPS):
        return frozenset()
    return frozenset(ProviderApp.objects.filter(tenant=None).order_by().values_list("provider", flat=True).distinct())


def _filters(entries: Mapping[str, Listed]) -> dict[str, list[tuple[str, str]]]:
    categories = sorted({entry.category for entry in entries.values()}, key=str.casefold)
    described = {style for entry in entries.values() for style in entry.styles}
    return {
        "category": [("", "Every category"), *((category, category) for category in categories)],
        "style": [
            ("", "Every style"),
            *((style, known.title) for style, known in strategies().items() if style in described),
        ],
        "confidence": [
            ("", "Every confidence"),
            *((sure, label) for sure, (label, _, _) in CONFIDENCE_WORDS.items() if sure),
        ],
        "source": [("", "Every source"), *_SOURCES.items()],
    }


def _row(entry: Listed, *, used: frozenset[str]) -> dict[str, Any]:
    label, tone, _ = CONFIDENCE_WORDS[_surest(entry)]
    return {
        "entry": entry,
        "styles": [strategies()[style].title for style in entry.styles],
        "sure": label,
        "tone": tone,
        "is_used": entry.slug in used,
    }


def _surest(entry: Listed) -> str:
    """Return how sure the surest style of an entry is, "" for an operator's own."""
    return next((sure.value for sure in Confidence if sure in entry.confidence.values()), "")


def _rank(entry: Listed, asked: str) -> tuple[bool, str]:
    return (not entry.name.casefold().startswith(asked.casefold()), entry.name.casefold())


def _address(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}"
