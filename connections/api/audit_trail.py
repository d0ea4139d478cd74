"""How rows of the audit trail travel over the API."""

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from connections.api.pages import Page
from connections.models import AuditEvent


class AuditEventOut(BaseModel):
    """One row: what happened, who asked, what was decided. ``decision`` is `allowed`, an outcome, or a refusal's code.

    ``client`` is the API client that called, ``operator`` a login name of the admin; with neither it was Latchkey
    itself, or a browser.
    """

    id: str
    at: datetime
    action: str
    decision: str
    tenant: uuid.UUID | None
    connection: uuid.UUID | None
    version: uuid.UUID | None
    client: uuid.UUID | None
    operator: str
    subject: str
    agent: str
    purpose: str
    scopes: list[str]
    address: str | None
    detail: dict[str, Any]


class AuditEventPage(Page[AuditEventOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def audit_event_out(row: AuditEvent) -> AuditEventOut:
    """Return what the API shows of a row. No I/O."""
    return AuditEventOut(
        id=str(row.id),
        at=row.at,
        action=row.action,
        decision=row.decision,
        tenant=row.tenant_id,
        connection=row.connection_id,
        version=row.credential_version_id,
        client=row.api_client_id,
        operator=row.operator,
        subject=row.subject,
        agent=row.agent,
        purpose=row.purpose,
        scopes=row.scopes,
        address=row.address,
        detail=row.detail,
    )
