"""Go on: take an import as far as possible, and say where it stands. Repeating it changes nothing that is done."""

import time
import uuid
from datetime import datetime, timedelta

import structlog

from connections.database.claims import claim, give_back, is_free
from connections.database.locks import lock_import
from connections.database.pool import short_transaction
from connections.journal import audit, events
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.prove import prove_rows
from connections.lifecycle.port.report import counts_of
from connections.lifecycle.port.store import store_rows
from connections.models import ImportRow, ImportRun, ImportState, RowState
from connections.refusals import NotFound

BEAT_SECONDS = 25.0
PARTS_COME_WITHIN = timedelta(days=1)
_PAUSE_SECONDS = 1.0
_BAD = ("exists", "already_imported")  # no reason to store nothing at all

logger = structlog.get_logger(__name__)


def continue_imports(*, now: datetime) -> int:
    """Go on with the imports that the workers run, for 25 s at the most. Return how many have ended. HTTP."""
    give_up_at = time.monotonic() + BEAT_SECONDS
    _end_abandoned(now=now)
    under_way = ImportRun.objects.filter(is_free(now=now), finished_at=None)
    ready = under_way.filter(in_background=True).exclude(state=ImportState.READING).order_by("created_at")
    ended = 0
    for run_id in list(ready.values_list("id", flat=True)):
        row = ImportRun.objects.filter(id=run_id)
        if time.monotonic() < give_up_at and (until := claim(row, now=now)):
            run = go_on(run_id, give_up_at=give_up_at, waits=False)
            give_back(row, until=until)
            ended += run.finished_at is not None
    return ended


def go_on(run_id: uuid.UUID, *, give_up_at: float, waits: bool = True) -> ImportRun:
    """Store, refresh and probe the rows of an import until ``give_up_at`` (``time.monotonic()``). Return it.

    ``waits``: where the provider is to be left alone for a while, wait for that; else return. HTTP; short transactions,
    none of which spans it. Raises ``NotFound``.
    """
    run = _run(run_id)
    actor = audit.Actor(api_client_id=run.api_client_id, operator=run.operator)
    if run.state == ImportState.STORING:
        if _is_to_store_nothing(run):
            return _finish(run_id, actor=actor)
        while store_rows(run, actor=actor):
            if time.monotonic() > give_up_at:
                return _run(run_id)
        if ImportRow.objects.filter(run=run, state=RowState.ACCEPTED).exists():
            return _run(run_id)  # another process has them
        run = _move_on(run_id, ImportState.PROVING)
    while run.state == ImportState.PROVING:
        settled, left = prove_rows(run, give_up_at=give_up_at)
        if not left:
            return _finish(run_id, actor=actor)
        if time.monotonic() > give_up_at:
            break
        if not settled and not waits:
            break
        if not settled:
            time.sleep(_PAUSE_SECONDS)
    return _run(run_id)


def _end_abandoned(*, now: datetime) -> None:
    """End imports whose parts never came."""
    under_way = ImportRun.objects.filter(in_background=True, finished_at=None)
    for run in list(under_way.filter(state=ImportState.READING, created_at__lt=now - PARTS_COME_WITHIN)):
        with short_transaction():
            ImportRow.objects.filter(run=run, state=RowState.ACCEPTED).update(
                state=RowState.REFUSED, code="not_stored", detail="The rest of the rows never came.", content=None
            )
        _finish(run.id, actor=audit.SYSTEM, problem="The rest of the rows did not come within a day.")


def _is_to_store_nothing(run: ImportRun) -> bool:
    """Whether the import ends here: a dry run, or all or nothing with a row that cannot be used. Settles its rows."""
    options = Options.from_json(run.options)
    if options.dry_run:
        return True
    if (
        not options.all_or_nothing
        or ImportRow.objects.filter(run=run, connection__isnull=False).exclude(state=RowState.REFUSED).exists()
    ):
        return False
    bad = ImportRow.objects.filter(run=run, state=RowState.REFUSED).exclude(code__in=_BAD)
    if not bad.exists() and not run.problem:
        return False
    ImportRow.objects.filter(run=run, state=RowState.ACCEPTED).update(
        state=RowState.REFUSED,
        code="not_stored",
        detail="It could be used, but another row could not: all or nothing was wanted.",
        content=None,
    )
    return True


def _run(run_id: uuid.UUID) -> ImportRun:
    run = ImportRun.objects.select_related("tenant").filter(id=run_id).first()
    if run is None:
        raise NotFound("There is no such import.")
    return run


def _move_on(run_id: uuid.UUID, state: ImportState) -> ImportRun:
    with short_transaction():
        run = lock_import(run_id)
        if run is not None and run.state == ImportState.STORING:
            run.move_on(state)
    return _run(run_id)


def _finish(run_id: uuid.UUID, *, actor: audit.Actor, problem: str = "") -> ImportRun:
    with short_transaction() as now:
        run = lock_import(run_id)
        if run is None or run.finished_at is not None:
            return _run(run_id)
        run.finish(at=now, problem=problem)
        counts = counts_of(run)
        told = {"import": str(run.id), "outcomes": counts, "dry_run": run.options["dry_run"]}
        audit.record("import.finished", actor=actor, tenant_id=run.tenant_id, detail=told)
        if run.tenant_id is not None:
            events.emit_of_tenant("import.finished", run.tenant_id, payload=told)
    logger.info("import_finished", run=str(run_id), **counts)
    return _run(run_id)
