"""The search of the header: one box for ids, tenants, end users, accounts, labels, providers, apps and API clients.

Everything is found by an index: an id as it is, a text by how it begins. Each kind of row is searched by its own page's
queryset, so an operator finds what the lists would show, and nothing else. An id that is one row's leads to its page.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.admin import show
from connections.admin.long_list import begins
from connections.lifecycle.provision.api_clients import KEY_PREFIX
from connections.models import (
    AccessGrant,
    ApiClient,
    ApiKey,
    Approval,
    Connection,
    ConnectSession,
    CredentialVersion,
    Finding,
    Incident,
    ManagementSession,
    Offboarding,
    OutboxEvent,
    ProviderApp,
    ReceivedPush,
    RefreshAttempt,
    Tenant,
    WebhookDelivery,
    WebhookEndpoint,
)
from providers.catalog.loader import listed

LONGEST = 200
_SHOWN = 8
_LOOKED_AT = 200  # connections from which the end users of a beginning are taken
_SHORTEST = 2
# The tables that have ids, those first that are asked for most, each with the column that holds the id.
_WITH_IDS: tuple[tuple[type[Model], str], ...] = (
    (Connection, "id"),
    (Tenant, "id"),
    (ConnectSession, "id"),
    (ProviderApp, "id"),
    (ApiClient, "id"),
    (Incident, "id"),
    (Finding, "id"),
    (AccessGrant, "id"),
    (Approval, "id"),
    (WebhookEndpoint, "id"),
    (WebhookDelivery, "id"),
    (ReceivedPush, "id"),
    (OutboxEvent, "event_id"),
    (RefreshAttempt, "id"),
    (CredentialVersion, "id"),
    (ManagementSession, "id"),
    (Offboarding, "id"),
    (ApiKey, "id"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of what was found: where it leads, what it is called, and what it is."""

    url: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind. ``all_url`` leads to the list of all of it, "" where there is no more."""

    title: str
    hits: Sequence[Hit]
    all_url: str = ""


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what ``q`` finds, or lead to the one row whose id it is."""
    term = request.GET.get("q", "").strip()[:LONGEST]
    groups: list[Group] = []
    if (wanted := _id_in(term)) is not None and (page := _page_of(request, wanted)) is not None:
        return HttpResponseRedirect(page)
    if len(term) >= _SHORTEST:
        groups = [group for group in _found(request, term) if group.hits]
    framed = {
        **admin.site.each_context(request),
        "title": "Search",
        "term": "" if term.startswith(KEY_PREFIX) else term,
        "groups": groups,
        "is_short": 0 < len(term) < _SHORTEST,
        "is_key": term.startswith(KEY_PREFIX) and len(term) > len(ApiKey.prefix_of(term)),
    }
    return TemplateResponse(request, "admin/search.html", framed)


def _id_in(term: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(term)
    except ValueError:
        return None


def _rows(request: HttpRequest, model: type[Model]) -> "QuerySet[Any]":
    """Return the rows of ``model`` that the operator may see on its pages: none without the right to see any."""
    page: Any = admin.site._registry[model]
    rows: QuerySet[Any] = page.get_queryset(request)
    return rows if page.has_view_permission(request) else rows.none()


def _page_of(request: HttpRequest, wanted: uuid.UUID) -> str | None:
    """Return the address of the page of the row that has this id. One query a table, until one has it."""
    for model, column in _WITH_IDS:
        key = _rows(request, model).filter(**{column: wanted}).values_list("pk", flat=True).first()
        if key is not None:
            return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key])
    return None


def _found(request: HttpRequest, term: str) -> Iterable[Group]:
    yield _tenants(request, term)
    yield _end_users(request, term)
    yield _connections(request, term)
    yield _providers(request, term)
    yield _apps(request, term)
    yield _clients(request, term)


def _tenants(request: HttpRequest, term: str) -> Group:
    rows = _rows(request, Tenant).filter(Q(slug__istartswith=term) | Q(name__istartswith=term)).order_by("slug")
    hits = [Hit(show.page_url(row), row.name, row.slug) for row in rows[: _SHOWN + 1]]
    return Group("Tenants", hits[:_SHOWN], show.list_url(Tenant, q=term) if len(hits) > _SHOWN else "")


def _end_users(request: HttpRequest, term: str) -> Group:
    """Return the end users that begin so: those of the first connections that an index finds, each once."""
    rows = _rows(request, Connection).filter(begins(term, "end_user")).order_by()
    pairs = dict.fromkeys(rows.values_list("end_user", "tenant__slug")[:_LOOKED_AT])
    hits = [
        Hit(show.list_url(Connection, q=user, tenant=slug), user, slug)
        for user, slug in sorted(pairs, key=lambda pair: (pair[0].lower() != term.lower(), pair))
    ]
    return Group("End users", hits[:_SHOWN], show.list_url(Connection, q=term) if len(hits) > _SHOWN else "")


def _connections(request: HttpRequest, term: str) -> Group:
    named = begins(term, "label", "provider_account_name", "provider_account_id")
    rows = _rows(request, Connection).filter(named).select_related("tenant").order_by()
    hits = [
        Hit(
            show.page_url(row),
            f"{row.provider} · {row.label or row.provider_account_name or row.provider_account_id}",
            f"{row.end_user or 'whole tenant'} of {row.tenant.slug} · {row.get_status_display()}",
        )
        for row in rows[: _SHOWN + 1]
    ]
    return Group("Connections", hits[:_SHOWN], show.list_url(Connection, q=term) if len(hits) > _SHOWN else "")


def _providers(request: HttpRequest, term: str) -> Group:
    words = tuple(term.lower().split())
    if not request.user.has_perm("connections.view_providerapp"):
        return Group("Providers", [])
    known = [entry for entry in listed().values() if entry.is_meant_by(words)]
    known.sort(key=lambda entry: (entry.slug != term.lower(), entry.name.lower()))
    hits = [Hit(reverse("catalogue:entry", args=[entry.slug]), entry.name, entry.slug) for entry in known[:_SHOWN]]
    return Group("Providers", hits, f"{reverse('catalogue:list')}?q={term}" if len(known) > _SHOWN else "")


def _apps(request: HttpRequest, term: str) -> Group:
    named = Q(name__istartswith=term) | Q(provider=term.lower()) | Q(client_id=term)
    rows = _rows(request, ProviderApp).filter(named).select_related("tenant").order_by("name")
    hits = [
        Hit(show.page_url(row), row.name, row.tenant.slug if row.tenant else "shared by all")
        for row in rows[: _SHOWN + 1]
    ]
    return Group("Provider apps", hits[:_SHOWN], show.list_url(ProviderApp, q=term) if len(hits) > _SHOWN else "")


def _clients(request: HttpRequest, term: str) -> Group:
    """Return the API clients of this name, or that have a key which begins so. A whole key is never compared."""
    rows = _rows(request, ApiClient).select_related("tenant").order_by("name")
    if term.startswith(KEY_PREFIX):
        keys = _rows(request, ApiKey).filter(prefix=ApiKey.prefix_of(term))
        rows = rows.filter(id__in=keys.values("client_id"))
    else:
        rows = rows.filter(name__istartswith=term)
    hits = [
        Hit(show.page_url(row), row.name, row.tenant.slug if row.tenant else "of the operator")
        for row in rows[: _SHOWN + 1]
    ]
    return Group("API clients", hits[:_SHOWN], show.list_url(ApiClient, q=term) if len(hits) > _SHOWN else "")


search_page = admin.site.admin_view(search)
