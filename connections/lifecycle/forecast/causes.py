"""The causes of endings: by each, which rows end, in which column that is, and what it means. No I/O.

Dates count from the column ``column``, to which ``later`` is added. Every condition is that of a partial index, so that
the rows of the next weeks are read without the others (``connection_indexes``); what a quarantine holds is a table of
its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet

from connections.models import VENDS, AppKey, Connection, HeldConnection, ProviderApp, RegisteredClient
from connections.models.quarantine import held
from providers.strategies import strategies

OLD_KEY_AGE = timedelta(days=90)
OVERDUE = timedelta(hours=1)  # so long after its due time a refresh is held back by something


class Cause(StrEnum):
    """Of what something ends. Values are stable: callers see them."""

    GRANT = "grant_ends"
    CREDENTIAL = "credential_expires"
    UNUSED = "refresh_token_unused"
    QUARANTINE = "refresh_quarantine"
    CROWDED = "too_many_grants"
    OLD_KEY = "key_is_old"
    CERTIFICATE = "certificate_expires"
    CLIENT_SECRET = "client_secret_expires"  # noqa: S105 (the name of a cause)
    APP_SECRET = "app_secret_expires"  # noqa: S105 (likewise)


@dataclass(frozen=True, slots=True)
class Source:
    """The rows that end of one cause. ``has_date``: the column, with ``later``, is when; otherwise since when."""

    rows: Callable[[datetime], "QuerySet[Any]"]
    column: str
    means: str
    later: timedelta = timedelta()
    has_date: bool = True


def _vending(**conditions: Any) -> "QuerySet[Connection]":
    return Connection.objects.filter(status__in=VENDS, **conditions)


def _endless_keys(now: datetime) -> "QuerySet[Connection]":
    typed = [style for style, strategy in strategies().items() if not strategy.by_consent]
    of_age = _vending(refresh_due_at=None, access_expires_at=None, authorized_at__isnull=False)
    return of_age.filter(provider_app__in=ProviderApp.objects.filter(auth_style__in=typed))


def _held_back(now: datetime) -> "QuerySet[Connection]":
    overdue = Q(refresh_due_at__lte=now - OVERDUE) | Q(failures__gt=0, refresh_due_at__isnull=False)
    return _vending(refresh_expires_at__isnull=False).filter(overdue)


def _quarantined(now: datetime) -> "QuerySet[Connection]":
    waiting = HeldConnection.objects.filter(held()).values("connection_id")
    return _vending(refresh_due_at__isnull=False, access_expires_at__isnull=False, id__in=waiting)


SOURCES: dict[Cause, Source] = {
    Cause.GRANT: Source(
        lambda now: _vending(grant_expires_at__isnull=False),
        "grant_expires_at",
        "The provider ends the grant then, however much it is used: let its end user connect again before.",
    ),
    Cause.CREDENTIAL: Source(
        lambda now: _vending(refresh_due_at=None, access_expires_at__isnull=False),
        "access_expires_at",
        "The credential expires and cannot be refreshed: let its end user connect again before.",
    ),
    Cause.UNUSED: Source(
        _held_back,
        "refresh_expires_at",
        "The refresh token ends unless it is used, and its refreshes are held back: see what holds them.",
    ),
    Cause.QUARANTINE: Source(
        _quarantined,
        "access_expires_at",
        "The database was put back, so its refresh waits: release it if its refresh token is good, or let its end user"
        " connect again before.",
    ),
    Cause.CROWDED: Source(
        lambda now: _vending(crowded_at__isnull=False),
        "crowded_at",
        "Its account has no room for another grant of this provider app: the next one ends this connection.",
        has_date=False,
    ),
    Cause.OLD_KEY: Source(
        _endless_keys,
        "authorized_at",
        "The key has no end, and is 90 days old then: have its end user enter a new one.",
        later=OLD_KEY_AGE,
    ),
    Cause.CERTIFICATE: Source(
        lambda now: AppKey.objects.published().filter(certificate_ends_at__isnull=False),
        "certificate_ends_at",
        "The certificate of our key expires, and with it what the provider app proves by it: bring a new one.",
    ),
    Cause.CLIENT_SECRET: Source(
        lambda now: RegisteredClient.objects.filter(secret_expires_at__isnull=False, replaced_at=None).exclude(
            problem=""
        ),
        "secret_expires_at",
        "Our client secret expires, and renewing it has failed: see the registration of the provider app.",
    ),
    Cause.APP_SECRET: Source(
        lambda now: ProviderApp.objects.filter(secret_expires_at__isnull=False),
        "secret_expires_at",
        "Our client secret expires: make another at the provider, and enter it as the preferred one.",
    ),
}
OF_CONNECTIONS = (Cause.GRANT, Cause.CREDENTIAL, Cause.UNUSED, Cause.QUARANTINE, Cause.CROWDED, Cause.OLD_KEY)
