"""How the life of one connection travels over the API: its refreshes, its versions, and what happens next."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from connections.api.pages import Page
from connections.lifecycle.steer.outlook import Step
from connections.models import AttemptState, CredentialVersion, RefreshAttempt
from connections.models.credential_version import Stage


class StepOut(BaseModel):
    """One event to come, or what holds it back."""

    text: str = Field(description="what happens, in words for operators")
    at: datetime | None = Field(description="when; null where that has no time")
    held: bool = Field(description="it is an obstacle, not an event")


class OutlookOut(BaseModel):
    """What happens next to a connection, the most important first."""

    steps: list[StepOut] = Field(description="what happens, or is in the way")


class RefreshAttemptOut(BaseModel):
    """One try to refresh one credential version. ``evidence`` says what the provider answered, without a secret."""

    id: uuid.UUID
    state: AttemptState
    trigger: str = Field(description="what made it begin: a sweep, a vend, a report, …")
    version: uuid.UUID = Field(description="id of the version whose refresh token it spends")
    claimed_at: datetime = Field(description="when it began")
    deadline_at: datetime = Field(description="when its time is up")
    ended_at: datetime | None
    follows_doubt: bool = Field(description="an earlier one of the version was never answered")
    error: str = Field(description='a stable word for what went wrong; "" if nothing did')
    evidence: dict[str, Any]


class RefreshAttemptPage(Page[RefreshAttemptOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class VersionOut(BaseModel):
    """One credential version: everything about it but the secrets."""

    id: uuid.UUID
    stage: Stage = Field(description="how far it is; at most one is `current`")
    grant: uuid.UUID = Field(description="id of the authorization that it comes from")
    parent: uuid.UUID | None = Field(description="id of the version that was refreshed for it; null for a first one")
    attempt: uuid.UUID | None = Field(description="id of the refresh that received it; null for a first one")
    scopes: list[str]
    refreshable: bool = Field(description="it can be refreshed")
    received_at: datetime = Field(description="when it came")
    expires_at: datetime | None
    refresh_expires_at: datetime | None = Field(description="when its refresh token ends, where that is known")


class VersionPage(Page[VersionOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def outlook_out(steps: Sequence[Step]) -> OutlookOut:
    """Return what the API shows of what happens next. No I/O."""
    return OutlookOut(steps=[StepOut(text=step.text, at=step.at, held=step.is_held) for step in steps])


def attempt_out(row: RefreshAttempt) -> RefreshAttemptOut:
    """Return what the API shows of a refresh attempt. No I/O."""
    evidence: Mapping[str, Any] = row.evidence
    return RefreshAttemptOut(
        id=row.id,
        state=AttemptState(row.state),
        trigger=row.trigger,
        version=row.parent_version_id,
        claimed_at=row.claimed_at,
        deadline_at=row.deadline_at,
        ended_at=row.ended_at,
        follows_doubt=row.follows_doubt,
        error=row.error,
        evidence=dict(evidence),
    )


def version_out(row: CredentialVersion) -> VersionOut:
    """Return what the API shows of a credential version, which is loaded without its secrets. No I/O."""
    return VersionOut(
        id=row.id,
        stage=Stage(row.stage),
        grant=row.grant_id,
        parent=row.parent_id,
        attempt=row.attempt_id,
        scopes=row.scopes,
        refreshable=row.is_refreshable,
        received_at=row.received_at,
        expires_at=row.access_expires_at,
        refresh_expires_at=row.refresh_expires_at,
    )
