"""Claims: which worker goes on with a row, for longer than a transaction lasts. No lock is held meanwhile.

A killed worker's claim ends by itself. A worker that took longer than its claim has lost it: by then another may have
claimed the row, so each gives back only the claim that it made. The model has a column ``claimed_until``.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

LEASE = timedelta(seconds=60)


def is_free(*, now: datetime) -> Q:
    """Return the condition on rows that nobody has claimed."""
    return Q(claimed_until=None) | Q(claimed_until__lt=now)


def claim(rows: QuerySet[Any], *, now: datetime) -> datetime | None:
    """Claim those of ``rows`` that are free, for a minute. Return until when: it names the claim. None if none was."""
    until = now + LEASE
    return until if rows.filter(is_free(now=now)).update(claimed_until=until) else None


def give_back(rows: QuerySet[Any], *, until: datetime) -> None:
    """End the claim that ``claim`` made on ``rows``, where it is still this one."""
    rows.filter(claimed_until=until).update(claimed_until=None)
