"""Exchange failure: decide what happens to a session whose exchange failed, and which refusal its caller gets.

A session goes back to its state before the exchange in two cases: the provider has certainly not used up the code, or
it has issued the credential already and cannot answer a further call. The same confirmation may then be repeated until
the hold ends. Latchkey never repeats it by itself: a server that sees a code a second time may revoke the tokens that
it issued for the code (RFC 6749 §4.1.2).

A code counts as not used up in these cases: no byte was sent; the answer was 408, 425, 429 or 503, by which a server
says that it did not process the request (RFC 9110 §15.5.9 and §15.6.4, RFC 8470 §5.2, RFC 6585 §4); the error code was
``temporarily_unavailable`` or ``slow_down``; or the client or its address was refused, because a server looks at the
client before it looks at the code (RFC 6749 §5.2). After any other server error, a broken connection, silence or a page
for people, the fate of the code is unknown, and the session ends. An answer that cannot be read but may hold tokens is
kept in the session until the entry is mended.
"""

import json
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from connections.access.secrets import seal_for_session
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.connect.activate import end_session
from connections.lifecycle.connect.begin_exchange import Exchange, lock_claimed
from connections.lifecycle.connect.kept import Kept
from connections.lifecycle.credentials.unread import KeptAnswer
from connections.lifecycle.health.incidents import note_refusal
from connections.lifecycle.registration.refused import give_up_refused
from connections.models import Binding, ConnectSession, SessionState
from connections.refusals import (
    AccountNotPermitted,
    AnswerUnreadable,
    AppMisconfigured,
    ExchangeFailed,
    NoWorkspace,
    ProviderDown,
    Refusal,
)
from providers import errors
from providers.errors import (
    AddressRefused,
    ClientRejected,
    GrantRejected,
    MalformedResponse,
    ProviderError,
    ProviderUnavailable,
)
from providers.oauth.unread import AnswerUnread

ANSWER_KEPT_FOR = timedelta(hours=24)  # as long as an operator may need to mend an entry
_NOT_PROCESSED = frozenset({408, 425, 429, 503})
_NOT_NOW = frozenset({"temporarily_unavailable", "slow_down"})
_OPERATORS_TO_MEND = (
    AddressRefused,
    ClientRejected,
    errors.MisconfiguredProvider,
    errors.TargetRefused,
    AppMisconfigured,
)
_SHORTEST_WAIT_SECONDS = 2.0


def is_unspent(error: ProviderError) -> bool:
    """Whether the provider has certainly not used up the code of the failed exchange. No I/O."""
    if isinstance(error, GrantRejected):
        return False
    if not error.sent:
        return True
    status = error.evidence.status
    if isinstance(error, ClientRejected | AddressRefused):
        return status is not None and status < 500  # a failing server may have used up the code first
    if not isinstance(error, ProviderUnavailable):
        return False
    return status in _NOT_PROCESSED or (error.evidence.error in _NOT_NOW and status is not None and status < 500)


def settle_failed_exchange(
    work: Exchange, kept: Kept | None, error: ProviderError | AppMisconfigured, *, actor: audit.Actor
) -> Refusal:
    """Put the unspent grant back into the session, or end the session. Return the refusal for the caller.

    ``kept`` is the credential if it was obtained before the failure. One short transaction that locks the session.
    """
    if isinstance(error, AnswerUnread) and not error.may_hold_tokens:
        error = MalformedResponse(error.evidence)  # a page for people holds nothing to read later
    may_repeat = _keeps(error) if kept is not None else isinstance(error, AppMisconfigured) or is_unspent(error)
    with short_transaction():
        session = lock_claimed(work)
        if isinstance(session, Refusal):
            return session
        if kept is None and _may_be_read_later(error) and session.binding != Binding.NONE:
            return _keep_answer(work, session, error, actor=actor)
        if session.provider_app is not None:
            note_refusal(
                session.provider_app,
                error,
                party=work.access.party_id,
                now=work.started_at,
                connection=session.connection,
            )
        if kept is None:
            give_up_refused(work.app, work.client, error, now=work.started_at)
        if not may_repeat:
            evidence = None if isinstance(error, AppMisconfigured) else error.evidence.as_dict()
            end_session(session, error.code, actor=actor, evidence=evidence)
            return _final_refusal(work, error)
        _put_back(work, session, kept)
        evidence = {} if isinstance(error, AppMisconfigured) else {"evidence": error.evidence.as_dict()}
        audit.record(
            "connect_session.put_back",
            decision=error.code,
            actor=actor,
            tenant_id=session.tenant_id,
            connection=session.connection,
            detail={"session": str(session.id), "has_credential": kept is not None, **evidence},
        )
        return _refusal_to_repeat(work, error, until=session.kept_until or session.completion_expires_at)


def _may_be_read_later(error: ProviderError | AppMisconfigured) -> TypeGuard[AnswerUnread]:
    return isinstance(error, AnswerUnread) and error.may_hold_tokens


