"""``Idempotency-Key``: a POST that is repeated with the same key does nothing, and gets the first answer again.

It holds for every POST of this API but those that answer before Django or are vends: what those hand out may have ended
since, and each use is audited. Only answers that say that something was done are kept: after any other the same key
may be used again. ``lifecycle.answers`` keeps them. Source: draft-ietf-httpapi-idempotency-key-header.
"""

import json
import re
import uuid
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from connections.database.clock import database_now
from connections.lifecycle.answers import Asked, Claim, Kept, claim_or_recall, keep_answer, let_go
from connections.models import ApiClient, Tenant
from connections.refusals import InvalidRequest

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_KEPT_HEADERS = ("Content-Type", "Cache-Control", "ETag", "Location", "Retry-After")
_KEY = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")  # visible, and nothing that a structured field would escape
_CLAIMED, _LEFT_OUT = "_idempotency_claim", "_idempotency_left_out"


class AlreadyAnswered(Exception):
    """The call was carried out before; ``response`` is what it answered."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


def install(api: NinjaAPI) -> None:
    """Have ``api`` answer repeated calls with what is kept."""

    def answer(request: HttpRequest, error: AlreadyAnswered | type[AlreadyAnswered]) -> HttpResponse:
        if isinstance(error, type):
            raise TypeError("There is no answer to give again.")
        return error.response

    api.add_exception_handler(AlreadyAnswered, answer)


def begin_once(request: HttpRequest, client: ApiClient) -> None:
    """Claim the key that a POST names, for ``client``, which may make the call. Without a key nothing happens.

    Raises ``AlreadyAnswered``, ``InvalidRequest`` for what is no key, and as ``claim_or_recall``.
    """
    sent = request.headers.get(HEADER)
    if sent is None or request.method != "POST" or hasattr(request, _CLAIMED):
        return
    asked = Asked(client.id, _tenant_of(request, client), _parse(sent), _told(request))
    found = claim_or_recall(asked, now=database_now())
    if isinstance(found, Kept):
        raise AlreadyAnswered(_replayed(found))
    setattr(request, _CLAIMED, (found, client.id))


def end_once(request: HttpRequest, response: HttpResponse) -> None:
    """Keep the answer to a call that has claimed its key, or let the key go where nothing was done."""
    claimed: tuple[Claim, uuid.UUID] | None = getattr(request, _CLAIMED, None)
    if claimed is None:
        return
    claim, client_id = claimed
    if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        let_go(claim)
        return
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    answer = json.dumps([headers, _kept_content(request, response)]).encode()
    keep_answer(claim, client_id=client_id, status=response.status_code, answer=answer)


def keep_without(request: HttpRequest, *members: str) -> None:
    """Have the answer kept with null for each of these ``members``: it shows them this once, even to who repeats."""
    setattr(request, _LEFT_OUT, members)


def _kept_content(request: HttpRequest, response: HttpResponse) -> str:
    left_out: tuple[str, ...] = getattr(request, _LEFT_OUT, ())
    if not left_out:
        return response.content.decode()
    return json.dumps({**json.loads(response.content), **dict.fromkeys(left_out)})


def _replayed(kept: Kept) -> HttpResponse:
    headers, content = json.loads(kept.answer)
    return HttpResponse(content, status=kept.status, headers={**headers, REPLAYED: "true"})


def _parse(sent: str) -> str:
    """Return the key: a structured field's string (RFC 9651 §3.3.3), or the same without quotes, as many send it."""
    key = sent.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise InvalidRequest("The key must be 1 to 255 visible ASCII characters: take a UUID.", field=HEADER)
    return key


def _told(request: HttpRequest) -> bytes:
    return f"{request.method} {request.get_full_path()}\n".encode() + request.body


def _tenant_of(request: HttpRequest, client: ApiClient) -> uuid.UUID | None:
    """Return the tenant under whose data key the answer belongs; None for what is the operator's own."""
    if client.tenant_id is not None:
        return client.tenant_id
    match = request.resolver_match
    slug = request.GET.get("tenant") or (match.kwargs.get("slug") if match is not None else None)
    if slug is None:
        try:
            body = json.loads(request.body or b"null")
        except ValueError:
            body = None
        slug = body.get("tenant") if isinstance(body, dict) else None
    if not isinstance(slug, str):
        return None
    return Tenant.objects.filter(slug=slug).values_list("id", flat=True).first()
