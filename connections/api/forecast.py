"""How the forecast travels over the API."""

import uuid
from datetime import datetime

from pydantic import BaseModel

from connections.api.pages import Page, read_cursor
from connections.lifecycle.forecast.causes import Cause
from connections.lifecycle.forecast.upcoming import Ending, Position
from connections.refusals import InvalidRequest


class EndingOut(BaseModel):
    """One ending to come. ``connection`` is null where something of ours ends, ``ends_at`` where no date is known."""

    cause: Cause
    ends_at: datetime | None
    connection: uuid.UUID | None
    provider_app: uuid.UUID
    provider: str
    end_user: str | None
    label: str
    detail: str


class ForecastPage(Page[EndingOut]):
    """One page, the earliest first; ``next`` is the cursor of the next one, or null."""


def ending_out(ending: Ending) -> EndingOut:
    """Return what the API shows of an ending. No I/O."""
    connection = ending.connection
    return EndingOut(
        cause=ending.cause,
        ends_at=ending.ends_at,
        connection=None if connection is None else connection.id,
        provider_app=ending.app.id,
        provider=ending.app.provider,
        end_user=None if connection is None else connection.end_user or None,
        label="" if connection is None else connection.label,
        detail=ending.means,
    )


def position_in(cursor: str, *, of: str) -> Position:
    """Return where a page ended. Raises ``InvalidRequest`` for a cursor of another list, or of none."""
    try:
        return Position.read(read_cursor(cursor, of=of))
    except (ValueError, OverflowError):
        raise InvalidRequest("The cursor is not one that this call returned.", field="cursor") from None