def _keep_answer(
    work: Exchange, session: ConnectSession, unread: AnswerUnread, *, actor: audit.Actor
) -> AnswerUnreadable:
    """Seal the unread answer into the locked session. The same confirmation reads it once the entry is mended."""
    answer = work.grant.answer or KeptAnswer(unread.answer, work.started_at, work.access.target.grantor)
    until = answer.received_at + ANSWER_KEPT_FOR
    content = json.dumps({"answer": answer.to_document(), "nonce": work.grant.nonce}).encode()
    session.keep(seal_for_session(session, "held", content, key=work.grant.key), until=until)
    session.put_back(SessionState.HELD)
    audit.record(
        "connect_session.answer_unread",
        decision=unread.code,
        actor=actor,
        tenant_id=session.tenant_id,
        connection=session.connection,
        detail={"session": str(session.id), "evidence": unread.evidence.as_dict()},
    )
    return AnswerUnreadable(
        f"{work.access.target.entry.name} answered in a form that could not be read. The answer is kept: mend the"
        " catalogue entry, and confirm again.",
        held_until=until.isoformat(),
    )


def _keeps(error: ProviderError | AppMisconfigured) -> bool:
    """Whether a credential that was already obtained is worth another try after ``error``."""
    if isinstance(error, MalformedResponse):  # most likely a page for people, with a status of success
        return error.evidence.status is not None and error.evidence.status < 300
    return isinstance(error, (ProviderUnavailable, errors.NotSentInTime, *_OPERATORS_TO_MEND))


def _put_back(work: Exchange, session: ConnectSession, kept: Kept | None) -> None:
    """Return the locked session to the state in which the confirmation, or the choice of workspace, can be repeated."""
    key = work.grant.key
    if kept is None:
        texts = {column: text.get_secret_value().encode() for column, text in work.grant.plaintexts.items()}
        sealed = {column: seal_for_session(session, column, text, key=key) for column, text in texts.items()}
        session.put_back(SessionState.HELD, **sealed)
    elif kept.choice is not None:
        undone = kept.with_choice("").to_bytes()
        session.put_back(SessionState.CHOOSING, held=seal_for_session(session, "held", undone, key=key))
    else:
        session.put_back(SessionState.HELD)


def _refusal_to_repeat(
    work: Exchange, error: ProviderError | AppMisconfigured, *, until: datetime | None
) -> ProviderDown | AppMisconfigured:
    extra: dict[str, Any] = {} if until is None else {"held_until": until.isoformat()}
    if isinstance(error, _OPERATORS_TO_MEND):
        told = _final_refusal(work, error)
        return AppMisconfigured(f"{told.detail} Then confirm again: what the end user brought is kept.", **extra)
    waits = error.retry_after_seconds or 0.0
    return ProviderDown(
        f"{work.access.target.entry.name} cannot answer at the moment. What the end user brought is kept: confirm"
        " again.",
        retry_after_seconds=max(_SHORTEST_WAIT_SECONDS, waits),
        **extra,
    )


def _final_refusal(work: Exchange, error: ProviderError | AppMisconfigured) -> Refusal:
    entry = work.access.target.entry
    if isinstance(error, AppMisconfigured):
        return AppMisconfigured(error.detail)
    if isinstance(error, ClientRejected):
        return AppMisconfigured("The provider refuses our client registration: check the provider app.")
    if isinstance(error, AddressRefused):
        return AppMisconfigured(error.evidence.detail)
    if isinstance(error, errors.MisconfiguredProvider | errors.TargetRefused):
        return AppMisconfigured(f"The provider app cannot be used as it is: {error.evidence.detail}")
    if isinstance(error, errors.NoWorkspace):
        label = entry.workspaces.label.lower() if entry.workspaces is not None else "workspace"
        return NoWorkspace(
            f"The end user's account at {entry.name} has no {label} yet. Let them create one there, and connect again.",
            **_where(entry.website),
        )
    if isinstance(error, errors.NotPermitted):
        return AccountNotPermitted(
            f"The end user's account at {entry.name} may not do this. Let them ask an administrator of the account,"
            " or connect with another one.",
            **_where(entry.website),
        )
    if isinstance(error, errors.RequestRejected):
        detail = (
            f"The provider refused the exchange in an error of its own ({error.evidence.error or 'without a code'}):"
            " look at the scopes and the entry, and let the end user connect again."
        )
    elif isinstance(error, errors.IdentityMismatch):
        detail = (
            "The ID token is about another account than the userinfo, or about another authorization request,"
            " so that nobody knows whose this is. Nothing is connected: let the end user connect again."
        )
    elif isinstance(error, GrantRejected):
        detail = "The provider did not accept what the end user brought: let them connect again."
    else:
        detail = (
            "The provider gave no usable answer, and may have used up what the end user brought: let them connect"
            " again."
        )
    return ExchangeFailed(detail, reason=error.code)


def _where(website: str) -> dict[str, Any]:
    return {"website": website} if website else {}
