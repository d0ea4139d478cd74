"""Complete: the operator's backend says which user is logged in. Only for the right user is the held grant exchanged.

This prevents cross-user session fixation: the person who finished the flow in a browser must be the user for whom the
session was made, and only the operator knows that. ``exchange`` does the exchange itself, synchronously, because some
codes live for 30 s.
"""

import hmac
import uuid
from datetime import datetime

from django.db.models import Q

from connections.access.secrets import digest
from connections.database.locks import lock_session, lock_sessions
from connections.database.pool import short_transaction
from connections.journal import audit, events
from connections.lifecycle.connect.activate import end_session
from connections.lifecycle.connect.begin_exchange import Exchange, HeldGrant, begin_exchange, open_held
from connections.lifecycle.connect.burn import is_burnt
from connections.lifecycle.connect.exchange import ChoiceDue, exchange
from connections.lifecycle.connect.params import leads_elsewhere
from connections.lifecycle.connect.session import check_cookie, stands_against
from connections.lifecycle.connect.trace import traced
from connections.models import (
    AWAITING_WORD,
    UNFINISHED,
    ApiClient,
    Binding,
    Connection,
    ConnectSession,
    SessionState,
    Tenant,
)
from connections.models.failures import Failure
from connections.refusals import (
    AccountMismatch,
    CompletionMismatch,
    InvalidRequest,
    NotFound,
    Refusal,
    SessionUnusable,
)
from providers.oauth import pkce

_ENDS = (Failure.EXPIRED, Failure.GONE)  # after these, what the session keeps is useless


@traced("complete")
def complete(
    session_id: uuid.UUID,
    *,
    completion_code: str,
    end_user: str,
    code_verifier: str | None = None,
    client: ApiClient,
    tenant: Tenant,
    actor: audit.Actor,
) -> Connection | ChoiceDue:
    """Confirm a session with the id of the user who is logged in at the operator's site, and return the connection.

    A session that was begun with a code challenge needs its verifier as well. Only the login session that began it has
    the verifier, so nobody can be made to confirm a flow that somebody else finished with their link. Returns
    ``ChoiceDue`` where the end user has to choose a workspace first. The same client repeating the same values gets the
    same answer, and the connection once the choice is made. After ``ProviderDown`` and ``AppMisconfigured`` the client
    may repeat the values until the hold expires.

    Short transactions that lock the session; blocks for the provider's answer (HTTP) without a lock. Raises
    ``NotFound``, ``CompletionMismatch`` (which destroys the held grant), ``InvalidRequest`` (a verifier without a
    challenge), ``SessionUnusable``, ``Suspended``, and what ``exchange`` raises.
    """
    claimed = _claim(
        session_id,
        completion_code=completion_code,
        end_user=end_user,
        code_verifier=code_verifier,
        client=client,
        tenant=tenant,
        actor=actor,
    )
    return exchange(claimed, actor=actor) if isinstance(claimed, Exchange) else claimed


@traced("complete")
def complete_unbound(
    session_id: uuid.UUID, *, browser_secret: str | None, actor: audit.Actor
) -> Connection | ChoiceDue:
    """Exchange the held grant of a session that explicitly opted out of the confirmation (binding: none).

    Only the session's own browser may ask. It may ask again after a failure that kept the grant. Blocks for the
    provider's answer (HTTP). Raises ``NotFound`` and what ``complete`` raises.
    """
    with short_transaction() as now:
        session = lock_session(id=session_id)
        if session is None or session.binding != Binding.NONE:
            raise NotFound("There is no such connect session.")
        check_cookie(session, browser_secret)
        if session.state == SessionState.COMPLETED and session.connection is not None:
            return session.connection
        claimed = _begin(session, completion_code="", now=now, actor=actor)
    if isinstance(claimed, Refusal):
        raise claimed
    return exchange(claimed, actor=actor) if isinstance(claimed, Exchange) else claimed


