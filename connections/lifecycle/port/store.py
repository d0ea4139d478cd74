"""Store: make connections of the rows that were taken, each with its row in the same transaction.

A connection comes into being with its credential sealed, its refresh due at once, its row marked, its audit row and its
event, or not at all. Nothing is sent from here.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from connections.access.secrets import import_place, open_stored
from connections.database.locks import lock_connections, lock_import_rows
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.credentials.versions import make_current, row_of, seal_version
from connections.lifecycle.health.status import change_status
from connections.lifecycle.policy.revoke import revoke_grants
from connections.lifecycle.port.conflicts import Conflicts
from connections.lifecycle.port.judge import Judge, Plan, with_scopes
from connections.lifecycle.port.options import Options
from connections.models import (
    AccessGrant,
    Binding,
    Connection,
    CredentialVersion,
    ImportRow,
    ImportRun,
    OwnerKind,
    Reason,
    RowState,
    Status,
)
from connections.vault.sealing import Unreadable
from providers.brought.connection import RowFault
from providers.oauth.expiry import LONGEST_SECONDS, SHORTEST_SECONDS
from providers.values import Obtained

SLICE = 25
_LONG_PAST = timedelta(hours=1)

logger = structlog.get_logger(__name__)


def store_rows(run: ImportRun, *, actor: audit.Actor) -> int:
    """Store the next rows of ``run``. Return how many were decided; 0 when none is left that nobody else has locked.

    One short transaction, which locks the rows, then the connections that they replace; where the database refuses one
    of them, one for each. No HTTP.
    """
    try:
        with short_transaction() as now:
            return len(_store(run, SLICE, now=now, actor=actor, one_by_one=False))
    except IntegrityError:
        # Somebody has connected the same account, or taken the label, in this moment.
        with short_transaction() as now:
            return len(_store(run, SLICE, now=now, actor=actor, one_by_one=True))


def _store(run: ImportRun, limit: int, *, now: datetime, actor: audit.Actor, one_by_one: bool) -> Sequence[ImportRow]:
    rows = lock_import_rows(ImportRow.objects.filter(run=run, state=RowState.ACCEPTED), limit=limit)
    if not rows:
        return rows
    options = Options.from_json(run.options)
    judge = Judge(options, tenant=run.tenant)
    plans: dict[uuid.UUID, Plan] = {}
    for row in rows:
        with _refusing(row):
            plans[row.id] = judge.plan(judge.read(_content(row)), now=now)
    conflicts = Conflicts(list(plans.values()), run=run)
    found = {row.id: conflicts.of(plans[row.id]) for row in rows if row.id in plans}
    locked = lock_connections({one.id for ones in found.values() for one in ones})
    for row in rows:
        if row.id not in plans:
            continue
        there = [locked[one.id] for one in found[row.id] if one.id in locked]

        def act(row: ImportRow = row, there: Sequence[Connection] = there) -> None:
            if there and (fault := conflicts.fault_of(there, options.on_conflict)) is not None:
                raise fault
            for one in there:
                conflicts.use(one)
            _connect(run, row, plans[row.id], next(iter(there), None), judge=judge, now=now, actor=actor)

        _try(row, act, apart=one_by_one)
    return rows


def _try(row: ImportRow, act: Callable[[], None], *, apart: bool) -> None:
    """Store one row. ``apart``: what the database refuses refuses this row alone."""
    if not apart:
        with _refusing(row):
            act()
        return
    try:
        with _refusing(row), transaction.atomic():
            act()
    except IntegrityError:
        row.refuse("exists", "Its owner has connected the same account, or taken the label, in this moment.")


@contextmanager
def _refusing(row: ImportRow) -> Iterator[None]:
    try:
        yield
    except RowFault as fault:
        row.refuse(fault.code, fault.detail, field=fault.field)
    except Unreadable:
        row.refuse("unreadable", "What was read of the row does not open any more: import it again.")


def _content(row: ImportRow) -> Any:
    if row.tenant_id is None:
        raise Unreadable("The row has no tenant.")
    place = import_place(tenant_id=row.tenant_id, run_id=row.run_id, row_id=row.id)
    return json.loads(open_stored(row.content, place=place))


def _connect(
    run: ImportRun,
    row: ImportRow,
    plan: Plan,
    replaced: Connection | None,
    *,
    judge: Judge,
    now: datetime,
    actor: audit.Actor,
) -> None:
    brought, is_new = plan.brought, replaced is None
    connection = replaced or Connection.objects.create(
        tenant=plan.tenant,
        provider_app=plan.app,
        provider=plan.app.provider,
        owner_kind=plan.owner,
        end_user=plan.end_user if plan.owner is OwnerKind.END_USER else "",
        metadata=dict(brought.metadata),
        label=brought.label,
    )
    granted, requested = with_scopes(plan)
    version = _version(plan, connection, granted, judge=judge, now=now)
    with connection.saved_once():
        make_current(connection, version, now=now, requested=requested)
        if plan.is_refreshable and (plan.rotates or Options.from_json(run.options).refresh_all or not plan.is_valid):
            connection.refresh_at(now)
        change_status(
            connection,
            Status.ACTIVE,
            Reason.CONNECTED if is_new else Reason.RECONNECTED,
            now=now,
            told={"renewed": not is_new, "imported": True},
        )
        connection.connect(
            params=dict(plan.params),
            registered_client=None,
            party=plan.access.party_id,
            binding=Binding.IMPORTED,
            by=plan.end_user,
            lacks_refresh_token=not plan.is_refreshable and plan.access.capabilities.needs_refresh_token,
        )
        if connection.provider_account_id not in ("", brought.account_id):
            # They were given for what the account of before holds, and a row that names none may be of any.
            on_it = AccessGrant.objects.filter(connection=connection)
            revoke_grants(on_it, why="account_changed", now=now, actor=actor)
        connection.belong_to(brought.account_id, brought.account_name)
        connection.verify(None, by="")
    row.store(connection, code="imported", detail=" ".join(plan.notes), version_id=version.id)
    audit.record(
        "connection.imported",
        actor=actor,
        connection=connection,
        version_id=version.id,
        scopes=granted,
        detail={"import": str(run.id), "line": row.line, "renewed": not is_new, "rotates": plan.rotates},
    )


def _version(
    plan: Plan, connection: Connection, granted: tuple[str, ...], *, judge: Judge, now: datetime
) -> CredentialVersion:
    """Return the sealed version. What cannot be used now is dated back, so that it is refreshed before any vend."""
    lifetime, received_at = None, now
    if plan.is_refreshable and not plan.is_valid:
        lifetime, received_at = SHORTEST_SECONDS, now - _LONG_PAST
    elif plan.brought.expires_at is not None:
        left = (plan.brought.expires_at - now).total_seconds()
        lifetime = int(min(max(left, 1), LONGEST_SECONDS))
    return row_of(
        seal_version(
            Obtained(plan.credential, lifetime, granted),
            tenant_id=plan.tenant.id,
            connection_id=connection.id,
            grant_id=uuid.uuid4(),
            key=judge.key_of(plan.tenant),
            scopes=granted,
            is_refreshable=plan.is_refreshable,
            received_at=received_at,
            grantor=plan.access.target.grantor,
        )
    )
