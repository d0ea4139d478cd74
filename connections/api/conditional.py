"""ETags: what has not changed is answered by 304, and a change is made to what the caller has seen, or not at all.

The tag is a digest of the answer, so it is a strong one: it changes with whatever the answer says. A condition of a
change is checked in the transaction that changes, once the row is locked. Sources: RFC 9110 §8.8, §13.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from ninja.renderers import JSONRenderer
from pydantic import BaseModel

from connections.api.schemas import ChangedOut
from connections.database.locks import RowCheck, lock_to_compare
from connections.database.pool import short_transaction
from connections.refusals import InvalidRequest, PreconditionFailed

IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"
_CHANGES = ("PUT", "PATCH", "DELETE")
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_KEPT_HEADERS = ("Cache-Control", "Vary")
_PARTIAL = {name.encode() for name in ChangedOut.model_fields}

_Row = TypeVar("_Row", bound=Model)


def unchanged(
    request: HttpRequest, represent: Callable[[Any], BaseModel], *, missing: BaseModel | None = None
) -> RowCheck | None:
    """Return what checks ``If-Match`` against a locked row, as ``represent`` shows it; None without the header.

    ``missing`` is what is shown where there is no row; without it, none is a mismatch. The check raises
    ``PreconditionFailed``.
    """
    wanted = request.headers.get(IF_MATCH)
    if wanted is None:
        return None

    def check(row: Any) -> None:
        shown = missing if row is None else represent(row)
        if shown is None or not _names(wanted, _tag_of(_rendered(shown)), is_weak_enough=False):
            raise PreconditionFailed("It has changed since you read it: read it again, and decide anew.")

    return check


@contextmanager
def as_seen(request: HttpRequest, row: _Row, represent: Callable[[_Row], BaseModel]) -> Iterator[_Row]:
    """Hold ``row`` for a change if it is as the caller has seen it; without ``If-Match`` hold nothing.

    Yields the row to change, locked and read anew where there is a condition. The change is one that may be part of a
    transaction, and makes no request. Raises ``PreconditionFailed``.
    """
    check = unchanged(request, represent)
    if check is None:
        yield row
        return
    with short_transaction():
        yield lock_to_compare(row, check)


def say_tag_of(response: HttpResponse, representation: BaseModel) -> None:
    """Have an answer that says more than a GET does carry the tag of what a GET would say."""
    response["ETag"] = _tag_of(_rendered(representation))


def refuse_condition(request: HttpRequest, *, heeds_match: bool) -> None:
    """Refuse a condition that the call would not heed. Raises ``InvalidRequest``."""
    if request.method not in _CHANGES:
        return
    if IF_NONE_MATCH in request.headers:
        raise InvalidRequest(
            "No change takes this condition: read what is there, and send If-Match if there is something.",
            field=IF_NONE_MATCH,
        )
    if not heeds_match and IF_MATCH in request.headers:
        raise InvalidRequest("This call takes no condition.", field=IF_MATCH)


def tag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the answer with its ETag, or 304 for a GET whose caller has it already. Other answers stay as they are."""
    if request.method not in ("GET", "PUT", "PATCH") or response.status_code != HTTPStatus.OK:
        return response
    if not response.get("Content-Type", "").startswith("application/json") or "ETag" in response:
        return response
    if request.method != "GET" and _is_partial(response.content):
        return response
    response["ETag"] = _tag_of(response.content)
    seen = request.headers.get(IF_NONE_MATCH)
    if request.method != "GET" or seen is None or not _names(seen, response["ETag"], is_weak_enough=True):
        return response
    same = HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": response["ETag"]})
    del same["Content-Type"]
    for name in _KEPT_HEADERS:
        if name in response:
            same[name] = response[name]
    return same


def _is_partial(content: bytes) -> bool:
    """Whether it is the answer for a client that may not read, which no GET gives."""
    return content.startswith(b"{") and set(re.findall(rb'"(\w+)": ', content)) == _PARTIAL


def _rendered(representation: BaseModel) -> bytes:
    """Return the bytes that a GET answers with."""
    data = representation.model_dump()
    return str(JSONRenderer().render(HttpRequest(), data, response_status=HTTPStatus.OK)).encode()


def _tag_of(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def _names(field: str, tag: str, *, is_weak_enough: bool) -> bool:
    """Whether a list of tags, or ``*``, names this one. If-Match compares strongly, If-None-Match weakly."""
    if field.strip() == "*":
        return True
    return any(found[2] == tag and (is_weak_enough or not found[1]) for found in _TAG.finditer(field))
