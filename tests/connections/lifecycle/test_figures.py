"""Figures: they equal a scan of what they count, however often it is counted, and are counted no more than they may."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Count, Q

from connections.database.clock import database_now
from connections.lifecycle.figures import CONDITIONS, REST, take_figures
from connections.management.showcase.lay_out import lay_out
from connections.models import (
    ActivityFigures,
    AttemptState,
    AuditEvent,
    Connection,
    ConnectionFigures,
    FiguresTaken,
    RefreshAttempt,
    Status,
    Tenant,
)
from connections.models.figures import ALL, HOUR_SECONDS, MINUTE_SECONDS
from tests.connections.api.stored import make_connection, overwrite
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def showcase() -> datetime:
    """A believable installation, and when its figures were taken."""
    now = database_now()
    lay_out(seed=3, tenants=4, connections=300, is_paused=False, now=now)
    return now


def scanned(**filters: Any) -> dict[str, int]:
    found = Connection.objects.filter(is_canary=False, **filters).aggregate(
        **{f"n_{name}": Count("pk", filter=condition) for name, condition in CONDITIONS.items()}
    )
    return {name.removeprefix("n_"): count for name, count in found.items()}


def counted(tenant_id: Any = ALL, app_id: Any = ALL) -> dict[str, int]:
    row = ConnectionFigures.objects.filter(tenant_id=tenant_id, provider_app_id=app_id).values(*CONDITIONS).first()
    return dict(row) if row is not None else dict.fromkeys(CONDITIONS, 0)


def retake(now: datetime) -> None:
    """Count once more, and do not wait."""
    FiguresTaken.objects.update(took_seconds=0)
    assert take_figures(now=now)


def test_connections_are_counted_as_a_scan_counts_them(showcase: datetime) -> None:
    late = Connection.objects.filter(
        is_canary=False, status="active", refresh_due_at__gt=showcase, next_attempt_at=None
    )[:7]
    Connection.objects.filter(id__in=[one.id for one in late]).update(refresh_due_at=showcase - timedelta(hours=1))
    retake(showcase)
    assert counted() == scanned()
    assert all(counted()[name] for name in ("active", "suspect", "needs_reauth", "ending"))
    assert counted()["overdue"] == 7
    for tenant in Tenant.objects.all():
        assert counted(tenant.id) == scanned(tenant=tenant)
    pairs = Connection.objects.filter(is_canary=False).order_by().values_list("tenant_id", "provider_app_id").distinct()
    for tenant_id, app_id in list(pairs)[:20]:
        assert counted(tenant_id, app_id) == scanned(tenant_id=tenant_id, provider_app_id=app_id)
    for app_id in {app_id for _, app_id in pairs}:
        assert counted(ALL, app_id) == scanned(provider_app_id=app_id)
    assert ConnectionFigures.objects.count() == len(pairs) + len({app for _, app in pairs}) + 4 + 1


def test_a_second_count_follows_what_has_changed_and_writes_nothing_else(showcase: datetime) -> None:
    before = dict(ConnectionFigures.objects.values_list("id", "active"))
    retake(showcase)
    assert dict(ConnectionFigures.objects.values_list("id", "active")) == before
    tenant = Tenant.objects.earliest("slug")
    Connection.objects.filter(tenant=tenant).update(failures=3)
    gone = Tenant.objects.latest("slug")
    Connection.objects.filter(tenant=gone).delete()
    retake(showcase)
    assert counted() == scanned()
    assert counted(tenant.id) == scanned(tenant=tenant)
    assert not ConnectionFigures.objects.filter(tenant_id=gone.id).exists()


def test_every_status_is_counted_and_none_twice(showcase: datetime) -> None:
    assert sum(counted()[status.value] for status in Status) == Connection.objects.filter(is_canary=False).count()
    noticed = sum(count for name, count in counted().items() if name.startswith("noticed"))
    week = Q(status=Status.NEEDS_REAUTH, status_changed_at__gt=showcase - timedelta(days=7))
    assert noticed == Connection.objects.filter(week).exclude(verified_at=None).count() > 0


def of_rows(rows: Any, column: str, tenant: str, width: int, since: datetime) -> Counter[tuple[Any, datetime]]:
    """Count ``rows`` one by one."""
    found: Counter[tuple[Any, datetime]] = Counter()
    for tenant_id, at in rows.filter(**{f"{column}__gte": since}).values_list(tenant, column):
        begin = datetime.fromtimestamp(at.timestamp() // width * width, UTC)
        found[tenant_id, begin] += 1
        found[ALL, begin] += 1
    return found


@pytest.mark.parametrize(("width", "hours"), [(MINUTE_SECONDS, 2), (HOUR_SECONDS, 24 * 7)])
def test_acts_are_counted_as_they_are_one_by_one(showcase: datetime, width: int, hours: int) -> None:
    since = (showcase - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    vends = AuditEvent.objects.filter(action="credential.vend")
    attempts = RefreshAttempt.objects.all()
    failed = ("rejected", "aborted", "superseded")
    expected = {
        "vended": of_rows(vends.filter(decision="allowed"), "at", "tenant_id", width, since),
        "vend_refused": of_rows(vends.exclude(decision="allowed"), "at", "tenant_id", width, since),
        "refreshed": of_rows(attempts.filter(state="promoted"), "claimed_at", "connection__tenant_id", width, since),
        "refresh_failed": of_rows(
            attempts.filter(state__in=failed), "claimed_at", "connection__tenant_id", width, since
        ),
    }
    for _ in range(2):
        for name, counts in expected.items():
            rows = ActivityFigures.objects.filter(width_seconds=width, at__gte=since, **{f"{name}__gt": 0})
            assert {(row.tenant_id, row.at): getattr(row, name) for row in rows} == counts
        retake(showcase)


def test_what_is_done_between_two_counts_is_counted_once() -> None:
    tenant, now = make_tenant("acme"), database_now()
    vends = {"action": "credential.vend", "decision": "allowed", "tenant_id": tenant.id}

    def vended() -> dict[int, int]:
        rows = ActivityFigures.objects.filter(tenant_id=tenant.id)
        totals = Counter[int]()
        for row in rows:
            totals[row.width_seconds] += row.vended
        return dict(totals)

    total = 0
    for minutes in (0, 1, 3, 30, 61, 62, 119):
        moment = now + timedelta(minutes=minutes)
        for age in (5, 30, 200):  # seconds: some were open when it was counted before
            AuditEvent.objects.create(at=moment - timedelta(seconds=age), **vends)
            total += 1
        retake(moment)
        assert vended() == {MINUTE_SECONDS: total, HOUR_SECONDS: total}
    retake(now + timedelta(hours=5))
    assert vended() == {HOUR_SECONDS: total}, "minutes are kept for three hours"
    retake(now + timedelta(days=9))
    assert vended() == {}


def test_an_attempt_that_ends_later_is_counted_by_how_it_ended() -> None:
    connection, now = make_connection(make_tenant("acme")), database_now()
    attempt = RefreshAttempt.objects.create(
        connection=connection, parent_version_id=connection.current_version_id, claimed_at=now, deadline_at=now
    )
    assert take_figures(now=now)
    assert not ActivityFigures.objects.exists()
    attempt.state = AttemptState.PROMOTED
    attempt.save(update_fields=["state"])
    retake(now + timedelta(minutes=1))
    assert {row.refreshed for row in ActivityFigures.objects.all()} == {1}


def test_a_count_waits_for_many_times_as_long_as_it_took() -> None:
    now = database_now()
    assert take_figures(now=now)
    FiguresTaken.objects.update(took_seconds=2.0)
    overwrite(make_connection(make_tenant("acme")), failures=1)
    assert not take_figures(now=now + timedelta(seconds=REST * 2 - 1))
    assert counted()["failing"] == 0
    assert take_figures(now=now + timedelta(seconds=REST * 2))
    assert counted()["failing"] == 1
