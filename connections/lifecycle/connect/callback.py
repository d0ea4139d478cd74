"""Callback: the authorization response (RFC 6749 §4.1.2), checked before anything is sent to a token endpoint.

The first response that names a state consumes it, whatever the outcome: a session waits for its answer in the state
``authorizing``, and every outcome leaves that state. Provider app, cookie and issuer (RFC 9207) are compared before the
code is held. A mismatch of any of them ends the session, because the response may have been planted (mix-up, COAT,
CORF, a link sent to somebody else). A response without a code leaves the session open for another try.

The session's own browser may bring its answer again and again; each time it sees where the session stands.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from connections.access.secrets import current_data_key, digest
from connections.access.targets import access_to, entry_of
from connections.database.locks import lock_session
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.journal.flood import Gate
from connections.lifecycle.connect.burn import burn, is_burnt
from connections.lifecycle.connect.hold import Held, hold, still_held
from connections.lifecycle.connect.params import brought_params, params_of
from connections.lifecycle.connect.session import check_browser, is_own_browser
from connections.lifecycle.connect.trace import DONE, note_step
from connections.models import IN_BROWSER, ConnectSession, ProviderApp, SessionState
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, SessionUnusable
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable
from providers.catalog.schema import CatalogEntry
from providers.oauth.authorization_response import AuthorizationResponse, names_read, read_response
from providers.recording import told_of

# Limits the audit rows of answers that change nothing: anybody can bring those.
unasked = Gate()

_MOST_SESSIONS = 20  # in one browser, which cannot keep many more cookies of one site


@dataclass(frozen=True, slots=True)
class Cookies:
    """The session cookies of one browser.

    ``secret_of`` returns the secret of one session, or None. ``all`` maps the first 16 hex digits of each session's id
    to its secret.
    """

    secret_of: Callable[[uuid.UUID], str | None]
    all: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What to show the browser: where its session stands, or the failure of an answer that changed nothing.

    ``session_id`` is None for a browser that owns no session: it sees no tenant's brand and no way back. ``failure`` is
    None where the session's own state says how it ended.
    """

    session_id: uuid.UUID | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class _Ends:
    """The verdict that ends the session, with its failure."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class _Reopens:
    """The verdict that leaves the session open for another try: a failure of ours, or the provider's own error code."""

    failure: str


def receive_callback(
    place: uuid.UUID,
    given: Mapping[str, Sequence[str]],
    *,
    cookies: Cookies,
    actor: audit.Actor,
) -> Held | Told:
    """Check an authorization response and hold its code.

    ``place`` is the id at the end of the callback's path: a provider app's, or that of a client which one registered.
    ``given`` maps each parameter of the response to all its values. One transaction that locks the session; no HTTP.
    Returns a refusal of the response as ``Told`` and does not raise it. Raises ``LockTimeout``, with nothing changed.
    """
    app = _app_at(place)
    response = read_response(given, entry=_entry(app), style=_style(app))
    with short_transaction() as now:
        session = lock_session(state_hash=digest(response.state)) if response.state else None
        if session is None:
            return _answer_unasked(app, response, cookies, now=now, actor=actor)
        secret = cookies.secret_of(session.id)
        if session.state != SessionState.AUTHORIZING:
            return _answer_repeat(session, app, response, secret, now=now, actor=actor)
        received = _receive(session, app, place, response, secret, now=now, actor=actor)
    outcome = session.failure or DONE
    note_step(session.id, "callback", outcome=outcome, exchanges=[{"came": told_of(_single(given))}])
    return received


def _single(given: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in given.items() if values}


def parameters_read(place: uuid.UUID) -> frozenset[str]:
    """Return the names of the parameters that this module reads from a response at this callback."""
    app = _app_at(place)
    return names_read(_entry(app), _style(app))


def session_of_browser(app: ProviderApp | None, cookies: Cookies) -> ConnectSession | None:
    """Return the latest session of ``app`` that this browser owns by its cookies, or None."""
    ranges = Q(pk__in=[])
    for start in list(cookies.all)[:_MOST_SESSIONS]:
        ranges |= Q(id__gte=uuid.UUID(start.ljust(32, "0")), id__lte=uuid.UUID(start.ljust(32, "f")))
    about = Q(provider_app=app) | Q(providers__contains=[app.provider]) if app is not None else Q(pk__in=[])
    found = ConnectSession.objects.filter(ranges, about).select_related("tenant").order_by("-updated_at")
    own = [
        session for session in found[:_MOST_SESSIONS] if is_own_browser(session, cookies.all.get(session.id.hex[:16]))
    ]
    waiting = [session for session in own if session.state in IN_BROWSER]
    return next(iter(waiting or own), None)


def _app_at(place: uuid.UUID) -> ProviderApp | None:
    """Return the provider app to which a callback belongs, or None if none does. One query, or two."""
    return (
        ProviderApp.objects.filter(Q(id=place)).first() or ProviderApp.objects.filter(registered_clients=place).first()
    )


def _entry(app: ProviderApp | None) -> CatalogEntry | None:
    try:
        return None if app is None else entry_of(app)
    except AppMisconfigured:
        return None


def _style(app: ProviderApp | None) -> str:
    return "" if app is None else app.auth_style


