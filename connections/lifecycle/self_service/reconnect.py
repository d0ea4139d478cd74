"""Reconnect: begin a connect session from the page, and take its click in the same step, for the same browser.

The page names the tenant, and the end user has clicked. From there on it is a connect session like any other: its own
cookie, the checks of the callback, the same account as before, and the confirmation by the operator's backend for
whoever is logged in there. So a page in the wrong hands, or one that was sent to a victim, connects nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from connections.journal import audit
from connections.lifecycle.connect.authorize import Started, start
from connections.lifecycle.connect.begin import Invitation, begin_connect
from connections.lifecycle.provision.callers import check_permission
from connections.lifecycle.self_service.own import own_connection
from connections.models import LIVE, ManagementSession, Permission
from connections.models.failures import Failure
from connections.refusals import SessionUnusable


def begin_renewal(
    session: ManagementSession, connection_id: uuid.UUID, *, now: datetime, actor: audit.Actor
) -> Started:
    """Begin to renew a connection, with the scopes that were requested for it. Two short transactions.

    Raises ``SessionUnusable`` ("gone"), and what ``connect.begin`` raises.
    """
    connection = own_connection(session, connection_id)
    if connection.status not in LIVE:
        raise SessionUnusable(Failure.GONE)
    requested = sorted(scope.name for scope in connection.scopes.all() if scope.is_requested)
    return _begin(session, [connection.provider], connection_id, requested or None, now=now, actor=actor)


def begin_another(session: ManagementSession, *, now: datetime, actor: audit.Actor) -> Started:
    """Begin to connect another account, at one of the providers that the session allows. Two short transactions.

    Raises ``SessionUnusable`` ("unknown") where it allows none, and what ``connect.begin`` raises.
    """
    if not session.providers:
        raise SessionUnusable(Failure.UNKNOWN)
    return _begin(session, session.providers, None, None, now=now, actor=actor)


def _begin(
    session: ManagementSession,
    providers: Sequence[str],
    connection_id: uuid.UUID | None,
    scopes: Sequence[str] | None,
    *,
    now: datetime,
    actor: audit.Actor,
) -> Started:
    check_permission(session.api_client.permissions, may=Permission.CONNECT)
    invitation = Invitation(
        end_user=session.end_user,
        providers=providers,
        return_url=session.return_url,
        origin=session.origin,
        scopes=scopes,
        connection=connection_id,
        locale=session.locale,
        code_challenge=session.code_challenge,
        management=session,
    )
    begun = begin_connect(invitation, client=session.api_client, tenant=session.tenant, now=now, actor=actor)
    return start(begun.session.id, token=begun.token, actor=actor)
