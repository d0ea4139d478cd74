"""Inherit: what a connection that is connected anew keeps of the grant that it has.

Many providers give a refresh token at a user's first consent only, and let the one that was given before live on
(https://developers.google.com/identity/protocols/oauth2/web-server#offline, 2026-11-29). A healthy connection is not
made worse by connecting it again: for the same account the refresh token is kept, and with it the grant's id, because
what an older refresh brings late is then of this grant. Tokens of two accounts, or of accounts that nobody knows to be
one, are never put together.
"""

from dataclasses import replace

from connections.access.secrets import open_credential
from connections.lifecycle.connect.begin_exchange import Exchange
from connections.lifecycle.credentials.grant_end import GrantEnds
from connections.lifecycle.credentials.promote import promote_received
from connections.lifecycle.credentials.versions import ends_of
from connections.models import VENDS, AttemptState, Connection, CredentialVersion, RefreshAttempt, UnreadAnswer
from connections.refusals import EndpointMoved, ExchangeFailed
from connections.vault.sealing import Unreadable
from providers.oauth.expiry import SHORTEST_SECONDS
from providers.values import Obtained

_MAY_STILL_BE_ANSWERED = (
    AttemptState.SENT,
    AttemptState.RECEIVED,
    AttemptState.IN_DOUBT,
    AttemptState.SUPERSEDED,
)


def brings_no_refresh_token(work: Exchange, obtained: Obtained) -> bool:
    """Whether a grant of this kind is refreshed by a token, and ``obtained`` has none. No I/O."""
    return work.access.capabilities.needs_refresh_token and obtained.credential.refresh_token is None


def version_in_use(connection: Connection, *, work: Exchange) -> CredentialVersion | None:
    """Return the current version of the locked ``connection`` if its refresh token is in use, else None.

    What was received and not promoted yet is promoted first, because it may hold the live one; the caller has replayed
    the spool before it took the lock.
    """
    if connection.status not in VENDS:
        return None  # what was refused, revoked or lost is worth nothing
    promote_received(connection, now=work.started_at)
    version = connection.current_version
    return version if version is not None and version.is_refreshable else None


def would_lose_it() -> ExchangeFailed:
    """Return the refusal of a renewal that would end a healthy connection's refreshing for an account nobody knows."""
    return ExchangeFailed(
        "The provider gave no refresh token, and does not say whose account this is; the connection is as it was, and"
        " goes on being refreshed. Let the end user remove the app's access at the provider first, or make a session"
        " with allow_account_change to replace the connection's credential all the same.",
        reason="no_refresh_token",
    )


def with_refresh_token_of(
    version: CredentialVersion, connection: Connection, obtained: Obtained, *, work: Exchange
) -> Obtained | None:
    """Return ``obtained`` with the refresh token of ``version``, or None where there is none to use. No HTTP.

    One that does not open, or that another party gave, is of no use.
    """
    try:
        credential = open_credential(connection, version)
        work.access.check_grantor(credential)
    except (Unreadable, EndpointMoved):
        return None
    if (refresh_token := credential.refresh_token) is None:
        return None
    scopes, refresh_scope = obtained.scopes, work.access.target.refresh_scope
    if scopes is not None and refresh_scope:
        scopes = tuple(dict.fromkeys([*scopes, refresh_scope]))
    return replace(
        obtained,
        credential=replace(obtained.credential, refresh_token=refresh_token),
        scopes=scopes,
    )


def ends_inherited(version: CredentialVersion, *, work: Exchange) -> GrantEnds:
    """Return what is known of the end of the refresh token of ``version``, used last when that came. No I/O."""
    ends = ends_of(version)
    if ends.idle_seconds is None:
        return ends
    unused = int((work.started_at - version.received_at).total_seconds())
    return replace(ends, idle_seconds=max(SHORTEST_SECONDS, ends.idle_seconds - unused))


def follow(version: CredentialVersion, heir: CredentialVersion) -> None:
    """Let every refresh that may still be answered count for ``heir``, which has the refresh token of ``version`` now.

    A late answer then takes the heir's place, because it may hold the only live token; a refusal is the heir's; and an
    attempt in doubt is a doubt about it. An answer that is still unread was bought with the heir's token, too: it holds
    that back. Call it with the connection locked.
    """
    RefreshAttempt.objects.filter(
        connection_id=version.connection_id, parent_version_id=version.id, state__in=_MAY_STILL_BE_ANSWERED
    ).update(parent_version_id=heir.id)
    UnreadAnswer.objects.filter(connection_id=version.connection_id, parent_id=version.id).update(parent_id=heir.id)
