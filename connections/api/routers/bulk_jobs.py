"""``/bulk-jobs``: one act on many connections of a tenant, in the background, and what came of each.

Jobs that an operator has ordered for connections of several tenants are the operator's own: without ``tenant``, an
operator-wide client means those.
"""

import uuid
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from connections.api.auth import Caller, caller_of
from connections.api.bulk_jobs import (
    BulkJobIn,
    BulkJobOut,
    BulkJobPage,
    BulkRowPage,
    bulk_job_out,
    bulk_row_out,
)
from connections.api.pages import Cursor, Limit, page_of
from connections.api.texts import Owner
from connections.database.clock import database_now
from connections.lifecycle.steer.bulk import cancel_bulk, counts_of, order_bulk
from connections.models import BulkAct, BulkJob, BulkRow, Permission
from connections.refusals import NotFound, PermissionDenied

router = Router(tags=["bulk jobs"])


@router.post("", response={202: BulkJobOut}, summary="Act on many connections")
def create_bulk_job(request: HttpRequest, body: BulkJobIn) -> Status[BulkJobOut]:
    """Order one act on many connections of a tenant, as they are now. The workers do it; look how far they are.

    The job ends (`not_allowed`) when the client that ordered it is stopped, gone, or may not do it any more.

    `export` notes how each stands, without any secret: read it from the rows. Only an operator-wide client orders
    `resume`, since only such a one takes a kill switch back.
    """
    caller = caller_of(request, may=Permission.MANAGE)
    tenant = caller.tenant(body.tenant)
    if body.act == BulkAct.RESUME and caller.client.tenant_id is not None:
        raise PermissionDenied("Only an operator-wide API client takes a kill switch back.")
    job = order_bulk(body.act, body.rows(tenant), tenant_id=tenant.id, now=database_now(), actor=caller.actor)
    return Status(202, _shown(job))


@router.get("", response=BulkJobPage, summary="List bulk jobs")
def list_bulk_jobs(
    request: HttpRequest, tenant: Owner | None = None, cursor: Cursor | None = None, limit: Limit = 50
) -> BulkJobPage:
    """List the jobs of 90 days, the newest first, whoever ordered them."""
    caller = caller_of(request, may=Permission.READ)
    found = BulkJob.objects.filter(tenant=caller.owner(tenant))
    page, following = page_of(found, cursor, limit=limit, newest_by="ordered_at")
    counted = counts_of(page)
    return BulkJobPage(items=[bulk_job_out(job, outcomes=counted[job.id]) for job in page], next=following)


@router.get("/{job_id}", response=BulkJobOut, summary="Show one bulk job")
def get_bulk_job(request: HttpRequest, job_id: uuid.UUID, tenant: Owner | None = None) -> BulkJobOut:
    """Show how far a job is, and how many rows have each outcome."""
    return _shown(_job(caller_of(request, may=Permission.READ), job_id, tenant))


@router.get("/{job_id}/rows", response=BulkRowPage, summary="List the rows of a bulk job")
def list_bulk_rows(
    request: HttpRequest,
    job_id: uuid.UUID,
    tenant: Owner | None = None,
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$", description="`next` of the page before")] = None,
    limit: Limit = 50,
) -> BulkRowPage:
    """List what came of each connection, in their order; of an export also how each stood."""
    job = _job(caller_of(request, may=Permission.READ), job_id, tenant)
    found = list(BulkRow.objects.filter(job=job, id__gt=int(cursor or 0)).order_by("id")[: limit + 1])
    following = str(found[limit - 1].id) if len(found) > limit else None
    return BulkRowPage(items=[bulk_row_out(row) for row in found[:limit]], next=following)


@router.post("/{job_id}/cancel", response=BulkJobOut, summary="Cancel a bulk job")
def cancel_bulk_job(request: HttpRequest, job_id: uuid.UUID, tenant: Owner | None = None) -> BulkJobOut:
    """Do nothing more of a job: what is done stays done. Repeating the call changes nothing."""
    caller = caller_of(request, may=Permission.MANAGE)
    job = _job(caller, job_id, tenant)
    cancel_bulk(job, now=database_now(), actor=caller.actor)
    return _shown(job)


def _shown(job: BulkJob) -> BulkJobOut:
    return bulk_job_out(job, outcomes=counts_of([job])[job.id])


def _job(caller: Caller, job_id: uuid.UUID, slug: str | None) -> BulkJob:
    """Return one job of the owner whom the call is about. Raises ``NotFound``, always in the same words."""
    found = BulkJob.objects.filter(tenant=caller.owner(slug), id=job_id).first()
    if found is None:
        raise NotFound("There is no such bulk job.")
    return found
