"""Upcoming: the endings to come, in the order of their dates, page by page."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db.models import Q, QuerySet

from connections.database.clock import in_utc
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, SOURCES, Cause
from connections.models import AppKey, Connection, ProviderApp, RegisteredClient

_PROVIDER_OF = dict.fromkeys((*OF_CONNECTIONS, Cause.APP_SECRET), "provider")
_JOINED = {**dict.fromkeys(OF_CONNECTIONS, ("tenant", "provider_app__tenant")), Cause.APP_SECRET: ("tenant",)}
See = Callable[["QuerySet[Any]"], "QuerySet[Any]"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where an ending stands in the list. ``moment`` is its date, or since when it may end at any time."""

    moment: datetime
    cause: str
    row_id: uuid.UUID

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what ``str`` wrote. Raises ``ValueError``, and ``OverflowError`` for a moment that no row can have."""
        moment, cause, row_id = text.split("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("naive")
        at = in_utc(at)
        max(at - source.later for source in SOURCES.values())
        return cls(at, Cause(cause), uuid.UUID(row_id))

    def __str__(self) -> str:
        return f"{self.moment.isoformat()}|{self.cause}|{self.row_id}"


@dataclass(frozen=True, slots=True)
class Ending:
    """One ending to come: of a connection, or of something of ours at a provider app, and so of all its connections.

    ``ends_at`` is None where no date is known.
    """

    position: Position
    cause: Cause
    ends_at: datetime | None
    app: ProviderApp
    connection: Connection | None = None

    @property
    def means(self) -> str:
        """What it means and what to do, for people."""
        return SOURCES[self.cause].means


def upcoming(
    *,
    see: See,
    until: datetime,
    now: datetime,
    limit: int,
    after: Position | None = None,
    causes: Iterable[Cause] = tuple(Cause),
    provider: str | None = None,
) -> list[Ending]:
    """Return up to ``limit`` endings until ``until``, the earliest first, after the position ``after``.

    ``see`` narrows connections, app keys, registered clients and provider apps to those that may be shown. One query
    for each cause, of an index in the order of its dates; a page costs what it shows, however many rows there are.
    """
    found = [
        ending
        for cause in causes
        for ending in _of(cause, see=see, until=until, now=now, limit=limit, after=after, provider=provider)
    ]
    return sorted(found, key=lambda ending: ending.position)[:limit]


def _of(
    cause: Cause, *, see: See, until: datetime, now: datetime, limit: int, after: Position | None, provider: str | None
) -> list[Ending]:
    source = SOURCES[cause]
    rows, column = see(source.rows(now)), source.column
    rows = rows.filter(**{f"{column}__lte": until - source.later})
    if provider is not None:
        rows = rows.filter(**{_PROVIDER_OF.get(cause, "provider_app__provider"): provider})
    if after is not None:
        moment = after.moment - source.later
        rows = rows.filter(**{f"{column}__gte": moment})
        if cause < after.cause:
            rows = rows.filter(**{f"{column}__gt": moment})
        elif cause == after.cause:
            rows = rows.filter(Q((f"{column}__gt", moment)) | Q((column, moment), ("id__gt", after.row_id)))
    joined = _JOINED.get(cause, ("provider_app__tenant",))
    return [_ending(cause, row) for row in rows.select_related(*joined).order_by(column, "id")[:limit]]


def _ending(cause: Cause, row: Connection | AppKey | RegisteredClient | ProviderApp) -> Ending:
    source = SOURCES[cause]
    moment = getattr(row, source.column) + source.later
    return Ending(
        Position(moment, cause, row.id),
        cause,
        moment if source.has_date else None,
        row if isinstance(row, ProviderApp) else row.provider_app,
        row if isinstance(row, Connection) else None,
    )
