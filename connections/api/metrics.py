"""``/metrics``: what the processes have measured, and how the installation stands, in Prometheus' text format.

It is there when ``LATCHKEY_METRICS_TOKEN`` is set, and answers whoever brings that token. The figures of the
installation are those that a beat task counts anyway (``lifecycle.figures``), so a scrape costs a few small queries.
What cannot be read is left out, and counted: a scrape never fails because the database or the broker is away.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from connections.database.clock import database_now
from connections.dispatch import waiting_tasks
from connections.journal.verifications import last_finding
from connections.models import (
    AuditEvent,
    AuditSeal,
    ConnectionFigures,
    DeliveryState,
    DisabledReason,
    FiguresTaken,
    HeldConnection,
    Incident,
    IncidentKind,
    ProviderApp,
    Status,
    TokenVerdict,
    WebhookDelivery,
    WebhookEndpoint,
)
from connections.models.figures import ALL
from connections.models.quarantine import held, holding

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily, Metric

Gauge: TypeAlias = "Callable[..., GaugeMetricFamily]"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_CONDITIONS = ("failing", "overdue", "due_soon", "refused", "undecryptable", "revoking", "ending")

logger = structlog.get_logger(__name__)


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape. 404 while metrics are off, 401 without the token."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not is_allowed(request.headers.get("Authorization", "")):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    body = measured(of_installation=True)
    return HttpResponse(body, content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def is_allowed(authorization: str) -> bool:
    """Whether a header's value brings the token. Compares in constant time."""
    return constant_time_compare(authorization, f"Bearer {settings.METRICS_TOKEN}")


def measured(*, of_installation: bool) -> bytes:
    """Return what this process and its siblings have measured, and with ``of_installation`` how that stands as well."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest  # noqa: PLC0415 (see ``journal.meters``)
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 (likewise)

    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types there
    answer: bytes = generate_latest(registry)
    if of_installation:
        own = CollectorRegistry()
        own.register(Installation())
        answer += generate_latest(own)
    return answer


class Installation:
    """Reads at each scrape how the installation stands."""

    def describe(self) -> Iterator["Metric"]:
        """Name nothing beforehand: the library would read everything once more."""
        return iter(())

    def collect(self) -> Iterator["Metric"]:
        """Read the gauges, one reader after the other. Asks the database and the broker."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 (see ``journal.meters``)

        unread = 0
        for read in (_connections, _freshness, _incidents, _quarantine, _webhooks, _audit, _queues):
            try:
                yield from read(GaugeMetricFamily)
            except (DatabaseError, InterfaceError) as error:
                unread += 1
                logger.warning("metrics_unread", reader=read.__name__, error=type(error).__name__)
        yield GaugeMetricFamily("latchkey_unread_metrics", "Groups of metrics that this scrape lacks.", value=unread)


def _connections(gauge: "Gauge") -> Iterator["Metric"]:
    by_status = gauge("latchkey_connections", "Connections, as counted last.", labels=("status",))
    conditions = gauge("latchkey_connections_in_condition", "Connections, as counted last.", labels=("condition",))
    total = ConnectionFigures.objects.filter(tenant_id=ALL, provider_app_id=ALL).first() or ConnectionFigures()
    for status in Status:
        by_status.add_metric((status.value,), getattr(total, status.value))
    for condition in _CONDITIONS:
        conditions.add_metric((condition,), getattr(total, condition))
    yield from (by_status, conditions)
    if settings.METRICS_BY_PROVIDER:
        yield _by_provider(gauge)


def _by_provider(gauge: "Gauge") -> "Metric":
    family = gauge("latchkey_provider_connections", "Connections, as counted last.", labels=("provider", "status"))
    providers = dict(ProviderApp.objects.values_list("id", "provider"))
    counts: Counter[tuple[str, str]] = Counter()
    for row in ConnectionFigures.objects.filter(tenant_id=ALL).exclude(provider_app_id=ALL):
        if row.provider_app_id in providers:
            for status in Status:
                counts[providers[row.provider_app_id], status.value] += getattr(row, status.value)
    for labels, count in sorted(counts.items()):
        family.add_metric(labels, count)
    return family


def _freshness(gauge: "Gauge") -> Iterator["Metric"]:
    taken = FiguresTaken.objects.first()
    if taken is not None:
        help_ = "How long ago the connections were counted: it grows while no beat or no worker runs."
        yield gauge("latchkey_figures_age_seconds", help_, value=_age(taken.taken_at))


def _incidents(gauge: "Gauge") -> Iterator["Metric"]:
    family = gauge("latchkey_open_incidents", "Open incidents.", labels=("kind",))
    found = Incident.objects.filter(closed_at=None).order_by().values_list("kind").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(found)
    for kind in IncidentKind:
        family.add_metric((kind.value,), counts.get(kind.value, 0))
    yield family


def _quarantine(gauge: "Gauge") -> Iterator["Metric"]:
    found = HeldConnection.objects.filter(held()).order_by().values_list("verdict").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(found)
    help_ = "1 while refreshes wait because the database was put back to an earlier moment, else 0."
    yield gauge("latchkey_refresh_quarantine", help_, value=int(bool(counts) or holding().exists()))
    help_ = "Connections that it holds, by what is known of their refresh tokens."
    family = gauge("latchkey_held_connections", help_, labels=("verdict",))
    for verdict in TokenVerdict:
        family.add_metric((verdict.value,), counts.get(verdict.value, 0))
    yield family


def _webhooks(gauge: "Gauge") -> Iterator["Metric"]:
    endpoints = WebhookEndpoint.objects.exclude(disabled_reason="").exclude(disabled_reason=DisabledReason.OPERATOR)
    help_ = "Webhook endpoints that were disabled because nothing could be delivered."
    yield gauge("latchkey_disabled_webhook_endpoints", help_, value=endpoints.count())
    oldest = WebhookDelivery.objects.filter(state=DeliveryState.PENDING).aggregate(at=Min("event__created_at"))["at"]
    help_ = "How long the oldest event waits that a webhook endpoint has not been told."
    yield gauge("latchkey_undelivered_age_seconds", help_, value=0.0 if oldest is None else _age(oldest))


def _audit(gauge: "Gauge") -> Iterator["Metric"]:
    last = AuditSeal.objects.order_by("-number").values_list("last_id", flat=True).first() or 0
    oldest = AuditEvent.objects.filter(id__gt=last).order_by("id").values_list("at", flat=True).first()
    help_ = "How long the oldest audit row waits for its seal."
    yield gauge("latchkey_unsealed_age_seconds", help_, value=0.0 if oldest is None else _age(oldest))
    help_ = "1 if the last verification has found the audit trail broken, else 0."
    yield gauge("latchkey_audit_broken", help_, value=int(bool(last_finding())))


def _queues(gauge: "Gauge") -> Iterator["Metric"]:
    messages = gauge("latchkey_queue_messages", "Tasks that wait for a worker.", labels=("queue",))
    age = gauge("latchkey_queue_age_seconds", "How long the oldest task waits for a worker.", labels=("queue",))
    answers = gauge("latchkey_broker_answers", "1 if the broker answers, else 0.")
    waiting = waiting_tasks()
    for queue, (count, seconds) in sorted((waiting or {}).items()):
        messages.add_metric((queue,), count)
        age.add_metric((queue,), seconds)
    answers.add_metric((), 0 if waiting is None else 1)
    yield from (messages, age, answers)


def _age(moment: datetime) -> float:
    return max(0.0, (database_now() - moment).total_seconds())
