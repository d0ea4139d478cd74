"""Authorize: from the click on the invitation to the authorization request (RFC 6749 §4.1.1).

The click consumes the token and binds the session to one browser; every later step of the widget needs that browser's
cookie. Cookies themselves are the entrance's business (``connections/consent``).
"""

import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from connections.lifecycle import audit
from connections.lifecycle.asked import Asked, remember
from connections.lifecycle.begin_connect import apps_for, digest
from connections.lifecycle.failures import Failure
from connections.lifecycle.locking import lock_session, short_transaction
from connections.lifecycle.outcomes import InvalidRequest, SessionUnusable
from connections.lifecycle.targets import Access, access_to, entry_of, registrar_of
from connections.models import ConnectSession, ProviderApp, SessionState
from providers.catalog.fields import Param
from providers.errors import MisconfiguredProvider
from providers.values import AuthorizationRequest
from providers.vocabulary import ParamScope

BROWSER_LIFETIME = timedelta(minutes=30)
OPEN = (SessionState.STARTED, SessionState.AUTHORIZING)


@dataclass(frozen=True, slots=True)
class Started:
    """A session that one browser now owns; ``browser_secret`` goes into that browser's cookie and nowhere else."""

    session: ConnectSession
    browser_secret: str = field(repr=False)


def find_session(session_id: uuid.UUID) -> ConnectSession | None:
    """Return the session for its landing page, which shows nothing but the tenant's brand and the providers' names."""
    return ConnectSession.objects.select_related("tenant", "provider_app", "reconnects").filter(id=session_id).first()


def start(session_id: uuid.UUID, *, token: str, now: datetime, actor: audit.Actor) -> Started:
    """Consume the token of a session and bind it to the browser that brought it.

    Raises ``SessionUnusable``: "unknown" (no such session and token), "used", "expired" or "suspended".
    """
    with short_transaction():
        session = lock_session(id=session_id)
        if session is None or not hmac.compare_digest(bytes(session.token_hash), digest(token)):
            raise SessionUnusable(Failure.UNKNOWN)
        _check_link(session, now=now)
        browser_secret = secrets.token_urlsafe(32)
        session.state = SessionState.STARTED
        session.browser_hash = digest(browser_secret)
        session.browser_expires_at = now + BROWSER_LIFETIME
        session.save(update_fields=["state", "browser_hash", "browser_expires_at", "updated_at"])
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


def check_browser(session: ConnectSession, browser_secret: str | None, *, now: datetime) -> None:
    """Raise ``SessionUnusable`` unless the session's own browser asks, and in time ("expired").

    "no_cookie" says that a step in progress was asked for by a browser that sent no cookie at all (``browser_secret``
    is None): it keeps none, or it is another one that has none yet. With any other of our cookies it is "browser".
    """
    is_late = session.browser_expires_at is None or session.browser_expires_at <= now
    # After the time is up the right browser may have no cookie either.
    if browser_secret is None and session.state in OPEN:
        if not is_late:
            raise SessionUnusable(Failure.NO_COOKIE)
    else:
        check_cookie(session, browser_secret)
    if is_late:
        raise SessionUnusable(Failure.EXPIRED)


def check_cookie(session: ConnectSession, browser_secret: str | None) -> None:
    """Raise ``SessionUnusable`` ("browser") unless ``browser_secret`` is that of the session's own browser."""
    if not is_own_browser(session, browser_secret):
        raise SessionUnusable(Failure.BROWSER)


def is_own_browser(session: ConnectSession, browser_secret: str | None) -> bool:
    """Whether ``browser_secret`` is what the session's own browser got."""
    held = bytes(session.browser_hash or b"")
    return bool(browser_secret and held) and hmac.compare_digest(held, digest(browser_secret or ""))


def own_session(session_id: uuid.UUID, *, browser_secret: str | None, now: datetime) -> ConnectSession:
    """Return a session in progress for its own browser. Raises ``SessionUnusable``."""
    session = find_session(session_id)
    if session is None:
        raise SessionUnusable(Failure.UNKNOWN)
    check_browser(session, browser_secret, now=now)
    return session


