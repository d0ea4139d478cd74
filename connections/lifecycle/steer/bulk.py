"""Bulk: one act on many connections, in the background, with what came of each. It survives the worker's death.

A row is marked before its act and settled after it. If a worker is killed between the two, the act is done once more,
which changes nothing: a refresh that is ordered twice is sent once, and what is paused, suspended or disconnected stays
so. The mark tells that from what was so before the job. Where the queue of refreshes or probes is long the job waits,
so that what is due anyway is not kept waiting by it.

A job is its orderer's act for as long as it lasts: when they may not do it any more, it ends. Whatever goes wrong with
one row settles that row alone.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from connections.database.claims import claim, give_back, is_free
from connections.database.clock import database_now
from connections.database.pool import LockTimeout, replace_broken_connections, short_transaction
from connections.dispatch import Task, count_waiting
from connections.journal import audit
from connections.lifecycle.steer import on_demand, switches
from connections.lifecycle.steer.export import standing_of
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.steer.orderer import may_order_still
from connections.models import BulkAct, BulkJob, BulkRow, Connection, HeldConnection
from connections.models.quarantine import held, holding
from connections.refusals import Refusal

KEPT = timedelta(days=90)
_RUN_SECONDS = 25.0
_TURN = 50  # rows of one job before another has its turn
_MOST_WAITING = 100
_QUEUES = {BulkAct.REFRESH: Task.REFRESH, BulkAct.PROBE: Task.PROBE}
_SO_ALREADY = frozenset({"already", "nothing_changed", "not_held"})

_TAKE = """
INSERT INTO connections_bulkrow (job_id, connection_id, code, detail)
SELECT %s::uuid, chosen.id, '', '' FROM connections_connection AS chosen
"""

logger = structlog.get_logger(__name__)


def order_bulk(
    act: BulkAct,
    rows: QuerySet[Connection],
    *,
    tenant_id: uuid.UUID | None,
    now: datetime,
    actor: audit.Actor,
    form_key: uuid.UUID | None = None,
    chosen_by: Mapping[str, str] | None = None,
) -> BulkJob:
    """Order ``act`` on ``rows``, as they are now. ``tenant_id`` where they are all of one tenant. One transaction.

    Of a release only those are rows of the job that a quarantine holds: all of them until it is sorted. ``form_key``
    tells one order from others: the same one again returns the job that there is. ``chosen_by`` says for the audit
    trail how the rows were chosen.
    """
    if act is BulkAct.RELEASE and not holding().exists():
        rows = rows.filter(id__in=HeldConnection.objects.filter(held()).values("connection_id"))
    with short_transaction():
        ordered = BulkJob(
            act=act,
            tenant_id=tenant_id,
            operator=actor.operator,
            api_client_id=actor.api_client_id,
            address=actor.address,
            ordered_at=now,
            form_key=form_key,
        )
        if (job := _insert_once(ordered)) is not ordered:
            return job
        job.take(total=_insert_rows(job, rows))
        detail = {"job": str(job.id), "act": act.value, "connections": job.total}
        if chosen_by is not None:
            detail["chosen_by"] = dict(chosen_by)
        audit.record("bulk.ordered", actor=actor, tenant_id=tenant_id, detail=detail)
    return job


def _insert_once(ordered: BulkJob) -> BulkJob:
    """Insert the job, and return it, or the one that there is of its ``form_key``."""
    if ordered.form_key is None:
        ordered.save(force_insert=True)
        return ordered
    with suppress(IntegrityError), transaction.atomic():
        ordered.save(force_insert=True)
        return ordered
    return BulkJob.objects.get(form_key=ordered.form_key)


def _insert_rows(job: BulkJob, rows: QuerySet[Connection]) -> int:
    """Insert a row of ``job`` for each of ``rows``, where they are. Return how many they are."""
    try:
        chosen, values = rows.order_by().values("id").query.sql_with_params()
    except EmptyResultSet:  # nothing can be among them
        return 0
    with database.cursor() as cursor:
        cursor.execute(f"{_TAKE} WHERE chosen.id IN ({chosen}) ORDER BY chosen.id", [job.id, *values])
        return int(cursor.rowcount)


def cancel_bulk(job: BulkJob, *, now: datetime, actor: audit.Actor) -> Told:
    """Do nothing more of ``job``: what is done stays done."""
    if job.finished_at is not None or job.cancelled_at is not None:
        return Told(False, "already", "It has ended: there is nothing left to cancel.")
    with short_transaction():
        job.cancel(at=now)
        audit.record("bulk.cancelled", actor=actor, tenant_id=job.tenant_id, detail={"job": str(job.id)})
    return Told(True, "cancelled", "Cancelled: what is done stays done, and nothing more is begun.")


def outcomes_of(job: BulkJob) -> list[tuple[str, bool | None, int]]:
    """Return how often each outcome occurred: its sentence ("" for rows to do), whether it is a success, the count."""
    counted = BulkRow.objects.filter(job=job).order_by().values_list("detail", "is_success").annotate(Count("id"))
    return sorted(counted, key=lambda one: -one[2])


def counts_of(jobs: Sequence[BulkJob]) -> dict[uuid.UUID, dict[str, int]]:
    """Return for each job how many of its rows have each code, "" for those to do. One query."""
    counted: dict[uuid.UUID, dict[str, int]] = {job.id: {} for job in jobs}
    found = BulkRow.objects.filter(job__in=jobs).order_by().values_list("job_id", "code").annotate(Count("id"))
    for job_id, code, count in found:
        counted[job_id][code] = count
    return counted


def continue_bulk(*, now: datetime, seconds: float = _RUN_SECONDS) -> None:
    """Go on with the jobs that are under way, in turns, for so long at the most. Deletes jobs of long ago."""
    BulkJob.objects.filter(finished_at__lt=now - KEPT).delete()
    give_up_at = time.monotonic() + seconds
    under_way = BulkJob.objects.filter(is_free(now=now), finished_at=None).order_by("ordered_at")
    claims = [(job, claim(BulkJob.objects.filter(id=job.id), now=now)) for job in under_way]
    claimed = [(job, until) for job, until in claims if until is not None]
    try:
        left = claimed
        while left and time.monotonic() < give_up_at:
            left = [(job, until) for job, until in left if _goes_on(job, until=until, give_up_at=give_up_at)]
    finally:
        for job, until in claimed:
            give_back(BulkJob.objects.filter(id=job.id), until=until)


def _goes_on(job: BulkJob, *, until: datetime, give_up_at: float) -> bool:
    try:
        return _take_turn(job, until=until, give_up_at=give_up_at)
    except Exception as error:  # noqa: BLE001 (the other jobs go on; this one is tried again by the next run)
        logger.error("bulk_turn_failed", job=str(job.id), act=job.act, error=type(error).__name__)
        return False


def _take_turn(job: BulkJob, *, until: datetime, give_up_at: float) -> bool:
    """Settle some rows. Return whether the job can go on at once."""
    job.refresh_from_db(fields=["cancelled_at"])
    if job.cancelled_at is not None:
        _settle_undone(job, code="cancelled", detail="Cancelled.")
    elif not may_order_still(job):
        _withdraw(job)
    rows = list(BulkRow.objects.filter(job=job, code="").select_related("connection")[:_TURN])
    if not rows:
        with short_transaction() as now:
            job.finish(at=now)
            audit.record("bulk.finished", tenant_id=job.tenant_id, detail={"job": str(job.id)})
        logger.info("bulk_finished", job=str(job.id), act=job.act)
        return False
    act = BulkAct(job.act)
    if act is BulkAct.RELEASE and holding().exists():
        return False  # it is not known yet of which rows the tokens were used
    if (queue := _QUEUES.get(act)) is not None and (count_waiting(queue) or 0) > _MOST_WAITING:
        return False
    actor = audit.Actor(operator=job.operator, api_client_id=job.api_client_id, address=job.address)
    for row in rows:
        if time.monotonic() > give_up_at:
            return False
        if not _begin(row, until=until):
            return BulkJob.objects.filter(id=job.id, claimed_until=until).exists()
        told, facts = _outcome(act, row, actor)
        BulkRow.objects.filter(id=row.id).update(
            code=told.code[:40] or "done", is_success=told.is_success, detail=told.detail[:300], facts=facts
        )
    return True


def _begin(row: BulkRow, *, until: datetime) -> bool:
    """Mark that the act on ``row`` begins. Return False if the job was cancelled, or is another worker's now."""
    to_do = BulkRow.objects.filter(id=row.id, job__cancelled_at=None, job__claimed_until=until)
    return bool(to_do.update(begun_at=Now()))


