"""Take: judge the rows of a file or of a call, and keep what can be used, sealed under its tenant's data key.

Rows are judged in batches, each in one transaction: it inserts the outcome of every row of it, and says how far the
import has come. A process that is killed loses the batch at hand, which the next one reads again; rows that were taken
are passed over.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from connections.access.secrets import import_place
from connections.database.locks import lock_import
from connections.database.pool import short_transaction
from connections.lifecycle.port.conflicts import Conflicts
from connections.lifecycle.port.judge import Judge, Plan
from connections.lifecycle.port.options import Options
from connections.models import ImportRow, ImportRun, ImportState, RowState
from connections.refusals import InvalidRequest, NotFound
from connections.vault.sealing import seal
from providers.brought.connection import RowFault
from providers.brought.json_stream import LARGEST_ROW, BrokenFile

BATCH = 200
_MOST_IGNORED = 50
_ROTATES = "Its refresh ends the copy at the source: from then on only Latchkey can renew it."


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row with its outcome: a plan, or a fault."""

    row: ImportRow
    plan: Plan | None
    content: bytes


def take_rows(run_id: uuid.UUID, rows: Iterable[tuple[int, Any]]) -> bool:
    """Judge ``rows``, each with its line, and keep the good ones. Return whether they could be read to their end.

    Lines that were taken before are passed over. Constant memory; short transactions, each of which locks the import.
    No HTTP.
    """
    taken = _lines_of(run_id)
    source = iter(rows)
    while True:
        batch, problem = _next_of(source, after=taken)
        if (batch or problem) and not _take(run_id, batch, problem=problem):
            return False
        if problem:
            return False
        if not batch:
            return True


def take_part(run_id: uuid.UUID, values: Sequence[Any], *, part: int) -> ImportRun:
    """Take one part of an import that comes in parts, from 1, whole or not at all. Return the import.

    A part that was taken already changes nothing. Raises ``InvalidRequest`` for one out of turn, or where no more may
    come, and ``NotFound``. One short transaction.
    """
    run = ImportRun.objects.filter(id=run_id).first()
    if run is None:
        raise NotFound("There is no such import.")
    if part > run.parts:
        numbered = list(enumerate(values, start=run.lines + 1))
        if part != run.parts + 1 or not _take(run_id, numbered, problem="", part=part):
            raise InvalidRequest(
                f"The next part is {run.parts + 1}." if run.state == ImportState.READING else "No more rows may come.",
                field="part",
            )
    return ImportRun.objects.get(id=run_id)


def _lines_of(run_id: uuid.UUID) -> int:
    return ImportRun.objects.values_list("lines", flat=True).get(id=run_id)


def _next_of(source: Iterator[tuple[int, Any]], *, after: int) -> tuple[list[tuple[int, Any]], str]:
    """Return the next batch of rows after that line, and why the rest cannot be read, or ""."""
    batch: list[tuple[int, Any]] = []
    try:
        for line, row in source:
            if line > after:
                batch.append((line, row))
            if len(batch) == BATCH:
                break
    except BrokenFile as broken:
        return batch, f"Line {broken.line}: {broken}" if broken.line else str(broken)
    return batch, ""


def _take(run_id: uuid.UUID, batch: Sequence[tuple[int, Any]], *, problem: str, part: int | None = None) -> bool:
    with short_transaction() as now:
        run = lock_import(run_id)
        if run is None or run.state != ImportState.READING or part not in (None, run.parts + 1):
            return False
        options = Options.from_json(run.options)
        judge = Judge(options, tenant=run.tenant)
        judged = [_judged(run, line, row, judge=judge, now=now) for line, row in batch if line > run.lines]
        _refuse_duplicates(run, judged)
        _note_conflicts(run, judged, options=options)
        if not options.dry_run:
            for one in judged:
                _keep(run, one, judge=judge)
        ImportRow.objects.bulk_create([one.row for one in judged])
        ignored = {*run.ignored_columns, *(name[:100] for _, row in batch for name in judge.unknown_columns(row))}
        run.take(
            lines=max([run.lines, *(line for line, _ in batch)]),
            ignored_columns=sorted(ignored)[:_MOST_IGNORED],
            part=part,
        )
        if problem:
            run.move_on(ImportState.READING, problem=problem)
    return True


