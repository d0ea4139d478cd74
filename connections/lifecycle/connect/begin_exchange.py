"""Begin an exchange: one process claims the grant that a confirmed session holds, and gets it opened.

The session stores the moment of the claim (``exchange_started_at``), which identifies the claim. A process that finds
another moment there has been superseded, and must write nothing. ``complete`` and ``choose_workspace`` decide who may
claim; ``exchange`` and ``activate`` use the claimed grant.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from connections.access.secrets import current_data_key, open_for_session, seal_for_session
from connections.access.targets import Access, access_to
from connections.database.locks import lock_session
from connections.lifecycle.connect.asked import Asked, recall
from connections.lifecycle.connect.kept import Kept
from connections.lifecycle.connect.params import params_of, requested_scopes
from connections.lifecycle.connect.session import under_way
from connections.lifecycle.credentials.unread import KeptAnswer
from connections.models import ConnectSession, ProviderApp, RegisteredClient, SessionState
from connections.models.failures import Failure
from connections.models.fields import StoredSecret
from connections.refusals import CredentialUnreadable, Refusal, SessionUnusable
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable


@dataclass(frozen=True, slots=True)
class Exchange:
    """All that the exchange needs. It is loaded before the HTTP call so that no database connection spans the call.

    Exactly one of three is set: ``code`` (to exchange), ``kept`` (the credential is there already), or ``answer`` (an
    earlier answer that could not be read). ``client`` is ours at this authorization server, for an app that registers
    itself. ``params`` holds the connection's parameters by name. ``sealed`` holds the
    plaintexts of the session's sealed columns before the claim, so that a failure can put them back; its keys are
    ``held`` and ``code_verifier``. ``renewed_workspace`` is the id of the workspace of the connection to renew, or "".
    ``must_keep_workspace``: the session forbids a change of account, and another workspace would be one.
    ``must_know_account``: the new account has to be compared with the earlier one.
    """

    session_id: uuid.UUID
    tenant_id: uuid.UUID
    app: ProviderApp
    client: RegisteredClient | None
    params: dict[str, str]
    access: Access
    code: SecretStr | None
    asked: Asked | None
    kept: Kept | None
    answer: KeptAnswer | None
    sealed: Mapping[str, SecretStr]
    completion_code: str = field(repr=False)
    scopes: tuple[str, ...]
    key: DataKey
    renewed_workspace: str
    must_keep_workspace: bool
    must_know_account: bool
    started_at: datetime


def open_kept(session: ConnectSession) -> Kept | None:
    """Return the credential that ``session`` keeps, or None where it holds something else. One query.

    Raises ``CredentialUnreadable``.
    """
    document = _open_held(session)
    return Kept.from_document(document) if "credential" in document else None


def held_code(session: ConnectSession) -> str:
    """Return the code that ``session`` holds, or "" where it holds something else. One query.

    Raises ``CredentialUnreadable``.
    """
    return str(_open_held(session).get("code", ""))


def begin_exchange(
    session: ConnectSession, app: ProviderApp, *, now: datetime, completion_code: str = "", chosen: str = ""
) -> Exchange:
    """Claim the grant that the locked ``session`` holds for ``app``, and return it opened. No HTTP.

    A code is single-use, so the claim removes it from the session. Only ``exchange_failure`` puts it back, where the
    provider certainly did not use it up; a crash loses it. A credential stays in the session until the connection has
    it. ``chosen`` is the id of the workspace that the end user picked. Raises ``AppMisconfigured`` (its subclass
    ``EndpointMoved`` where the app's endpoints are not those to which the end user was sent) and
    ``CredentialUnreadable``. Both leave the session unchanged, so that it can still be confirmed after the repair.
    """
    document = _open_held(session)
    kept = Kept.from_document(document) if "credential" in document else None
    answer = KeptAnswer.from_document(document["answer"]) if "answer" in document else None
    if kept is not None and chosen:
        kept = kept.with_choice(chosen)
    try:
        # Raises where we made no authorization request: a code without one is not ours to exchange.
        asked = recall(session) if "code" in document else None
        key = current_data_key(session.tenant_id)
        sealed = {
            column: SecretStr(open_for_session(session, column).decode())
            for column in ("held", "code_verifier")
            if getattr(session, column) is not None
        }
    except Unreadable:
        raise _unreadable() from None
    params = params_of(session, app)
    access = access_to(app, params, client=session.registered_client)
    if kept is not None:
        access.check_grantor(kept.obtained.credential)
    elif asked is not None:
        asked.check(app, session.registered_client)
    # The scopes of a pasted key are fixed. Only those that the operator named count as requested.
    renewed, described = session.reconnects, access.target.entry.workspaces
    workspace = renewed.params.get(described.key, "") if renewed is not None and described is not None else ""
    is_known = renewed is not None and bool(renewed.provider_account_id)
    work = Exchange(
        session_id=session.id,
        tenant_id=session.tenant_id,
        app=app,
        client=session.registered_client,
        params=params,
        access=access,
        code=SecretStr(document["code"]) if "code" in document else None,
        asked=asked,
        kept=kept,
        answer=answer,
        sealed=sealed,
        completion_code=completion_code,
        scopes=requested_scopes(session, app, access.target.entry)
        if app.by_consent
        else tuple(session.requested_scopes or ()),
        key=key,
        renewed_workspace=workspace,
        must_keep_workspace=bool(workspace) and is_known and not session.allows_account_change,
        must_know_account=is_known and not session.allows_account_change,
        started_at=now,
    )
    stays: bytes | StoredSecret | None = session.held if answer is not None else None
    if kept is not None:
        stays = seal_for_session(session, "held", kept.to_bytes())
    session.begin_exchange(held=stays, now=now)
    return work


def lock_claimed(work: Exchange) -> ConnectSession | Refusal:
    """Lock and return the session of ``work``, or return the refusal if this exchange has lost it to another."""
    session = lock_session(id=work.session_id)
    if session is None or session.state == SessionState.FAILED:
        return SessionUnusable(Failure.EXPIRED, "The exchange took too long: let the end user connect again.")
    if session.state != SessionState.EXCHANGING or session.exchange_started_at != work.started_at:
        return under_way()
    return session


def _open_held(session: ConnectSession) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(open_for_session(session, "held"))
    except Unreadable:
        raise _unreadable() from None
    return document


def _unreadable() -> CredentialUnreadable:
    return CredentialUnreadable("What the session holds does not open: its key may be missing.")
