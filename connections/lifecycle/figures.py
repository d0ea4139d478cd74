"""Figures: counts the connections by their condition, and what was done with them, for the first page of the admin.

A count reads every connection, which takes a second for a million of them. So it is done here now and then, and the
page reads what was counted; it says when that was. Neither a vend nor a refresh writes anything for it. What was done
is counted by whole minutes and hours, and anew until nothing can be added to them any more, so a count that is
repeated, or done twice at once, changes nothing.

``CONDITIONS`` are the conditions themselves; the admin's filters use the same.
"""

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import Now, Trunc

from connections.database.locks import lock_figures
from connections.database.pool import short_transaction
from connections.journal.audit import ALLOWED
from connections.models import (
    VENDS,
    ActivityFigures,
    AttemptState,
    AuditEvent,
    Connection,
    ConnectionFigures,
    FiguresTaken,
    RefreshAttempt,
    Revocation,
    Status,
)
from connections.models.figures import ALL, HOUR_SECONDS, MINUTE_SECONDS
from connections.models.switches import KILL_SWITCH, PAUSE, any_thrown

SOON = timedelta(days=7)
OVERDUE_AFTER = timedelta(minutes=2)
# A count is taken again after so many times as long as it took: it never uses more than this share of the time.
REST = 50
_SETTLED_AFTER = timedelta(minutes=5)  # no transaction that writes an audit row or an attempt takes as long
_KEPT = {MINUTE_SECONDS: timedelta(hours=3), HOUR_SECONDS: timedelta(days=8)}
_FAILED = (AttemptState.REJECTED, AttemptState.ABORTED, AttemptState.SUPERSEDED)


def overdue_refresh() -> Q:
    """Return the condition for an overdue refresh: it should have happened by now, and nothing holds it back."""
    late = Now() - OVERDUE_AFTER
    return (
        Q(refresh_due_at__lt=late)
        & ~any_thrown(KILL_SWITCH, PAUSE)
        & (Q(next_attempt_at=None) | Q(next_attempt_at__lt=late))
    )


def ending() -> Q:
    """Return the condition for a grant that ends within a week whatever Latchkey does: it cannot be renewed."""
    soon = Now() + SOON
    return Q(status__in=VENDS) & (Q(refresh_due_at=None, access_expires_at__lt=soon) | Q(grant_expires_at__lt=soon))


def _noticed(after: timedelta, before: timedelta | None) -> Q:
    """Return the condition for a grant found dead in the last week, by when it was last proved alive before that."""
    found = Q(status=Status.NEEDS_REAUTH, status_changed_at__gt=Now() - timedelta(days=7), verified_at__isnull=False)
    if after:
        found &= Q(status_changed_at__gt=F("verified_at") + after)
    return found if before is None else found & Q(status_changed_at__lte=F("verified_at") + before)


_HOUR = timedelta(hours=1)
# By the column of ``ConnectionFigures`` that counts it.
CONDITIONS: dict[str, Q] = {
    **{status.value: Q(status=status) for status in Status},
    "failing": Q(failures__gt=0, refresh_due_at__isnull=False),
    "overdue": overdue_refresh(),
    "due_soon": Q(refresh_due_at__lt=Now() + _HOUR, status__in=VENDS),
    "refused": Q(refused_at__gt=Now() - timedelta(hours=24)),
    "undecryptable": Q(undecryptable_at__isnull=False),
    "revoking": Q(revocation=Revocation.PENDING),
    "ending": ending(),
    "noticed_minutes": _noticed(timedelta(), timedelta(minutes=10)),
    "noticed_hour": _noticed(timedelta(minutes=10), _HOUR),
    "noticed_six_hours": _noticed(_HOUR, _HOUR * 6),
    "noticed_day": _noticed(_HOUR * 6, _HOUR * 24),
    "noticed_later": _noticed(_HOUR * 24, None),
}
# By the column of ``ActivityFigures`` that counts it: the rows, and the column that holds their moment.
_VENDS = AuditEvent.objects.filter(action="credential.vend")
_ACTS: dict[str, tuple["QuerySet[Any]", str, str]] = {
    "vended": (_VENDS.filter(decision=ALLOWED), "at", "tenant_id"),
    "vend_refused": (_VENDS.exclude(decision=ALLOWED), "at", "tenant_id"),
    "refreshed": (RefreshAttempt.objects.filter(state=AttemptState.PROMOTED), "claimed_at", "connection__tenant_id"),
    "refresh_failed": (RefreshAttempt.objects.filter(state__in=_FAILED), "claimed_at", "connection__tenant_id"),
}


