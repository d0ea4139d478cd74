"""How bulk jobs travel over the API: one act on many connections of a tenant, and what came of each."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from pydantic import BaseModel, Field

from connections.api.pages import Page
from connections.api.texts import EndUser, Request, Slug
from connections.models import BulkAct, BulkJob, BulkRow, Connection, Status, Tenant
from connections.refusals import InvalidRequest

MOST_NAMED = 10_000


class BulkJobIn(Request):
    """One act on many connections: on those that are named, or on all of the tenant's that the filters leave.

    ``release`` is about those of them that refresh quarantine holds.
    """

    tenant: Slug | None = None
    act: BulkAct
    connections: Annotated[list[uuid.UUID], Field(min_length=1, max_length=MOST_NAMED)] | None = Field(
        None, description="ids; those of no connection of the tenant's are left out"
    )
    provider: Slug | None = Field(None, description="only those at this provider")
    end_user: EndUser | None = Field(None, description="only those of this end user")
    status: Status | None = Field(None, description="only those in this status")
    everything: bool = Field(False, description="all connections of the tenant, where nothing else says which")

    def rows(self, tenant: Tenant) -> QuerySet[Connection]:
        """Return the connections of ``tenant`` that are meant. No query.

        Raises ``InvalidRequest`` where nothing says which, or more than one thing does: the act may end them for good.
        """
        wanted = {
            "id__in": self.connections,
            "provider": self.provider,
            "end_user": self.end_user,
            "status": self.status,
        }
        named = {name: value for name, value in wanted.items() if value is not None}
        if bool(named) is self.everything:
            says = "Say which: connections, provider, end_user or status; or else everything: true."
            raise InvalidRequest(says, field="everything")
        return Connection.objects.for_callers_of(tenant.id).filter(**named)


class BulkJobOut(BaseModel):
    """One job, and how far it is."""

    id: uuid.UUID
    act: BulkAct
    state: Literal["under_way", "cancelling", "cancelled", "done"]
    operator: str
    client: uuid.UUID | None
    total: int = Field(description="how many connections it is about")
    settled: int = Field(description="for how many of them it is known what came of it")
    outcomes: dict[str, int] = Field(description="how many rows have each outcome")
    ordered_at: datetime
    cancelled_at: datetime | None
    finished_at: datetime | None


class BulkJobPage(Page[BulkJobOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class BulkRowOut(BaseModel):
    """What came of one connection. ``outcome`` is a stable word, "" before its turn."""

    connection: uuid.UUID
    outcome: str
    success: bool | None = Field(description="whether it was done; null before its turn")
    detail: str
    result: dict[str, Any] | None = Field(description="how the connection stood, of an export; null of any other act")


class BulkRowPage(BaseModel):
    """A page of rows, in their order."""

    items: list[BulkRowOut]
    next: str | None


def bulk_job_out(job: BulkJob, *, outcomes: dict[str, int]) -> BulkJobOut:
    """Return what the API shows of a job. ``outcomes`` counts its rows by code, "" for those to do. No I/O."""
    settled = {code: count for code, count in outcomes.items() if code}
    return BulkJobOut(
        id=job.id,
        act=BulkAct(job.act),
        state=_state(job),
        operator=job.operator,
        client=job.api_client_id,
        total=job.total,
        settled=sum(settled.values()),
        outcomes=settled,
        ordered_at=job.ordered_at,
        cancelled_at=job.cancelled_at,
        finished_at=job.finished_at,
    )


def bulk_row_out(row: BulkRow) -> BulkRowOut:
    """Return what the API shows of a row. No I/O."""
    return BulkRowOut(
        connection=row.connection_id, outcome=row.code, success=row.is_success, detail=row.detail, result=row.facts
    )


def _state(job: BulkJob) -> Literal["under_way", "cancelling", "cancelled", "done"]:
    if job.finished_at is None:
        return "under_way" if job.cancelled_at is None else "cancelling"
    return "done" if job.cancelled_at is None else "cancelled"
