"""The first page: the state of all connections, what is wrong, what is due. It counts nothing that is many.

What was counted, ``lifecycle.figures`` keeps, and the page says when that was. Live are the incidents, the newest
troubles, what ends next and the queues: each is a few rows that an index leads to. ``charts`` draws.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import PermissionsMixin
from django.db.models import Count, F, Model, Q, QuerySet, Sum
from django.urls import reverse

from connections.access.staff import Staff, is_limited, limit_of, visible
from connections.admin import show
from connections.admin.charts import Columns, Line, Series, line
from connections.dispatch import Task, count_waiting
from connections.journal.verifications import last_finding
from connections.lifecycle.figures import CONDITIONS
from connections.lifecycle.quarantine.standing import Standing, standing
from connections.models import (
    VENDS,
    ActivityFigures,
    AppKey,
    AuditEvent,
    Connection,
    ConnectionFigures,
    DisabledReason,
    FiguresTaken,
    Finding,
    Incident,
    ProviderApp,
    RefreshAttempt,
    Status,
    Tenant,
    WebhookEndpoint,
    drafts,
)
from connections.models.figures import ALL, HOUR_SECONDS, MINUTE_SECONDS

_SHOWN = 8
_PROVIDERS = 12
_MINUTES, _HOURS = 60, 48
_STALE = timedelta(minutes=5)
_UNWELL = F("suspect") + F("needs_reauth") + F("undecryptable")
_QUEUES = {
    "Refreshes": Task.REFRESH,
    "Probes": Task.PROBE,
    "Revocations and sweeps": Task.REVOKE,
    "Webhooks": Task.DELIVER,
}
_NOTICED = (
    ("noticed_minutes", "within 10 minutes", "good"),
    ("noticed_hour", "within an hour", "good"),
    ("noticed_six_hours", "within 6 hours", "warn"),
    ("noticed_day", "within a day", "warn"),
    ("noticed_later", "later", "bad"),
)
Tenants = frozenset[uuid.UUID] | None  # those that the account may see; None for all


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, what it counts, where its rows are, and whether it is good news."""

    label: str
    count: int
    url: str
    tone: str = "plain"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """How the processes in the background do. ``queues`` has how many tasks wait in each, None where nobody says."""

    taken_at: datetime | None
    is_stale: bool
    queues: list[tuple[str, int | None]]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the first page shows."""

    now: datetime
    total: int
    statuses: list[Figure]
    figures: list[Figure]
    charts: list[Columns]
    providers: list[Line]
    noticed: list[Line]
    worst_tenants: list[Line]
    worst_apps: list[Line]
    incidents: list[Incident]
    in_trouble: list[Connection]
    ending: list[tuple[Connection, datetime]]
    work: Work
    to_do: list[Figure]
    quarantine: Standing | None
    broken_trail: dict[str, Any]


def overview(*, user: Staff, now: datetime) -> Overview:
    """Return what the first page shows to ``user``, of the rows that the account may see.

    About twenty queries, each of a few rows.
    """
    tenants = limit_of(user)
    counts = _totals(tenants)
    incidents = _incidents(user)
    return Overview(
        now=now,
        total=sum(counts[status.value] for status in Status),
        statuses=[
            Figure(
                str(status.label),
                counts[status.value],
                show.list_url(Connection, status__exact=status.value),
                status.value,
            )
            for status in Status
        ],
        figures=_figures(counts, open_incidents=len(incidents)),
        charts=[_vends(now, tenants), _refreshes(now, tenants)],
        providers=_providers(tenants),
        noticed=_noticed(counts),
        worst_tenants=_worst_tenants(tenants),
        worst_apps=_worst_apps(user, tenants),
        incidents=incidents[:_SHOWN],
        in_trouble=_in_trouble(user),
        ending=_ending(user),
        work=_work(now),
        to_do=_to_do(user, counts, now=now),
        quarantine=_quarantine(tenants, now=now),
        broken_trail=_broken_trail(user),
    )


def _quarantine(tenants: Tenants, *, now: datetime) -> Standing | None:
    """Return how refresh quarantine stands while anything waits that the account may see. A few queries."""
    found = standing(now=now, tenants=tenants)
    return found if found.is_unfinished else None


def _broken_trail(user: Staff) -> dict[str, Any]:
    """Return what the last verification of the audit trail found broken, for those who may read verifications."""
    may_read = isinstance(user, PermissionsMixin) and user.has_perm("connections.view_auditverification")
    return last_finding() if may_read and not is_limited(user) else {}


def _counted(tenants: Tenants) -> "QuerySet[ConnectionFigures]":
    """Return the figures by provider app: of all tenants together, or of each of ``tenants``."""
    return ConnectionFigures.objects.filter(tenant_id__in=[ALL] if tenants is None else tenants)


def _totals(tenants: Tenants) -> dict[str, int]:
    totals = _counted(tenants).filter(provider_app_id=ALL).aggregate(**{f"n_{name}": Sum(name) for name in CONDITIONS})
    return {name.removeprefix("n_"): total or 0 for name, total in totals.items()}


def _figures(counts: dict[str, int], *, open_incidents: int) -> list[Figure]:
    return [
        Figure(
            "Incidents open", open_incidents, show.list_url(Incident, state="open"), "bad" if open_incidents else "good"
        ),
        Figure(
            "Refreshes overdue",
            counts["overdue"],
            show.list_url(Connection, health="overdue"),
            "bad" if counts["overdue"] else "good",
            f"{counts['due_soon']:,} due within the hour",
        ),
        Figure(
            "Refreshes failing",
            counts["failing"],
            show.list_url(Connection, health="failing"),
            "warn" if counts["failing"] else "good",
            "held back, and tried again",
        ),
        Figure(
            "Refused within a day",
            counts["refused"],
            show.list_url(Connection, health="refused"),
            "warn" if counts["refused"] else "good",
            f"{counts['revoking']:,} revocations under way",
        ),
        Figure(
            "End within 7 days",
            counts["ending"],
            show.list_url(Connection, health="ending"),
            "warn" if counts["ending"] else "good",
            "cannot be renewed: to be connected again",
        ),
    ]


def _incidents(user: Staff) -> list[Incident]:
    opened = visible(user, Incident.objects.filter(closed_at=None)).select_related("provider_app")
    return list(opened.defer("provider_app__secrets", "provider_app__push_secrets").order_by("-last_seen_at")[:50])


def _activity(width: int, since: datetime, tenants: Tenants) -> dict[datetime, dict[str, int]]:
    of = ActivityFigures.objects.filter(
        tenant_id__in=[ALL] if tenants is None else tenants, width_seconds=width, at__gte=since
    )
    acts = ("vended", "vend_refused", "refreshed", "refresh_failed")
    rows: Any = of.values("at").annotate(**{f"n_{name}": Sum(name) for name in acts})
    return {row["at"]: {name: row[f"n_{name}"] for name in acts} for row in rows}


def _series(
    width: int, count: int, now: datetime, tenants: Tenants, acts: Sequence[tuple[str, str, str]], form: str
) -> tuple[list[str], list[Series]]:
    """Return the labels of the last ``count`` minutes or hours, and how often each of ``acts`` happened in them."""
    last = now.replace(second=0, microsecond=0, minute=now.minute if width == MINUTE_SECONDS else 0)
    moments = [last - timedelta(seconds=width * back) for back in range(count - 1, -1, -1)]
    found = _activity(width, moments[0], tenants)
    series = [Series(name, tone, [found.get(at, {}).get(act, 0) for at in moments]) for act, name, tone in acts]
    return [f"{at:{form}}" for at in moments], series


def _vends(now: datetime, tenants: Tenants) -> Columns:
    acts = (("vended", "Vended", "brand"), ("vend_refused", "Refused", "bad"))
    labels, series = _series(MINUTE_SECONDS, _MINUTES, now, tenants, acts, "%H:%M")
    url = show.list_url(AuditEvent, kind="credential.vend", age="hour")
    return Columns("vends", "Vends, minute by minute", url, "a minute", labels, series)


def _refreshes(now: datetime, tenants: Tenants) -> Columns:
    acts = (("refreshed", "Refreshed", "good"), ("refresh_failed", "Failed", "bad"))
    labels, series = _series(HOUR_SECONDS, _HOURS, now, tenants, acts, "%a %H:00")
    url = show.list_url(RefreshAttempt, age="day")
    return Columns("refreshes", "Refreshes, hour by hour", url, "an hour", labels, series)


def _providers(tenants: Tenants) -> list[Line]:
    by_app = {row["provider_app_id"]: row for row in _by_app(tenants)}
    providers: dict[str, list[int]] = {}
    for app_id, provider in ProviderApp.objects.filter(id__in=by_app).values_list("id", "provider"):
        row, total = by_app[app_id], providers.setdefault(provider, [0, 0, 0])
        for place, name in enumerate(("works", "warns", "broken")):
            total[place] += row[name]
    most = sorted(providers.items(), key=lambda item: -sum(item[1]))
    longest = sum(most[0][1]) if most else 0
    return [
        line(
            provider,
            show.list_url(Connection, provider=provider),
            [("brand", works), ("warn", warns), ("bad", broken)],
            of=longest,
            note=f"{warns + broken:,} unwell" if warns + broken else "",
        )
        for provider, (works, warns, broken) in most[:_PROVIDERS]
    ]


def _by_app(tenants: Tenants) -> list[dict[str, Any]]:
    rows: Any = _counted(tenants).exclude(provider_app_id=ALL).values("provider_app_id")
    return list(rows.annotate(works=Sum("active"), warns=Sum("suspect"), broken=Sum("needs_reauth")))


def _noticed(counts: dict[str, int]) -> list[Line]:
    longest = max(counts[name] for name, _, _ in _NOTICED)
    url = show.list_url(Connection, status__exact=Status.NEEDS_REAUTH.value)
    return [line(label, url, [(tone, counts[name])], of=longest) for name, label, tone in _NOTICED if longest]


def _worst_tenants(tenants: Tenants) -> list[Line]:
    figures = ConnectionFigures.objects.exclude(tenant_id=ALL).filter(provider_app_id=ALL)
    if tenants is not None:
        figures = figures.filter(tenant_id__in=tenants)
    worst = list(figures.annotate(unwell=_UNWELL).filter(unwell__gt=0).order_by("-unwell", "tenant_id")[:_SHOWN])
    names = dict(Tenant.objects.filter(id__in=[row.tenant_id for row in worst]).values_list("id", "slug"))
    return [
        _worst(names[row.tenant_id], show.list_url(Connection, tenant=names[row.tenant_id]), row, worst[0])
        for row in worst
        if row.tenant_id in names
    ]


def _worst_apps(user: Staff, tenants: Tenants) -> list[Line]:
    figures = _counted(tenants).exclude(provider_app_id=ALL)
    worst = list(figures.annotate(unwell=_UNWELL).filter(unwell__gt=0).order_by("-unwell", "provider_app_id")[:_SHOWN])
    apps = visible(user, ProviderApp.objects.filter(id__in=[row.provider_app_id for row in worst]))
    names = dict(apps.values_list("id", "name"))
    return [
        _worst(names[row.provider_app_id], show.list_url(Connection, app=row.provider_app_id), row, worst[0])
        for row in worst
        if row.provider_app_id in names
    ]


def _worst(label: str, url: str, row: Any, longest: Any) -> Line:
    live = row.active + row.suspect + row.needs_reauth
    share = f"{100 * row.unwell / live:.0f} % of {live:,}" if live else ""
    parts = [("warn", row.suspect), ("bad", row.needs_reauth + row.undecryptable)]
    return line(label, url, parts, of=longest.unwell, note=share)


def _in_trouble(user: Staff) -> list[Connection]:
    """Return the connections that went wrong last, by two indexes."""
    rows = visible(user, Connection.objects.select_related("tenant"))
    unwell = rows.filter(status__in=[Status.SUSPECT, Status.NEEDS_REAUTH]).order_by("-status_changed_at", "id")
    closed = rows.filter(undecryptable_at__isnull=False).order_by("-undecryptable_at")
    found = {row.id: row for row in (*closed[:_SHOWN], *unwell[:_SHOWN])}
    return sorted(found.values(), key=lambda row: row.undecryptable_at or row.status_changed_at, reverse=True)[:_SHOWN]


def _ending(user: Staff) -> list[tuple[Connection, datetime]]:
    """Return the grants that end next and cannot be renewed, with when they end, by two indexes."""
    rows = visible(user, Connection.objects.select_related("tenant").filter(status__in=VENDS))
    by_token = rows.filter(refresh_due_at=None, access_expires_at__isnull=False).order_by("access_expires_at")
    by_grant = rows.filter(grant_expires_at__isnull=False).order_by("grant_expires_at")
    found = {row.id: (row, row.grant_expires_at) for row in by_grant[:_SHOWN]}
    found |= {row.id: (row, row.access_expires_at) for row in by_token[:_SHOWN]}
    return sorted(((row, at) for row, at in found.values() if at is not None), key=lambda item: item[1])[:_SHOWN]


def _work(now: datetime) -> Work:
    taken = FiguresTaken.objects.first()
    at = None if taken is None else taken.taken_at
    return Work(at, at is None or at < now - _STALE, [(name, count_waiting(task)) for name, task in _QUEUES.items()])


def _ending_certificates(user: Staff, now: datetime) -> int:
    """Return how many published keys have a certificate that ends soon, or has ended. One query."""
    keys = visible(user, AppKey.objects.published())
    return keys.filter(certificate_ends_at__lt=now + timedelta(days=30)).count()


def _to_do(user: Staff, counts: dict[str, int], *, now: datetime) -> list[Figure]:
    """Return the figures of what an operator has to mend: undecryptable, suspicious, not set up, switched off.

    A few queries.
    """
    apps = visible(user, ProviderApp.objects.all()).aggregate(
        made=Count("id"),
        drafts=Count("id", filter=drafts()),
        suspended=Count("id", filter=Q(suspended_at__isnull=False)),
        paused=Count("id", filter=Q(paused_at__isnull=False)),
    )
    tenants = visible(user, Tenant.objects.all()).aggregate(
        made=Count("id"), suspended=Count("id", filter=Q(suspended_at__isnull=False))
    )
    found = [
        Figure(
            "Connections whose stored credential does not open",
            counts["undecryptable"],
            show.list_url(Connection, health="undecryptable"),
        ),
        Figure(
            "Suspicious use of API clients",
            visible(user, Finding.objects.filter(resolved_at=None)).count(),
            show.list_url(Finding, state="open"),
        ),
        Figure("Provider apps that are drafts, without a client ID", apps["drafts"], show.list_url(ProviderApp)),
        Figure("Provider apps that are suspended", apps["suspended"], show.list_url(ProviderApp, switch="off")),
        Figure("Provider apps that are paused", apps["paused"], show.list_url(ProviderApp)),
        Figure("Tenants that are suspended", tenants["suspended"], show.list_url(Tenant, switch="off")),
    ]
    endpoints = visible(user, WebhookEndpoint.objects.filter(disabled_at__isnull=False))
    disabled = endpoints.exclude(disabled_reason=DisabledReason.OPERATOR)
    found.append(
        Figure(
            "Webhook endpoints that were disabled because they take nothing",
            disabled.count(),
            show.list_url(WebhookEndpoint, state="disabled"),
        )
    )
    found.append(
        Figure("Certificates that end within 30 days", _ending_certificates(user, now), show.list_url(AppKey)),
    )
    shown = [figure for figure in found if figure.count]
    if is_limited(user):
        return shown
    if not tenants["made"]:
        shown.append(Figure("Tenants: add the first one", 0, _add(Tenant)))
    if not apps["made"]:
        shown.append(Figure("Provider apps: add the first one", 0, _add(ProviderApp)))
    return shown


def _add(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
