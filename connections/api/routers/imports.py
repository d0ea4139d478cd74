"""``/connections/import`` and ``/imports``: connections from another system, in parts, and what came of each row."""

import time
import uuid
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from connections.api.auth import Caller, caller_of
from connections.api.imports import ImportIn, ImportOut, ImportRowPage, ImportRowsIn, import_out, import_row_out
from connections.api.pages import Limit
from connections.api.texts import Slug
from connections.lifecycle.port.go_on import go_on
from connections.lifecycle.port.order import end_reading, order_import
from connections.lifecycle.port.report import NEEDS_CARE
from connections.lifecycle.port.take import take_part
from connections.models import ImportRow, ImportRun, Permission
from connections.refusals import NotFound

router = Router(tags=["imports"])
orders = Router(tags=["imports"])
_JUDGED_WITHIN_SECONDS = 5.0


@orders.post("", response={202: ImportOut}, summary="Import connections")
def import_connections(request: HttpRequest, body: ImportIn) -> Status[ImportOut]:
    """Import connections that another system has kept: up to 1,000 rows a call, in as many calls as there are parts.

    Each row is judged at once and kept sealed; the workers store, refresh and verify them once the rows are
    `complete`. Where refresh tokens rotate, that refresh ends the copy at the source: stop its refreshes first, and
    try with `dry_run`. It needs the permission `import`, because whoever imports decides whose account an end user
    gets.
    """
    caller = caller_of(request, may=Permission.IMPORT)
    tenant = caller.tenant(body.tenant)
    values = list(body.values())
    run = order_import(body.options(), tenant=tenant, in_background=True, actor=caller.actor)
    run = take_part(run.id, values, part=1)
    return Status(202, _begun(run, is_complete=body.complete, tenant=tenant.slug))


@router.post("/{import_id}/rows", response={202: ImportOut}, summary="Add rows to an import")
def add_import_rows(request: HttpRequest, import_id: uuid.UUID, body: ImportRowsIn) -> Status[ImportOut]:
    """Add the next rows of an import that is not `complete`. A part that was taken already changes nothing."""
    caller = caller_of(request, may=Permission.IMPORT)
    run = _import(caller, import_id, body.tenant)
    run = take_part(run.id, list(body.values()), part=body.part)
    return Status(202, _begun(run, is_complete=body.complete, tenant=caller.tenant(body.tenant).slug))


@router.get("/{import_id}", response=ImportOut, summary="Show an import")
def get_import(request: HttpRequest, import_id: uuid.UUID, tenant: Slug | None = None) -> ImportOut:
    """Show how far an import is, and how many rows have each outcome."""
    caller = caller_of(request, may=Permission.READ)
    return import_out(_import(caller, import_id, tenant), tenant=caller.tenant(tenant).slug)


@router.get("/{import_id}/rows", response=ImportRowPage, summary="List the rows of an import")
def list_import_rows(
    request: HttpRequest,
    import_id: uuid.UUID,
    tenant: Slug | None = None,
    needs_care: Annotated[bool | None, Field(description="only those with which somebody has to do something")] = None,
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,9}$", description="`next` of the page before")] = None,
    limit: Limit = 50,
) -> ImportRowPage:
    """List what came of each row, in their order."""
    run = _import(caller_of(request, may=Permission.READ), import_id, tenant)
    rows = ImportRow.objects.filter(run=run, line__gt=int(cursor or 0))
    if needs_care is not None:
        rows = rows.filter(code__in=NEEDS_CARE) if needs_care else rows.exclude(code__in=NEEDS_CARE)
    found = list(rows[: limit + 1])
    following = str(found[limit - 1].line) if len(found) > limit else None
    return ImportRowPage(items=[import_row_out(row) for row in found[:limit]], next=following)


def _begun(run: ImportRun, *, is_complete: bool, tenant: str) -> ImportOut:
    if is_complete:
        run = end_reading(run.id)
        if run.options["dry_run"]:
            run = go_on(run.id, give_up_at=time.monotonic() + _JUDGED_WITHIN_SECONDS, waits=False)
    return import_out(run, tenant=tenant)


def _import(caller: Caller, import_id: uuid.UUID, slug: str | None) -> ImportRun:
    """Return one import of the tenant that the call is about. Raises ``NotFound``, always in the same words."""
    run = ImportRun.objects.filter(tenant=caller.tenant(slug), id=import_id).first()
    if run is None:
        raise NotFound("There is no such import.")
    return run
