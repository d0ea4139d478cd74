"""Find a connect session for its own browser, refuse it to every other browser, and say why it cannot go on.

``models.ConnectSession`` has the steps that a session may take. ``connections.consent`` sets and reads the cookies.
"""

import hmac
import uuid
from datetime import datetime

from connections.access.secrets import current_data_key, digest
from connections.models import IN_BROWSER, ConnectSession, ManagementSession, SessionState, Status
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, SessionUnusable, Suspended
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable


def find_session(session_id: uuid.UUID) -> ConnectSession | None:
    """Return the session for its landing page, which shows nothing but the tenant's brand and the providers' names."""
    joined = ConnectSession.objects.select_related("tenant", "api_client", "asked_by", "provider_app", "reconnects")
    return joined.filter(id=session_id).first()


def data_key_of(session: ConnectSession) -> DataKey:
    """Return the current data key of the tenant of ``session``, for all that one use case opens and seals. One query.

    Raises ``AppMisconfigured`` where it does not open.
    """
    try:
        return current_data_key(session.tenant_id)
    except Unreadable:
        raise AppMisconfigured("The data key of the tenant does not open: restore its key in KEK_KEYS.") from None


def check_browser(session: ConnectSession, browser_secret: str | None, *, now: datetime) -> None:
    """Raise ``SessionUnusable`` unless the session's own browser asks, and in time (else "expired"). No I/O.

    "no_cookie" means that a browser without any cookie of ours (``browser_secret`` is None) asked for a step in
    progress: it does not store cookies, or it is another browser. With a wrong cookie the failure is "browser".
    """
    is_late = session.browser_expires_at is None or session.browser_expires_at <= now
    # After the session's time is up, its own browser may have lost the cookie too.
    if browser_secret is None and session.state in IN_BROWSER:
        if not is_late:
            raise SessionUnusable(Failure.NO_COOKIE)
    else:
        check_cookie(session, browser_secret)
    if is_late:
        raise SessionUnusable(Failure.EXPIRED)


def check_cookie(session: ConnectSession, browser_secret: str | None) -> None:
    """Raise ``SessionUnusable`` ("browser") unless ``browser_secret`` is the secret of the session's own browser."""
    if not is_own_browser(session, browser_secret):
        raise SessionUnusable(Failure.BROWSER)


def is_own_browser(session: ConnectSession | ManagementSession, browser_secret: str | None) -> bool:
    """Whether ``browser_secret`` is the secret of the session's own browser. Compares in constant time. No I/O."""
    held = bytes(session.browser_hash or b"")
    return bool(browser_secret and held) and hmac.compare_digest(held, digest(browser_secret or ""))


def own_session(session_id: uuid.UUID, *, browser_secret: str | None, now: datetime) -> ConnectSession:
    """Return a session in progress for its own browser. One query, no lock.

    Raises ``SessionUnusable``: "unknown", or what ``check_browser`` raises.
    """
    session = find_session(session_id)
    if session is None:
        raise SessionUnusable(Failure.UNKNOWN)
    check_browser(session, browser_secret, now=now)
    return session


def stands_against(session: ConnectSession, *, now: datetime) -> SessionUnusable | Suspended | None:
    """Return the refusal if ``session`` may not be exchanged now, else None. No I/O."""
    if session.is_overdue(now=now):
        return SessionUnusable(Failure.EXPIRED, "This came too late: let the end user connect again.")
    if session.is_being_exchanged(now=now):
        return under_way()
    if session.state not in (SessionState.HELD, SessionState.EXCHANGING, SessionState.CHOOSING):
        failure = session.failure or Failure.USED
        return SessionUnusable(failure, "Nothing is held any more: let the end user connect again.")
    if session.connection is None or session.connection.status == Status.DISCONNECTED:
        return SessionUnusable(
            Failure.GONE, "The connection was disconnected meanwhile: let the end user connect again."
        )
    if session.provider_app is None or session.is_suspended:
        return Suspended("An operator has switched this off; nothing was exchanged.")
    return None


def under_way() -> SessionUnusable:
    """Return the refusal for a caller that asks while another process exchanges. No I/O."""
    return SessionUnusable(Failure.EXCHANGING, "The exchange is under way: ask again shortly.", retry_after_seconds=2)