def authorization_url(
    session_id: uuid.UUID,
    *,
    app_id: uuid.UUID,
    params: Mapping[str, str],
    browser_secret: str | None,
    now: datetime,
) -> str:
    """Return where to send the end user: the authorization request, with a fresh state and code challenge.

    ``params`` are what the end user typed into the fields before OAuth. Raises ``SessionUnusable``, ``InvalidRequest``
    (a field) and ``AppMisconfigured``.
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
        session.state = SessionState.AUTHORIZING
        session.provider_app = app
        session.failure = ""
        session.callback_params = {}
        session.state_hash = digest(state)
        remember(session, Asked(None if verifier is None else SecretStr(verifier), registrar_of(app)))
        session.save()
    try:
        return access.strategy.authorization_url(
            access.target,
            AuthorizationRequest(state=state, scopes=scopes, code_verifier=verifier, locale=session.locale),
        )
    except MisconfiguredProvider as error:
        raise InvalidRequest(error.evidence.detail, field="params") from None


def chosen_app(session: ConnectSession, app_id: uuid.UUID) -> ProviderApp:
    """Return the provider app of ``session`` with this id, if its step is open. Raises ``SessionUnusable``."""
    if session.state not in OPEN:
        raise SessionUnusable(Failure.USED)
    if session.is_suspended:
        raise SessionUnusable(Failure.SUSPENDED)
    for app in apps_for(session):
        if app.id == app_id:
            return app
    raise SessionUnusable(Failure.UNKNOWN)


def fixed_params(session: ConnectSession) -> dict[str, str]:
    """Return the parameters that the end user is not asked for: the renewed connection's, then the session's own."""
    fixed = {**session.params, **(session.reconnects.params if session.reconnects is not None else {})}
    return {name: value for name, value in fixed.items() if value}


def params_of(session: ConnectSession, app: ProviderApp) -> dict[str, str]:
    """Return the connection's parameters for ``app``: those that are fixed, and under them what was typed last.

    What only the callback carries comes from there: the session may fix it, a renewed connection only stands in for
    what was left out (``leads_elsewhere``). Names of other providers are left out: the session may have named some for
    other choices.
    """
    entry = entry_of(app)
    known = {**session.typed_params, **fixed_params(session)}
    params = {param.name: known[param.name] for param in entry.typed_params(app.auth_style) if param.name in known}
    if app.redirects:
        brought = {**known, **session.callback_params, **session.params}
        params |= {param.name: brought[param.name] for param in _carried(app) if brought.get(param.name)}
    return params


def brought_params(session: ConnectSession, brought: Mapping[str, str]) -> dict[str, str]:
    """Return what an authorization response brought of the parameters that only it carries: to be stored.

    Raises ``SessionUnusable``: "parameter_missing" where one is known from nowhere else, and "parameter_unknown" where
    one is none of the entry's choices or has another form.
    """
    app = session.provider_app
    known = fixed_params(session)
    checked: dict[str, str] = {}
    for param in _carried(app) if app is not None else ():
        value = brought.get(param.name, "")
        if not value and known.get(param.name):
            continue
        value = value or param.default
        if not value:
            raise SessionUnusable(Failure.PARAMETER_MISSING)
        if not param.accepts(value):
            raise SessionUnusable(Failure.PARAMETER_UNKNOWN)
        checked[param.name] = value
    return checked


def leads_elsewhere(session: ConnectSession) -> bool:
    """Whether the callback named another company, shop or region than the session or the renewed connection is about.

    Raises ``AppMisconfigured``.
    """
    app = session.provider_app
    if app is None or not app.redirects:
        return False
    fixed = dict(session.params) if session.allows_account_change else fixed_params(session)
    return any(
        fixed.get(param.name) and session.callback_params.get(param.name, fixed[param.name]) != fixed[param.name]
        for param in _carried(app)
    )


def _carried(app: ProviderApp) -> tuple[Param, ...]:
    return entry_of(app).params_of(ParamScope.CALLBACK)


def checked_params(session: ConnectSession, app: ProviderApp, typed: Mapping[str, str]) -> dict[str, str]:
    """Return what the end user typed, or left at its default, of the parameters that are not fixed: to be stored.

    Raises ``InvalidRequest`` naming the field.
    """
    fixed = fixed_params(session)
    checked: dict[str, str] = {}
    for param in entry_of(app).typed_params(app.auth_style):
        value = fixed.get(param.name) or typed.get(param.name, "").strip() or param.default
        if not param.accepts(value):
            example = f" It looks like {param.example}." if param.example else ""
            raise InvalidRequest(f"Check {param.label}.{example}", field=param.name)
        if param.name not in fixed:
            checked[param.name] = value
    return checked


def requested_scopes(session: ConnectSession, app: ProviderApp, access: Access) -> tuple[str, ...]:
    """Return the scopes to ask for: the session's, else the provider app's, else the entry's defaults."""
    entry = access.target.entry
    if session.requested_scopes is not None:
        return entry.with_required_scopes(session.requested_scopes)
    if app.scopes:
        return entry.with_required_scopes(app.scopes)
    return entry.with_required_scopes([scope.name for scope in entry.scopes if scope.default])
