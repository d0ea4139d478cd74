"""Poll: ask the provider whether the end user has entered the code (RFC 8628 §3.4), and hold what it gives.

The page that waits calls this, from as many tabs as there are. The session stores from when the provider may be asked
again; whoever moves that moment on makes the one request, so the provider's interval holds for all of them together.
What the provider gives is sealed into the session before anybody decides about it. It is verified like every other
credential when the operator's backend confirms whose it is (``exchange``).
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from connections.access.targets import Access, access_to
from connections.database.locks import lock_session
from connections.database.pool import release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.connect.hold import Held, hold
from connections.lifecycle.connect.kept import Kept
from connections.lifecycle.connect.params import params_of
from connections.lifecycle.connect.session import check_browser, data_key_of
from connections.lifecycle.connect.shown_code import ShownCode, recall_shown, seal_shown
from connections.lifecycle.connect.trace import traced
from connections.lifecycle.credentials.unread import KeptAnswer
from connections.lifecycle.health.incidents import note_refusal
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import IN_BROWSER, ConnectSession, ProviderApp, SessionState
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, SessionUnusable
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable
from providers.errors import (
    AccessDenied,
    AddressRefused,
    AuthorizationPending,
    ClientRejected,
    DeviceCodeExpired,
    MalformedResponse,
    MisconfiguredProvider,
    NotSentInTime,
    ProviderError,
    ProviderUnavailable,
    TargetRefused,
)
from providers.oauth.unread import AnswerUnread

# A poll that is under way keeps others away for longer than any request takes. A process that dies costs that long.
_LEASE = timedelta(seconds=30)
_DECLINED = "access_denied"  # RFC 8628 §3.5; ``consent.words`` has the words for it

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The end user has not decided yet. Ask again after ``seconds``, at least 1."""

    session: ConnectSession
    shown: ShownCode
    seconds: float


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The session waits for no code any more: its outcome page says where it stands."""

    session: ConnectSession


@dataclass(frozen=True, slots=True)
class _Claim:
    """The right to make one request, with all that it needs."""

    app: ProviderApp
    tenant_id: uuid.UUID
    typed_params: dict[str, str]
    shown: ShownCode
    access: Access
    key: DataKey


@traced("poll_code")
def poll_code(
    session_id: uuid.UUID, *, browser_secret: str | None, now: datetime, actor: audit.Actor
) -> Held | Waiting | Elsewhere:
    """Ask the provider how it went, if its interval allows that now, and return where the session stands.

    One HTTP call at the most, with no lock meanwhile; a short transaction before it and one after it, which lock the
    session. Raises ``SessionUnusable`` and ``AppMisconfigured``.
    """
    claimed = _claim(session_id, browser_secret=browser_secret, now=now)
    if not isinstance(claimed, _Claim):
        return claimed
    release_database()
    try:
        with bulkhead.place(*claimed.access.places(claimed.app, tenant_id=claimed.tenant_id)):
            obtained = claimed.access.strategy.poll(claimed.access.target, claimed.shown.grant.device_code)
    except ProviderError as error:
        return _settle(session_id, claimed, error, browser_secret=browser_secret, actor=actor)
    with short_transaction() as then:
        kept = Kept.of(obtained, claimed.access.target, obtained_at=then)
        return _hold(session_id, claimed, kept.to_bytes(), browser_secret=browser_secret, now=then, actor=actor)


def _claim(session_id: uuid.UUID, *, browser_secret: str | None, now: datetime) -> _Claim | Waiting | Elsewhere:
    """Move the moment of the next poll on, or say why nobody is asked now. One short transaction."""
    with short_transaction():
        session = lock_session(id=session_id)
        if session is None:
            raise SessionUnusable(Failure.UNKNOWN)
        check_browser(session, browser_secret, now=now)
        app = session.provider_app
        if session.poll_at is None or app is None:
            return Elsewhere(session)
        if session.is_suspended:
            raise SessionUnusable(Failure.SUSPENDED)
        key = data_key_of(session)
        shown = _recalled(session, key)
        if shown.expires_at <= now:
            session.reopen(Failure.CODE_RUN_OUT)
            return Elsewhere(session)
        if session.poll_at > now:
            return Waiting(session, shown, _seconds(session.poll_at - now))
        shown.check(app)
        access = access_to(app, params_of(session, app), key=key)
        session.poll_again(now + max(_LEASE, shown.interval))
    return _Claim(app, session.tenant_id, dict(session.typed_params), shown, access, key)


def _settle(
    session_id: uuid.UUID, claimed: _Claim, error: ProviderError, *, browser_secret: str | None, actor: audit.Actor
) -> Held | Waiting | Elsewhere:
    """Go on waiting, let the end user try again, or keep an answer that cannot be read. One short transaction."""
    with short_transaction() as now:
        if isinstance(error, AnswerUnread) and error.may_hold_tokens:
            answer = KeptAnswer(error.answer, now, claimed.access.target.grantor)
            content = json.dumps({"answer": answer.to_document()}).encode()
            return _hold(session_id, claimed, content, browser_secret=browser_secret, now=now, actor=actor)
        session = lock_session(id=session_id)
        if session is None:
            raise SessionUnusable(Failure.UNKNOWN)
        if not _waits_for(session, claimed):
            return Elsewhere(session)
        if (ended := _ended(error)) is not None:
            session.reopen(ended)
            if isinstance(error, AddressRefused):
                note_refusal(claimed.app, error, party=claimed.access.party_id, now=now)
            logger.info("code_not_used", session=str(session_id), error=error.code, evidence=error.evidence.as_dict())
            return Elsewhere(session)
        shown = claimed.shown
        if not isinstance(error, AuthorizationPending):
            shown = shown.slowed_down(by_timeout=True)  # RFC 8628 §3.5
        elif error.slows_down:
            shown = shown.slowed_down()
        pause = max(shown.interval, timedelta(seconds=error.retry_after_seconds or 0))
        session.poll_again(now + pause, code_verifier=seal_shown(session, shown, key=claimed.key))
        return Waiting(session, shown, _seconds(pause))


def _ended(error: ProviderError) -> str | None:
    """Return the failure if ``error`` ends this code, or None if asking again is right."""
    if isinstance(error, AccessDenied):
        return _DECLINED
    if isinstance(error, DeviceCodeExpired):
        return Failure.CODE_RUN_OUT
    if isinstance(error, AddressRefused | ClientRejected | MisconfiguredProvider | TargetRefused):
        return Failure.APP_MISCONFIGURED
    if isinstance(error, AuthorizationPending | ProviderUnavailable | MalformedResponse | NotSentInTime):
        return None
    return error.evidence.error or error.code


def _hold(
    session_id: uuid.UUID,
    claimed: _Claim,
    content: bytes,
    *,
    browser_secret: str | None,
    now: datetime,
    actor: audit.Actor,
) -> Held | Elsewhere:
    """Seal what the provider gave into the session, also if its browser has begun another try meanwhile."""
    session = lock_session(id=session_id)
    if session is None:
        raise SessionUnusable(Failure.UNKNOWN)
    if session.state not in IN_BROWSER:
        audit.record(
            "connect_session.dropped",
            decision=session.state,
            actor=actor,
            tenant_id=session.tenant_id,
            connection=session.connection,
            detail={"session": str(session.id)},
        )
        return Elsewhere(session)
    session.provider_app, session.typed_params = claimed.app, claimed.typed_params
    session.callback_params = {}
    return hold(session, content, key=claimed.key, browser_secret=browser_secret or "", now=now, actor=actor)


def _waits_for(session: ConnectSession, claimed: _Claim) -> bool:
    """Whether ``session`` still waits for the code of this claim, and not for a newer one."""
    if session.state != SessionState.AUTHORIZING or session.poll_at is None:
        return False
    return _recalled(session, claimed.key).grant.device_code == claimed.shown.grant.device_code


def _recalled(session: ConnectSession, key: DataKey) -> ShownCode:
    try:
        return recall_shown(session, key=key)
    except Unreadable:
        raise AppMisconfigured("The code that the session keeps does not open: its key may be missing.") from None


def _seconds(pause: timedelta) -> float:
    return max(1.0, pause.total_seconds())
