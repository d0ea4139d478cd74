"""Access grants, and who may use a connection, as the API takes and shows them."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from connections.api.pages import Page
from connections.api.texts import EndUser, Moment, Note, Request, ScopeName, Slug, Text
from connections.lifecycle.policy.give import Terms
from connections.models import AccessGrant, SubjectKind
from connections.models.access_grant import READ_ONLY
from connections.refusals import InvalidRequest

Method = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,16}$")]
PathPattern = Annotated[Text, StringConstraints(min_length=1, max_length=500)]


class SubjectIn(Request):
    """Who a grant is for: an end user's id, a group's name, what an agent calls itself, or an API client's id."""

    kind: SubjectKind
    id: EndUser


class AccessGrantIn(Request):
    """A grant, on a connection or on a provider. In each list of limits, null does not limit and [] allows nothing."""

    tenant: Slug | None = None
    subject: SubjectIn
    connection: uuid.UUID | None = None
    provider: Slug | None = Field(None, description="every connection of the tenant at this provider")
    scopes: Annotated[list[ScopeName], Field(max_length=200)] | None = Field(
        None, description="which the subject may ask for"
    )
    methods: Annotated[list[Method], Field(max_length=20)] | None = Field(None, description="of proxied requests")
    paths: Annotated[list[PathPattern], Field(max_length=100)] | None = Field(
        None, description="of proxied requests; `*` is one segment, `/**` at the end whatever is below"
    )
    readonly: bool = Field(False, description="short for the methods GET and HEAD")
    allows_vend: bool = Field(
        False, description="hand the credential out even where it can do more than the grant allows, or lives longer"
    )
    needs_approval: bool = Field(False, description="somebody has to approve each thing that is done under it")
    expires_at: Moment | None = None
    granted_by: EndUser | None = Field(None, description="the end user who gives it, if one does")
    note: Note = ""

    def terms(self) -> Terms:
        """Return what the use case takes. Raises ``InvalidRequest`` for ``readonly`` beside ``methods``."""
        if self.readonly and self.methods is not None:
            raise InvalidRequest("Give either readonly or methods.", field="readonly")
        return Terms(
            subject_kind=self.subject.kind,
            subject=self.subject.id,
            connection_id=self.connection,
            provider=self.provider or "",
            scopes=self.scopes,
            methods=READ_ONLY if self.readonly else self.methods,
            paths=self.paths,
            allows_vend=self.allows_vend,
            needs_approval=self.needs_approval,
            expires_at=self.expires_at,
            granted_by=self.granted_by or "",
            note=self.note,
        )


class SharingIn(Request):
    """Who may use a connection; what is null stays as it is."""

    tenant: Slug | None = None
    granted_by: Literal[""] | EndUser | None = Field(
        None, description='the end user who answers for what belongs to the whole tenant; "" for the tenant itself'
    )
    grants_only: bool | None = Field(None, description="nobody uses it but under an access grant")


class SubjectOut(BaseModel):
    """Who a grant is for."""

    kind: SubjectKind
    id: str


class AccessGrantOut(BaseModel):
    """One grant. ``state`` is `standing`, `expired` or `revoked`."""

    id: uuid.UUID
    tenant: str
    subject: SubjectOut
    connection: uuid.UUID | None
    provider: str | None
    scopes: list[str] | None
    methods: list[str] | None
    paths: list[str] | None
    allows_vend: bool
    needs_approval: bool
    granted_by: str | None
    note: str
    state: Literal["standing", "expired", "revoked"]
    expires_at: datetime | None
    created_at: datetime
    revoked_at: datetime | None


class AccessGrantPage(Page[AccessGrantOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def access_grant_out(grant: AccessGrant, *, tenant: str, now: datetime) -> AccessGrantOut:
    """Return what the API shows of a grant of the tenant with this slug. No I/O."""
    return AccessGrantOut(
        id=grant.id,
        tenant=tenant,
        subject=SubjectOut(kind=grant.subject_kind, id=grant.subject),
        connection=grant.connection_id,
        provider=grant.provider or None,
        scopes=grant.scopes,
        methods=grant.methods,
        paths=grant.paths,
        allows_vend=grant.allows_vend,
        needs_approval=grant.needs_approval,
        granted_by=grant.granted_by or None,
        note=grant.note,
        state=grant.state(now=now),
        expires_at=grant.expires_at,
        created_at=grant.created_at,
        revoked_at=grant.revoked_at,
    )
