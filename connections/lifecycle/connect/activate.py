"""Activate: make the credential that an exchange brought the current one of the connection to which it belongs.

Happens in one transaction, under the locks of the session and the connection. ``complete`` decides who may exchange
what; ``exchange`` obtains and tries the credential.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Q

from connections.database.locks import lock_connections_of
from connections.database.pool import short_transaction
from connections.journal import audit, events
from connections.lifecycle.connect.begin_exchange import Exchange, lock_claimed
from connections.lifecycle.connect.inherit import (
    brings_no_refresh_token,
    ends_inherited,
    follow,
    version_in_use,
    with_refresh_token_of,
    would_lose_it,
)
from connections.lifecycle.connect.kept import Kept
from connections.lifecycle.connect.not_refreshable import lacks_refresh_token
from connections.lifecycle.connect.scopes import refuse_loss, requested_in_all
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.grant_end import GrantEnds
from connections.lifecycle.credentials.versions import make_current, row_of, seal_version
from connections.lifecycle.forecast.crowd import note_crowd
from connections.lifecycle.health.status import change_status
from connections.lifecycle.policy.revoke import revoke_grants
from connections.models import (
    LIVE,
    AccessGrant,
    Connection,
    ConnectSession,
    CredentialVersion,
    Reason,
    Status,
)
from connections.models.failures import Failure
from connections.models.quarantine import hold_heir, holds
from connections.refusals import AccountMismatch, AccountNotPermitted, ExchangeFailed, Refusal, SessionUnusable
from providers.values import Account

_TAKEN_MEANWHILE = ("one_live_connection_an_account", "one_live_connection_a_label")


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of an exchange: a credential, and the account to which it belongs if a call could find that out."""

    kept: Kept
    account: Account | None
    verified_at: datetime | None
    workspace_params: Mapping[str, str] = field(default_factory=dict)
    is_forbidden: bool = False  # the account lacks the right to make the call that names it

    @property
    def account_id(self) -> str:
        """The account's id, "" where it is not known."""
        return self.account.id if self.account else ""


def activate(work: Exchange, verified: Verified, *, actor: audit.Actor) -> Connection:
    """Make the credential the current one and return its connection, or end the session and raise the reason.

    Replays the spool first where the grant brought no refresh token. Then one short transaction that locks the session
    and the connection; a second one where another session connects the same account at the same moment. No HTTP.

    Raises ``SessionUnusable`` where another exchange has taken the session over, ``AccountMismatch``,
    ``AccountNotPermitted`` and ``ExchangeFailed``.
    """
    if brings_no_refresh_token(work, verified.kept.obtained):
        spool.replay()  # the refresh token that has to be kept may wait in the spool
    try:
        outcome = _activate_locked(work, verified, actor=actor)
    except IntegrityError as error:
        if not any(constraint in str(error.__cause__) for constraint in _TAKEN_MEANWHILE):
            raise
        # Another session has just connected the same account, or taken the label. The second run finds that connection.
        outcome = _activate_locked(work, verified, actor=actor)
    if isinstance(outcome, Refusal):
        raise outcome
    note_crowd(outcome, now=work.started_at)
    return outcome


def end_session(
    session: ConnectSession, failure: str, *, actor: audit.Actor, evidence: dict[str, Any] | None = None
) -> None:
    """Fail the locked ``session`` with the code ``failure``, destroy what it holds, and write an audit row.

    ``evidence`` has the keys of ``providers.errors.Evidence``: ``detail``, ``status``, ``error`` and ``sent``.
    """
    audit.record(
        "connect_session.exchange",
        decision=failure,
        actor=actor,
        tenant_id=session.tenant_id,
        connection=session.connection,
        detail={"session": str(session.id)} | ({"evidence": evidence} if evidence else {}),
    )
    session.fail(failure)


def _activate_locked(work: Exchange, verified: Verified, *, actor: audit.Actor) -> Connection | Refusal:
    with short_transaction():
        session = lock_claimed(work)
        if isinstance(session, Refusal):
            return session
        home = _home_of(work, session, verified)
        kept_of = None
        if not isinstance(home, Refusal) and brings_no_refresh_token(work, verified.kept.obtained):
            kept_of = version_in_use(home, work=work)
            is_known = bool(verified.account_id and home.provider_account_id)
            if kept_of is not None and not is_known and not session.allows_account_change:
                home = would_lose_it()
            elif verified.account_id != home.provider_account_id or not is_known:
                kept_of = None
        if not isinstance(home, Refusal):
            granted = verified.kept.obtained.scopes
            home = refuse_loss(session, home, work.assumed if granted is None else granted) or home
        if isinstance(home, Refusal):
            end_session(session, home.failure if isinstance(home, SessionUnusable) else home.code, actor=actor)
            return home
        return _connect(work, session, home, verified, kept_of, actor=actor)


