"""Lists that are read page by page. A cursor says where a page ends, and of which list and which filters it is.

The list of events has cursors of its own: a reader keeps one for ever (``routers.events``).
"""

import base64
import binascii
import hashlib
import uuid
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db.models import Model, Q, QuerySet
from pydantic import BaseModel, Field

from connections.api.texts import Text
from connections.database.clock import in_utc
from connections.refusals import InvalidRequest

Cursor = Annotated[Text, Field(max_length=1000, description="`next` of the page before, with the same filters")]
Limit = Annotated[int, Field(ge=1, le=200, description="the most items of one page")]
Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    """One page; ``next`` is the cursor of the next one, or null."""

    items: list[Item]
    next: str | None


Row = TypeVar("Row", bound=Model)


def page_of(
    rows: QuerySet[Row], cursor: str | None, *, limit: int, by: str = "", newest_by: str = "created_at"
) -> tuple[list[Row], str | None]:
    """Return up to ``limit`` of the ``rows`` after ``cursor`` (None: from the first), and the cursor of the next page.

    That is None on the last page. The newest row by the moment in ``newest_by`` comes first, or they are ordered by the
    value in the column ``by``, which no two of them share. Runs their query. Raises ``InvalidRequest`` for a
    cursor that no page of this list had.
    """
    try:
        question = _question(rows)
    except EmptyResultSet:  # the filters contradict each other: there is nothing to read
        return [], None
    if cursor is not None:
        position = read_cursor(cursor, of=question)
        rows = rows.filter(_beyond(rows, by, position) if by else _older_than(position, newest_by))
    found = list(rows.order_by(*([by] if by else [f"-{newest_by}", "id"]))[: limit + 1])
    page = found[:limit]
    return page, write_cursor(_position(page[-1], by, newest_by), of=question) if len(found) > limit else None


def write_cursor(position: str, *, of: str) -> str:
    """Return the cursor of what comes after ``position``. ``of`` tells the list and its filters from all others."""
    return base64.urlsafe_b64encode(f"{_mark(of)}{position}".encode()).decode()


def read_cursor(cursor: str, *, of: str) -> str:
    """Return the position of a cursor. Raises ``InvalidRequest`` if it is none, or not of this list and its filters."""
    try:
        text = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        raise _not_ours() from None
    mark = _mark(of)
    if len(text) <= len(mark) or not text[: len(mark)].isalnum():
        raise _not_ours()
    if not text.startswith(mark):
        raise InvalidRequest("The cursor is of another list, or of other filters.", field="cursor")
    return text.removeprefix(mark)


def _question(rows: QuerySet[Row]) -> str:
    """Return the table and the filters of ``rows``, as text. Neither order nor columns make a difference."""
    return str(rows.order_by().values("pk").query.sql_with_params())


def _mark(of: str) -> str:
    return hashlib.blake2b(of.encode(), digest_size=6).hexdigest()


def _position(row: Model, by: str, newest_by: str) -> str:
    if by:
        return str(getattr(row, by))
    moment: datetime = getattr(row, newest_by)
    return f"{moment.isoformat()}|{row.pk}"


def _beyond(rows: QuerySet[Row], by: str, position: str) -> Q:
    column: Any = rows.model._meta.get_field(by)
    try:
        return Q((f"{by}__gt", column.to_python(position)))
    except ValidationError:
        raise _not_ours() from None


def _older_than(position: str, newest_by: str) -> Q:
    try:
        moment, _, last_id = position.partition("|")
        last, after = datetime.fromisoformat(moment), uuid.UUID(last_id)
        if last.tzinfo is None:
            raise ValueError("naive")
        last = in_utc(last)
    except ValueError:
        raise _not_ours() from None
    return Q((f"{newest_by}__lt", last)) | Q((newest_by, last), id__gt=after)


def _not_ours() -> InvalidRequest:
    return InvalidRequest("The cursor is not one that this call returned.", field="cursor")
