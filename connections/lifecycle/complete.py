"""Complete: the operator's backend says who is logged in there; only a match exchanges what was held.

This is the answer to cross-user session fixation: whoever finished the flow in a browser must be the user for whom the
session was made, and only the operator knows that. The exchange is synchronous, because some codes live for 30 s.
"""

import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from connections.lifecycle import audit, events
from connections.lifecycle.begin_connect import digest
from connections.lifecycle.hold import destroy_held, is_overdue
from connections.lifecycle.locking import lock_connection, lock_session, release_database, short_transaction
from connections.lifecycle.outcomes import (
    AccountMismatch,
    AppMisconfigured,
    CompletionMismatch,
    ExchangeFailed,
    NotFound,
    Refusal,
    SessionUnusable,
)
from connections.lifecycle.sealing import current_data_key, open_for_session
from connections.lifecycle.targets import Access, access_to
from connections.lifecycle.versions import (
    insert_received,
    make_current,
    record_requested_scopes,
    seal_version,
)
from connections.models import (
    LIVE,
    ApiClient,
    Connection,
    ConnectSession,
    CredentialVersion,
    Reason,
    SessionState,
    Status,
)
from connections.vault.keyring import DataKey
from providers.errors import ClientRejected, Evidence, GrantRejected, ProviderError
from providers.values import Account, CodeGrant, Credential, Obtained
from providers.vocabulary import ProbeVerdict


@dataclass(frozen=True, slots=True)
class _Exchange:
    """All that the exchange needs, loaded before the HTTP call so that no database connection spans it."""

    session_id: uuid.UUID
    connection_id: uuid.UUID
    tenant_id: uuid.UUID
    access: Access
    held: dict[str, Any]
    code_verifier: SecretStr | None
    scopes: tuple[str, ...]
    key: DataKey
    received_at: datetime


@dataclass(frozen=True, slots=True)
class _Verified:
    """What the exchange brought: a credential, and whose it is where a call could tell."""

    obtained: Obtained
    account: Account | None
    is_verified: bool


def complete(
    session_id: uuid.UUID,
    *,
    completion_code: str,
    end_user: str,
    client: ApiClient,
    now: datetime,
    actor: audit.Actor,
) -> Connection:
    """Confirm a session with the id of the user who is logged in at the operator's, and return the connection.

    The same client repeating the same three values gets the same connection. Raises ``NotFound``,
    ``CompletionMismatch`` (what was held is then destroyed), ``SessionUnusable``, ``ExchangeFailed``,
    ``AccountMismatch`` and ``AppMisconfigured``. Blocks for the provider's answer.
    """
    claimed = _claim(
        session_id, completion_code=completion_code, end_user=end_user, client=client, now=now, actor=actor
    )
    if isinstance(claimed, Connection):
        return claimed
    return exchange(claimed, actor=actor)


def complete_unbound(session_id: uuid.UUID, *, now: datetime, actor: audit.Actor) -> Connection:
    """Exchange what a session holds that explicitly opted out of the confirmation (binding: none)."""
    with short_transaction():
        session = lock_session(id=session_id)
        if session is None or session.binding != "none" or session.state != SessionState.HELD:
            raise NotFound("There is no such connect session.")
        claimed = _begin_exchange(session, now=now)
    return exchange(claimed, actor=actor)


def _claim(
    session_id: uuid.UUID,
    *,
    completion_code: str,
    end_user: str,
    client: ApiClient,
    now: datetime,
    actor: audit.Actor,
) -> "_Exchange | Connection":
    refusal: Refusal
    with short_transaction():
        session = lock_session(id=session_id, api_client=client)
        if session is None:
            raise NotFound("There is no such connect session.")
        right_code = hmac.compare_digest(bytes(session.completion_hash or b""), digest(completion_code))
        if right_code and session.end_user == end_user:
            answer = _matched(session, now=now)
            if not isinstance(answer, Refusal):
                return answer
            refusal = answer
        else:
            refusal = _mismatched(session, completion_code, end_user, client=client, actor=actor)
    raise refusal


def _matched(session: ConnectSession, *, now: datetime) -> "_Exchange | Connection | Refusal":
    if session.state == SessionState.COMPLETED and session.connection is not None:
        return session.connection
    if is_overdue(session, now=now):
        destroy_held(session, failure="expired")
        return SessionUnusable("expired", "The confirmation came too late: let the end user connect again.")
    if session.state == SessionState.EXCHANGING:
        return SessionUnusable("exchanging", "The exchange is under way: ask again shortly.", retry_after_seconds=2)
    if session.state != SessionState.HELD:
        return SessionUnusable(session.failure or "used", "Nothing is held any more: let the end user connect again.")
    if session.tenant.suspended_at is not None:
        return SessionUnusable("suspended", "The tenant is suspended.")
    return _begin_exchange(session, now=now)