def _withdraw(job: BulkJob) -> None:
    """End a job whose orderer may not do it any more. What is done stays done. A transaction."""
    with short_transaction() as now:
        job.cancel(at=now)
        _settle_undone(job, code="not_allowed", detail="Not done: whoever ordered it may not do it any more.")
        audit.record("bulk.cancelled", decision="not_allowed", tenant_id=job.tenant_id, detail={"job": str(job.id)})


def _settle_undone(job: BulkJob, *, code: str, detail: str) -> None:
    BulkRow.objects.filter(job=job, code="").update(code=code, is_success=False, detail=detail)


def _outcome(act: BulkAct, row: BulkRow, actor: audit.Actor) -> tuple[Told, dict[str, Any] | None]:
    """Do the act on one row, which ``_begin`` has marked. Return what came of it, and what an export notes."""
    try:
        told = _ACTS[act](row.connection, actor)
        facts = standing_of(row.connection) if act is BulkAct.EXPORT else None
    except Refusal as refusal:
        return Told(False, refusal.code, refusal.detail), None
    except LockTimeout:
        return Told(False, "busy", "Somebody else was changing it: nothing was done."), None
    except Exception as error:  # noqa: BLE001 (whatever is wrong with one row, the next ones are done)
        logger.error("bulk_row_failed", job=str(row.job_id), row=row.id, act=act.value, error=type(error).__name__)
        replace_broken_connections()
        return Told(False, "failed", "Latchkey failed at it, and its log says why: try this one by itself."), None
    if row.begun_at is not None and told.code in _SO_ALREADY:  # ``row`` was read before its mark: it is an earlier one
        return Told(True, "done_before", "Done: a worker was stopped at it, and it was found to be so."), facts
    return told, facts


