"""Exchange: turn what a confirmed session held into a connection: the HTTP half, then the activation.

Nothing of it is stored before the account is known, and then all of it in one transaction: a failure on the way leaves
nothing behind. Who may exchange what is ``complete``.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from pydantic import SecretStr

from connections.lifecycle import audit, events
from connections.lifecycle.authorize import params_of, requested_scopes
from connections.lifecycle.hold import destroy_held
from connections.lifecycle.incidents import close_client_incident, open_client_incident
from connections.lifecycle.lifetime import with_known_lifetime
from connections.lifecycle.locking import lock_connection, lock_session, release_database, short_transaction
from connections.lifecycle.outcomes import (
    AccountMismatch,
    AppMisconfigured,
    CredentialUnreadable,
    ExchangeFailed,
    Refusal,
    SessionUnusable,
)
from connections.lifecycle.sealing import current_data_key, open_for_session
from connections.lifecycle.targets import Access, access_to
from connections.lifecycle.versions import insert_received, make_current, record_requested_scopes, seal_version
from connections.models import (
    LIVE,
    Connection,
    ConnectSession,
    CredentialVersion,
    ProviderApp,
    Reason,
    Revocation,
    SessionState,
    Status,
)
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable
from providers.catalog.resolve import Target
from providers.errors import (
    ClientRejected,
    Evidence,
    GrantRejected,
    MisconfiguredProvider,
    ProviderError,
    TargetRefused,
)
from providers.strategies.workspaces import Workspace, workspaces
from providers.values import Account, CodeGrant, Credential, Obtained
from providers.vocabulary import ProbeVerdict


@dataclass(frozen=True, slots=True)
class Exchange:
    """All that the exchange needs, loaded before the HTTP call so that no database connection spans it.

    ``obtained_at`` is the moment from which the credential's lifetime counts.
    """

    session_id: uuid.UUID
    tenant_id: uuid.UUID
    app: ProviderApp
    params: dict[str, str]
    access: Access
    held: dict[str, Any]
    code_verifier: SecretStr | None
    scopes: tuple[str, ...]
    key: DataKey
    started_at: datetime
    obtained_at: datetime


@dataclass(frozen=True, slots=True)
class _Verified:
    """What the exchange brought: a credential, and whose it is where a call could tell."""

    obtained: Obtained
    account: Account | None
    is_verified: bool
    workspace_params: Mapping[str, str] = field(default_factory=dict)

    @property
    def account_id(self) -> str:
        return self.account.id if self.account else ""


def begin_exchange(session: ConnectSession, app: ProviderApp, *, now: datetime) -> Exchange:
    """Spend what the locked ``session`` holds for ``app``, and return it opened.

    Raises ``AppMisconfigured`` and ``CredentialUnreadable``, with the session as it was: what is mended in time can
    still be confirmed.
    """
    try:
        held = json.loads(open_for_session(session, "held"))
        verifier = open_for_session(session, "code_verifier").decode() if session.code_verifier else None
        key = current_data_key(session.tenant_id)
    except Unreadable:
        raise CredentialUnreadable("What the session holds does not open: its key may be missing.") from None
    access = access_to(app, session.params)
    work = Exchange(
        session_id=session.id,
        tenant_id=session.tenant_id,
        app=app,
        params=params_of(session, app),
        access=access,
        held=held,
        code_verifier=None if verifier is None else SecretStr(verifier),
        # A pasted key has the scopes that it has: none are asked for but those that the operator named.
        scopes=requested_scopes(session, app, access) if "code" in held else tuple(session.requested_scopes or ()),
        key=key,
        started_at=now,
        obtained_at=datetime.fromisoformat(held["obtained_at"]) if "obtained_at" in held else now,
    )
    session.state = SessionState.EXCHANGING
    session.exchange_started_at = now
    session.held = None  # a code is single-use, and a key can be pasted again: it is spent from here on
    session.code_verifier = None
    session.save()
    return work


def exchange(work: Exchange, *, actor: audit.Actor) -> Connection:
    """Carry out the HTTP half of a claimed completion and activate the connection.

    Raises ``ExchangeFailed``, ``AccountMismatch``, ``AppMisconfigured`` and ``SessionUnusable``; nothing is kept then.
    """
    release_database()
    try:
        verified = _verified(work)
    except ProviderError as error:
        _fail(work, error, actor=actor)
        raise _told(error) from None
    try:
        outcome = _settle(work, verified, actor=actor)
    except IntegrityError:
        # Another session has connected the same account in this very moment: now it is found.
        outcome = _settle(work, verified, actor=actor)
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def _verified(work: Exchange) -> _Verified:
    """Obtain the credential and prove it, where the provider has a call for that. HTTP."""
    if "credential" in work.held:
        scopes, known = work.held["scopes"], work.held["account"]
        obtained = Obtained(
            credential=Credential.from_bytes(work.held["credential"].encode()),
            lifetime_seconds=work.held["lifetime_seconds"],
            scopes=None if scopes is None else tuple(scopes),
        )
        return _Verified(obtained, Account(**known) if known else None, bool(work.held["verified"]))
    strategy, target = work.access.strategy, work.access.target
    grant = CodeGrant(code=SecretStr(work.held["code"]), code_verifier=work.code_verifier, scopes=work.scopes)
    obtained = with_known_lifetime(work.access, strategy.exchange_code(target, grant))
    workspace_params: Mapping[str, str] = {}
    if target.lacks_workspace:
        workspace_params = _only_workspace(target, obtained.credential).params
        target = access_to(work.app, {**work.params, **workspace_params}).target
        release_database()
    if not work.access.capabilities.probes:
        return _Verified(obtained, None, False, workspace_params)
    probed = strategy.probe(target, obtained.credential)
    if probed.verdict is ProbeVerdict.DEAD:
        raise GrantRejected(
            Evidence("The provider refused the credential that it had just given.", status=probed.status)
        )
    return _Verified(obtained, probed.account, probed.verdict is ProbeVerdict.ALIVE, workspace_params)


def _only_workspace(target: Target, credential: Credential) -> Workspace:
    """Return the one site or organisation that the grant opens. HTTP. Raises ``ProviderError``."""
    found = workspaces(target, credential)
    if len(found) != 1:
        name = target.entry.name
        detail = (
            f"The grant opens {len(found)} workspaces of {name}; allow exactly one on {name}'s page."
            if found
            else f"The grant opens no workspace of {name}."
        )
        raise MisconfiguredProvider(Evidence(detail))
    return found[0]


def _fail(work: Exchange, error: ProviderError, *, actor: audit.Actor) -> None:
    evidence = error.evidence.as_dict()
    with short_transaction():
        session = lock_session(id=work.session_id)
        if session is None or session.state != SessionState.EXCHANGING:
            return
        _end(session, error.code, actor=actor, evidence=evidence)
        if isinstance(error, ClientRejected) and session.provider_app is not None:
            open_client_incident(session.provider_app, evidence=evidence, now=work.started_at)


def _told(error: ProviderError) -> Refusal:
    if isinstance(error, ClientRejected):
        return AppMisconfigured("The provider refuses our client registration: check the provider app.")
    if isinstance(error, MisconfiguredProvider | TargetRefused):
        return AppMisconfigured(f"The provider app cannot be used as it is: {error.evidence.detail}")
    if isinstance(error, GrantRejected):
        detail = "The provider did not accept what the end user brought: let them connect again."
    else:
        detail = "The provider gave no usable answer, and what the end user brought is spent: let them connect again."
    return ExchangeFailed(detail, reason=error.code)


def _end(session: ConnectSession, failure: str, *, actor: audit.Actor, evidence: dict[str, Any] | None = None) -> None:
    audit.record(
        "connect_session.exchange",
        decision=failure,
        actor=actor,
        tenant_id=session.tenant_id,
        connection=session.connection,
        detail={"session": str(session.id)} | ({"evidence": evidence} if evidence else {}),
    )
    destroy_held(session, failure=failure)


def _settle(work: Exchange, verified: _Verified, *, actor: audit.Actor) -> Connection | Refusal:
    """Activate the connection, or end the session with what stands against that."""
    with short_transaction():
        session = lock_session(id=work.session_id)
        if session is None or session.state != SessionState.EXCHANGING:
            return SessionUnusable("expired", "The exchange took too long: let the end user connect again.")
        home = _home_of(session, verified)
        if isinstance(home, Refusal):
            _end(session, home.failure if isinstance(home, SessionUnusable) else home.code, actor=actor)
            return home
        return _connect(work, session, home, verified, actor=actor)


def _home_of(session: ConnectSession, verified: _Verified) -> Connection | Refusal:
    """Return the locked connection that the grant belongs to: the one renewed, the same account's, or the new one."""
    connection = lock_connection(session.connection_id) if session.connection_id else None
    if connection is None or connection.status == Status.DISCONNECTED:
        return SessionUnusable("gone", "The connection was disconnected meanwhile: let the end user connect again.")
    renews = session.reconnects_id is not None
    if renews and connection.provider_account_id and not session.allows_account_change:
        if not verified.account_id:
            return ExchangeFailed(
                "The provider did not say whose account this is, so it could not be compared with the one before; "
                "the connection is as it was. Let the end user connect again.",
                reason="account_unknown",
            )
        if verified.account_id != connection.provider_account_id:
            return AccountMismatch(
                "The end user chose another account at the provider than before; the connection is as it was. "
                "Make a session with allow_account_change to replace the account."
            )
    same = _same_account(connection, verified.account_id)
    if same is None:
        return connection
    if renews:
        return AccountMismatch(
            "The end user has another connection to this account already; both connections are as they were.",
            connection=str(same.id),
        )
    return same


