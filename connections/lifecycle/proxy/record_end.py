"""What is recorded when a permitted call has ended, and what a provider's 401 to it means."""

import uuid
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.db.models.functions import Now

from connections.database.pool import hand_back_database
from connections.journal import audit
from connections.lifecycle.credentials.subject_tokens import forget_reported
from connections.lifecycle.proxy.order import ProxyOrder
from connections.lifecycle.proxy.permit import Permit
from connections.models import VENDS, AuditEvent, Connection, CredentialVersion

ENDED = "connection.proxied"
PROVEN_FOR = timedelta(minutes=1)  # a 401 for what has just worked is about something else


def record_end(
    order: ProxyOrder, permitted: Permit, outcome: str, facts: dict[str, Any], *, has_acted: bool = True
) -> None:
    """Record how a permitted call ended: ``outcome`` is a word, ``facts`` are its counts, JSON-ready. A few statements.

    With ``has_acted`` false, the provider has done nothing for it, so that an approval stays good for one time.
    It names whom the row of its beginning names now: they may have been erased meanwhile. A provider's 401 is doubt:
    what was exchanged for a subject is forgotten, and else the next probe comes soon.
    """
    try:
        if not has_acted:
            permitted.access.give_back(used_at=permitted.decided_at)
        if facts.get("status") == HTTPStatus.UNAUTHORIZED and permitted.version_id is not None:
            forget_reported(permitted.connection.id, permitted.version_id)
            _hasten_probe(permitted.connection.id, permitted.version_id)
        actor = order.use.actor(permitted.client_id)
        if actor.subject:
            began = AuditEvent.objects.filter(id=permitted.audit_id).values_list("subject", flat=True)
            actor = replace(actor, subject=began.first() or "")
        audit.record(
            ENDED,
            decision=outcome,
            actor=actor,
            connection=permitted.connection,
            version_id=permitted.version_id,
            detail={"request": permitted.audit_id, **facts},
        )
    finally:
        hand_back_database()


def has_just_been_refreshed(version_id: uuid.UUID) -> bool:
    """Whether a refresh brought this version a moment ago: what is refused with it, another would not mend. One query.

    Otherwise a caller could have a connection refreshed once for each request to an address that always answers 401.
    """
    try:
        young = CredentialVersion.objects.filter(id=version_id, received_at__gt=Now() - PROVEN_FOR)
        return young.exclude(attempt=None).exists()
    finally:
        hand_back_database()


def _hasten_probe(connection_id: uuid.UUID, version_id: uuid.UUID) -> None:
    """Have a version that was refused probed, unless it has just proven itself. One statement."""
    doubted = Connection.objects.filter(id=connection_id, current_version_id=version_id, status__in=VENDS)
    doubted = doubted.exclude(verified_at__gt=Now() - PROVEN_FOR).filter(probe_due_at__gt=Now())
    doubted.probe_next(Now())