def _turned(is_turned: bool) -> Told:
    return Told(True, "turned", "Done.") if is_turned else Told(False, "already", "It was so already.")


_ACTS: Mapping[BulkAct, Callable[[Connection, audit.Actor], Told]] = {
    BulkAct.REFRESH: lambda row, actor: on_demand.order_refresh(row.id, now=database_now(), actor=actor),
    BulkAct.PROBE: lambda row, actor: on_demand.order_probe(row.id, actor=actor),
    BulkAct.PAUSE: lambda row, actor: _turned(switches.pause(row, now=database_now(), actor=actor)),
    BulkAct.UNPAUSE: lambda row, actor: _turned(switches.unpause(row, actor=actor)),
    BulkAct.SUSPEND: lambda row, actor: _turned(switches.suspend(row, now=database_now(), actor=actor)),
    BulkAct.RESUME: lambda row, actor: _turned(switches.resume(row, actor=actor)),
    BulkAct.REVOKE: lambda row, actor: on_demand.end_on_demand(row.id, now=database_now(), actor=actor, keep=True),
    BulkAct.DISCONNECT: lambda row, actor: on_demand.end_on_demand(row.id, now=database_now(), actor=actor, keep=False),
    BulkAct.EXPORT: lambda row, actor: Told(True, "exported", "Noted."),
    BulkAct.RELEASE: lambda row, actor: on_demand.release_on_demand(
        row.id, with_used=False, now=database_now(), actor=actor
    ),
}
