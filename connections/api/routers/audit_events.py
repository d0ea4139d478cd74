"""``/audit-events``: the audit trail. Nothing changes or deletes it here; ``manage.py audit prune`` does."""

import json
import uuid
from itertools import islice
from typing import Annotated

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field

from connections.api.audit_trail import AuditEventPage, audit_event_out
from connections.api.auth import caller_of
from connections.api.pages import Cursor, Limit, read_cursor, write_cursor
from connections.api.texts import Moment, Note, Owner, Text
from connections.journal.trail import Wanted, as_ocsf_lines, of_kind, read_trail
from connections.models import AuditEvent, Permission
from connections.refusals import InvalidRequest

router = Router(tags=["audit trail"])
_Name = Annotated[Text, Field(max_length=150)]
_LONGEST_ID = 18
LINES = "application/x-ndjson"
_MOST_PAGES = 100  # of 1,000 rows each


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


@router.get(
    "/ocsf",
    response=None,
    summary="Stream the audit trail",
    openapi_extra={
        "responses": {
            200: {
                "description": "one event of OCSF 1.3.0 a line, in the order of their ids",
                "content": {LINES: {"schema": {"type": "string"}}},
            }
        }
    },
)
def stream_audit_events(
    request: HttpRequest,
    tenant: Owner | None = None,
    connection: uuid.UUID | None = None,
    client: uuid.UUID | None = None,
    operator: _Name | None = None,
    subject: Note | None = None,
    action: _Name | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    after: Annotated[int, Field(ge=0, lt=10**_LONGEST_ID, description="go on after this `metadata.sequence`")] = 0,
) -> HttpResponseBase:
    """Stream the rows in the shape of OCSF for a SIEM, the oldest first, one JSON object a line.

    It ends at this moment, or after 100,000 rows. Go on with ``after`` the last line's `metadata.sequence`: no row is
    passed over. Where an operator-wide client asks for everything, the seals come among the rows. A tenant's client
    gets its tenant's rows.
    """
    caller = caller_of(request, may=Permission.AUDIT)
    owner = caller.owner(tenant)
    wanted = Wanted(
        tenant_id=None if owner is None else owner.id,
        connection_id=connection,
        client_id=client,
        operator=operator,
        subject=subject,
        kind=action,
        since=since,
        until=until,
    )
    answer = StreamingHttpResponse(
        map(as_ocsf_lines, islice(read_trail(wanted, after=after), _MOST_PAGES)), content_type=LINES
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _row_before(cursor: str, question: str) -> int:
    position = read_cursor(cursor, of=question)
    if not position.isdecimal() or len(position) > _LONGEST_ID:
        raise InvalidRequest("The cursor is not one that this call returned.", field="cursor")
    return int(position)
