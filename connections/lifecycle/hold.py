"""Hold: keep what the provider or the end user gave, encrypted, until the operator's backend says whose it is.

Nothing held is ever vended. A completion code goes to the browser that did the work, and to nobody else. It is made
from the secret in that browser's cookie, of which only a hash is stored: so the same browser can be given the same code
once more, and nobody else can learn it. Also here: until when something is held, and its destruction. An abandoned
grant is not revoked at the provider: with many that would end an older grant of the same account, too.
"""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce

from connections.lifecycle import audit
from connections.lifecycle.authorize import OPEN, params_of
from connections.lifecycle.begin_connect import digest
from connections.lifecycle.failures import Failure
from connections.lifecycle.locking import lock_session, short_transaction
from connections.lifecycle.sealing import seal_for_session
from connections.lifecycle.targets import entry_of
from connections.models import UNFINISHED, Connection, ConnectSession, OwnerKind, SessionState, Status

HELD_FOR = timedelta(minutes=5)
EXCHANGE_LIMIT = timedelta(seconds=60)
WAITING = (SessionState.HELD, SessionState.CHOOSING)


@dataclass(frozen=True, slots=True)
class Held:
    """A session whose grant is held. ``may_continue``: the end user may have to choose a workspace afterwards."""

    session: ConnectSession
    completion_code: str = field(repr=False)
    may_continue: bool


def hold(session: ConnectSession, content: bytes, *, browser_secret: str, now: datetime, actor: audit.Actor) -> Held:
    """Seal ``content`` into the locked ``session`` and make its completion code, valid for 5 minutes.

    ``content`` is a JSON object: a ``code``, or what ``kept.Kept`` writes. A new connection appears as ``pending``; a
    renewed one keeps its status.
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
    completion_code = _completion_code(session, browser_secret)
    session.state = SessionState.HELD
    session.held = seal_for_session(session, "held", content)
    session.completion_hash = digest(completion_code)
    session.completion_expires_at = now + HELD_FOR
    session.save()
    audit.record(
        "connect_session.held",
        actor=actor,
        connection=session.connection,
        detail={"session": str(session.id), "binding": session.binding},
    )
    return Held(session, completion_code, may_continue=entry_of(app).workspaces is not None)


def still_held(session: ConnectSession, *, browser_secret: str, now: datetime) -> Held | None:
    """Return what ``hold`` returned, for the session's own browser; None where nothing waits for a confirmation."""
    if session.state != SessionState.HELD or session.provider_app is None or is_overdue(session, now=now):
        return None
    may_continue = entry_of(session.provider_app).workspaces is not None
    return Held(session, completion_code_of(session, browser_secret=browser_secret), may_continue=may_continue)


def completion_code_of(session: ConnectSession, *, browser_secret: str) -> str:
    """Return the completion code that ``session`` has, for its own browser; "" before it has one."""
    code = _completion_code(session, browser_secret)
    return code if hmac.compare_digest(bytes(session.completion_hash or b""), digest(code)) else ""


def _completion_code(session: ConnectSession, browser_secret: str) -> str:
    if not browser_secret:
        raise ValueError("Only a session's own browser has a completion code.")
    made = hmac.digest(browser_secret.encode(), b"completion:" + session.id.bytes, "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def destroy_held(session: ConnectSession, *, failure: str) -> None:
    """Destroy what the locked ``session`` holds and end it as failed; a pending connection goes with it."""
    pending = session.connection if session.reconnects_id is None else None
    session.state = SessionState.FAILED
    session.failure = failure
    session.held = None
    session.code_verifier = None
    session.connection = None
    session.save()
    if pending is not None and pending.status == Status.PENDING:
        pending.delete()


def discard_expired(*, now: datetime, limit: int = 500) -> int:
    """End sessions that nobody opened, confirmed or finished in time, with all that they hold.

    Returns how many there were. Each is locked on its own.
    """
    unfinished = ConnectSession.objects.filter(state__in=UNFINISHED)
    sessions = unfinished.annotate(held_until=Coalesce("kept_until", "completion_expires_at"))
    overdue = sessions.filter(
        Q(state__in=WAITING, held_until__lte=now)
        | Q(state=SessionState.EXCHANGING, exchange_started_at__lte=now - EXCHANGE_LIMIT, held__isnull=True)
        | Q(state=SessionState.EXCHANGING, exchange_started_at__lte=now - EXCHANGE_LIMIT, held_until__lte=now)
        | Q(state__in=OPEN, browser_expires_at__lte=now)
    ).values_list("id", flat=True)[:limit]
    unopened = ConnectSession.objects.filter(state=SessionState.CREATED, expires_at__lte=now).order_by("expires_at")
    count = 0
    for session_id in [*overdue, *unopened.values_list("id", flat=True)[:limit]]:
        with short_transaction():
            session = lock_session(id=session_id)
            if session is not None and is_overdue(session, now=now):
                destroy_held(session, failure=Failure.EXPIRED)
                count += 1
    return count


def is_overdue(session: ConnectSession, *, now: datetime) -> bool:
    """Whether nobody finished, confirmed or chose in time, or an exchange died that has left nothing to go on from."""
    if session.state in WAITING:
        return _is_past(session.kept_until or session.completion_expires_at, now=now)
    if session.state == SessionState.EXCHANGING:
        is_over = session.held is None or _is_past(session.kept_until or session.completion_expires_at, now=now)
        return is_over and has_died(session, now=now)
    if session.state == SessionState.CREATED:
        return _is_past(session.expires_at, now=now)
    if session.state in OPEN:
        return _is_past(session.browser_expires_at, now=now)
    return False


def has_died(session: ConnectSession, *, now: datetime) -> bool:
    """Whether the exchange of ``session`` began so long ago that whoever made it is gone, or is not waited for."""
    return _is_past(session.exchange_started_at, now=now - EXCHANGE_LIMIT)


def _is_past(moment: datetime | None, *, now: datetime) -> bool:
    return moment is None or moment <= now
