"""Begin an exchange: claim what a confirmed session holds, opened, for one process to turn into a connection.

The claim is the moment at which it was made: whoever finds another one in the session has been superseded and writes
nothing. Who may claim is ``complete`` and ``choose_workspace``; what is done with it ``exchange`` and ``activate``.
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
from connections.models import ConnectSession, ProviderApp, SessionState
from connections.models.failures import Failure
from connections.models.fields import StoredSecret
from connections.refusals import CredentialUnreadable, Refusal, SessionUnusable
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable


@dataclass(frozen=True, slots=True)
class Exchange:
    """All that the exchange needs, loaded before the HTTP call so that no database connection spans it.

    There is a ``code`` to exchange, or what is ``kept`` already, or an ``answer`` that could not be read before.
    ``sealed`` are the texts of the session's sealed columns as they were, by column, for the case that they are put
    back. ``renewed_workspace`` is the one that the renewed connection is about, "" without one;
    ``must_keep_workspace`` says that any other one would be another account, which the session does not allow;
    ``must_know_account`` that the account is to be compared with the one before.
    """

    session_id: uuid.UUID
    tenant_id: uuid.UUID
    app: ProviderApp
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
    """Return the credential that ``session`` keeps, None where it holds something else.

    Raises ``CredentialUnreadable``.
    """
    document = _open_held(session)
    return Kept.from_document(document) if "credential" in document else None


def held_code(session: ConnectSession) -> str:
    """Return the code that ``session`` holds, "" where it holds something else. Raises ``CredentialUnreadable``."""
    return str(_open_held(session).get("code", ""))


def begin_exchange(
    session: ConnectSession, app: ProviderApp, *, now: datetime, completion_code: str = "", chosen: str = ""
) -> Exchange:
    """Claim what the locked ``session`` holds for ``app``, and return it opened.

    A code is single-use, and gone from the session from here on: only who knows that it was not used up may put it
    back (``exchange_failure``), and a crash loses it. A credential stays until the connection has it.
    ``chosen`` is the workspace that the end user has picked from those on offer. Raises ``AppMisconfigured``
    (``EndpointMoved`` where the app's endpoints are not those that the end user was sent to) and
    ``CredentialUnreadable``, with the session as it was: what is mended in time can still be confirmed.
    """
    document = _open_held(session)
    kept = Kept.from_document(document) if "credential" in document else None
    answer = KeptAnswer.from_document(document["answer"]) if "answer" in document else None
    if kept is not None and chosen:
        kept = kept.with_choice(chosen)
    try:
        # Without a request of ours there is no code of ours to exchange: then this raises.
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
    access = access_to(app, params)
    if kept is not None:
        access.check_grantor(kept.obtained.credential)
    elif asked is not None:
        asked.check(app)
    # A pasted key has the scopes that it has: none are asked for but those that the operator named.
    renewed, described = session.reconnects, access.target.entry.workspaces
    workspace = renewed.params.get(described.key, "") if renewed is not None and described is not None else ""
    is_known = renewed is not None and bool(renewed.provider_account_id)
    work = Exchange(
        session_id=session.id,
        tenant_id=session.tenant_id,
        app=app,
        params=params,
        access=access,
        code=SecretStr(document["code"]) if "code" in document else None,
        asked=asked,
        kept=kept,
        answer=answer,
        sealed=sealed,
        completion_code=completion_code,
        scopes=requested_scopes(session, app, access) if app.redirects else tuple(session.requested_scopes or ()),
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
    """Return the locked session of ``work``, or why it is no longer this exchange's."""
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
