"""Bodies of management sessions and of receipts: what end users see and do of their own connections."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from connections.api.pages import Page, read_cursor, write_cursor
from connections.api.texts import Address, CodeChallenge, EndUser, Locale, Request, Slug
from connections.lifecycle.self_service.receipts import USES, verified_of
from connections.lifecycle.self_service.receipts import Page as Uses
from connections.models import AuditEvent
from connections.refusals import InvalidRequest


class ManagementSessionIn(Request):
    """An invitation to the page of one's own connections."""

    tenant: Slug | None = None
    end_user: EndUser = Field(description="who is logged in at your product: never take it from a link")
    return_url: Address
    origin: Address = Field("", description="of the page of yours over which the page opens: an allowed origin")
    providers: Annotated[list[Slug], Field(max_length=100)] = Field(
        [], description="to which they may connect another account from the page; none by default"
    )
    locale: Locale = Field("", description="a BCP 47 tag; a language that the pages lack does not count")
    code_challenge: CodeChallenge | None = Field(
        None, description="as at /connect-sessions, for whatever is connected from the page"
    )


class ManagementSessionOut(BaseModel):
    """A new session. ``token`` is shown this once: it is in ``manage_url``, and what ``connect.js`` opens."""

    id: uuid.UUID
    token: str
    manage_url: str
    expires_at: datetime


class ReceiptClientOut(BaseModel):
    """The API client that used it; ``name`` is null when the client is gone."""

    id: uuid.UUID
    name: str | None


class VerifiedOut(BaseModel):
    """The issuers whose tokens named the end user and the agent; null where the caller alone said so."""

    end_user: str | None
    agent: str | None


class ReceiptOut(BaseModel):
    """One use of a connection: by ``kind`` a credential that was handed out, or a request that the proxy sent.

    ``end_user`` is whom the caller named, or null. ``agent`` and ``purpose`` are what it said of itself, "" for
    nothing. Where a trusted issuer's token named the end user or the agent, ``verified`` has the issuer.
    """

    id: str
    at: datetime
    kind: Literal["credential", "request"]
    client: ReceiptClientOut | None
    end_user: str | None
    agent: str
    verified: VerifiedOut
    purpose: str
    scopes: list[str]
    version: uuid.UUID | None
    address: str | None


class ReceiptPage(Page[ReceiptOut]):
    """One page, the newest use first. It may be short or empty although ``next``, the cursor of the next one, is there.

    That is so where a filter leaves out much: go on while there is a ``next``.
    """


def receipts_out(page: Uses, *, of: str) -> ReceiptPage:
    """Return what the API shows of a page of receipts. ``of`` tells their list and its filters from all others."""
    return ReceiptPage(
        items=[_receipt_out(use, page.clients) for use in page.uses],
        next=None if page.next is None else write_cursor(str(page.next), of=of),
    )


def receipt_before(cursor: str, *, of: str) -> int:
    """Return the id of the use before which a page begins. Raises ``InvalidRequest``."""
    number = read_cursor(cursor, of=of)
    if not number.isdecimal() or len(number) > 18:
        raise InvalidRequest("The cursor is not one that this call returned.", field="cursor")
    return int(number)


def _receipt_out(use: AuditEvent, clients: dict[uuid.UUID, str]) -> ReceiptOut:
    client, verified = use.api_client_id, verified_of(use)
    return ReceiptOut(
        id=str(use.id),
        at=use.at,
        kind=USES[use.action],
        client=None if client is None else ReceiptClientOut(id=client, name=clients.get(client)),
        end_user=use.subject or None,
        agent=use.agent,
        verified=VerifiedOut(end_user=verified.get("end_user"), agent=verified.get("agent")),
        purpose=use.purpose,
        scopes=use.scopes,
        version=use.credential_version_id,
        address=use.address,
    )
