"""Which authorization servers give tokens for this endpoint: its metadata as a protected resource (RFC 9728).

Those are the issuers that the operator trusts for callers with this endpoint's address as the audience (RFC 8707). Keys
and the tokens of other trusted issuers work as well, but no client finds its way to them by itself. So where there is
no such issuer there is no metadata, and no client is sent anywhere. A tenant's own issuers are not told to strangers.
"""

from typing import Any
from urllib.parse import urljoin, urlsplit

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from connections.access.addresses import PATH_OF_AGENTS, address_of_agents
from connections.database.pool import hand_back_database
from connections.models import IssuerUse, TrustedIssuer

PATH = PATH_OF_AGENTS
WELL_KNOWN = "/.well-known/oauth-protected-resource"
METADATA_PATH = f"{WELL_KNOWN}{PATH}"
_CACHED_SECONDS = 300


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Answer with the metadata. One query. Raises ``Http404`` where no authorization server is trusted for it."""
    if not (servers := authorization_servers()):
        raise Http404
    document: dict[str, Any] = {
        "resource": address_of_agents(),
        "resource_name": "Latchkey",
        "authorization_servers": servers,
        "bearer_methods_supported": ["header"],
    }
    response = JsonResponse(document)
    response["Cache-Control"] = f"public, max-age={_CACHED_SECONDS}"
    return response


def authorization_servers() -> list[str]:
    """Return the issuers whose tokens for this endpoint are believed. One query."""
    trusted = TrustedIssuer.objects.filter(
        tenant=None, use=IssuerUse.CALLER, audience=address_of_agents(), issuer__startswith="https://"
    )
    return sorted(set(trusted.values_list("issuer", flat=True)))


def challenge() -> str:
    """Return the ``WWW-Authenticate`` of a refused caller (RFC 9728 §5.1). One query; gives the connection back."""
    try:
        told = f', resource_metadata="{_metadata_address()}"' if authorization_servers() else ""
    finally:
        hand_back_database()
    return f'Bearer realm="latchkey"{told}'


def _metadata_address() -> str:
    """Return where the metadata is: the well-known part stands before the path of the endpoint (RFC 9728 §3.1)."""
    endpoint = address_of_agents()
    return urljoin(endpoint, WELL_KNOWN) + urlsplit(endpoint).path