def _home_of(work: Exchange, session: ConnectSession, verified: Verified) -> Connection | Refusal:
    """Lock and return the connection to which the grant belongs, with every other one that is about its account.

    That is the connection that the session renews, or the owner's connection to the same account, or the new one.
    """
    locked = lock_connections_of(Q(id=session.connection_id) | _same_account(work, session, verified.account_id))
    connection = None if session.connection_id is None else locked.pop(session.connection_id, None)
    if connection is None or connection.status == Status.DISCONNECTED:
        return SessionUnusable(
            Failure.GONE, "The connection was disconnected meanwhile: let the end user connect again."
        )
    renews = session.reconnects_id is not None
    if renews and connection.provider_account_id and not session.allows_account_change:
        if not verified.account_id:
            if verified.is_forbidden:
                return AccountNotPermitted(
                    "The end user's account may not make the call by which it is recognised; the connection is as it"
                    " was. Let them ask an administrator of the account, or connect with the account of before."
                )
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
    same = next(iter(locked.values()), None)
    if same is None:
        return connection
    if renews:
        return AccountMismatch(
            "The end user has another connection to this account already; both connections are as they were.",
            connection=str(same.id),
        )
    return same


def _same_account(work: Exchange, session: ConnectSession, account_id: str) -> Q:
    """Return the condition for the owner's live connection to this account. The database allows at most one."""
    if not account_id:
        return Q(pk__in=[])
    return Q(
        tenant_id=work.tenant_id,
        status__in=LIVE,
        provider_app_id=work.app.id,
        end_user=session.owner,
        provider_account_id=account_id,
    )


def _connect(
    work: Exchange,
    session: ConnectSession,
    connection: Connection,
    verified: Verified,
    kept_of: CredentialVersion | None,
    *,
    actor: audit.Actor,
) -> Connection:
    """Make the credential the current one of the locked ``connection``, and complete the session.

    ``kept_of`` is the version whose refresh token the connection keeps because the new grant brought none.
    """
    renewed = connection.status != Status.PENDING
    is_held = kept_of is not None and holds(connection)
    version, keeps = _seal(work, connection, verified.kept, kept_of)
    lacks = lacks_refresh_token(work, version)
    with connection.saved_once():
        # Read under the locks: another session may have added to what was requested while this one was answered.
        requested = requested_in_all(session, work.scopes)
        make_current(connection, version, now=work.started_at, requested=requested)
        if keeps and is_held:
            hold_heir(connection, version)
        reason = Reason.RECONNECTED if renewed else Reason.CONNECTED
        change_status(connection, Status.ACTIVE, reason, now=work.started_at, told={"renewed": renewed})
        connection.connect(
            params={**work.params, **verified.workspace_params},
            registered_client=work.client,
            party=work.access.party_id,
            binding=session.binding,
            by=session.end_user,
            lacks_refresh_token=lacks,
        )
        if connection.provider_account_id not in ("", verified.account_id):
            # They were given for what the account of before holds.
            on_it = AccessGrant.objects.filter(connection=connection)
            revoke_grants(on_it, why="account_changed", now=work.started_at, actor=actor)
        connection.belong_to(verified.account_id, verified.account.name if verified.account else "")
        connection.verify(verified.verified_at, by="" if verified.verified_at is None else "connect")
        label_is_taken = not _take_label(session, connection)
    if lacks:
        ends_at = version.access_expires_at
        events.emit("connection.not_refreshable", connection, ends_at=ends_at.isoformat() if ends_at else None)
    begun = None if session.connection_id == connection.id else session.connection
    session.complete(connection)
    if begun is not None and begun.status == Status.PENDING:
        begun.delete()
    audit.record(
        "connection.connected",
        actor=actor,
        connection=connection,
        version_id=version.id,
        scopes=version.scopes,
        detail={
            "session": str(session.id),
            "renewed": renewed,
            "binding": session.binding,
            "refreshable": version.is_refreshable,
            "kept_refresh_token": keeps,
        }
        | ({"label_taken": session.label} if label_is_taken else {}),
    )
    return connection


def _take_label(session: ConnectSession, connection: Connection) -> bool:
    """Give ``connection`` the label that the session asks for. Return False if another connection took it meanwhile.

    The grant is worth more than its label: it is connected all the same.
    """
    if session.label and session.label != connection.label:
        others = Connection.objects.of_the_owner_of(connection).exclude(id=connection.id)
        if others.filter(label=session.label).exists():
            return False
        connection.name(session.label)
    return True


def _seal(
    work: Exchange, connection: Connection, kept: Kept, kept_of: CredentialVersion | None
) -> tuple[CredentialVersion, bool]:
    """Seal the credential as a version of ``connection`` under a new grant id. The ciphertext is bound to it.

    A version that keeps the refresh token of ``kept_of`` also keeps the grant id of ``kept_of``. Return the new
    version, which is not stored yet, and whether it keeps that token.
    """
    joined = None if kept_of is None else with_refresh_token_of(kept_of, connection, kept.obtained, work=work)
    obtained = joined or kept.obtained
    version = row_of(
        seal_version(
            obtained,
            tenant_id=work.tenant_id,
            connection_id=connection.id,
            grant_id=uuid.uuid4() if kept_of is None or joined is None else kept_of.grant_id,
            key=work.grant.key,
            scopes=work.assumed if obtained.scopes is None else obtained.scopes,
            is_refreshable=work.access.strategy.can_refresh(work.access.target, obtained.credential),
            received_at=kept.obtained_at,
            grantor=work.access.target.grantor,
            before=GrantEnds() if kept_of is None or joined is None else ends_inherited(kept_of, work=work),
        )
    )
    if kept_of is not None and joined is not None:
        follow(kept_of, version)
    return version, joined is not None
