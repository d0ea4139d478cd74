"""The Client ID Metadata Documents: what an authorization server fetches to know our client, with the logo it names."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from connections.entrance import picture_answer
from connections.lifecycle.registration.document import client_document, logo_of
from connections.published.keys import CACHED_SECONDS


@require_safe
def document(request: HttpRequest, app_id: uuid.UUID, client_id: uuid.UUID) -> HttpResponse:
    """Answer with the document of one registered client. One query. There is one 404 for all others."""
    found = client_document(client_id, app_id=app_id)
    return _nothing() if found is None else _cacheable(JsonResponse(found))


@require_safe
def logo(request: HttpRequest, app_id: uuid.UUID, client_id: uuid.UUID) -> HttpResponse:
    """Answer with the logo that the document names. Two queries."""
    found = logo_of(client_id, app_id=app_id)
    return _nothing() if found is None else _cacheable(picture_answer(*found))


def _nothing() -> HttpResponse:
    return JsonResponse({"error": "not_found"}, status=404)


def _cacheable(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    return response
