"""``/audit-events``: the audit trail. Nothing changes or deletes it here; ``manage.py audit prune`` does."""

import json
import uuid
from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from connections.api.audit_trail import AuditEventPage, audit_event_out
from connections.api.auth import caller_of
from connections.api.pages import Cursor, Limit, read_cursor, write_cursor
from connections.api.texts import Moment, Note, Owner, Text
from connections.journal.trail import of_kind
from connections.models import AuditEvent, Permission
from connections.refusals import InvalidRequest

router = Router(tags=["audit trail"])
_Name = Annotated[Text, Field(max_length=150)]
_LONGEST_ID = 18


@router.get("", response=AuditEventPage, summary="Read the audit trail")
def list_audit_events(
    request: HttpRequest,
    tenant: Owner | None = None,
    connection: uuid.UUID | None = None,
    client: uuid.UUID | None = None,
    operator: _Name | None = None,
    subject: Note | None = None,
    action: _Name | None = None,
    decision: _Name | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> AuditEventPage:
    """List who asked for what, and what was decided, the newest first.

    ``action`` is one action, or a family of them with its point (`tenant.`). A tenant's client sees its tenant's rows.
    An operator-wide one sees those of the tenant that it names, or all.
    """
    caller = caller_of(request, may=Permission.AUDIT)
    owner = caller.owner(tenant)
    rows = AuditEvent.objects.all() if connection is None else AuditEvent.objects.of_connection(connection)
    wanted = {
        "tenant_id": None if owner is None else owner.id,
        "api_client_id": client,
        "operator": operator,
        "subject": subject,
        "decision": decision,
        "at__gte": since,
        "at__lt": until,
    }
    named = {name: value for name, value in wanted.items() if value is not None}
    question = json.dumps(
        ["audit-events", str(connection), action, {name: str(value) for name, value in named.items()}]
    )
    rows = rows.filter(**named)
    if action is not None:
        rows = rows.filter(of_kind(action))
    if cursor is not None:
        rows = rows.filter(id__lt=_row_before(cursor, question))
    found = list(rows.order_by("-id").defer("fingerprint")[: limit + 1])
    page = found[:limit]
    following = write_cursor(str(page[-1].id), of=question) if len(found) > limit else None
    return AuditEventPage(items=[audit_event_out(row) for row in page], next=following)


def _row_before(cursor: str, question: str) -> int:
    position = read_cursor(cursor, of=question)
    if not position.isdecimal() or len(position) > _LONGEST_ID:
        raise InvalidRequest("The cursor is not one that this call returned.", field="cursor")
    return int(position)