def _mismatched(
    session: ConnectSession, completion_code: str, end_user: str, *, client: ApiClient, actor: audit.Actor
) -> Refusal:
    """Destroy what is held by this session, and by the session of the client's whose code was used here instead."""
    crossed = lock_session(completion_hash=digest(completion_code), api_client=client)
    for touched in {item.id: item for item in (session, crossed) if item is not None}.values():
        audit.record(
            "connect_session.mismatch",
            decision=CompletionMismatch.code,
            actor=actor,
            tenant_id=touched.tenant_id,
            connection=touched.connection,
            detail={"session": str(touched.id), "right_end_user": touched.end_user == end_user},
        )
        if touched.state == SessionState.HELD:
            if touched.connection is not None:
                events.emit("connect_session.mismatch", touched.connection, session=str(touched.id))
            destroy_held(touched, failure=CompletionMismatch.code)
    return CompletionMismatch(
        "The completion code and the end user do not belong to this session; what was held is destroyed."
    )


def _begin_exchange(session: ConnectSession, *, now: datetime) -> _Exchange:
    app, connection = session.provider_app, session.connection
    if app is None or connection is None:
        raise NotFound("There is no such connect session.")
    work = _Exchange(
        session_id=session.id,
        connection_id=connection.id,
        tenant_id=session.tenant_id,
        access=access_to(app, session.params),
        held=json.loads(open_for_session(session, "held")),
        code_verifier=(
            SecretStr(open_for_session(session, "code_verifier").decode()) if session.code_verifier else None
        ),
        scopes=tuple(session.requested_scopes or ()),
        key=current_data_key(session.tenant_id),
        received_at=now,
    )
    session.state = SessionState.EXCHANGING
    session.exchange_started_at = now
    session.held = None if "code" in work.held else session.held  # a code is single-use: it is spent from here on
    session.code_verifier = None
    session.save()
    return work


def exchange(work: _Exchange, *, actor: audit.Actor) -> Connection:
    """Carry out the HTTP half of a claimed completion and activate the connection."""
    release_database()
    grant_id = uuid.uuid4()
    try:
        obtained = _obtain(work)
        sealed = seal_version(
            obtained,
            tenant_id=work.tenant_id,
            connection_id=work.connection_id,
            grant_id=grant_id,
            key=work.key,
            scopes=obtained.scopes if obtained.scopes is not None else work.scopes,
            is_refreshable=_is_refreshable(work.access, obtained.credential),
            received_at=work.received_at,
        )
        version = insert_received(sealed)
        release_database()
        verified = _verify(work, obtained)
    except ProviderError as error:
        _fail(work, error.code, actor=actor, evidence=error.evidence.as_dict())
        if isinstance(error, ClientRejected):
            raise AppMisconfigured("The provider refuses our client registration: check the provider app.") from None
        raise ExchangeFailed(
            "The provider did not accept what the end user brought: let them connect again.", reason=error.code
        ) from None
    return _activate(work, version, verified, actor=actor)


def _obtain(work: _Exchange) -> Obtained:
    if "code" in work.held:
        return work.access.strategy.exchange_code(
            work.access.target,
            CodeGrant(code=SecretStr(work.held["code"]), code_verifier=work.code_verifier, scopes=work.scopes),
        )
    scopes = work.held["scopes"]
    return Obtained(
        credential=Credential.from_bytes(work.held["credential"].encode()),
        lifetime_seconds=work.held["lifetime_seconds"],
        scopes=None if scopes is None else tuple(scopes),
    )


def _is_refreshable(access: Access, credential: Credential) -> bool:
    if not access.capabilities.refreshes:
        return False
    return credential.refresh_token is not None or not access.capabilities.redirects


def _verify(work: _Exchange, obtained: Obtained) -> _Verified:
    if "credential" in work.held:
        known = work.held["account"]
        return _Verified(obtained, Account(**known) if known else None, bool(work.held["verified"]))
    if not work.access.capabilities.probes:
        return _Verified(obtained, None, False)
    probed = work.access.strategy.probe(work.access.target, obtained.credential)
    if probed.verdict is ProbeVerdict.DEAD:
        raise GrantRejected(
            Evidence("The provider refused the credential that it had just given.", status=probed.status)
        )
    return _Verified(obtained, probed.account, probed.verdict is ProbeVerdict.ALIVE)


