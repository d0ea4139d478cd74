"""The page behind ``connect_url`` where a tenant has no reconnect page of its own: what is wrong, and where to mend it.

It begins nothing: only the operator's backend can make a connect session, for the person who is logged in there. So the
page names neither the end user nor the account, and leads to the tenant's product.
"""

import uuid
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.access.targets import entry_of
from connections.consent.decorators import widget_page
from connections.consent.pages import PICTURES, branded
from connections.consent.picture_views import picture_of
from connections.consent.views import scope_words
from connections.consent.words import filled_in, words_to_mend
from connections.lifecycle.vend.reconnect_url import is_mend_proof, mend_proof
from connections.models import VENDS, Connection, Status
from connections.refusals import AppMisconfigured
from providers.catalog.schema import CatalogEntry

_SIGNS = {Status.ACTIVE: "good", Status.SUSPECT: "good", Status.DISCONNECTED: "wait"}


@widget_page
@require_safe
def mend(request: HttpRequest, connection_id: uuid.UUID, proof: str) -> HttpResponse:
    """Say what is wrong with a connection. Raises ``Http404`` for every link that we did not give out."""
    wanted = request.GET.get("scopes", "")
    connection = _linked(connection_id, proof, wanted)
    entry = entry_or_none(connection)
    provider = entry.name if entry is not None else connection.provider
    words = words_to_mend(connection, asks_more=bool(wanted))
    names = {"provider": provider, "tenant": connection.tenant.name}
    return branded(
        request,
        "mend",
        connection.tenant,
        pictures={
            name: reverse("connect:mend-picture", args=[connection_id, mend_proof(connection_id), name])
            for name in PICTURES
        },
        entry=entry,
        title=filled_in(words.title, names),
        advice=filled_in(words.advice, names),
        status=connection.status,
        sign=_SIGNS.get(Status(connection.status), ""),
        scopes=scope_words(entry, wanted.split()) if connection.status in VENDS else [],
        product_url=product_of(connection),
    )


@require_safe
def picture(request: HttpRequest, connection_id: uuid.UUID, proof: str, name: str) -> HttpResponse:
    """Serve a picture of the connection's tenant."""
    return picture_of(_linked(connection_id, proof).tenant, name)


def _linked(connection_id: uuid.UUID, proof: str, scopes: str = "") -> Connection:
    if not is_mend_proof(connection_id, proof, scopes):
        raise Http404
    found = Connection.objects.filter(id=connection_id).exclude(status=Status.PENDING)
    connection = found.select_related("tenant", "provider_app").first()
    if connection is None:
        raise Http404
    return connection


def entry_or_none(connection: Connection) -> CatalogEntry | None:
    """Return the catalogue entry of a connection, None where it has gone."""
    try:
        return entry_of(connection.provider_app)
    except AppMisconfigured:  # it has gone
        return None


def product_of(connection: Connection) -> str:
    """Return the first page of the tenant's product, "" where none is known.

    It is the site to which connecting led back; the return URL itself expects an answer that is not there.
    """
    tenant = connection.tenant
    led_back = connection.connect_sessions.order_by("-created_at").values_list("return_url", flat=True)[:1]
    known = [url for url in led_back if url in tenant.return_urls] or [*tenant.return_urls, *tenant.allowed_origins]
    parts = urlsplit(known[0]) if known else None
    return f"{parts.scheme}://{parts.netloc}/" if parts else ""
