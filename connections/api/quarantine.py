"""How refresh quarantine travels over the API: how it stands, and whose refreshes wait."""

import uuid
from datetime import datetime

from pydantic import BaseModel, Field

from connections.api.pages import Page
from connections.api.texts import Request
from connections.lifecycle.quarantine.standing import OfTenant, Standing
from connections.models import HeldConnection, RewindCause, TokenVerdict


class WaitingOut(BaseModel):
    """How many connections of one tenant wait."""

    tenant: str
    waits: int = Field(description="how many of its connections wait")
    used: int = Field(description="of how many of these the refresh token is known to be used")
    vends: int = Field(description="how many of these have an access token that is valid still, or of unknown end")


class QuarantineOut(BaseModel):
    """How the last quarantine stands, of the tenants that the client may see."""

    active: bool = Field(description="refreshes wait")
    sorted: bool = Field(description="it is known which connections wait; until then nothing is refreshed")
    begun_at: datetime | None = Field(description="when it was begun; null if there was none")
    cause: RewindCause | None = Field(description="why the database is taken for one that was put back")
    data_from: datetime | None = Field(description="the moment to which it was put back; null where nobody knows")
    tenants: list[WaitingOut] = Field(description="those of which connections wait, by slug")


class HeldConnectionOut(BaseModel):
    """A connection whose refresh token waits: it is released, or its end user connects again."""

    connection: uuid.UUID
    provider: str
    end_user: str | None
    label: str
    verdict: TokenVerdict = Field(description="what is known of its refresh token: perhaps used since, or used")
    held_at: datetime = Field(description="since when it waits")
    access_expires_at: datetime | None


class HeldConnectionPage(Page[HeldConnectionOut]):
    """One page, by id; ``next`` is the cursor of the next one, or null."""


class ReleaseIn(Request):
    """Which refresh tokens may be sent again."""

    with_used: bool = Field(
        False, description="also one that is known to be used; where the provider detects reuse, that ends the grant"
    )


def quarantine_out(standing: Standing) -> QuarantineOut:
    """Return what the API shows of a quarantine. No I/O."""
    return QuarantineOut(
        active=standing.is_unfinished,
        sorted=not standing.is_everything_held,
        begun_at=standing.quarantined_at,
        cause=RewindCause(standing.cause) if standing.cause else None,
        data_from=standing.rewound_to,
        tenants=[_waiting_out(one) for one in standing.tenants],
    )


def _waiting_out(one: OfTenant) -> WaitingOut:
    return WaitingOut(tenant=one.tenant, waits=one.waits, used=one.used, vends=one.vends)


def held_connection_out(row: HeldConnection) -> HeldConnectionOut:
    """Return what the API shows of a held connection, which is loaded with it. No I/O."""
    return HeldConnectionOut(
        connection=row.connection_id,
        provider=row.connection.provider,
        end_user=row.connection.end_user or None,
        label=row.connection.label,
        verdict=TokenVerdict(row.verdict),
        held_at=row.held_at,
        access_expires_at=row.connection.access_expires_at,
    )
