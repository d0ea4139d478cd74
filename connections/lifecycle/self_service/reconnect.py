"""Reconnect: begin a connect session from the page, and take its click in the same step, for the same browser.

The page names the tenant, and the end user has clicked. From there on it is a connect session like any other: its own
cookie, the checks of the callback, the same account as before, and the confirmation by the operator's backend for
whoever is logged in there. So a page in the wrong hands, or one that was sent to a victim, connects nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from connections.access.targets import scope_rules_of
from connections.journal import audit
from connections.lifecycle.connect.authorize import Started, start
from connections.lifecycle.connect.begin import Invitation, begin_connect, check_providers
from connections.lifecycle.credentials.scopes import not_allowed
from connections.lifecycle.provision.callers import check_permission
from connections.lifecycle.self_service.own import own_connection
from connections.models import LIVE, ManagementSession, Permission
from connections.models.failures import Failure
from connections.refusals import InvalidRequest, NotFound, PermissionDenied, SessionUnusable, Suspended


def begin_renewal(
    session: ManagementSession, connection_id: uuid.UUID, *, now: datetime, actor: audit.Actor
) -> Started:
    """Begin to renew a connection, with those scopes that were requested for it and that its app allows still.

    Two short transactions.

    Raises ``SessionUnusable`` ("gone", "app_misconfigured") and ``Suspended``.
    """
    connection = own_connection(session, connection_id)
    if connection.status not in LIVE:
        raise SessionUnusable(Failure.GONE)
    requested = {scope.name for scope in connection.scopes.all() if scope.is_requested}
    allowed = connection.provider_app.allowed_scopes
    denied = not_allowed(requested, allowed=allowed, rules=scope_rules_of(connection.provider))
    scopes = sorted(requested.difference(denied)) or None
    return _begin(session, [connection.provider], connection_id, scopes, now=now, actor=actor)


def begin_another(session: ManagementSession, *, now: datetime, actor: audit.Actor) -> Started:
    """Begin to connect another account, at one of the providers that the session allows. Two short transactions.

    One that was switched off or removed since is left out, unless it is the only one; that takes a query for each.
    Raises ``SessionUnusable`` ("unknown" where it allows none, "app_misconfigured") and ``Suspended``.
    """
    if not session.providers:
        raise SessionUnusable(Failure.UNKNOWN)
    try:
        return _begin(session, session.providers, None, None, now=now, actor=actor)
    except (SessionUnusable, Suspended):
        left = [name for name in session.providers if _is_usable(name, session)]
        if not left or left == session.providers:
            raise
        return _begin(session, left, None, None, now=now, actor=actor)


def _is_usable(provider: str, session: ManagementSession) -> bool:
    try:
        check_providers([provider], session.tenant)
    except (InvalidRequest, Suspended):
        return False
    return True


def _begin(
    session: ManagementSession,
    providers: Sequence[str],
    connection_id: uuid.UUID | None,
    scopes: Sequence[str] | None,
    *,
    now: datetime,
    actor: audit.Actor,
) -> Started:
    """Begin. What the operator has changed since they invited to the page is no fault of this end user's request."""
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
    try:
        check_permission(session.api_client.permissions, may=Permission.CONNECT)
        begun = begin_connect(
            invitation,
            client=session.api_client,
            key_id=session.api_key_id,
            tenant=session.tenant,
            now=now,
            actor=actor,
        )
    except (InvalidRequest, NotFound, PermissionDenied) as refusal:
        raise SessionUnusable(Failure.APP_MISCONFIGURED) from refusal
    return start(begun.session.id, token=begun.token, actor=actor)
