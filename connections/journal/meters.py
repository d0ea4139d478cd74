"""Meters: how often things happen, and how long they take, for ``/metrics``. Kept in the process.

Nothing is measured, and the library is not even loaded, unless ``LATCHKEY_METRICS_TOKEN`` is set. Labels have few
values: no tenant, no connection, and a provider only where ``LATCHKEY_METRICS_BY_PROVIDER`` asks for it.
"""

from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from prometheus_client import Histogram

NO_PROVIDER = ""
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_EXCHANGE_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
_QUEUE_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_NOTICED_SECONDS = (5, 60, 300, 600, 900, 3600, 21_600, 86_400, 604_800)


class Meters:
    """The histograms and counters of one process."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Histogram  # noqa: PLC0415 (takes 3 MB and a tenth of a second)

        def histogram(name: str, help_: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> "Histogram":
            return Histogram(f"latchkey_{name}_seconds", help_, labels, buckets=buckets)

        self.requests = histogram(
            "request", "From the request's arrival to its first byte of answer.", ("kind", "status"), _REQUEST_SECONDS
        )
        self.refreshes = histogram(
            "refresh", "Refreshes, from the claim to the stored answer.", ("outcome", "provider"), _EXCHANGE_SECONDS
        )
        self.probes = histogram("probe", "Probes that were sent.", ("verdict", "provider"), _EXCHANGE_SECONDS)
        self.noticed = histogram(
            "noticed", "From a grant's last proof of life until it was found dead.", ("reason",), _NOTICED_SECONDS
        )
        self.waited = histogram("queued", "From sending a task until a worker began it.", ("queue",), _QUEUE_SECONDS)
        self.refusals = Counter("latchkey_vend_refusals", "Vends that fail for what a provider does.", ("code",))


_meters_of_process = cache(Meters)


def _meters() -> Meters | None:
    return _meters_of_process() if settings.METRICS_TOKEN else None


def request_answered(kind: str, status: int, *, seconds: float) -> None:
    """Count one HTTP request. No I/O, here and below."""
    if (meters := _meters()) is not None:
        meters.requests.labels(kind, str(status)).observe(seconds)


def vend_refused(code: str) -> None:
    """Count one vend that was refused for what a provider does, with a status that looks like our error."""
    if (meters := _meters()) is not None:
        meters.refusals.labels(code).inc()


def refresh_sent(provider: str, outcome: str, *, seconds: float) -> None:
    """Count one refresh that was claimed and sent."""
    if (meters := _meters()) is not None:
        meters.refreshes.labels(outcome, _named(provider)).observe(seconds)


def probe_sent(provider: str, verdict: str, *, seconds: float) -> None:
    """Count one probe or introspection that was sent."""
    if (meters := _meters()) is not None:
        meters.probes.labels(verdict, _named(provider)).observe(seconds)


def death_noticed(reason: str, *, seconds: float) -> None:
    """Count one grant that was found dead so long after it had last been proved alive."""
    if (meters := _meters()) is not None:
        meters.noticed.labels(reason).observe(seconds)


def task_waited(queue: str, *, seconds: float) -> None:
    """Count one task that a worker has begun."""
    if (meters := _meters()) is not None:
        meters.waited.labels(queue).observe(max(0.0, seconds))


def _named(provider: str) -> str:
    return provider if settings.METRICS_BY_PROVIDER else NO_PROVIDER
