"""Reread: try to read an unread answer again, because its catalogue entry was mended or an operator asks.

An answer that can be read becomes a received version of its attempt. The usual rule promotes it: its parent has to be
current still (``promote``). Nothing is sent to the provider.
"""

import uuid
from datetime import datetime

import structlog
from django.db.models import Q

from connections.access.secrets import open_credential, open_for_renewal
from connections.access.targets import Access, access_of
from connections.database.locks import lock_connection
from connections.database.pool import LockTimeout, release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.credentials.promote import promote
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.credentials.unread import KeptAnswer, entry_digest, forget_unread, note_unread, open_answer
from connections.lifecycle.credentials.versions import ends_of, seal_version
from connections.models import Connection, CredentialVersion, UnreadAnswer
from connections.refusals import AppMisconfigured
from connections.vault.sealing import Unreadable
from providers.errors import Evidence, MalformedResponse, ProviderError
from providers.values import Credential, Obtained

logger = structlog.get_logger(__name__)

LOCK_TIMEOUT_SECONDS = 1.0


def read_answer(kept: KeptAnswer, access: Access, *, previous: Credential | None = None) -> Obtained:
    """Return the credential that ``kept`` holds, read by the catalogue entry as it is now. No I/O.

    ``previous`` is the credential whose refresh the answer belongs to, or None if the answer was to a code. Raises
    what the strategy raises, and ``MalformedResponse`` where the endpoints are not those that gave the answer.
    """
    if kept.grantor != access.target.grantor:
        raise MalformedResponse(Evidence("The endpoints are not those that gave this answer.", sent=False))
    return access.strategy.reread(access.target, kept.answer, previous=previous, received_at=kept.received_at)


def reread_locked(
    connection: Connection, *, now: datetime, only_changed: bool = False, actor: audit.Actor = audit.SYSTEM
) -> int:
    """Read the unread answers of the locked ``connection``, newest first, and promote them. Return how many were read.

    With ``only_changed``, try only the answers whose catalogue entry has changed since the last try. Call it in a
    transaction; no HTTP.
    """
    rows = list(UnreadAnswer.objects.filter(connection=connection).order_by("-received_at"))
    digest = entry_digest(connection.provider) if rows else ""
    count = 0
    for row in rows:
        if only_changed and row.tried_with == digest:
            continue
        row.tried_with = digest
        row.save(update_fields=["tried_with"])
        if _read(connection, row, now=now, actor=actor):
            count += 1
            break  # older answers have been overtaken by this one
    if count and not UnreadAnswer.objects.filter(connection=connection).exists():
        connection.mark_unread(None)
    note_unread(connection, now=now)
    return count


def _read(connection: Connection, row: UnreadAnswer, *, now: datetime, actor: audit.Actor) -> bool:
    parent = CredentialVersion.objects.filter(Q(id=row.parent_id), connection=connection).first()
    if parent is None or row.grant_id != connection.grant_id:
        row.delete()  # the version that it renews is gone, so the answer is useless
        return False
    try:
        access = access_of(connection)
        kept = open_answer(connection, row)
        credential, key = open_credential(connection, parent), open_for_renewal(connection, parent)[1]
        found = read_answer(kept, access, previous=credential)
    except (ProviderError, AppMisconfigured, Unreadable) as error:
        logger.info("answer_still_unread", connection=str(connection.id), error=type(error).__name__)
        return False
    sealed = seal_version(
        found,
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        grant_id=row.grant_id,
        key=key,
        scopes=found.scopes or tuple(parent.scopes),
        is_refreshable=True,
        received_at=row.received_at,
        grantor=kept.grantor,
        parent_id=row.parent_id,
        attempt_id=row.attempt_id,
        before=ends_of(parent),
    )
    row.delete()
    store_received(sealed)
    promote(connection, CredentialVersion.objects.get(id=sealed.id), now=now)
    audit.record("connection.answer_read", actor=actor, connection=connection, version_id=sealed.id)
    return True


def reread(connection_id: uuid.UUID, *, actor: audit.Actor = audit.SYSTEM) -> tuple[int, int]:
    """Read the unread answers of one connection. Return how many were read, and how many are left unread.

    One short transaction that locks the connection; no HTTP.
    """
    with short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
        connection = lock_connection(connection_id)
        if connection is None:
            return 0, 0
        count = reread_locked(connection, now=now, actor=actor)
        return count, UnreadAnswer.objects.filter(connection=connection).count()


def discard_unread(connection_id: uuid.UUID, *, actor: audit.Actor) -> int:
    """Destroy the unread answers of one connection, so that they no longer hold back its refreshes. Return how many.

    One short transaction that locks the connection, with an audit row.
    """
    with short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
        connection = lock_connection(connection_id)
        count = UnreadAnswer.objects.filter(connection_id=connection_id).count()
        if connection is None or not count:
            return 0
        forget_unread(connection)
        audit.record("connection.answer_discarded", actor=actor, connection=connection, detail={"answers": count})
        connection.hasten_refresh(now)
    return count


def reread_changed() -> int:
    """Try again the unread answers whose catalogue entry has changed. Return how many were read.

    Tries each answer once for each version of its entry. Without unread answers this is one query of an empty table.
    """
    answers = UnreadAnswer.objects.order_by()
    waiting = list(answers.values_list("connection_id", "connection__provider", "tried_with").distinct())
    changed = {found_id for found_id, provider, tried_with in waiting if entry_digest(provider) != tried_with}
    count = 0
    for connection_id in changed:
        try:
            count += reread(connection_id)[0]
        except LockTimeout:
            logger.info("rereading_postponed", connection=str(connection_id))
        release_database()
    return count
