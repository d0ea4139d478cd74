"""Inherit: a connection that is connected again keeps its earlier refresh token where the new grant brings none.

Many providers issue a refresh token only at a user's first consent, and let that one live on
(https://developers.google.com/identity/protocols/oauth2/web-server#offline, 2026-11-29). Connecting a healthy
connection again must not make it worse. So, for the same account, the connection keeps its refresh token, and with it
the grant's id, because a late answer to an older refresh then belongs to this grant. Tokens of two accounts are never
combined; nor are tokens of accounts that are not known to be the same.
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
    """Whether a grant of this kind needs a refresh token and ``obtained`` has none. No I/O."""
    return work.access.capabilities.needs_refresh_token and obtained.credential.refresh_token is None


def version_in_use(connection: Connection, *, work: Exchange) -> CredentialVersion | None:
    """Return the current version of the locked ``connection`` if its refresh token is in use, else None.

    First promotes versions that were received and not promoted yet, because one of them may hold the live token. The
    caller has to replay the spool before it takes the lock.
    """
    if connection.status not in VENDS:
        return None  # a refresh token that was refused, revoked or lost is worth nothing
    promote_received(connection, now=work.started_at)
    version = connection.current_version
    return version if version is not None and version.is_refreshable else None


def would_lose_it() -> ExchangeFailed:
    """Return the refusal of a renewal that would cost a healthy connection its refresh token.

    It applies where the account is unknown, so that the earlier refresh token may not be kept. No I/O.
    """
    return ExchangeFailed(
        "The provider gave no refresh token, and does not say whose account this is; the connection is as it was, and"
        " goes on being refreshed. Let the end user remove the app's access at the provider first, or make a session"
        " with allow_account_change to replace the connection's credential all the same.",
        reason="no_refresh_token",
    )


def with_refresh_token_of(
    version: CredentialVersion, connection: Connection, obtained: Obtained, *, work: Exchange
) -> Obtained | None:
    """Return ``obtained`` with the refresh token of ``version``, or None where that token cannot be used.

    It cannot be used if there is none, if it does not open, if another party issued it, or to another client of ours.
    One query, no HTTP.
    """
    if connection.registered_client_id != (work.client.id if work.client is not None else None):
        return None
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
    """Return the known ends of the refresh token of ``version``. Its last use was when ``version`` arrived. No I/O."""
    ends = ends_of(version)
    if ends.idle_seconds is None:
        return ends
    unused = int((work.started_at - version.received_at).total_seconds())
    return replace(ends, idle_seconds=max(SHORTEST_SECONDS, ends.idle_seconds - unused))


def follow(version: CredentialVersion, heir: CredentialVersion) -> None:
    """Move every refresh that may still be answered from ``version`` to ``heir``, which now has its refresh token.

    A late answer then replaces the heir, because it may hold the only live token. A late refusal counts against the
    heir, and an attempt in doubt casts doubt on it. An unread answer came for the heir's token as well, so it
    holds back the heir's refreshes. Call it with the connection locked.
    """
    RefreshAttempt.objects.filter(
        connection_id=version.connection_id, parent_version_id=version.id, state__in=_MAY_STILL_BE_ANSWERED
    ).update(parent_version_id=heir.id)
    UnreadAnswer.objects.filter(connection_id=version.connection_id, parent_id=version.id).update(parent_id=heir.id)