def _fail(work: _Exchange, failure: str, *, actor: audit.Actor, evidence: dict[str, Any]) -> None:
    with short_transaction():
        session = lock_session(id=work.session_id)
        if session is not None and session.state == SessionState.EXCHANGING:
            audit.record(
                "connect_session.exchange",
                decision=failure,
                actor=actor,
                connection=session.connection,
                detail={"session": str(session.id), "evidence": evidence},
            )
            destroy_held(session, failure=failure)


def _activate(work: _Exchange, version: CredentialVersion, verified: _Verified, *, actor: audit.Actor) -> Connection:
    refusal: Refusal
    with short_transaction():
        session = lock_session(id=work.session_id)
        if session is None or session.state != SessionState.EXCHANGING:
            raise SessionUnusable("expired", "The exchange took too long: let the end user connect again.")
        account_id = verified.account.id if verified.account else ""
        if _is_other_account(session, account_id):
            version.delete()
            destroy_held(session, failure=AccountMismatch.code)
            audit.record(
                "connect_session.exchange",
                decision=AccountMismatch.code,
                actor=actor,
                connection=session.reconnects,
                detail={"session": str(session.id)},
            )
            refusal = AccountMismatch(
                "The end user chose another account at the provider than before; the connection is as it was. "
                "Make a session with allow_account_change to replace the account."
            )
        else:
            return _connect(work, session, version, verified, account_id, actor=actor)
    raise refusal


def _is_other_account(session: ConnectSession, account_id: str) -> bool:
    before = session.reconnects
    if before is None or session.allows_account_change or not before.provider_account_id:
        return False
    return before.provider_account_id != account_id


def _connect(
    work: _Exchange,
    session: ConnectSession,
    version: CredentialVersion,
    verified: _Verified,
    account_id: str,
    *,
    actor: audit.Actor,
) -> Connection:
    connection = _home_of(work, session, account_id)
    renewed = connection.status != Status.PENDING
    if version.connection_id != connection.id:
        version = _moved(work, version, verified.obtained, connection)
    make_current(
        connection,
        version,
        status=Status.ACTIVE,
        reason=Reason.RECONNECTED if renewed else Reason.CONNECTED,
        now=work.received_at,
    )
    record_requested_scopes(connection, work.scopes)
    connection.change(
        params=session.params,
        binding=session.binding,
        provider_account_id=account_id,
        provider_account_name=verified.account.name if verified.account else "",
        verified_at=work.received_at if verified.is_verified else None,
        verified_by="connect" if verified.is_verified else "",
    )
    pending = session.connection
    session.connection = connection
    session.state = SessionState.COMPLETED
    session.held = None
    session.save()
    if pending is not None and pending.id != connection.id and pending.status == Status.PENDING:
        pending.delete()
    events.emit("connection.connected", connection, renewed=renewed)
    audit.record(
        "connection.connected",
        actor=actor,
        connection=connection,
        version_id=version.id,
        scopes=version.scopes,
        detail={"session": str(session.id), "renewed": renewed, "binding": session.binding},
    )
    return connection


def _home_of(work: _Exchange, session: ConnectSession, account_id: str) -> Connection:
    """Return the locked connection that the grant belongs to: the one renewed, the same account's, or the new one."""
    connection = lock_connection(work.connection_id)
    if connection is None:
        raise SessionUnusable("gone", "The connection was deleted meanwhile: let the end user connect again.")
    if session.reconnects is None and account_id:
        same = Connection.objects.filter(
            tenant_id=connection.tenant_id,
            provider_app_id=connection.provider_app_id,
            end_user=connection.end_user,
            provider_account_id=account_id,
            status__in=LIVE,
        ).first()
        if same is not None:
            return lock_connection(same.id) or connection
    if connection.status == Status.DISCONNECTED:
        raise SessionUnusable("gone", "The connection was disconnected meanwhile: let the end user connect again.")
    return connection


def _moved(
    work: _Exchange, version: CredentialVersion, obtained: Obtained, connection: Connection
) -> CredentialVersion:
    """Seal the version anew for ``connection``: a ciphertext is bound to its connection."""
    resealed = seal_version(
        obtained,
        tenant_id=work.tenant_id,
        connection_id=connection.id,
        grant_id=version.grant_id,
        key=work.key,
        scopes=tuple(version.scopes),
        is_refreshable=version.is_refreshable,
        received_at=version.received_at,
    )
    version.delete()
    return insert_received(resealed)
