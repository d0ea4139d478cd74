"""Callback: the authorization response (RFC 6749 §4.1.2), checked before anything is sent to a token endpoint.

The state is consumed by the first response that names it, whatever comes of it. Cookie, provider app and issuer
(RFC 9207) are compared before the code is held; a mismatch of any ends the session, because the response may have been
planted (mix-up, COAT, CORF, a link sent to somebody else).
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connections.lifecycle import audit
from connections.lifecycle.authorize import check_browser, params_of
from connections.lifecycle.begin_connect import digest
from connections.lifecycle.failures import Failure
from connections.lifecycle.hold import Held, destroy_held, hold
from connections.lifecycle.locking import lock_session, short_transaction
from connections.lifecycle.outcomes import SessionUnusable
from connections.lifecycle.targets import access_to
from connections.models import ConnectSession, SessionState
from providers.catalog.schema import AuthorizationCodeMethod
from providers.errors import plain_error_code
from providers.vocabulary import IssParameter

CODE_MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class Declined:
    """The end user or the provider said no; the same browser may try again."""

    session: ConnectSession
    error: str


def receive_callback(
    app_id: uuid.UUID,
    response: Mapping[str, str],
    *,
    browser_secret_of: Callable[[uuid.UUID], str | None],
    now: datetime,
    actor: audit.Actor,
) -> Held | Declined:
    """Check an authorization response and hold its code.

    ``response`` are the response parameters, each given once; ``browser_secret_of`` returns the cookie's value for a
    session id. Raises ``SessionUnusable``; its ``failure`` is "state", "callback", "browser", "expired", "issuer" or
    "no_code". No HTTP.
    """
    with short_transaction():
        session = lock_session(state_hash=digest(response.get("state", "")))
        if session is None or session.state != SessionState.AUTHORIZING:
            refusal = SessionUnusable(Failure.STATE)
            audit.record(
                "callback.refused",
                decision=refusal.failure,
                actor=actor,
                tenant_id=session.tenant_id if session else None,
                detail={"provider_app": str(app_id)},
            )
        else:
            found = _checked(session, app_id, response, browser_secret_of(session.id), now=now)
            if isinstance(found, str):
                return hold(session, json.dumps({"code": found}).encode(), now=now, actor=actor)
            if isinstance(found, Declined):
                _reopen(session, found.error, actor=actor)
                return found
            refusal = found
            destroy_held(session, failure=found.failure)
            audit.record(
                "callback.refused",
                decision=found.failure,
                actor=actor,
                tenant_id=session.tenant_id,
                detail={"session": str(session.id), "provider_app": str(app_id)},
            )
    raise refusal


def _checked(
    session: ConnectSession,
    app_id: uuid.UUID,
    response: Mapping[str, str],
    browser_secret: str | None,
    *,
    now: datetime,
) -> str | Declined | SessionUnusable:
    """Return the code, or what stands against it."""
    if session.provider_app is None or session.provider_app.id != app_id:
        return SessionUnusable(Failure.CALLBACK)
    try:
        check_browser(session, browser_secret, now=now)
    except SessionUnusable as refusal:
        return refusal
    # From a refusal nothing is taken but that it was one, and many servers that promise `iss` leave it out there.
    is_bare_refusal = "error" in response and "iss" not in response
    if not is_bare_refusal and not _issuer_agrees(session, response.get("iss")):
        return SessionUnusable(Failure.ISSUER)
    if "error" in response:
        return Declined(session, plain_error_code(response["error"]) or "server_error")
    code = response.get("code", "")
    if not code or len(code) > CODE_MAX_LENGTH:
        return SessionUnusable(Failure.NO_CODE)
    return code


def _issuer_agrees(session: ConnectSession, iss: str | None) -> bool:
    if session.provider_app is None:
        return False
    target = access_to(session.provider_app, params_of(session, session.provider_app)).target
    method = target.oauth_method
    required = isinstance(method, AuthorizationCodeMethod) and method.iss_parameter is IssParameter.REQUIRED
    if iss is None:
        return not required
    # Where no issuer is known there is nothing to compare with: the path of the callback is what tells servers apart.
    return target.endpoints.issuer in ("", iss)


def _reopen(session: ConnectSession, error: str, *, actor: audit.Actor) -> None:
    """Consume the state, and let the same browser ask again."""
    session.state = SessionState.STARTED
    session.state_hash = None
    session.code_verifier = None
    session.failure = error[:40]
    session.save()
    audit.record(
        "callback.declined",
        decision=error[:40],
        actor=actor,
        tenant_id=session.tenant_id,
        detail={"session": str(session.id)},
    )