def _same_account(connection: Connection, account_id: str) -> Connection | None:
    """Return the owner's other live connection to this account, locked."""
    if not account_id:
        return None
    other = (
        Connection.objects.for_tenant(connection.tenant_id)
        .live()
        .filter(
            provider_app_id=connection.provider_app_id, end_user=connection.end_user, provider_account_id=account_id
        )
        .exclude(id=connection.id)
        .first()
    )
    locked = lock_connection(other.id) if other is not None else None
    return locked if locked is not None and locked.status in LIVE else None


def _connect(
    work: Exchange, session: ConnectSession, connection: Connection, verified: _Verified, *, actor: audit.Actor
) -> Connection:
    """Make the credential the current one of the locked ``connection``, and complete the session."""
    renewed = connection.status != Status.PENDING
    version = _stored(work, connection, verified.obtained)
    make_current(
        connection,
        version,
        status=Status.ACTIVE,
        reason=Reason.RECONNECTED if renewed else Reason.CONNECTED,
        now=work.started_at,
    )
    record_requested_scopes(connection, work.scopes)
    connection.change(
        params={**work.params, **verified.workspace_params},
        binding=session.binding,
        provider_account_id=verified.account_id,
        provider_account_name=verified.account.name if verified.account else "",
        verified_at=work.obtained_at if verified.is_verified else None,
        verified_by="connect" if verified.is_verified else "",
        revocation=Revocation.NOT_ASKED,  # of the grant before: what is still to be revoked is not this one
        revocation_due_at=None,
        revocation_deadline_at=None,
    )
    pending = session.connection
    session.connection = connection
    session.state = SessionState.COMPLETED
    session.save()
    if pending is not None and pending.id != connection.id and pending.status == Status.PENDING:
        pending.delete()
    if "code" in work.held:
        close_client_incident(connection.provider_app, now=work.started_at)
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


def _stored(work: Exchange, connection: Connection, obtained: Obtained) -> CredentialVersion:
    """Insert the credential as a version of ``connection``, to which its ciphertext is bound, under a new grant."""
    capabilities = work.access.capabilities
    return insert_received(
        seal_version(
            obtained,
            tenant_id=work.tenant_id,
            connection_id=connection.id,
            grant_id=uuid.uuid4(),
            key=work.key,
            scopes=work.scopes if obtained.scopes is None else obtained.scopes,
            is_refreshable=capabilities.refreshes
            and (obtained.credential.refresh_token is not None or not capabilities.redirects),
            received_at=work.obtained_at,
        )
    )
