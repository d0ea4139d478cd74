"""Choose: the end user picks one of the workspaces that a grant opens. The connection is about that workspace.

The choice needs two things together. One is the session's cookie: only the browser that consented at the provider has
it. The other is the token of ``continue_url``: only the browser that is logged in at the operator's site gets it,
because the operator's backend sends it there. So a link that was passed on fails for want of the cookie, and a browser
that consented in place of somebody else never learns the token. Looking changes nothing; the choice counts once.
"""

import hmac
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from connections.access.targets import entry_of
from connections.database.locks import lock_session
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.connect.begin_exchange import HeldGrant, begin_exchange, open_held
from connections.lifecycle.connect.exchange import ChoiceDue, exchange
from connections.lifecycle.connect.kept import Choice
from connections.lifecycle.connect.session import check_cookie, find_session, stands_against
from connections.lifecycle.connect.trace import traced
from connections.models import Connection, ConnectSession, ProviderApp, SessionState
from connections.models.failures import Failure
from connections.refusals import InvalidRequest, SessionUnusable
from providers.strategies.workspaces import Workspace


@dataclass(frozen=True, slots=True)
class Offer:
    """The question to the end user. ``label`` is the provider's word for a workspace."""

    session: ConnectSession
    provider: str
    label: str
    workspaces: tuple[Workspace, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choice is made and the connection active. ``completion_code`` is "" where the session needs none."""

    session: ConnectSession
    connection: Connection
    completion_code: str = field(repr=False)


def offer(session_id: uuid.UUID, *, token: str, browser_secret: str | None, now: datetime) -> Offer:
    """Return the workspaces on offer, for the right browser alone. Changes nothing.

    Raises ``SessionUnusable`` ("unknown", "browser", "no_choice", "exchanging", "expired", "gone"), ``Suspended`` and
    ``CredentialUnreadable``.
    """
    session = find_session(session_id)
    app, _, choice = _open(session, token=token, browser_secret=browser_secret, now=now)
    entry = entry_of(app)
    if session is None or entry.workspaces is None:
        raise _unknown()
    return Offer(session, entry.name, entry.workspaces.label, choice.offered)


@traced("choose_workspace")
def choose(
    session_id: uuid.UUID,
    *,
    token: str,
    browser_secret: str | None,
    workspace_id: str,
    now: datetime,
    actor: audit.Actor,
) -> Chosen:
    """Record the choice, and connect. Blocks for the provider's answer (HTTP); holds no lock meanwhile.

    Raises what ``offer`` raises, ``InvalidRequest`` for a workspace that is not on offer, and what ``exchange`` raises.
    """
    with short_transaction():
        session = lock_session(id=session_id)
        app, grant, choice = _open(session, token=token, browser_secret=browser_secret, now=now)
        if session is None or not choice.offers(workspace_id):
            raise InvalidRequest("Choose one of these.", field="workspace")
        work = begin_exchange(session, app, grant, now=now, chosen=workspace_id)
    connection = exchange(work, actor=actor)
    if isinstance(connection, ChoiceDue):
        raise TypeError("A choice that was made is not due again.")
    return Chosen(session, connection, choice.completion_code)


def decline(
    session_id: uuid.UUID, *, token: str, browser_secret: str | None, now: datetime, actor: audit.Actor
) -> ConnectSession:
    """End the session because the end user wants none of the workspaces, and destroy what it keeps.

    Raises what ``offer`` raises.
    """
    with short_transaction():
        session = lock_session(id=session_id)
        _open(session, token=token, browser_secret=browser_secret, now=now)
        if session is None:
            raise _unknown()
        audit.record(
            "connect_session.choice_declined",
            actor=actor,
            tenant_id=session.tenant_id,
            connection=session.connection,
            detail={"session": str(session.id)},
        )
        session.fail(Failure.CHOICE_DECLINED)
    return session


def _open(
    session: ConnectSession | None, *, token: str, browser_secret: str | None, now: datetime
) -> tuple[ProviderApp, HeldGrant, Choice]:
    """Return the app of ``session``, what it holds and the choice, if this browser may make it now. One query."""
    if session is None:
        raise _unknown()
    check_cookie(session, browser_secret)
    if session.state not in (SessionState.CHOOSING, SessionState.EXCHANGING):
        raise _no_choice()
    refusal = stands_against(session, now=now)
    if refusal is not None:
        raise refusal
    grant = open_held(session)
    choice = None if grant.kept is None else grant.kept.choice
    if session.provider_app is None or choice is None:
        raise _no_choice()
    if not hmac.compare_digest(choice.token.encode(), token.encode()):
        raise SessionUnusable(Failure.BROWSER)
    return session.provider_app, grant, choice


def _unknown() -> SessionUnusable:
    return SessionUnusable(Failure.UNKNOWN)


def _no_choice() -> SessionUnusable:
    return SessionUnusable(Failure.NO_CHOICE)