def _judged(run: ImportRun, line: int, row: Any, *, judge: Judge, now: datetime) -> _Judged:
    found = ImportRow(id=uuid.uuid4(), run=run, line=line, state=RowState.REFUSED, tenant=run.tenant)
    content = b""
    try:
        content = _content(row)
        if len(content) > LARGEST_ROW:
            raise RowFault("too_large", "The row is larger than 256 KiB.")
        brought = judge.read(row)
        found.end_user, found.source_id = brought.end_user, brought.source_id
        found.tenant = judge.tenant_of(brought)
        plan = judge.plan(brought, now=now)
    except RowFault as fault:
        found.code, found.field, found.detail = fault.code, fault.field[:100], fault.detail[:500]
        return _Judged(found, None, content)
    found.state, found.code = RowState.ACCEPTED, "accepted"
    found.provider, found.end_user = plan.app.provider, plan.end_user
    found.rotates, found.key = plan.rotates, plan.key
    notes = (*((_ROTATES,) if plan.rotates else ()), *plan.notes)
    found.detail = " ".join(notes)[:500]
    return _Judged(found, plan, content)


def _content(row: Any) -> bytes:
    """Return the row as it is sealed. Raises ``RowFault``."""
    try:
        return json.dumps(row, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        raise RowFault("unreadable_row", "The row is nested too deeply.") from None


def _refuse_duplicates(run: ImportRun, judged: Sequence[_Judged]) -> None:
    """Refuse rows whose credential came earlier in this import, or is that of a connection from an earlier one."""
    keys = {one.row.key for one in judged if one.row.key is not None}
    tenants = {one.row.tenant_id for one in judged}
    same = ImportRow.objects.filter(Q(tenant_id__in=tenants, key__in=keys)) if keys else ImportRow.objects.none()
    here = {(row.tenant_id, bytes(row.key or b"")): row for row in same.filter(run=run)}
    earlier = same.exclude(run=run).filter(connection__isnull=False)
    before = {(row.tenant_id, bytes(row.key or b"")): row for row in earlier}
    for one in judged:
        if one.plan is None or one.row.key is None:
            continue
        named = (one.row.tenant_id, bytes(one.row.key))
        if named in here:
            one.row.state, one.row.code = RowState.REFUSED, "duplicate"
            one.row.detail = f"The same credential is in line {here[named].line}: one connection can have it."
            one.row.key = None
        elif named in before:
            one.row.state, one.row.code = RowState.REFUSED, "already_imported"
            one.row.detail = "An earlier import stored the same credential: the connection is there."
            one.row.connection_id, one.row.key = before[named].connection_id, None
        else:
            here[named] = one.row


def _note_conflicts(run: ImportRun, judged: Sequence[_Judged], *, options: Options) -> None:
    """Say of each good row whether its owner has the connection already. ``store`` decides once more."""
    plans = [one.plan for one in judged if one.plan is not None and one.row.state == RowState.ACCEPTED]
    conflicts = Conflicts(plans, run=run)
    for one in judged:
        if one.plan is None or one.row.state != RowState.ACCEPTED:
            continue
        found = conflicts.of(one.plan)
        if found and (fault := conflicts.fault_of(found, options.on_conflict)) is not None:
            one.row.state, one.row.code, one.row.detail = RowState.REFUSED, fault.code, fault.detail
            one.row.connection_id, one.row.key = found[0].id, None
        elif found:
            conflicts.use(found[0])
            one.row.code = "replaces"
            one.row.detail = f"It replaces the credential of the connection that is there. {one.row.detail}"[:500]


def _keep(run: ImportRun, one: _Judged, *, judge: Judge) -> None:
    if one.plan is not None and one.row.state == RowState.ACCEPTED:
        place = import_place(tenant_id=one.plan.tenant.id, run_id=run.id, row_id=one.row.id)
        one.row.content = seal(one.content, key=judge.key_of(one.plan.tenant), place=place)
