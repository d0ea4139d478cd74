"""How connect sessions and visits to one's own connections are shown by the API, once they are made. No token is."""

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from connections.api.pages import Page
from connections.models import ConnectSession, ConnectStep, ManagementSession, SessionState


class ConnectSessionShown(BaseModel):
    """How far an invitation to connect came. ``failure`` is a stable word for why it ended, "" if it did not."""

    id: uuid.UUID
    end_user: str
    owner: str
    client: uuid.UUID
    providers: list[str]
    scopes: list[str] | None
    adds_scopes: bool
    label: str
    binding: str
    state: SessionState
    failure: str
    connection: uuid.UUID | None
    created_at: datetime
    expires_at: datetime


class ConnectSessionPage(Page[ConnectSessionShown]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class ConnectStepOut(BaseModel):
    """One step of a connect, with its outcome: `done`, or the stable code of what stopped it."""

    at: datetime
    step: str
    outcome: str
    milliseconds: int
    exchanges: list[dict[str, Any]]


class ConnectTraceOut(BaseModel):
    """All steps that are kept of a session, in order: 40 at the most."""

    steps: list[ConnectStepOut] = Field(description="what was tried, the first first")


class ManagementSessionShown(BaseModel):
    """A visit to the page of one's own connections, or the invitation to one."""

    id: uuid.UUID
    end_user: str
    client: uuid.UUID
    providers: list[str]
    state: Literal["invited", "expired", "open", "over", "ended"]
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None


class ManagementSessionPage(Page[ManagementSessionShown]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def connect_session_shown(row: ConnectSession) -> ConnectSessionShown:
    """Return what the API shows of a connect session. No I/O."""
    return ConnectSessionShown(
        id=row.id,
        end_user=row.end_user,
        owner=row.owner_kind,
        client=row.api_client_id,
        providers=row.providers,
        scopes=row.requested_scopes,
        adds_scopes=row.adds_scopes,
        label=row.label,
        binding=row.binding,
        state=SessionState(row.state),
        failure=row.failure,
        connection=row.connection_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def connect_step_out(row: ConnectStep) -> ConnectStepOut:
    """Return what the API shows of a step. No I/O."""
    return ConnectStepOut(
        at=row.at, step=row.step, outcome=row.outcome, milliseconds=row.milliseconds, exchanges=row.exchanges
    )


def management_session_shown(row: ManagementSession, *, now: datetime) -> ManagementSessionShown:
    """Return what the API shows of a visit. No I/O."""
    return ManagementSessionShown(
        id=row.id,
        end_user=row.end_user,
        client=row.api_client_id,
        providers=row.providers,
        state=_state(row, now=now),
        created_at=row.created_at,
        expires_at=row.expires_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
    )


def _state(row: ManagementSession, *, now: datetime) -> Literal["invited", "expired", "open", "over", "ended"]:
    if row.ended_at is not None:
        return "ended"
    if not row.is_opened:
        return "invited" if row.expires_at > now else "expired"
    return "over" if row.is_over(now=now) else "open"
