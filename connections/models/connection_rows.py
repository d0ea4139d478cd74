"""Connections by the row: which there are, and what is written of many at once, or without a lock."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Now

from connections.models.states import LIVE
from connections.models.switches import nothing_thrown

if TYPE_CHECKING:
    from connections.models.connection import Connection


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """Querysets of connections: always begin with a tenant, except in sweeps."""

    def for_tenant(self, tenant_id: uuid.UUID) -> Self:
        """Return the connections of one tenant."""
        return self.filter(tenant_id=tenant_id)

    def for_callers_of(self, tenant_id: uuid.UUID) -> Self:
        """Return those of one tenant that its products may see: no operator's trial is among them."""
        return self.for_tenant(tenant_id).filter(is_trial=False)

    def live(self) -> Self:
        """Return the connections that are connected, in whatever health."""
        return self.filter(status__in=LIVE)

    def of_the_owner_of(self, connection: "Connection") -> Self:
        """Return the live connections of the same owner at the same provider, ``connection`` among them."""
        return (
            self.for_tenant(connection.tenant_id)
            .live()
            .filter(provider=connection.provider, owner_kind=connection.owner_kind, end_user=connection.end_user)
        )

    def working(self) -> Self:
        """Return the connections without any kill switch or pause, of their own, their tenant or their provider app."""
        return self.filter(nothing_thrown())

    # --- Mutators: one UPDATE each, of whatever rows these are. They lock nothing before it --------------------------
    def skip_refresh(self, until: datetime) -> int:
        """Have the sweeps send no refresh before ``until``. Return how many rows these are, as all of the following."""
        return self.update(refresh_enqueued_until=until)

    def probe_next(self, at: datetime | Now | None) -> int:
        """Make the next probe due ``at`` a moment; None: never."""
        return self.update(probe_due_at=at)

    def revoke_next(self, at: datetime) -> int:
        """Make the next try to revoke due ``at`` a moment."""
        return self.update(revocation_due_at=at)

    def lead_to(self, party: uuid.UUID | None) -> int:
        """Record to which party they lead, where their entry has changed since they were connected."""
        return self.update(party=party)

    def crowd(self, since: datetime | None) -> int:
        """Record since when the next grant of their account would end them; None: it would not."""
        return self.update(crowded_at=since)

    def leave_client(self) -> int:
        """Forget at which client of ours they were connected: it ends, and nothing of them needs it."""
        return self.update(registered_client=None)
