"""Begin an exchange: one process claims the grant that a confirmed session holds, and gets it opened.

The session stores the moment of the claim (``exchange_started_at``), which identifies the claim. A process that finds
another moment there has been superseded, and must write nothing. ``complete`` and ``choose_workspace`` decide who may
claim; ``exchange`` and ``activate`` use the claimed grant.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import SecretStr

from connections.access.secrets import current_data_key, open_for_session, seal_for_session
from connections.access.targets import Access, access_to
from connections.database.locks import lock_session_alone
from connections.lifecycle.connect.asked import Asked, recall
from connections.lifecycle.connect.kept import Kept
from connections.lifecycle.connect.params import params_of
from connections.lifecycle.connect.scopes import assumed_scopes, requested_scopes
from connections.lifecycle.connect.session import under_way
from connections.lifecycle.credentials.unread import KeptAnswer
from connections.models import ConnectSession, ProviderApp, RegisteredClient, SessionState
from connections.models.failures import Failure
from connections.models.fields import StoredSecret
from connections.refusals import CredentialUnreadable, Refusal, SessionUnusable
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """What a session holds, opened. Exactly one of three is set.

    ``code`` is to be exchanged, ``kept`` is a credential that is there already, and ``answer`` is an earlier answer
    that could not be read. ``asked`` is the authorization request that led to the code. ``nonce`` is the one that an ID
    token for the code has to repeat, also in the ``answer``; "" if none was sent. ``plaintexts`` are the sealed
    columns as they were opened, so that a failure can put them back; its keys are ``held`` and ``code_verifier``.
    ``key`` is the current data key of the tenant, under which to seal what follows.
    """

    code: SecretStr | None
    asked: Asked | None
    nonce: str = field(repr=False)
    kept: Kept | None
    answer: KeptAnswer | None
    plaintexts: Mapping[str, SecretStr]
    key: DataKey


@dataclass(frozen=True, slots=True)
class Exchange:
    """All that the exchange needs. It is loaded before the HTTP call so that no database connection spans the call.

    ``scopes`` were asked for now; ``assumed`` count as granted if the answer names none.
    ``grant`` is what the session held before the claim. ``client`` is ours at this authorization server, for an app
    that registers itself. ``params`` holds the connection's parameters by name.
    ``renewed_workspace`` is the id of the workspace of the connection to renew, or "".
    ``must_keep_workspace``: the session forbids a change of account, and another workspace would be one.
    ``must_know_account``: the new account has to be compared with the earlier one.
    """

    session_id: uuid.UUID
    tenant_id: uuid.UUID
    app: ProviderApp
    client: RegisteredClient | None
    params: dict[str, str]
    access: Access
    grant: HeldGrant
    completion_code: str = field(repr=False)
    scopes: tuple[str, ...]
    assumed: tuple[str, ...]
    renewed_workspace: str
    must_keep_workspace: bool
    must_know_account: bool
    started_at: datetime


def open_held(session: ConnectSession) -> HeldGrant:
    """Return the grant that ``session`` holds. One query. Raises ``CredentialUnreadable``, also if it holds none."""
    try:
        key = current_data_key(session.tenant_id)
        sealed = [
            column for column in ("held", "code_verifier") if column == "held" or getattr(session, column) is not None
        ]
        opened = {column: open_for_session(session, column, key=key) for column in sealed}
    except Unreadable:
        raise _unreadable() from None
    document = json.loads(opened["held"])
    if "code" in document and "code_verifier" not in opened:
        raise _unreadable()  # we made no authorization request: a code without one is not ours to exchange
    asked = recall(opened["code_verifier"]) if "code" in document else None
    return HeldGrant(
        code=SecretStr(document["code"]) if "code" in document else None,
        asked=asked,
        nonce=document.get("nonce", "") if asked is None else asked.nonce,
        kept=Kept.from_document(document) if "credential" in document else None,
        answer=KeptAnswer.from_document(document["answer"]) if "answer" in document else None,
        plaintexts={column: SecretStr(text.decode()) for column, text in opened.items()},
        key=key,
    )


def begin_exchange(
    session: ConnectSession,
    app: ProviderApp,
    grant: HeldGrant,
    *,
    now: datetime,
    completion_code: str = "",
    chosen: str = "",
) -> Exchange:
    """Claim the ``grant`` that the locked ``session`` holds for ``app``. No HTTP.

    A code is single-use, so the claim removes it from the session. Only ``exchange_failure`` puts it back, where the
    provider certainly did not use it up; a crash loses it. A credential stays in the session until the connection has
    it. ``chosen`` is the id of the workspace that the end user picked. Raises ``AppMisconfigured`` (its subclass
    ``EndpointMoved`` where the app's endpoints are not those to which the end user was sent). It leaves the session
    unchanged, so that it can still be confirmed after the repair.
    """
    if grant.kept is not None and chosen:
        grant = replace(grant, kept=grant.kept.with_choice(chosen))
    params = params_of(session, app)
    access = access_to(app, params, client=session.registered_client, key=grant.key)
    if grant.kept is not None:
        access.check_grantor(grant.kept.obtained.credential)
    elif grant.asked is not None:
        grant.asked.check(app, session.registered_client)
    entry = access.target.entry
    # The scopes of a pasted key are fixed. Only those that the operator named count as requested.
    scopes = requested_scopes(session, app, entry) if app.by_consent else tuple(session.requested_scopes or ())
    if grant.asked is not None and grant.asked.scopes is not None:
        scopes = grant.asked.scopes
    renewed, described = session.reconnects, entry.workspaces
    workspace = renewed.params.get(described.key, "") if renewed is not None and described is not None else ""
    is_known = renewed is not None and bool(renewed.provider_account_id)
    work = Exchange(
        session_id=session.id,
        tenant_id=session.tenant_id,
        app=app,
        client=session.registered_client,
        params=params,
        access=access,
        grant=grant,
        completion_code=completion_code,
        scopes=scopes,
        assumed=assumed_scopes(session, app, entry, scopes),
        renewed_workspace=workspace,
        must_keep_workspace=bool(workspace) and is_known and not session.allows_account_change,
        must_know_account=is_known and not session.allows_account_change,
        started_at=now,
    )
    stays: bytes | StoredSecret | None = session.held if grant.answer is not None else None
    if grant.kept is not None:
        stays = seal_for_session(session, "held", grant.kept.to_bytes(), key=grant.key)
    session.begin_exchange(held=stays, now=now)
    return work


def lock_claimed(work: Exchange) -> ConnectSession | Refusal:
    """Lock and return the session of ``work``, or return the refusal if this exchange has lost it to another."""
    session = lock_session_alone(work.session_id)
    if session is None or session.state == SessionState.FAILED:
        return SessionUnusable(Failure.EXPIRED, "The exchange took too long: let the end user connect again.")
    if session.state != SessionState.EXCHANGING or session.exchange_started_at != work.started_at:
        return under_way()
    return session


def _unreadable() -> CredentialUnreadable:
    return CredentialUnreadable("What the session holds does not open: its key may be missing.")
