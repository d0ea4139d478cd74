"""Unread answers: success responses of a token endpoint that could not be read. They are kept sealed until they can.

Such an answer may hold the only live tokens of its grant, so it is stored before anything is decided about it. Where
the provider rotates refresh tokens and the answer contains something like a token, the refresh token that was sent is
not used again: at best the provider would refuse it, at worst end the whole grant. ``reread`` reads the answers;
``providers.oauth.unread`` judges what an answer may hold.
"""

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import structlog
from requests.structures import CaseInsensitiveDict

from connections.access.secrets import answer_place, open_stored
from connections.access.targets import entry_named, entry_of
from connections.journal import audit, events
from connections.models import Connection, ProviderApp, RefreshAttempt, UnreadAnswer
from connections.refusals import AppMisconfigured
from connections.vault.keyring import DataKey
from connections.vault.sealing import seal
from providers.oauth.unread import AnswerUnread
from providers.response import Response

logger = structlog.get_logger(__name__)

_HEADERS = ("Content-Type", "Content-Encoding", "Date")
_LONGEST_HEADER = 200


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One answer as it came, when it came, and the party that gave it. It is read only for that same party."""

    answer: Response
    received_at: datetime
    grantor: str

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object to seal.

        Keys: ``status``, ``headers`` (those that matter, by name), ``body`` (base64), ``received_at``, ``grantor``.
        """
        headers = {name: self.answer.headers.get(name, "")[:_LONGEST_HEADER] for name in _HEADERS}
        return {
            "status": self.answer.status,
            "headers": {name: value for name, value in headers.items() if value},
            "body": base64.b64encode(self.answer.body).decode(),
            "received_at": self.received_at.isoformat(),
            "grantor": self.grantor,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the answer that ``to_document`` wrote."""
        headers = CaseInsensitiveDict(document["headers"])
        answer = Response(document["status"], headers, base64.b64decode(document["body"]))
        return cls(answer, datetime.fromisoformat(document["received_at"]), document["grantor"])


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """An unread answer, sealed and ready to insert. It is safe to store anywhere, also in the spool."""

    id: uuid.UUID
    connection_id: uuid.UUID
    grant_id: uuid.UUID
    parent_id: uuid.UUID
    attempt_id: uuid.UUID
    answer: bytes = field(repr=False)
    data_key_id: uuid.UUID
    status: int
    size: int
    holds_back: bool
    tried_with: str
    received_at: datetime


def seal_answer(
    unread: AnswerUnread,
    *,
    tenant_id: uuid.UUID,
    connection_id: uuid.UUID,
    grant_id: uuid.UUID,
    parent_id: uuid.UUID,
    attempt_id: uuid.UUID,
    key: DataKey,
    grantor: str,
    provider: str,
    rotates: bool,
    received_at: datetime,
) -> SealedAnswer:
    """Return ``unread`` sealed for a row of its own. No I/O beyond the catalogue.

    ``parent_id`` is the version whose refresh token was sent; ``grantor`` names the party that gave the answer;
    ``rotates``: the provider replaces refresh tokens.
    """
    answer_id = uuid.uuid4()
    place = answer_place(tenant_id=tenant_id, connection_id=connection_id, answer_id=answer_id)
    plaintext = json.dumps(KeptAnswer(unread.answer, received_at, grantor).to_document()).encode()
    return SealedAnswer(
        id=answer_id,
        connection_id=connection_id,
        grant_id=grant_id,
        parent_id=parent_id,
        attempt_id=attempt_id,
        answer=seal(plaintext, key=key, place=place),
        data_key_id=key.id,
        status=unread.answer.status,
        size=len(unread.answer.body),
        holds_back=rotates and unread.may_hold_tokens,
        tried_with=entry_digest(provider),
        received_at=received_at,
    )


def store_unread(sealed: SealedAnswer) -> None:
    """Insert ``sealed`` without a lock, in the caller's transaction if one is open."""
    UnreadAnswer(**{name: getattr(sealed, name) for name in SealedAnswer.__dataclass_fields__}).save(force_insert=True)


def open_answer(connection: Connection, row: UnreadAnswer) -> KeptAnswer:
    """Return the answer that ``row`` keeps, opened. One query. Raises ``Unreadable``."""
    place = answer_place(tenant_id=connection.tenant_id, connection_id=connection.id, answer_id=row.id)
    return KeptAnswer.from_document(json.loads(open_stored(row.answer, place=place)))


def entry_digest(provider: str) -> str:
    """Return a digest of the catalogue entry of ``provider`` as it is now, or "" where the entry is gone."""
    try:
        return hashlib.sha256(entry_named(provider).model_dump_json().encode()).hexdigest()
    except AppMisconfigured:
        return ""


def note_unread(connection: Connection, *, now: datetime) -> None:
    """Mark the locked ``connection`` as having an unread answer, once, with an event and an audit row.

    Of the answers that hold nothing back, only the newest is kept. If another version has inherited the refresh token
    before the answer came (``inherit``), the answer is assigned to that version.
    """
    followed = RefreshAttempt.objects.filter(parent_version_id=connection.current_version_id, connection=connection)
    late = UnreadAnswer.objects.filter(connection=connection, attempt_id__in=followed.values("id"))
    late.exclude(parent_id=connection.current_version_id).update(parent_id=connection.current_version_id)
    rows = list(UnreadAnswer.objects.filter(connection=connection).order_by("-received_at"))
    if not rows:
        return
    spare = [row.id for row in rows if not row.holds_back][1:]
    UnreadAnswer.objects.filter(id__in=spare).delete()
    if connection.answer_unread_at is not None:
        return
    connection.mark_unread(rows[0].received_at)
    told = {"status": rows[0].status, "size": rows[0].size, "holds_back": rows[0].holds_back}
    events.emit("connection.answer_unread", connection, answer=told)
    audit.record(
        "connection.answer_unread", decision="kept", connection=connection, version_id=rows[0].parent_id, detail=told
    )
    logger.error("answer_unread", connection=str(connection.id), **told)


def forget_unread(*connections: Connection, but_of: uuid.UUID | None = None) -> None:
    """Destroy the unread answers of the locked ``connections``, but not those to refreshes of version ``but_of``.

    One statement, and for those that are marked another, and an UPDATE each.
    """
    UnreadAnswer.objects.filter(connection__in=connections).exclude(parent_id=but_of).delete()
    marked = [connection for connection in connections if connection.answer_unread_at is not None]
    if not marked:
        return
    kept = set(UnreadAnswer.objects.filter(connection__in=marked).values_list("connection_id", flat=True))
    for connection in marked:
        if connection.id not in kept:
            connection.mark_unread(None)


def is_held_back(connection: Connection, *, now: datetime) -> bool:
    """Whether a refresh with an answer still unread may have used up the refresh token of the locked ``connection``.

    False while the provider's grace period lasts: the refresh token still works then, and its next answer may be
    readable.
    """
    waiting = UnreadAnswer.objects.filter(
        parent_id=connection.current_version_id, connection=connection, holds_back=True
    ).order_by("received_at")
    oldest = waiting.values_list("received_at", flat=True).first()
    return oldest is not None and now >= oldest + _grace(connection.provider_app)


def was_answered(connection: Connection, version_id: uuid.UUID) -> bool:
    """Whether an answer to a refresh of this version was received and could not be read."""
    return UnreadAnswer.objects.filter(connection=connection, parent_id=version_id).exists()


def _grace(app: ProviderApp) -> timedelta:
    try:
        method = entry_of(app).methods.get(app.auth_style)
    except AppMisconfigured:
        method = None
    return timedelta(seconds=0 if method is None else method.refresh_tokens.grace_seconds)
