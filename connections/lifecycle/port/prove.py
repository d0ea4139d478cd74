"""Prove: refresh once what was stored, so that we own its rotation, and probe it.

The refresh goes the way of every refresh (``refresh.together``): one in flight for a connection, the answer stored
before it is judged, the throttle asked before anything is sent. A sweep that is faster has done this room's work. What
became of a row is read from its connection and its attempts, so that any process can go on where another was killed.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from django.db import IntegrityError
from django.db.models import Q

from connections.access.switched_off import switched_off
from connections.database.locks import lock_connection
from connections.database.pool import release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.health.moved import MARK
from connections.lifecycle.policy.revoke import revoke_grants
from connections.lifecycle.port.options import Options
from connections.lifecycle.probe.probe import ProbeReport, probe
from connections.lifecycle.refresh.claim_query import find_apps
from connections.lifecycle.refresh.helpers import helpers_of_process
from connections.lifecycle.refresh.together import refresh_together
from connections.models import (
    VENDS,
    AccessGrant,
    AttemptState,
    Connection,
    ImportRow,
    ImportRun,
    Incident,
    IncidentKind,
    Reason,
    RefreshAttempt,
    RowState,
    Trigger,
)
from providers.values import Account
from providers.vocabulary import ProbeVerdict

SLICE = 64
_REFUSED = (Reason.REFRESH_REFUSED, Reason.PROBE_REFUSED)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a row: a code and a sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Refreshed:
    """The state of a row's refresh: what became of it, or None while it is still to be had."""

    outcome: _Settled | None
    is_done: bool = False  # nothing is left to refresh; a probe may follow


def prove_rows(run: ImportRun, *, give_up_at: float) -> tuple[int, int]:
    """Refresh and probe the next rows of ``run``, some of each provider app. Return how many were settled, and left.

    HTTP; short transactions, none of which spans it. Begins no refresh after ``give_up_at`` (``time.monotonic()``).
    """
    settled = 0
    options = Options.from_json(run.options)
    waiting = ImportRow.objects.filter(run=run, state=RowState.STORED)
    waiting.filter(connection=None).update(
        state=RowState.SETTLED, code="gone", detail="The connection has been deleted since."
    )
    for app_id in list(waiting.order_by().values_list("connection__provider_app_id", flat=True).distinct()):
        rows = list(waiting.filter(connection__provider_app_id=app_id).order_by("line")[:SLICE])
        settled += _prove(rows, options=options, give_up_at=give_up_at)
        if time.monotonic() > give_up_at:
            break
    return settled, waiting.count()


def _prove(rows: Sequence[ImportRow], *, options: Options, give_up_at: float) -> int:
    connection_ids = [row.connection_id for row in rows if row.connection_id is not None]
    found = _connections(connection_ids)
    due = [
        row.connection_id
        for row in rows
        if row.connection_id is not None and _is_to_refresh(row, found.get(row.connection_id), options=options)
    ]
    if due:
        apps = find_apps(*due)
        release_database()
        for _, same in groupby(sorted(apps.values(), key=lambda one: one.id), key=lambda one: one.id):
            failures = refresh_together(list(same), begin_by=give_up_at)
            if failures:
                raise ExceptionGroup("Refreshes of an import failed.", failures)
        found = _connections(connection_ids)
    settled: list[tuple[ImportRow, _Settled]] = []
    to_probe: list[tuple[ImportRow, _Settled]] = []
    for row in rows:
        state = _state_of(row, found.get(row.connection_id) if row.connection_id else None, options=options)
        if state.outcome is None:
            continue
        if state.is_done and (options.verify or not row.rotates):
            to_probe.append((row, state.outcome))
        else:
            settled.append((row, state.outcome))
    if options.verify and to_probe:
        settled += _probe_all(to_probe)
    else:
        settled += to_probe
    return _settle(settled)


def _connections(connection_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Connection]:
    rows = Connection.objects.select_related("tenant", "provider_app").filter(id__in=connection_ids)
    return {connection.id: connection for connection in rows}


def _is_to_refresh(row: ImportRow, connection: Connection | None, *, options: Options) -> bool:
    return (
        connection is not None
        and connection.current_version_id == row.version_id
        and connection.refresh_due_at is not None
        and (row.rotates or options.refresh_all)
    )


