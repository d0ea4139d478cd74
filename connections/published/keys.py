"""The JWK Set of a provider app (RFC 7517 §5), by which its provider checks what we sign."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from connections.models import AppKey
from providers.signing.key_set import PublishedKey, key_set
from providers.vocabulary import SigningAlgorithm

CACHED_SECONDS = 300


@require_safe
def jwks(request: HttpRequest, app_id: uuid.UUID) -> HttpResponse:
    """Answer with the public halves of the app's published keys: the one that signs, the next and the last.

    One query. Raises ``Http404`` for an app without keys and for one that does not exist alike.
    """
    rows = AppKey.objects.published().filter(provider_app_id=app_id).defer("private_key")
    shown = [PublishedKey(row.kid, SigningAlgorithm(row.algorithm), row.public_key, row.certificates) for row in rows]
    if not shown:
        raise Http404
    response = JsonResponse(key_set(shown), content_type="application/jwk-set+json")
    response["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    return response
