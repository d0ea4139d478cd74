"""Facts: what is counted of a provider app while an incident of it may be open. A few queries; nothing is changed."""

import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db.models import Count, F, Max, Min, Q, QuerySet

from connections.access.targets import access_of
from connections.lifecycle.health.causes import Answer, Facts
from connections.models import LIVE, VENDS, Connection, CredentialVersion, IncidentKind, ProviderApp, RefreshAttempt
from connections.refusals import AppMisconfigured
from providers.errors import MalformedResponse, MisconfiguredProvider, ProviderUnavailable

WITHIN = timedelta(minutes=10)
# Errors by which a provider is away, rather than refusing something.
AWAY = (ProviderUnavailable.code, MalformedResponse.code)


def gather(kind: IncidentKind, app: ProviderApp, *, party: uuid.UUID | None, now: datetime) -> Facts:
    """Count what is known of the connections of ``app`` that lead to ``party`` (None: to its provider)."""
    theirs = Connection.objects.filter(provider_app=app, party=party)
    failing = still_failing(kind, app, party=party, now=now)
    since = max(now - WITHIN, failing.aggregate(first=Min("refused_at"))["first"] or now - WITHIN)
    lately = RefreshAttempt.objects.filter(connection__provider_app=app, connection__party=party, claimed_at__gte=since)
    answers = (
        lately.exclude(error="")
        .order_by()
        .values_list("error", "evidence__status", "evidence__error", "evidence__sent")
        .annotate(count=Count("connection", distinct=True))
    )
    arrived = CredentialVersion.objects.filter(
        connection__provider_app=app, connection__party=party, attempt_id__isnull=False
    )
    last = arrived.aggregate(last=Max("received_at"))["last"]
    return Facts(
        host=_host(theirs),
        live=theirs.filter(status__in=LIVE).count(),
        failing=failing.count(),
        tried=lately.order_by().values("connection").distinct().count(),
        succeeded=theirs.filter(verified_at__gt=since).exclude(id__in=failing.values("id")).count(),
        answers=tuple(
            Answer(error, status, code or "", sent is not False, count) for error, status, code, sent, count in answers
        ),
        unsent_apps=_unsent_apps(now=now),
        has_secret=app.secrets is not None,
        secret_since=app.secrets_changed_at,
        last_success_at=last,
    )


def still_failing(
    kind: IncidentKind, app: ProviderApp, *, party: uuid.UUID | None, now: datetime
) -> QuerySet[Connection]:
    """Return the connections that fail now as an incident of ``kind`` has them fail."""
    theirs = Connection.objects.filter(provider_app=app, party=party, status__in=VENDS)
    if kind != IncidentKind.MANY_FAILURES:
        return theirs.filter(failures__gt=0)
    since = now - WITHIN
    begun = Q(refused_at__gt=since) | Q(refresh_failing_at__gt=since) | Q(spared_at__gt=since)
    return theirs.filter(begun).exclude(verified_at__gt=F("spared_at"))


def away_apps(*, now: datetime) -> list[tuple[uuid.UUID, uuid.UUID | None, int, int]]:
    """Return the app and party of which refreshes get no answer, how many connections that are, and of how many tried.

    A connection that was refreshed since does not count.
    """
    lately = RefreshAttempt.objects.filter(claimed_at__gt=now - WITHIN)
    away = Q(error__in=AWAY, connection__failures__gt=0)
    rows = (
        lately.order_by()
        .values_list("connection__provider_app", "connection__party")
        .annotate(
            failing=Count("connection", filter=away, distinct=True),
            tried=Count("connection", distinct=True),
        )
        .filter(failing__gt=0)
    )
    return list(rows)


def _unsent_apps(*, now: datetime) -> int:
    unsent = RefreshAttempt.objects.filter(claimed_at__gt=now - WITHIN, error__in=AWAY, evidence__sent=False)
    return unsent.order_by().values("connection__provider_app").distinct().count()


def _host(theirs: QuerySet[Connection]) -> str:
    """Return the host of the token endpoint, "" where it is not known or bears an account's name."""
    one = theirs.filter(status__in=VENDS).select_related("provider_app", "registered_client").first()
    if one is None:
        return ""
    try:
        access = access_of(one)
        address = access.target.endpoints.token or ""
    except (AppMisconfigured, MisconfiguredProvider):
        return ""
    return "" if access.asks_accounts_own else urlsplit(address).netloc.rpartition("@")[2]
