"""Standing: how far a quarantine has come, in numbers, and how one connection stands in it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from connections.models import (
    Connection,
    CredentialVersion,
    HeldConnection,
    Installation,
    RewindCause,
    TokenVerdict,
)
from connections.models.quarantine import held, holding, holds_all_of


@dataclass(frozen=True, slots=True)
class OfTenant:
    """How many connections of a tenant wait. ``used`` of them have a refresh token that is known to be used.

    ``vends`` have an access token that is valid now, or of unknown end.
    """

    tenant_id: uuid.UUID
    tenant: str
    waits: int
    used: int
    vends: int


@dataclass(frozen=True, slots=True)
class Standing:
    """``is_everything_held``: it is not sorted yet, or this database is not the one that it says it is.

    ``waits_for_redis_since``: it could not be sorted since then, because Redis does not answer.
    """

    quarantined_at: datetime | None = None
    cause: str = ""
    rewound_to: datetime | None = None
    is_everything_held: bool = False
    waits_for_redis_since: datetime | None = None
    tenants: tuple[OfTenant, ...] = ()

    @property
    def waits(self) -> int:
        """How many connections wait."""
        return sum(one.waits for one in self.tenants)

    @property
    def used(self) -> int:
        """How many of these have a refresh token that is known to be used."""
        return sum(one.used for one in self.tenants)

    @property
    def vends(self) -> int:
        """How many of these have an access token that is valid now, or of unknown end."""
        return sum(one.vends for one in self.tenants)

    @property
    def is_unfinished(self) -> bool:
        """Whether anything waits."""
        return self.is_everything_held or bool(self.tenants)

    @property
    def says(self) -> str:
        """Why the database is taken for one that was put back, and from when its data is."""
        if not self.cause:
            return "The database is not the one that it says it is."
        when = "nobody knows when" if self.rewound_to is None else f"{self.rewound_to:%Y-%m-%d %H:%M:%S} UTC"
        return f"{RewindCause(self.cause).label}; its data is from {when}."


def standing(*, now: datetime, tenants: Iterable[uuid.UUID] | None = None) -> Standing:
    """Return how the last quarantine stands, of all tenants or of those of ``tenants``. A few queries."""
    here = Installation.objects.first()
    if here is None:
        return Standing()
    waiting = HeldConnection.objects.filter(held()).values("connection__tenant_id", "connection__tenant__slug")
    if tenants is not None:
        waiting = waiting.filter(connection__tenant__in=tenants)
    valid = Q(connection__access_expires_at=None) | Q(connection__access_expires_at__gt=now)
    counted = waiting.annotate(
        waits=Count("pk"), used=Count("pk", filter=Q(verdict="used")), vends=Count("pk", filter=valid)
    ).order_by("connection__tenant__slug")
    return Standing(
        quarantined_at=here.quarantined_at,
        cause=here.cause,
        rewound_to=here.rewound_to,
        is_everything_held=holding().exists(),
        waits_for_redis_since=here.waits_for_redis_since,
        tenants=tuple(
            OfTenant(
                row["connection__tenant_id"], row["connection__tenant__slug"], row["waits"], row["used"], row["vends"]
            )
            for row in counted
        ),
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """Why the refresh token of a connection may not be sent. ``verdict`` is None until the connections are sorted."""

    verdict: TokenVerdict | None = None


def hold_of(connection: Connection) -> Hold | None:
    """Return what holds the refreshes of ``connection``; None if nothing does. Up to three queries."""
    if connection.refresh_due_at is None or connection.current_version_id is None:
        return None
    version = CredentialVersion.objects.filter(id=connection.current_version_id)
    if holds_all_of(version.values_list("received_at", flat=True).first()):
        return Hold()
    verdict = HeldConnection.objects.filter(held(), connection=connection).values_list("verdict", flat=True).first()
    return None if verdict is None else Hold(TokenVerdict(verdict))
