"""What an end user has, and receipts of their leaving, as the API shows them."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from connections.api.access_grants import AccessGrantOut
from connections.models import Offboarding, OffboardingMode, Revocation, Status


class HeldOut(BaseModel):
    """One connection in short."""

    id: uuid.UUID
    provider: str
    status: Status
    label: str
    account: str


class EndUserOut(BaseModel):
    """What an end user has here, up to 200 of a kind.

    ``connections`` are their own, ``answers_for`` those of the whole tenant that they connected or took over.
    ``grants`` let them use others' connections, ``given`` are grants that they gave. ``sessions`` counts the connect
    sessions under way. ``offboarding`` is the id of one under way.
    """

    end_user: str
    tenant: str
    connections: list[HeldOut]
    answers_for: list[HeldOut]
    grants: list[AccessGrantOut]
    given: list[AccessGrantOut]
    sessions: int
    offboarding: uuid.UUID | None


class EndedOut(BaseModel):
    """What became of one connection. ``revocation`` is as of a connection: `pending` has not ended yet."""

    id: uuid.UUID
    provider: str
    owner: str
    act: str
    revocation: Revocation


class OffboardingOut(BaseModel):
    """The receipt of an offboarding: what was done, and what is pending while ``state`` is `under_way`.

    ``end_user`` is a pseudonym once they are erased: nothing keeps whose. ``grants`` are the ids of the access grants
    that were revoked; ``counts`` says how many rows of each other kind ended, were deleted or renamed.
    """

    id: uuid.UUID
    tenant: str
    end_user: str
    mode: OffboardingMode
    state: Literal["under_way", "done"]
    shared: str | None
    handed_over_to: str | None
    connections: list[EndedOut]
    grants: list[uuid.UUID]
    counts: dict[str, int]
    ordered_at: datetime
    done_at: datetime | None


def offboarding_out(offboarding: Offboarding, *, tenant: str) -> OffboardingOut:
    """Return what the API shows of an offboarding of the tenant with this slug. No I/O."""
    return OffboardingOut(
        id=offboarding.id,
        tenant=tenant,
        end_user=offboarding.end_user,
        mode=offboarding.mode,
        state="under_way" if offboarding.done_at is None else "done",
        shared=offboarding.shared or None,
        handed_over_to=offboarding.hand_over_to or None,
        connections=[EndedOut(id=uuid.UUID(id_), **item) for id_, item in sorted(offboarding.connections.items())],
        grants=[uuid.UUID(id_) for id_ in offboarding.grants],
        counts=offboarding.counts,
        ordered_at=offboarding.ordered_at,
        done_at=offboarding.done_at,
    )
