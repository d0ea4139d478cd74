"""Visit: from the click on the link to the end, for one browser alone.

Like a connect session, a visit is opened by a click that consumes the token and sets a cookie; every later step needs
that cookie. It ends when the end user says so, 15 minutes after the last step, and after an hour in any case.
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connections.access.secrets import digest
from connections.database.locks import RowCheck, lock_management_session
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.connect.session import is_own_browser
from connections.models import ApiKey, ManagementSession, Permission
from connections.models.failures import Failure
from connections.refusals import SessionUnusable

VISIT_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Opened:
    """A visit that one browser owns. ``browser_secret`` may go only into that browser's cookie."""

    session: ManagementSession
    browser_secret: str = field(repr=False)


def find_visit(session_id: uuid.UUID) -> ManagementSession | None:
    """Return the session for its first page, which shows nothing but the tenant's brand."""
    return ManagementSession.objects.select_related("tenant", "api_client").filter(id=session_id).first()


def open_visit(session_id: uuid.UUID, *, token: str, now: datetime, actor: audit.Actor) -> Opened:
    """Consume the token of a session and bind it to the browser that brought it.

    One short transaction that locks the session. Raises ``SessionUnusable``: "unknown" (no session has this id and
    token), "used", "expired" or "suspended".
    """
    with short_transaction():
        session = lock_management_session(session_id)
        if session is None or not hmac.compare_digest(bytes(session.token_hash), digest(token)):
            raise SessionUnusable(Failure.UNKNOWN)
        if session.is_opened:
            raise SessionUnusable(Failure.USED)
        if session.expires_at <= now:
            raise SessionUnusable(Failure.EXPIRED)
        _check_allowed(session)
        browser_secret = secrets.token_urlsafe(32)
        session.bind_browser(browser_hash=digest(browser_secret), now=now, ends_at=now + VISIT_LIFETIME)
        audit.record(
            "management_session.opened",
            actor=replace(actor, subject=session.end_user),
            tenant_id=session.tenant_id,
            detail={"session": str(session.id)},
        )
    return Opened(session, browser_secret)


def own_visit(session_id: uuid.UUID, *, browser_secret: str | None, now: datetime) -> ManagementSession:
    """Return an open visit for its own browser, and note that it is in use. One query or two, no lock.

    Raises ``SessionUnusable``: "unknown"; "browser" for every other browser, and "no_cookie" for one that brings no
    cookie of ours at all; then "closed" or "suspended".
    """
    session = find_visit(session_id)
    if session is None:
        raise SessionUnusable(Failure.UNKNOWN)
    if not is_own_browser(session, browser_secret):
        raise SessionUnusable(Failure.NO_COOKIE if browser_secret is None else Failure.BROWSER)
    if session.is_over(now=now):
        raise SessionUnusable(Failure.CLOSED)
    _check_allowed(session)
    session.note_seen(now=now)
    return session


def end_visit(session_id: uuid.UUID, *, now: datetime, actor: audit.Actor, check: RowCheck | None = None) -> None:
    """End a visit for good. Repeating it changes nothing. One short transaction that locks the session.

    Raises what ``check`` raises of the locked session.
    """
    with short_transaction():
        session = lock_management_session(session_id)
        if check is not None:
            check(session)
        if session is None or session.ended_at is not None:
            return
        session.end(now=now)
        audit.record(
            "management_session.ended",
            actor=actor,
            tenant_id=session.tenant_id,
            detail={"session": str(session.id), "end_user": session.end_user},
        )


def may_connect(session: ManagementSession) -> bool:
    """Whether connect sessions may be begun from the page: its client may do so by itself. No I/O."""
    return Permission.CONNECT in session.api_client.permissions


def _check_allowed(session: ManagementSession) -> None:
    """Raise "suspended" where a kill switch is thrown, or the client may not do any more what the page does.

    Its key may have been revoked in the very moment in which the visit was asked for.
    """
    needed = {Permission.READ, Permission.MANAGE}
    is_revoked = ApiKey.objects.filter(id__in=[session.api_key_id], revoked_at__isnull=False).exists()
    if session.is_suspended or is_revoked or not needed <= set(session.api_client.permissions):
        raise SessionUnusable(Failure.SUSPENDED)
