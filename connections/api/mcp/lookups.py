"""The tools that read: connections, providers, links and approvals, for whoever stands behind the call. A few queries.

A link to connect by is always a page where the person logs in to the product, which begins the connect session there.
None is begun from here: whoever held its link could connect an account of their own, and have the person finish what
they had begun (login CSRF). For the same reason no management session is.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from connections.access.targets import entry_named
from connections.api.mcp.admission import Standing
from connections.api.mcp.tools import (
    ApprovalQuestionIn,
    ApprovalState,
    ConnectableOut,
    ConnectableProviders,
    ConnectionsIn,
    ConnectLink,
    ConnectLinkIn,
    ProvidersIn,
    UsableConnections,
    UsableOut,
    WayOut,
)
from connections.api.pages import page_of
from connections.database.clock import database_now
from connections.lifecycle.connect.begin import check_providers
from connections.lifecycle.policy.approve_link import approve_url
from connections.lifecycle.proxy.reachable import Reach, Way, grants_naming, reach_of, within_sight
from connections.lifecycle.vend.reconnect_url import connect_url, needs_mending, url_to_mend
from connections.models import LIVE, VENDS, Approval, Connection, OwnerKind, ProviderApp, Tenant
from connections.refusals import AppMisconfigured, InvalidRequest, NotFound
from providers.catalog.loader import listed, load_catalog, meant_by
from providers.catalog.own_hosts import base_url_of

_WORDS_OF_OWN_PAGE = (
    "Give this link to the person. They log in to the product there, and connect or mend it themselves."
)
_WORDS_OF_MEND_PAGE = (
    "Give this link to the person. The page says what is wrong, and leads to the product, where they mend it."
)
_WORDS_OF_PRODUCT = "Give this link to the person: it is the product. They find there how to connect a service."


def list_connections(standing: Standing, asked: ConnectionsIn) -> UsableConnections:
    """Return the connections that may be used, the newest first. A page may hold fewer than its limit."""
    asker, now = standing.asks(standing.admission.said.scopes), database_now()
    grants = grants_naming(asker, tenant_id=standing.tenant.id, now=now)
    found = within_sight(asker, grants, tenant_id=standing.tenant.id)
    if asked.provider is not None:
        found = found.filter(provider=meant_by(asked.provider)[0])
    page, following = page_of(found, asked.cursor, limit=asked.limit)
    rules = standing.admission.client.proxy_rules
    reaches = [reach_of(connection, asker, grants, rules=rules, now=now) for connection in page]
    return UsableConnections(connections=[_usable(reach) for reach in reaches if reach is not None], next=following)


def list_providers(standing: Standing, asked: ProvidersIn) -> ConnectableProviders:
    """Return the providers for which the tenant has an app that works."""
    words = asked.query.casefold().split()
    apps = ProviderApp.objects.usable_by(standing.tenant).filter(suspended_at=None)
    slugs = sorted({app.provider for app in apps if not app.is_draft})
    theirs = Connection.objects.for_callers_of(standing.tenant.id).filter(status__in=LIVE)
    mine = theirs.filter(owner_kind=OwnerKind.TENANT)
    if standing.parties.end_user is not None:
        mine |= theirs.filter(owner_kind=OwnerKind.END_USER, end_user=standing.parties.end_user)
    connected, entries, known = set(mine.values_list("provider", flat=True)), load_catalog(), listed()
    return ConnectableProviders(
        providers=[
            ConnectableOut(
                provider=slug,
                name=entries[slug].name,
                category=entries[slug].category,
                website=entries[slug].website,
                docs_url=entries[slug].docs_url,
                connected=slug in connected,
            )
            for slug in slugs
            if slug in entries and slug in known and known[slug].is_meant_by(words)
        ]
    )


def get_connect_link(standing: Standing, asked: ConnectLinkIn) -> ConnectLink:
    """Return the page where the person connects, or mends a connection. Begins nothing."""
    if (asked.provider is None) == (asked.connection is None):
        raise InvalidRequest("Name either a provider or a connection.", field="provider")
    tenant = standing.tenant
    if asked.connection is not None:
        connection = _in_sight(standing, asked.connection)
        url = url_to_mend(connection)
        if tenant.reconnect_url:
            return ConnectLink(connect_url=url, leads_to="product", advice=_WORDS_OF_OWN_PAGE)
        return ConnectLink(connect_url=url, leads_to="latchkey", advice=_WORDS_OF_MEND_PAGE)
    provider = asked.provider or ""
    check_providers([provider], tenant)
    url = connect_url(
        tenant.reconnect_url, connection_id=None, provider=provider, end_user=standing.parties.end_user or ""
    )
    if url:
        return ConnectLink(connect_url=url, leads_to="product", advice=_WORDS_OF_OWN_PAGE)
    if not (product := _product_of(tenant)):
        raise AppMisconfigured("This tenant names no page where people connect: an operator sets its reconnect_url.")
    return ConnectLink(connect_url=product, leads_to="product", advice=_WORDS_OF_PRODUCT)


def get_approval(standing: Standing, asked: ApprovalQuestionIn) -> ApprovalState:
    """Return how an approval stands that this client has asked for, for this end user."""
    now = database_now()
    found = Approval.objects.filter(
        id=asked.approval,
        tenant=standing.tenant,
        api_client_id=standing.admission.client.id,
        end_user=standing.parties.end_user or "",
    ).first()
    if found is None:
        raise NotFound("There is no such approval.")
    state = found.state(now=now)
    return ApprovalState(
        approval=str(found.id),
        state=state,
        approve_url=approve_url(found) if state == "pending" else None,
        expires_at=found.expires_at.isoformat(),
        good_until=None if found.good_until is None else found.good_until.isoformat(),
    )


LOOKUPS: Mapping[str, Callable[[Standing, Any], Any]] = {
    "list_connections": list_connections,
    "list_providers": list_providers,
    "get_connect_link": get_connect_link,
    "get_approval": get_approval,
}


def _in_sight(standing: Standing, wanted: uuid.UUID) -> Connection:
    asker, now = standing.asks(), database_now()
    grants = grants_naming(asker, tenant_id=standing.tenant.id, now=now)
    found = within_sight(asker, grants, tenant_id=standing.tenant.id).filter(id=wanted).first()
    if found is None:
        raise NotFound("There is no such connection.")
    return found


def _usable(reach: Reach) -> UsableOut:
    connection = reach.connection
    mend = url_to_mend(connection) if needs_mending(connection) else None
    try:
        entry = entry_named(connection.provider)
        method = entry.methods.get(connection.provider_app.auth_style)
        told = (entry.name, entry.category, entry.docs_url, base_url_of(entry, method) if method else entry.base_url)
    except AppMisconfigured:  # its entry has gone
        told = (connection.provider, "", "", "")
    name, category, docs_url, base_url = told
    is_off = connection.is_suspended or connection.is_paused
    return UsableOut(
        id=str(connection.id),
        provider=connection.provider,
        name=name,
        category=category,
        label=connection.label,
        account=connection.provider_account_name or connection.provider_account_id,
        shared=not reach.is_own,
        works=connection.status in VENDS and not is_off,
        status=connection.status,
        reason="switched_off" if is_off else connection.reason,
        connect_url=mend,
        base_url=base_url,
        docs_url=docs_url,
        may_call=[_way_out(way) for way in reach.ways],
    )


def _way_out(way: Way) -> WayOut:
    until = None if way.until is None else way.until.isoformat()
    return WayOut(methods=list(way.methods), path=way.path, needs_approval=way.needs_approval, until=until)


def _product_of(tenant: Tenant) -> str:
    """Return the first page of the tenant's product, "" where none is known."""
    known = [*tenant.return_urls, *tenant.allowed_origins]
    parts = urlsplit(known[0]) if known else None
    return f"{parts.scheme}://{parts.netloc}/" if parts else ""
