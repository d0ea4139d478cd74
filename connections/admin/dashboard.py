"""The first page: the state of all connections, what is wrong, what is due. Few, cheap queries; reads no history."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Model, Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from connections.access.staff import Staff, is_limited, visible
from connections.admin import show
from connections.admin.filters import overdue_refresh
from connections.models import (
    VENDS,
    AppKey,
    Connection,
    DisabledReason,
    Incident,
    ProviderApp,
    Revocation,
    Status,
    Tenant,
    WebhookEndpoint,
    drafts,
)

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, what it counts, where its rows are, and whether it is good news."""

    label: str
    count: int
    url: str
    tone: str = "plain"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the first page shows."""

    now: datetime
    total: int
    statuses: list[Figure]
    figures: list[Figure]
    incidents: list[Incident]
    in_trouble: list[Connection]
    to_do: list[Figure]


def overview(*, user: Staff, now: datetime) -> Overview:
    """Return what the first page shows to ``user``, of the rows that the account may see. Eight queries."""
    connections = visible(user, Connection.objects.all())
    counts = connections.aggregate(
        **{status.value: Count("id", filter=Q(status=status)) for status in Status},
        failing=Count("id", filter=Q(failures__gt=0, refresh_due_at__isnull=False)),
        revoking=Count("id", filter=Q(revocation=Revocation.PENDING)),
        refused=Count("id", filter=Q(refused_at__gt=now - timedelta(hours=24))),
        undecryptable=Count("id", filter=Q(undecryptable_at__isnull=False)),
    )
    due = connections.filter(refresh_due_at__lt=now + timedelta(hours=1), status__in=VENDS).aggregate(
        soon=Count("id"), overdue=Count("id", filter=overdue_refresh())
    )
    incidents = list(
        visible(user, Incident.objects.filter(closed_at=None))
        .select_related("provider_app")
        .defer("provider_app__secrets")
        .order_by("-last_seen_at")[:50]
    )
    in_trouble = list(
        connections.filter(Q(status__in=[Status.SUSPECT, Status.NEEDS_REAUTH]) | Q(undecryptable_at__isnull=False))
        .select_related("tenant")
        .order_by(Coalesce("undecryptable_at", "status_changed_at").desc())[:_SHOWN]
    )
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
        figures=[
            Figure(
                "Incidents open", len(incidents), show.list_url(Incident, state="open"), "bad" if incidents else "good"
            ),
            Figure(
                "Refreshes overdue",
                due["overdue"],
                show.list_url(Connection, health="overdue"),
                "bad" if due["overdue"] else "good",
                f"{due['soon']} due within the hour",
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
                f"{counts['revoking']} revocations under way",
            ),
        ],
        incidents=incidents[:_SHOWN],
        in_trouble=in_trouble,
        to_do=_to_do(user, undecryptable=counts["undecryptable"], now=now),
    )


def _ending(user: Staff, now: datetime) -> int:
    """Return how many published keys have a certificate that ends soon, or has ended. One query."""
    keys = visible(user, AppKey.objects.published())
    return keys.filter(certificate_ends_at__lt=now + timedelta(days=30)).count()


def _to_do(user: Staff, *, undecryptable: int, now: datetime) -> list[Figure]:
    """Return the figures of what an operator has to mend: undecryptable, not set up, or switched off. A few queries."""
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
            undecryptable,
            show.list_url(Connection, health="undecryptable"),
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
    found.append(Figure("Certificates that end within 30 days", _ending(user, now), show.list_url(AppKey)))
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
