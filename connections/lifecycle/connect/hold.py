"""Hold: keep a code or a typed key, encrypted, until the operator's backend says whose it is.

A held grant is never vended. Only the browser that went through the flow gets the completion code. The code is derived
from the secret in that browser's cookie, and Latchkey stores only a hash of that secret. So the same browser can get
the same code again, and nobody else can learn it. This module also ends the sessions that nobody confirmed in time.
It does not revoke their abandoned grants: at many providers that would also end an older grant of the same account.
"""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce

from connections.access.secrets import digest, seal_for_session
from connections.access.targets import entry_of
from connections.database.locks import lock_session
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.connect.params import params_of
from connections.models import (
    AWAITING_WORD,
    EXCHANGE_LIMIT,
    IN_BROWSER,
    UNFINISHED,
    Connection,
    ConnectSession,
    SessionState,
)
from connections.models.failures import Failure
from connections.vault.keyring import DataKey

HELD_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Held:
    """A session that holds a grant. ``may_continue``: the end user may have to choose a workspace afterwards."""

    session: ConnectSession
    completion_code: str = field(repr=False)
    may_continue: bool


def hold(
    session: ConnectSession, content: bytes, *, key: DataKey, browser_secret: str, now: datetime, actor: audit.Actor
) -> Held:
    """Seal ``content`` into the locked ``session`` and make its completion code, valid for 5 minutes.

    ``content`` is a JSON object: its only key is ``code`` or ``answer``, or it has the keys that ``Kept.to_bytes``
    writes. ``key`` is the current data key of the session's tenant. A new connection gets the status ``pending``; a
    renewed one keeps its status. Call it in a transaction.
    """
    app = session.provider_app
    if app is None:
        raise ValueError("A session without a provider app has nothing to hold.")
    connection = session.reconnects
    if connection is None:
        connection = Connection.objects.create(
            tenant_id=session.tenant_id,
            provider_app=app,
            provider=app.provider,
            owner_kind=session.owner_kind,
            end_user=session.owner,
            binding=session.binding,
            params=params_of(session, app),
            registered_client=session.registered_client,
            is_trial=bool(session.tried_by),
        )
    completion_code = _completion_code(session, browser_secret)
    session.hold(
        connection=connection,
        held=seal_for_session(session, "held", content, key=key),
        completion_hash=digest(completion_code),
        until=now + HELD_FOR,
    )
    audit.record(
        "connect_session.held",
        actor=actor,
        connection=connection,
        detail={"session": str(session.id), "binding": session.binding},
    )
    return Held(session, completion_code, may_continue=entry_of(app).workspaces is not None)


def still_held(session: ConnectSession, *, browser_secret: str, now: datetime) -> Held | None:
    """Return the same ``Held`` as ``hold`` did, for the session's own browser; None if ``session`` holds nothing now.

    The caller has checked the browser. No I/O beyond the catalogue.
    """
    if session.state != SessionState.HELD or session.provider_app is None or session.is_overdue(now=now):
        return None
    may_continue = entry_of(session.provider_app).workspaces is not None
    return Held(session, completion_code_of(session, browser_secret=browser_secret), may_continue=may_continue)


def completion_code_of(session: ConnectSession, *, browser_secret: str) -> str:
    """Return the completion code of ``session`` for its own browser, or "" where the session has none. No I/O."""
    code = _completion_code(session, browser_secret)
    return code if hmac.compare_digest(bytes(session.completion_hash or b""), digest(code)) else ""


def _completion_code(session: ConnectSession, browser_secret: str) -> str:
    if not browser_secret:
        raise ValueError("Only a session's own browser has a completion code.")
    made = hmac.digest(browser_secret.encode(), b"completion:" + session.id.bytes, "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def discard_expired(*, now: datetime, limit: int = 500) -> int:
    """End the sessions that nobody opened, confirmed or finished in time, and destroy all that they hold.

    Returns how many. Locks each session in a short transaction of its own.
    """
    unfinished = ConnectSession.objects.filter(state__in=UNFINISHED)
    sessions = unfinished.annotate(held_until=Coalesce("kept_until", "completion_expires_at"))
    overdue = sessions.filter(
        Q(state__in=AWAITING_WORD, held_until__lte=now)
        | Q(state=SessionState.EXCHANGING, exchange_started_at__lte=now - EXCHANGE_LIMIT, held__isnull=True)
        | Q(state=SessionState.EXCHANGING, exchange_started_at__lte=now - EXCHANGE_LIMIT, held_until__lte=now)
        | Q(state__in=IN_BROWSER, browser_expires_at__lte=now)
    ).values_list("id", flat=True)[:limit]
    unopened = ConnectSession.objects.filter(state=SessionState.CREATED, expires_at__lte=now).order_by("expires_at")
    count = 0
    for session_id in [*overdue, *unopened.values_list("id", flat=True)[:limit]]:
        with short_transaction():
            session = lock_session(id=session_id)
            if session is not None and session.is_overdue(now=now):
                session.fail(Failure.EXPIRED)
                count += 1
    return count
