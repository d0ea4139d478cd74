"""Authorize: from the click on the invitation to the authorization request (RFC 6749 §4.1.1).

The click consumes the token and binds the session to one browser. Every later step of the widget needs that browser's
cookie. ``connections.consent`` sets and reads the cookies.
"""

import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from connections.access.secrets import digest
from connections.access.targets import access_to, registrar_of
from connections.database.locks import lock_session
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.connect.asked import Asked, seal_asked
from connections.lifecycle.connect.params import checked_params, chosen_app, params_of, requested_scopes
from connections.lifecycle.connect.session import check_browser
from connections.models import ConnectSession, SessionState
from connections.models.failures import Failure
from connections.refusals import InvalidRequest, SessionUnusable
from providers.errors import MisconfiguredProvider
from providers.values import AuthorizationRequest

BROWSER_LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Started:
    """A session that one browser owns. ``browser_secret`` may go only into that browser's cookie."""

    session: ConnectSession
    browser_secret: str = field(repr=False)


def start(session_id: uuid.UUID, *, token: str, now: datetime, actor: audit.Actor) -> Started:
    """Consume the token of a session and bind it to the browser that brought it.

    One short transaction; locks the session. Raises ``SessionUnusable``: "unknown" (no session has this id and token),
    "used", "expired" or "suspended".
    """
    with short_transaction():
        session = lock_session(id=session_id)
        if session is None or not hmac.compare_digest(bytes(session.token_hash), digest(token)):
            raise SessionUnusable(Failure.UNKNOWN)
        _check_link(session, now=now)
        browser_secret = secrets.token_urlsafe(32)
        session.bind_browser(browser_hash=digest(browser_secret), until=now + BROWSER_LIFETIME)
        audit.record(
            "connect_session.started", actor=actor, tenant_id=session.tenant_id, detail={"session": str(session.id)}
        )
    return Started(session, browser_secret)


def _check_link(session: ConnectSession, *, now: datetime) -> None:
    is_unopened = session.state == SessionState.CREATED or (
        session.failure == Failure.EXPIRED and session.browser_hash is None
    )
    if not is_unopened:
        raise SessionUnusable(Failure.USED)
    if session.expires_at <= now:
        raise SessionUnusable(Failure.EXPIRED)
    if session.is_suspended:
        raise SessionUnusable(Failure.SUSPENDED)


def authorization_url(
    session_id: uuid.UUID,
    *,
    app_id: uuid.UUID,
    params: Mapping[str, str],
    browser_secret: str | None,
    now: datetime,
) -> str:
    """Return the URL of the authorization request for the end user, with a fresh state and code challenge.

    ``params`` holds the values that the end user typed into the fields before OAuth, by the names of the entry's
    parameters. Raises ``SessionUnusable``, ``InvalidRequest`` (naming the field) and ``AppMisconfigured``.
    """
    with short_transaction():
        session = lock_session(id=session_id)
        if session is None:
            raise SessionUnusable(Failure.UNKNOWN)
        check_browser(session, browser_secret, now=now)
        app = chosen_app(session, app_id)
        session.typed_params = checked_params(session, app, params)
        access = access_to(app, params_of(session, app), before_callback=True)
        state = secrets.token_urlsafe(32)
        verifier = access.strategy.new_verifier(access.target)
        scopes = requested_scopes(session, app, access)
        asked = Asked(None if verifier is None else SecretStr(verifier), registrar_of(app))
        session.send_to_provider(
            app,
            typed_params=session.typed_params,
            state_hash=digest(state),
            code_verifier=seal_asked(session, asked),
        )
    try:
        return access.strategy.authorization_url(
            access.target,
            AuthorizationRequest(state=state, scopes=scopes, code_verifier=verifier, locale=session.locale),
        )
    except MisconfiguredProvider as error:
        raise InvalidRequest(error.evidence.detail, field="params") from None
