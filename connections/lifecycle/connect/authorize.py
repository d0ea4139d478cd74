"""Authorize: from the click on the invitation to the authorization request (RFC 6749 §4.1.1).

The click consumes the token and binds the session to one browser. Every later step of the widget needs that browser's
cookie. ``connections.consent`` sets and reads the cookies.
"""

import hmac
import secrets
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError

from connections.access.secrets import digest
from connections.access.targets import Access, access_to, registrar_of
from connections.database.locks import lock_session
from connections.database.pool import release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.connect.asked import Asked, seal_asked
from connections.lifecycle.connect.not_asked import refusal_to_ask
from connections.lifecycle.connect.params import (
    check_may_choose,
    checked_params,
    chosen_app,
    params_of,
)
from connections.lifecycle.connect.scopes import adds_at_provider, requested_scopes
from connections.lifecycle.connect.session import check_browser, data_key_of
from connections.lifecycle.connect.trace import traced
from connections.lifecycle.registration.locate import Located, has_to_locate, locate
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import ConnectSession, ProviderApp, SessionState
from connections.models.failures import Failure
from connections.refusals import ProviderDown, SessionUnusable
from providers.errors import ProviderError
from providers.values import AuthorizationRequest, Departure

BROWSER_LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Started:
    """A session that one browser owns as of ``at``. ``browser_secret`` may go only into that browser's cookie."""

    session: ConnectSession
    browser_secret: str = field(repr=False)
    at: datetime


def start(session_id: uuid.UUID, *, token: str, actor: audit.Actor) -> Started:
    """Consume the token of a session and bind it to the browser that brought it.

    One short transaction; locks the session. Raises ``SessionUnusable``: "unknown" (no session has this id and token),
    "used", "expired" or "suspended".
    """
    with short_transaction() as now:
        session = lock_session(id=session_id)
        if session is None or not hmac.compare_digest(bytes(session.token_hash), digest(token)):
            raise SessionUnusable(Failure.UNKNOWN)
        _check_link(session, now=now)
        browser_secret = secrets.token_urlsafe(32)
        session.bind_browser(browser_hash=digest(browser_secret), until=now + BROWSER_LIFETIME)
        audit.record(
            "connect_session.started", actor=actor, tenant_id=session.tenant_id, detail={"session": str(session.id)}
        )
    return Started(session, browser_secret, now)


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


@traced("authorize")
def authorization_url(
    session: ConnectSession,
    app: ProviderApp,
    *,
    params: Mapping[str, str],
    browser_secret: str | None,
    now: datetime,
) -> str:
    """Return the URL of the authorization request for the end user, with a fresh state and code challenge.

    ``session`` and ``app`` are as the caller has just read them for this browser (``start``, or ``own_session`` and
    ``chosen_app``). The session is checked again under the lock, and the app too if somebody was asked meanwhile.
    ``params`` holds the values that the end user typed into the fields before OAuth, by the names of the entry's
    parameters. Some providers are asked first, and so is an MCP server: where its end users consent, and to know our
    client (HTTP, no lock held during it). Then one short transaction that locks the session. Raises
    ``SessionUnusable``, ``InvalidRequest`` (naming the field), ``AppMisconfigured`` and ``ProviderDown``, after which
    the same click may be repeated.
    """
    session.typed_params = typed = checked_params(session, app, params)
    located, is_located = Located(), has_to_locate(app)
    if is_located:
        located = locate(app, params_of(session, app), tenant_id=session.tenant_id, actor=audit.SYSTEM)
    session.found_params, session.found_scopes = located.params, located.scopes and list(located.scopes)
    key = data_key_of(session)
    access = access_to(app, params_of(session, app), client=located.client, key=key, before_callback=True)
    registrar = registrar_of(app, located.client)
    scopes = requested_scopes(session, app, access.target.entry)
    departure = _depart(session, app, access, scopes)
    try:
        with short_transaction():
            locked = lock_session(id=session.id)
            if locked is None:
                raise SessionUnusable(Failure.UNKNOWN)
            check_browser(locked, browser_secret, now=now)
            check_may_choose(locked)
            if is_located or access.capabilities.asks_first:
                chosen_app(locked, app.id)
            locked.send_to_provider(
                app,
                typed_params=typed,
                found_params=session.found_params,
                found_scopes=session.found_scopes,
                registered_client=located.client,
                state_hash=digest(departure.state),
                code_verifier=seal_asked(locked, Asked(departure.kept, registrar, departure.nonce, scopes), key=key),
            )
    except IntegrityError:
        # A state of ours is never the same; a provider's temporary token is, if it hands one out twice.
        raise ProviderDown(f"{access.target.entry.name} began this with somebody else already. Try again.") from None
    return departure.url


def _depart(session: ConnectSession, app: ProviderApp, access: Access, scopes: tuple[str, ...]) -> Departure:
    """Return where the end user goes. HTTP where the provider is asked first: no database connection spans that."""
    strategy, target = access.strategy, access.target
    request = AuthorizationRequest(
        state=secrets.token_urlsafe(32),
        scopes=scopes,
        code_verifier=strategy.new_verifier(target),
        locale=session.locale,
        nonce=secrets.token_urlsafe(32),
        adds_scopes=adds_at_provider(session, app, access.target.entry),
    )
    place: AbstractContextManager[None] = nullcontext()
    if access.capabilities.asks_first:
        release_database()
        place = bulkhead.place(*access.places(app, tenant_id=session.tenant_id))
    try:
        with place:
            return strategy.depart(target, request)
    except ProviderError as error:
        raise refusal_to_ask(session, app, access, error) from None
