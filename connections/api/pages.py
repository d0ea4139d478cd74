"""Cursors of lists that are read page by page, the newest row first."""

import base64
import binascii
import uuid
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from django.db.models import Model, Q, QuerySet

from connections.refusals import InvalidRequest


class Dated(Protocol):
    """A row by whose moment and id a list is ordered."""

    id: uuid.UUID
    created_at: datetime


Row = TypeVar("Row", bound=Model)


def after(rows: QuerySet[Row], cursor: str | None) -> QuerySet[Row]:
    """Return the ``rows`` after ``cursor``, ordered by ``-created_at`` and ``id``; all for None. No I/O.

    Raises ``InvalidRequest`` for a cursor that ``cursor_of`` never made.
    """
    if cursor is None:
        return rows
    created_at, last_id = _parse(cursor)
    return rows.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, id__gt=last_id))


def cursor_of(row: Dated) -> str:
    """Return the cursor of what comes after ``row``."""
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
