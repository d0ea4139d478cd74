"""Approvals as the API takes and shows them."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from connections.api.pages import Page
from connections.api.texts import EndUser, Moment, Request, Slug
from connections.models import Approval


class DecisionIn(Request):
    """Who answers, at yours."""

    tenant: Slug | None = None
    decided_by: EndUser


class ApprovalIn(DecisionIn):
    """Who approves, at yours; without ``until`` for one time, within 15 minutes."""

    until: Moment | None = Field(None, description="as often as wanted until then, 30 days at the most")


class ApprovalOut(BaseModel):
    """What was asked, and the answer. ``state`` is `pending`, `approved`, `denied`, `used` or `expired`.

    ``method``, ``path``, ``query`` and ``body_sha256`` (the digest of its body, in hexadecimal) are those of a proxied
    request, "" for a vend. ``headers`` are those of its headers that may change what it does: a few as they are, any
    other as `sha256:…`. ``verified`` names the issuer that vouches for the ``end_user`` or the ``agent``; the caller
    alone named whoever is missing there.
    """

    id: uuid.UUID
    tenant: str
    grant: uuid.UUID
    connection: uuid.UUID
    api_client: uuid.UUID
    end_user: str | None
    agent: str | None
    purpose: str
    action: str
    scopes: list[str]
    method: str
    path: str
    query: str
    body_sha256: str
    headers: dict[str, str] = Field(description="those that may change what is done; most as `sha256:…`")
    verified: dict[str, str] = Field(description="the issuer that vouches for the `end_user` or the `agent`")
    state: Literal["pending", "approved", "denied", "used", "expired"]
    once: bool
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    good_until: datetime | None
    used_at: datetime | None


class ApprovalPage(Page[ApprovalOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def approval_out(approval: Approval, *, tenant: str, now: datetime) -> ApprovalOut:
    """Return what the API shows of an approval of the tenant with this slug. No I/O."""
    return ApprovalOut(
        id=approval.id,
        tenant=tenant,
        grant=approval.grant_id,
        connection=approval.connection_id,
        api_client=approval.api_client_id,
        end_user=approval.end_user or None,
        agent=approval.agent or None,
        purpose=approval.purpose,
        action=approval.action,
        scopes=approval.scopes,
        method=approval.method,
        path=approval.path,
        query=approval.query,
        body_sha256=approval.body_sha256,
        headers=approval.headers,
        verified=approval.verified,
        state=approval.state(now=now),
        once=approval.is_once,
        created_at=approval.created_at,
        expires_at=approval.expires_at,
        decided_at=approval.decided_at,
        decided_by=approval.decided_by or None,
        good_until=approval.good_until,
        used_at=approval.used_at,
    )