def _state_of(row: ImportRow, connection: Connection | None, *, options: Options) -> _Refreshed:
    """Return what became of the row's refresh, by its connection and the attempts that were made with its version."""
    if connection is None:
        return _Refreshed(_Settled("gone", "The connection has been deleted since."))
    if connection.current_version_id != row.version_id:
        return _Refreshed(_Settled("refreshed", f"Refreshed: its rotation is ours now. {row.detail}".strip()), True)
    if connection.status not in VENDS or connection.reason in _REFUSED:
        return _Refreshed(_refusal(connection))
    if (off := switched_off(connection)) is not None:
        return _Refreshed(_Settled("switched_off", f"Stored, and not tried. {off.detail}"))
    if not _is_to_refresh(row, connection, options=options):
        return _Refreshed(_Settled("stored", f"Stored. {row.detail}".strip()), True)
    tried = RefreshAttempt.objects.filter(Q(parent_version_id=row.version_id)).order_by("-claimed_at").first()
    if connection.undecryptable_at is not None:
        return _Refreshed(_Settled("unreadable", "Stored, but it does not open: a key of the vault may be missing."))
    if (tried is not None and tried.error == "client_rejected") or _is_refused_to_all(connection):
        detail = "Stored. The provider refuses our client registration: mend the provider app; the refresh follows."
        return _Refreshed(_Settled("app_misconfigured", detail))
    if tried is None or tried.state in (AttemptState.SENT, AttemptState.RECEIVED, AttemptState.SUPERSEDED):
        return _Refreshed(None)
    if connection.next_attempt_at is None:
        return _Refreshed(None)
    if connection.answer_unread_at is not None:
        detail = "Stored. The provider's answer could not be read, and is kept: mend the entry and have it read again."
        return _Refreshed(_Settled("answer_unread", detail))
    return _Refreshed(
        _Settled("provider_unavailable", "Stored. The provider could not answer; the workers try the refresh again.")
    )


def _is_refused_to_all(connection: Connection) -> bool:
    """Whether nothing is sent for it at present, because our registration or the endpoints are wrong."""
    if MARK in connection.evidence:
        return True
    return Incident.objects.concerning(connection).filter(kind=IncidentKind.CLIENT_REJECTED).exists()


def _refusal(connection: Connection) -> _Settled:
    if connection.reason == Reason.LOST_IN_FLIGHT:
        return _Settled(
            "lost_in_flight", "The answer to its refresh was lost, and the provider refuses it now: connect anew."
        )
    return _Settled(
        "refused",
        "The provider refuses it: it was dead before, or renewed elsewhere since the export. Let the end user connect"
        " anew; the connection stays for that.",
    )


def _probe_all(rows: Sequence[tuple[ImportRow, _Settled]]) -> list[tuple[ImportRow, _Settled]]:
    """Probe the connections of these rows, several at the same time. HTTP, without a database connection."""
    helpers = helpers_of_process()
    release_database()
    waiting, settled = list(rows), []
    while waiting:
        places = helpers.take(len(waiting) - 1)
        batch, waiting = waiting[: places + 1], waiting[places + 1 :]
        acts: list[Callable[[], _Settled]] = [partial(_probe, row, known) for row, known in batch]
        sent: list[Future[_Settled]] = [helpers.run(act) for act in acts[1:]]
        settled.append((batch[0][0], acts[0]()))
        settled += [(row, future.result()) for (row, _), future in zip(batch[1:], sent, strict=True)]
    return settled


def _probe(row: ImportRow, known: _Settled) -> _Settled:
    if row.connection_id is None:
        return known
    report = probe(row.connection_id, trigger=Trigger.SWEEP)
    if report.verdict is ProbeVerdict.ALIVE:
        told = "" if report.account is None else _note_account(row.connection_id, report.account)
        if told:
            return _Settled("other_account", told)
        code = "refreshed_and_verified" if known.code == "refreshed" else "verified"
        return _Settled(code, f"{known.detail} The provider accepts it.")
    return _after(report, row, known)


def _after(report: ProbeReport, row: ImportRow, known: _Settled) -> _Settled:
    connection = Connection.objects.only("status", "reason").filter(Q(id=row.connection_id)).first()
    if report.verdict is ProbeVerdict.DEAD and connection is not None:
        if connection.reason == Reason.RECOVERED or (connection.reason not in _REFUSED and connection.status in VENDS):
            return known
        return _refusal(connection)
    return _Settled(known.code, f"{known.detail} It is not verified: {report.detail or 'the answer proves nothing.'}")


def _note_account(connection_id: uuid.UUID, account: Account) -> str:
    """Record whose credential it is. Return a sentence if that is not whom the row named, else "".

    Then access grants on it end: they were given for what the account of before holds.
    """
    try:
        with short_transaction() as now:
            connection = lock_connection(connection_id)
            if connection is None or connection.provider_account_id == account.id:
                return ""
            before = connection.provider_account_id
            connection.belong_to(account.id, account.name)
            if before:
                on_it = AccessGrant.objects.filter(connection=connection)
                revoked = revoke_grants(on_it, why="account_changed", now=now, actor=audit.SYSTEM)
                audit.record("connection.account_changed", connection=connection, detail={"grants": len(revoked)})
    except IntegrityError:
        return "The provider says that it is of an account to which the owner has another connection: keep one of them."
    return "The provider names another account than the row; the provider's is recorded." if before else ""


def _settle(rows: Sequence[tuple[ImportRow, _Settled]]) -> int:
    for row, outcome in rows:
        row.state, row.code, row.detail = RowState.SETTLED, outcome.code, outcome.detail[:500]
    ImportRow.objects.bulk_update([row for row, _ in rows], ["state", "code", "detail"])
    return len(rows)
