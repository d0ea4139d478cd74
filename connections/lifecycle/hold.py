"""Hold: keep what the provider or the end user gave, encrypted, until the operator's backend says whose it is.

Nothing held is ever vended. A fresh completion code goes to the browser that did the work, and to nobody else.
"""

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from connections.lifecycle import audit
from connections.lifecycle.authorize import OPEN, params_of
from connections.lifecycle.begin_connect import digest
from connections.lifecycle.locking import lock_session, short_transaction
from connections.lifecycle.sealing import seal_for_session
from connections.models import Connection, ConnectSession, OwnerKind, SessionState, Status

HELD_FOR = timedelta(minutes=5)
EXCHANGE_LIMIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Held:
    """A session whose grant is held. ``completion_code`` is None where the session opted out of the confirmation."""

    session: ConnectSession
    completion_code: str | None = field(repr=False)


def hold(session: ConnectSession, content: dict[str, Any], *, now: datetime, actor: audit.Actor) -> Held:
    """Seal ``content`` into the locked ``session`` and make its completion code, valid for 5 minutes.

    A new connection appears as ``pending``; a renewed one keeps its status.
    """
    app = session.provider_app
    if app is None:
        raise ValueError("A session without a provider app has nothing to hold.")
    if session.reconnects is None:
        session.connection = Connection.objects.create(
            tenant_id=session.tenant_id,
            provider_app=app,
            provider=app.provider,
            owner_kind=session.owner_kind,
            end_user=session.end_user if session.owner_kind == OwnerKind.END_USER else "",
            binding=session.binding,
            params=params_of(session, app),
        )
    else:
        session.connection = session.reconnects
    completion_code = secrets.token_urlsafe(32)
    session.state = SessionState.HELD
    session.state_hash = None
    session.held = seal_for_session(session, "held", json.dumps(content).encode())
    session.completion_hash = digest(completion_code)
    session.completion_expires_at = now + HELD_FOR
    session.save()
    audit.record(
        "connect_session.held",
        actor=actor,
        connection=session.connection,
        detail={"session": str(session.id), "binding": session.binding},
    )
    return Held(session, completion_code)


def destroy_held(session: ConnectSession, *, failure: str) -> None:
    """Destroy what the locked ``session`` holds and end it as failed; a pending connection goes with it."""
    pending = session.connection if session.reconnects_id is None else None
    session.state = SessionState.FAILED
    session.failure = failure
    session.held = None
    session.code_verifier = None
    session.state_hash = None
    session.connection = None
    session.save()
    if pending is not None and pending.status == Status.PENDING:
        pending.delete()


def discard_expired(*, now: datetime, limit: int = 500) -> int:
    """End sessions that nobody confirmed or finished in time, with all that they hold; return how many there were.

    Each is locked on its own. A session whose exchange began more than a minute ago died in it: it is ended too.
    """
    overdue = ConnectSession.objects.filter(
        Q(state=SessionState.HELD, completion_expires_at__lte=now)
        | Q(state=SessionState.EXCHANGING, exchange_started_at__lte=now - EXCHANGE_LIMIT)
        | Q(state__in=OPEN, browser_expires_at__lte=now)
    ).values_list("id", flat=True)[:limit]
    count = 0
    for session_id in list(overdue):
        with short_transaction():
            session = lock_session(id=session_id)
            if session is not None and is_overdue(session, now=now):
                destroy_held(session, failure="expired")
                count += 1
    return count


def is_overdue(session: ConnectSession, *, now: datetime) -> bool:
    """Whether nobody finished or confirmed in time, or the exchange died on the way."""
    if session.state == SessionState.HELD:
        return session.completion_expires_at is None or session.completion_expires_at <= now
    if session.state == SessionState.EXCHANGING:
        return session.exchange_started_at is None or session.exchange_started_at <= now - EXCHANGE_LIMIT
    if session.state in OPEN:
        return session.browser_expires_at is None or session.browser_expires_at <= now
    return False