def take_figures(*, now: datetime) -> bool:
    """Count everything, unless it was counted lately for how long that takes. Return whether it was counted.

    One transaction, without a lock on any row that is counted. Another process that counts is left to it.
    """
    began = time.monotonic()
    with short_transaction():
        if not lock_figures():
            return False
        before = FiguresTaken.objects.first()
        if before is not None and now < before.taken_at + timedelta(seconds=REST * before.took_seconds):
            return False
        _count_connections()
        since = now - max(_KEPT.values()) if before is None else before.taken_at - _SETTLED_AFTER
        seen_to = 0 if before is None else before.audit_seen_to
        for width in _KEPT:
            _count_acts(width, since=since, seen_to=seen_to, now=now)
        # A row that is counted again began after this, so it has a higher id than all that had ended by then.
        settled_at = _floor(now - _SETTLED_AFTER * 2, HOUR_SECONDS) - _SETTLED_AFTER
        settled = AuditEvent.objects.filter(id__gt=seen_to, at__lt=settled_at)
        FiguresTaken.objects.update_or_create(
            id=FiguresTaken.ONLY,
            defaults={
                "taken_at": now,
                "audit_seen_to": settled.aggregate(last=Max("id"))["last"] or seen_to,
                "took_seconds": time.monotonic() - began,
            },
        )
    return True


def _count_connections() -> None:
    """Write the rows of ``ConnectionFigures`` that have changed, and remove those that count nothing any more."""
    counted = (
        Connection.objects.filter(is_canary=False)
        .order_by()
        .values("tenant_id", "provider_app_id")
        .annotate(**{f"n_{name}": Count("pk", filter=condition) for name, condition in CONDITIONS.items()})
    )
    statement, values = counted.query.sql_with_params()
    names = list(CONDITIONS)
    table, columns = ConnectionFigures._meta.db_table, ", ".join(names)
    written = f"""
        WITH fine AS ({statement}), counted AS (
            SELECT coalesce(tenant_id, %s::uuid) AS tenant_id, coalesce(provider_app_id, %s::uuid) AS provider_app_id,
                   {", ".join(f"coalesce(sum(n_{name}), 0)::int AS {name}" for name in names)}
              FROM fine
             GROUP BY GROUPING SETS ((tenant_id, provider_app_id), (tenant_id), (provider_app_id), ())
        ), gone AS (
            DELETE FROM {table} AS figures WHERE NOT EXISTS (
                SELECT FROM counted WHERE counted.tenant_id = figures.tenant_id
                                      AND counted.provider_app_id = figures.provider_app_id)
        )
        INSERT INTO {table} AS figures (tenant_id, provider_app_id, {columns})
        SELECT tenant_id, provider_app_id, {columns} FROM counted
        ON CONFLICT (tenant_id, provider_app_id) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in names)}
        WHERE ({", ".join(f"figures.{name}" for name in names)})
              IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in names)})
    """  # noqa: S608 (names of columns, and a statement that Django has made)
    with database.cursor() as cursor:
        cursor.execute(written, [*values, ALL, ALL])


def _count_acts(width: int, *, since: datetime, seen_to: int, now: datetime) -> None:
    """Count what was done in each minute or hour that has changed since ``since``, and drop those that are old."""
    oldest = _floor(now - _KEPT[width], width)
    begin = max(_floor(since, width), oldest)
    counts: dict[tuple[Any, datetime], dict[str, int]] = {}
    for name, (rows, column, tenant) in _ACTS.items():
        found = rows.filter(**{f"{column}__gte": begin})
        if rows.model is AuditEvent:
            found = found.filter(id__gt=seen_to)
        kind = "hour" if width == HOUR_SECONDS else "minute"
        by_moment = found.order_by().annotate(moment=Trunc(column, kind)).values(tenant, "moment")
        for row in by_moment.annotate(count=Count("pk")):
            for owner in {row[tenant] or ALL, ALL}:
                figures = counts.setdefault((owner, row["moment"]), dict.fromkeys(_ACTS, 0))
                figures[name] += row["count"]
    kept = ActivityFigures.objects.filter(width_seconds=width)
    kept.filter(Q(at__lt=oldest) | Q(at__gte=begin)).delete()
    ActivityFigures.objects.bulk_create(
        ActivityFigures(tenant_id=tenant_id, at=at, width_seconds=width, **figures)
        for (tenant_id, at), figures in counts.items()
    )


def _floor(moment: datetime, width: int) -> datetime:
    """Return when the minute or the hour of ``moment`` began."""
    whole = moment.replace(second=0, microsecond=0)
    return whole.replace(minute=0) if width == HOUR_SECONDS else whole
