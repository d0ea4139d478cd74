"""Standing: how far a quarantine has come, in numbers."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from connections.models import HeldConnection, Installation
from connections.models.quarantine import held, holding


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
    """``is_everything_held``: it is not sorted yet, or this database is not the one that it says it is."""

    quarantined_at: datetime | None = None
    cause: str = ""
    rewound_to: datetime | None = None
    is_everything_held: bool = False
    tenants: tuple[OfTenant, ...] = ()

    @property
    def waits(self) -> int:
        """How many connections wait."""
        return sum(one.waits for one in self.tenants)


def standing(*, now: datetime) -> Standing:
    """Return how the last quarantine stands. A few queries."""
    here = Installation.objects.first()
    if here is None:
        return Standing()
    waiting = HeldConnection.objects.filter(held()).values("connection__tenant_id", "connection__tenant__slug")
    valid = Q(connection__access_expires_at=None) | Q(connection__access_expires_at__gt=now)
    counted = waiting.annotate(
        waits=Count("pk"), used=Count("pk", filter=Q(verdict="used")), vends=Count("pk", filter=valid)
    ).order_by("connection__tenant__slug")
    return Standing(
        quarantined_at=here.quarantined_at,
        cause=here.cause,
        rewound_to=here.rewound_to,
        is_everything_held=holding().exists(),
        tenants=tuple(
            OfTenant(
                row["connection__tenant_id"], row["connection__tenant__slug"], row["waits"], row["used"], row["vends"]
            )
            for row in counted
        ),
    )
