"""Forget an end user whose offboarding is an erasure: delete what is theirs, and put a pseudonym where rows stay.

Their connections and sessions are deleted. Access grants, events, receipts and the audit trail stay, with a pseudonym
in place of the id: who reads the trail still sees what one person did, and no longer who that was. Nothing keeps which
pseudonym took whose place. Addresses from which their browser called are deleted from the trail.

The trail is append-only. The database lets this change pass, of rows of that end user alone, under an audit row that
orders it (the migration ``audit_erasure``). Long tables are read in windows of their index by tenant; each window is
one transaction, and the offboarding remembers the last. Rows that are sealed already stay provable (``redacting``).
"""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import connection as database
from django.db.models import QuerySet

from connections.database.locks import lock_connection, lock_offboarding
from connections.database.pool import short_transaction
from connections.database.prepared import execute_prepared, fetch_all_prepared
from connections.journal import audit
from connections.journal.sealing import redacting
from connections.lifecycle.answers import forget_answers
from connections.lifecycle.end.batches import delete_in_batches
from connections.lifecycle.end.belongings import grants_by, grants_to, own_of
from connections.models import (
    Approval,
    AuditEvent,
    ConnectSession,
    ImportRow,
    ManagementSession,
    Offboarding,
    OutboxEvent,
)

WINDOW = 10_000
_ORDER_HOLDS = timedelta(hours=20)  # the database lets an order be used for a day
# The members of an audit row's detail, and of an event's payload, that may hold an end user's id.
NAMED_IN = ("subject", "granted_by", "granted_by_before", "end_user", "decided_by")

_NAMES: Final = """
       (subject = %(end_user)s OR EXISTS (
           SELECT FROM jsonb_each_text(detail) AS member
            WHERE member.key = ANY (%(members)s) AND member.value = %(end_user)s))
"""
_NAMING: Final = f"""
SELECT id FROM connections_auditevent
 WHERE tenant_id = %(tenant)s AND id > %(after)s AND id <= %(to)s AND {_NAMES}
"""  # noqa: S608 (a constant)
_AUDIT: Final = f"""
UPDATE connections_auditevent
   SET subject = CASE WHEN subject = %(end_user)s THEN %(pseudonym)s ELSE subject END,
       address = CASE WHEN subject = %(end_user)s AND api_client_id IS NULL AND operator = '' THEN NULL
                      ELSE address END,
       detail = detail || coalesce(
           (SELECT jsonb_object_agg(member.key, %(pseudonym)s::text) FROM jsonb_each_text(detail) AS member
             WHERE member.key = ANY (%(members)s) AND member.value = %(end_user)s), jsonb_build_object())
 WHERE tenant_id = %(tenant)s AND id > %(after)s AND id <= %(to)s AND {_NAMES}
"""  # noqa: S608 (a constant)
_EVENTS: Final = """
UPDATE connections_outboxevent
   SET payload = payload || (
           SELECT jsonb_object_agg(member.key, %(pseudonym)s::text) FROM jsonb_each_text(payload) AS member
            WHERE member.key = ANY (%(members)s) AND member.value = %(end_user)s)
 WHERE tenant_id = %(tenant)s AND id > %(after)s AND id <= %(to)s
   AND EXISTS (SELECT FROM jsonb_each_text(payload) AS member
                WHERE member.key = ANY (%(members)s) AND member.value = %(end_user)s)
"""


@dataclass(frozen=True, slots=True)
class _Naming:
    id: int


def forget(offboarding: Offboarding, *, give_up_at: float, now: datetime) -> bool:
    """Forget the end user of an erasure, all of whose connections have ended. Return whether all is forgotten.

    Short transactions, until ``give_up_at`` (``time.monotonic()``); repeating it goes on. No HTTP.
    """
    tenant_id, end_user = offboarding.tenant_id, offboarding.end_user
    theirs: dict[str, QuerySet[Any]] = {
        "connect_sessions_deleted": ConnectSession.objects.filter(tenant_id=tenant_id, end_user=end_user),
        "visits_deleted": ManagementSession.objects.filter(tenant_id=tenant_id, end_user=end_user),
        "import_rows_deleted": ImportRow.objects.filter(tenant_id=tenant_id, end_user=end_user),
        "approvals_deleted": Approval.objects.filter(tenant_id=tenant_id, end_user=end_user),
        "connections_deleted": own_of(tenant_id, end_user),
    }
    for kind, rows in theirs.items():
        if not delete_in_batches(rows, give_up_at=give_up_at, then=partial(_count, offboarding.id, kind)):
            return False
    forget_answers(tenant_id)  # nothing says which of them tell of this end user
    _unname_accounts(offboarding)
    _rename_rows(offboarding)
    return _rename_events(offboarding.id, give_up_at=give_up_at) and _rename_trail(
        offboarding.id, give_up_at=give_up_at, now=now
    )


