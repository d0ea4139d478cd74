"""Receive what a provider pushes. The body is read only if it says that it is short, and nothing of it is logged."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections.access.targets import push_address
from connections.database.clock import database_now
from connections.entrance import client_address
from connections.lifecycle.pushes.receive import LARGEST_BYTES, NotTaken, receive
from connections.refusals import Busy, CredentialUnreadable, NotFound, RateLimited
from providers.pushes.arrival import Arrival

_LATER_SECONDS = 30
_LONGEST_LENGTH = 12  # digits
# RFC 8935 §2.4 has these words; what it has none for is an invalid request.
_SET_ERRORS = {
    "issuer": "invalid_issuer",
    "audience": "invalid_audience",
    "signature": "authentication_failed",
}


@csrf_exempt
@require_POST
def push(request: HttpRequest, app_id: uuid.UUID) -> HttpResponse:
    """Take or refuse one push. What it orders is done after the answer. A few short queries.

    May fetch the keys of a security event token's issuer (HTTP).
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if "Transfer-Encoding" in request.headers or not length.isdecimal():
        return _refusal(411, "length_required")
    if len(length) > _LONGEST_LENGTH or int(length) > LARGEST_BYTES:
        return _refusal(413, "too_large")
    arrival = Arrival(
        method=request.method or "POST",
        url=push_address(app_id),
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: values[0] for name, values in request.GET.lists()},
        body=request.read(LARGEST_BYTES + 1),
    )
    try:
        outcome = receive(app_id, arrival, address=client_address(request), now=database_now())
    except NotFound:
        return _refusal(404, "not_found")
    except RateLimited as refusal:
        return _later(_refusal(429, "rate_limited"), int(refusal.retry_after_seconds or _LATER_SECONDS))
    except (Busy, CredentialUnreadable):
        return _later(_refusal(503, "unavailable"), _LATER_SECONDS)
    if isinstance(outcome, NotTaken):
        return _not_taken(outcome)
    if outcome.answer is None:
        return _plain(HttpResponse(status=outcome.status))
    if outcome.answer.members is not None:
        return _plain(JsonResponse(outcome.answer.members))
    return _plain(HttpResponse(outcome.answer.text, content_type="text/plain; charset=utf-8"))


def _not_taken(outcome: NotTaken) -> HttpResponse:
    if outcome.why == "keys_unavailable":
        return _later(_refusal(503, "unavailable"), _LATER_SECONDS)
    if outcome.by_token:
        said = {"err": _SET_ERRORS.get(outcome.why, "invalid_request"), "description": "The token was not accepted."}
        response = JsonResponse(said, status=400)
        response["Content-Language"] = "en"
        return _plain(response)
    return _refusal(400 if outcome.why == "malformed" else 401, "refused")


def _refusal(status: int, code: str) -> HttpResponse:
    return _plain(JsonResponse({"error": code}, status=status))


def _later(response: HttpResponse, seconds: int) -> HttpResponse:
    response["Retry-After"] = str(seconds)
    return response


def _plain(response: HttpResponse) -> HttpResponse:
    """Return ``response`` as one that no browser shows as a page, and nobody keeps."""
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
