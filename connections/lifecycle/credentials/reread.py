"""Reread: unread answers tried again, because their catalogue entry was mended or somebody asks.

What is read becomes a received version of its attempt, and is promoted by the rule of all others: if the version that
bought it is still current (``promote``). Nothing is sent.
"""

import uuid
from datetime import datetime

import structlog
from django.db import connection as database
from django.db.models import Q

from connections.access.secrets import open_credential, open_for_renewal
from connections.access.targets import Access, access_to
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
    """Return what ``kept`` holds by the entry as it is now; ``previous`` is what bought it, None for a code. No I/O.

    Raises what the strategy raises, and ``MalformedResponse`` where the endpoints are no longer those that gave it.
    """
    if kept.grantor != access.target.grantor:
        raise MalformedResponse(Evidence("The endpoints are not those that gave this answer.", sent=False))
    return access.strategy.reread(access.target, kept.answer, previous=previous, received_at=kept.received_at)


def reread_locked(
    connection: Connection, *, now: datetime, only_changed: bool = False, actor: audit.Actor = audit.SYSTEM
) -> int:
    """Read what the locked ``connection`` has unread, newest first, and promote it; return how many were read.

    With ``only_changed`` those alone whose entry is not the one that could not read them. Call it in a transaction.
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
            break  # what was received before it has been overtaken
    if count and not UnreadAnswer.objects.filter(connection=connection).exists():
        connection.mark_unread(None)
    note_unread(connection, now=now)
    return count


def _read(connection: Connection, row: UnreadAnswer, *, now: datetime, actor: audit.Actor) -> bool:
    parent = CredentialVersion.objects.filter(Q(id=row.parent_id), connection=connection).first()
    if parent is None or row.grant_id != connection.grant_id:
        row.delete()  # what it renews is gone, and the answer with it
        return False
    try:
        access = access_to(connection.provider_app, connection.params)
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
    """Read what one connection has unread; return how many were read, and how many are left. One short transaction."""
    with short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
        connection = lock_connection(connection_id)
        if connection is None:
            return 0, 0
        count = reread_locked(connection, now=now, actor=actor)
        return count, UnreadAnswer.objects.filter(connection=connection).count()


def discard_unread(connection_id: uuid.UUID, *, actor: audit.Actor) -> int:
    """Destroy what one connection has unread, and return how many that were; its refreshes are no longer held back."""
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
    """Read again whatever a changed catalogue may have made readable; return how many were read.

    Each answer is tried once for each version of its entry. With nothing unread this is one query of an empty table.
    """
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT connection.id, connection.provider, answer.tried_with"
            " FROM connections_unreadanswer AS answer"
            " JOIN connections_connection AS connection ON connection.id = answer.connection_id"
        )
        waiting = cursor.fetchall()
    changed = {found_id for found_id, provider, tried_with in waiting if entry_digest(provider) != tried_with}
    count = 0
    for connection_id in changed:
        try:
            count += reread(connection_id)[0]
        except LockTimeout:
            logger.info("rereading_postponed", connection=str(connection_id))
        release_database()
    return count