def _count(offboarding_id: uuid.UUID, kind: str, number: int) -> None:
    row = lock_offboarding(offboarding_id) if number else None
    if row is not None:
        row.count(kind, number)


def _unname_accounts(offboarding: Offboarding) -> None:
    """Forget the name of the account behind each connection that was handed over. Its id stays, for reconnects."""
    for connection_id, item in offboarding.connections.items():
        if item["act"] != "handed_over":
            continue
        with short_transaction():
            connection = lock_connection(uuid.UUID(connection_id))
            if connection is not None and connection.provider_account_name:
                connection.belong_to(connection.provider_account_id, "")


def _rename_rows(offboarding: Offboarding) -> None:
    """Put the pseudonym into access grants, revoked or given by them, and into other receipts of the tenant's."""
    end_user, pseudonym = offboarding.end_user, offboarding.pseudonym
    with short_transaction():
        tenant_id = offboarding.tenant_id
        for grant in grants_to(tenant_id, end_user) | grants_by(tenant_id, end_user):
            grant.forget(end_user, pseudonym)
        receipts = Offboarding.objects.filter(tenant_id=tenant_id)
        receipts.filter(end_user=end_user).exclude(id=offboarding.id).update(end_user=pseudonym)
        Approval.objects.filter(tenant_id=tenant_id, decided_by=end_user).update(decided_by=pseudonym)
        receipts.filter(hand_over_to=end_user).update(hand_over_to=pseudonym)


def _rename_events(offboarding_id: uuid.UUID, *, give_up_at: float) -> bool:
    while time.monotonic() < give_up_at:
        with short_transaction():
            row = lock_offboarding(offboarding_id)
            if row is None:
                return False
            last = _end_of_window(OutboxEvent.objects.filter(tenant_id=row.tenant_id), after=row.events_seen_to)
            if last is None:
                return True
            row.count("events_renamed", execute_prepared(_EVENTS, _parameters(row, after=row.events_seen_to, to=last)))
            row.note(events_seen_to=last)
    return False


def _rename_trail(offboarding_id: uuid.UUID, *, give_up_at: float, now: datetime) -> bool:
    while time.monotonic() < give_up_at:
        with short_transaction():
            row = lock_offboarding(offboarding_id)
            if row is None:
                return False
            last = _end_of_window(AuditEvent.objects.filter(tenant_id=row.tenant_id), after=row.audit_seen_to)
            if last is None:
                return True
            order_id = _order(row, now=now)
            with database.cursor() as cursor:
                # The trigger lets rows of this end user be changed under this order, and in this transaction alone.
                cursor.execute(
                    "SELECT set_config('latchkey.audit_erasure', %s, true),"
                    " set_config('latchkey.audit_erased', %s, true)",
                    [str(order_id), row.end_user],
                )
            asked = _parameters(row, after=row.audit_seen_to, to=last)
            naming = [found.id for found in fetch_all_prepared(_NAMING, asked, _Naming)]
            with redacting(naming, order_id=order_id):
                row.count("audit_rows_renamed", execute_prepared(_AUDIT, asked))
            row.note(audit_seen_to=last)
    return False


def _order(row: Offboarding, *, now: datetime) -> int:
    """Return the id of the audit row that orders the erasure of the trail: the last one while it is good, or a new one.

    Call it with the offboarding locked.
    """
    if row.order_id is not None and AuditEvent.objects.filter(id=row.order_id, at__gt=now - _ORDER_HOLDS).exists():
        return row.order_id
    detail = {"offboarding": str(row.id), "pseudonym": row.pseudonym}
    order = audit.record("end_user.erase", tenant_id=row.tenant_id, detail=detail)
    row.note(order_id=order.id)
    return order.id


def _end_of_window(rows: QuerySet[Any], *, after: int) -> int | None:
    """Return the id of the last row of the window after ``after``, None where no row is left. By the tenant's index."""
    ids = rows.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:WINDOW]
    return max(ids, default=None)


def _parameters(row: Offboarding, *, after: int, to: int) -> dict[str, Any]:
    return {
        "tenant": row.tenant_id,
        "end_user": row.end_user,
        "pseudonym": row.pseudonym,
        "members": list(NAMED_IN),
        "after": after,
        "to": to,
    }