def _receive(
    session: ConnectSession,
    at: ProviderApp | None,
    place: uuid.UUID,
    response: AuthorizationResponse,
    secret: str | None,
    *,
    now: datetime,
    actor: audit.Actor,
) -> Held | Told:
    """Consume the state of the locked ``session`` with its first answer."""
    try:
        key = current_data_key(session.tenant_id)
    except Unreadable:
        key = None
    verdict = _verdict(session, place, response, secret, key=key, now=now)
    if verdict is None and key is not None:
        session.callback_params = brought_params(session, response.params)
        content = json.dumps({"code": response.code}).encode()
        return hold(session, content, key=key, browser_secret=secret or "", now=now, actor=actor)
    verdict = verdict or _Reopens(Failure.CREDENTIAL_UNREADABLE)
    if isinstance(verdict, _Reopens):
        _reopen(session, verdict.failure, actor=actor)
        return Told(session.id, None)
    is_own = is_own_browser(session, secret)
    if not is_own and at is not None:
        burn(at.id, response.code, session=session, now=now)
    session.fail(verdict.failure)
    _record_refusal(verdict.failure, app_id=place if at is None else at.id, session=session, actor=actor)
    return Told(session.id, None) if is_own else Told(None, verdict.failure)


def _verdict(
    session: ConnectSession,
    place: uuid.UUID,
    response: AuthorizationResponse,
    secret: str | None,
    *,
    key: DataKey | None,
    now: datetime,
) -> _Ends | _Reopens | None:
    """Judge the first answer to ``session``. Return None if its code is to be held.

    ``key`` is the data key of the session's tenant, or None where it does not open.
    """
    app = session.provider_app
    if app is None or place != (session.registered_client_id or app.id):
        return _Ends(Failure.CALLBACK)
    try:
        check_browser(session, secret, now=now)
    except SessionUnusable as refusal:
        return _Ends(Failure(refusal.failure))
    if response.is_repeated or response.is_too_long:
        return _Reopens(Failure.REPEATED if response.is_repeated else Failure.TOO_LONG)
    brings_code = bool(response.code) and not response.error and not response.awaits_approval
    try:
        # A response without a code gives us nothing, and many servers that promise `iss` omit it from a refusal.
        if (brings_code or response.iss is not None) and not _issuer_agrees(session, app, response.iss, key):
            return _Ends(Failure.ISSUER)
        if not brings_code:
            return _Reopens(_why_no_code(response))
        brought_params(session, response.params)
    except AppMisconfigured:
        return _Reopens(Failure.APP_MISCONFIGURED)
    except SessionUnusable as refusal:
        return _Reopens(refusal.failure)
    return _Ends(Failure.CODE_BURNT) if is_burnt(app.id, response.code, session=session) else None


def _why_no_code(response: AuthorizationResponse) -> str:
    if response.awaits_approval:
        return Failure.APPROVAL_REQUESTED
    return response.error or Failure.NO_CODE


def _issuer_agrees(session: ConnectSession, app: ProviderApp, iss: str | None, key: DataKey | None) -> bool:
    """Whether ``iss`` is the issuer that the entry expects (RFC 9207 §2.4). Raises ``AppMisconfigured``."""
    access = access_to(app, params_of(session, app), client=session.registered_client, key=key, before_callback=True)
    return access.strategy.issuer_agrees(access.target, iss)


def _reopen(session: ConnectSession, failure: str, *, actor: audit.Actor) -> None:
    """Let the same browser ask again. The state stays stored and stays consumed."""
    session.reopen(failure)
    audit.record(
        "callback.declined",
        decision=session.failure,
        actor=actor,
        tenant_id=session.tenant_id,
        detail={"session": str(session.id)},
    )


def _answer_repeat(
    session: ConnectSession,
    app: ProviderApp | None,
    response: AuthorizationResponse,
    secret: str | None,
    *,
    now: datetime,
    actor: audit.Actor,
) -> Held | Told:
    """Answer a response whose state was consumed already. Accept nothing from that response."""
    if is_own_browser(session, secret):
        return still_held(session, browser_secret=secret or "", now=now) or Told(session.id, None)
    if app is not None:
        burn(app.id, response.code, session=session, now=now)
    _record_unasked(Failure.STATE, app, session=session, actor=actor)
    return Told(None, Failure.STATE)


def _answer_unasked(
    app: ProviderApp | None,
    response: AuthorizationResponse,
    cookies: Cookies,
    *,
    now: datetime,
    actor: audit.Actor,
) -> Told:
    """Answer a response without a state, or with one that no session waits for. Change no session."""
    own = session_of_browser(app, cookies)
    if app is not None:
        burn(app.id, response.code, session=own, now=now)
    if own is not None and own.state not in IN_BROWSER:
        return Told(own.id, None)
    failure = Failure.STATE if response.state else Failure.NO_STATE
    if response.is_repeated or response.is_too_long:
        failure = Failure.REPEATED if response.is_repeated else Failure.TOO_LONG
    elif own is not None and response.awaits_approval:
        failure = Failure.APPROVAL_REQUESTED
    elif own is not None and response.error:
        failure = Failure.DECLINED
    elif own is None and not response.state:
        failure = Failure.UNASKED
    _record_unasked(failure, app, session=own, actor=actor)
    return Told(own.id if own is not None else None, failure)


def _record_unasked(
    failure: Failure, app: ProviderApp | None, *, session: ConnectSession | None, actor: audit.Actor
) -> None:
    if (detail := unasked.admit(actor.address)) is not None:
        _record_refusal(failure, app_id=None if app is None else app.id, session=session, actor=actor, further=detail)


def _record_refusal(
    failure: Failure,
    *,
    app_id: uuid.UUID | None,
    session: ConnectSession | None,
    actor: audit.Actor,
    further: Mapping[str, Any] | None = None,
) -> None:
    detail = dict(further or {}) | ({"provider_app": str(app_id)} if app_id is not None else {})
    audit.record(
        "callback.refused",
        decision=failure,
        actor=actor,
        tenant_id=session.tenant_id if session is not None else None,
        detail=detail | ({"session": str(session.id)} if session is not None else {}),
    )
