"""Lists that are read page by page, the newest row first."""

import base64
import binascii
import uuid
from datetime import UTC, datetime
from typing import Protocol, TypeVar, cast

from django.db.models import Model, Q, QuerySet

from connections.refusals import InvalidRequest


class Dated(Protocol):
    """A row by whose moment and id a list is ordered."""

    id: uuid.UUID
    created_at: datetime


Row = TypeVar("Row", bound=Model)


def page_of(rows: QuerySet[Row], cursor: str | None, *, limit: int) -> tuple[list[Row], str | None]:
    """Return up to ``limit`` of the ``rows`` after ``cursor`` (None: from the first), and the cursor of the next page.

    That is None on the last page. ``rows`` are ordered by ``-created_at`` and ``id``. Runs their query. Raises
    ``InvalidRequest`` for a cursor that no page had.
    """
    if cursor is not None:
        created_at, last_id = _parse(cursor)
        rows = rows.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, id__gt=last_id))
    found = list(rows[: limit + 1])
    page = found[:limit]
    return page, _cursor_of(cast("Dated", page[-1])) if len(found) > limit else None


def _cursor_of(row: Dated) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()}|{row.id}".encode()).decode()


def _parse(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        created_at, _, last_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        moment = datetime.fromisoformat(created_at)
        if moment.tzinfo is None:
            raise ValueError("naive")
        return moment.astimezone(UTC), uuid.UUID(last_id)
    except (ValueError, OverflowError, binascii.Error):
        raise InvalidRequest("The cursor is not one that this call returned.", field="cursor") from None