def _claim(
    session_id: uuid.UUID,
    *,
    completion_code: str,
    end_user: str,
    code_verifier: str | None,
    client: ApiClient,
    tenant: Tenant,
    actor: audit.Actor,
) -> Exchange | Connection | ChoiceDue:
    with short_transaction() as now:
        touched = _lock_touched(session_id, completion_code, client=client, tenant=tenant)
        session = touched.get(session_id)
        if session is None:
            raise NotFound("There is no such connect session.")
        right_code = hmac.compare_digest(bytes(session.completion_hash or b""), digest(completion_code))
        if code_verifier is not None and not session.code_challenge:
            raise InvalidRequest("This session was made without a code challenge.", field="code_verifier")
        if not right_code or session.end_user != end_user or not _proves_beginning(session, code_verifier):
            claimed: Exchange | Connection | ChoiceDue | Refusal = _destroy_mismatch(touched, end_user, actor=actor)
        elif session.state == SessionState.COMPLETED and session.connection is not None:
            claimed = session.connection
        else:
            claimed = _begin(session, completion_code=completion_code, now=now, actor=actor)
    if isinstance(claimed, Refusal):
        raise claimed
    return claimed


def _proves_beginning(session: ConnectSession, code_verifier: str | None) -> bool:
    """Whether ``code_verifier`` matches the code challenge of ``session`` (RFC 7636 §4.6). True without a challenge."""
    if not session.code_challenge:
        return True
    return hmac.compare_digest(session.code_challenge, pkce.challenge(code_verifier or ""))


def _lock_touched(
    session_id: uuid.UUID, completion_code: str, *, client: ApiClient, tenant: Tenant
) -> dict[uuid.UUID, ConnectSession]:
    """Lock the session asked for and the session to which the code belongs, always in the order of their ids.

    With one order, two calls never wait for each other.
    """
    touched = Q(id=session_id) | Q(completion_hash=digest(completion_code))
    return {session.id: session for session in lock_sessions(touched & Q(api_client=client, tenant=tenant))}


def _begin(
    session: ConnectSession, *, completion_code: str, now: datetime, actor: audit.Actor
) -> Exchange | ChoiceDue | Refusal:
    """Claim the grant that the locked ``session`` holds, or return the choice that is due, or the refusal.

    A credential that an exchange obtained before its process died is claimed anew.
    """
    refusal = stands_against(session, now=now)
    if isinstance(refusal, SessionUnusable) and refusal.failure in _ENDS and session.state in UNFINISHED:
        session.fail(refusal.failure)
    if refusal is not None or session.provider_app is None:
        return refusal or SessionUnusable(Failure.USED)
    if leads_elsewhere(session):
        end_session(session, AccountMismatch.code, actor=actor)
        return AccountMismatch(
            "The end user chose another company or region at the provider than this session is about; nothing was "
            "exchanged. Make a session with allow_account_change to replace the account."
        )
    grant = open_held(session)
    if grant.code is not None and is_burnt(session.provider_app.id, grant.code.get_secret_value(), session=session):
        end_session(session, Failure.CODE_BURNT, actor=actor)
        return SessionUnusable(
            Failure.CODE_BURNT,
            "What the end user brought has come to another browser as well; nothing was exchanged. Let them connect "
            "again.",
        )
    if session.state == SessionState.CHOOSING:
        return _due(session, grant)
    return begin_exchange(session, session.provider_app, grant, completion_code=completion_code, now=now)


def _due(session: ConnectSession, grant: HeldGrant) -> ChoiceDue:
    if grant.kept is None or grant.kept.choice is None:
        raise ValueError("A session in which a choice is due keeps what is on offer.")
    return ChoiceDue(session.id, grant.kept.choice.token)


def _destroy_mismatch(
    touched: dict[uuid.UUID, ConnectSession], end_user: str, *, actor: audit.Actor
) -> CompletionMismatch:
    """Destroy the held grant of this session, and that of the client's other session whose code was used here."""
    for session in touched.values():
        audit.record(
            "connect_session.mismatch",
            decision=CompletionMismatch.code,
            actor=actor,
            tenant_id=session.tenant_id,
            connection=session.connection,
            detail={"session": str(session.id), "right_end_user": session.end_user == end_user},
        )
        if session.state in AWAITING_WORD:
            if session.connection is not None:
                events.emit("connect_session.mismatch", session.connection, session=str(session.id))
            session.fail(CompletionMismatch.code)
    return CompletionMismatch(
        "The completion code, the end user or the code verifier do not belong to this session; what was held is "
        "destroyed."
    )
