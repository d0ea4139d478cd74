"""Not refreshable: a grant that was to bring a refresh token and did not is told at once, with the date of its end.

``offline_access`` without the prompt for consent, a second consent, an administrator's setting: the provider leaves the
refresh token out and says nothing. What is done about it before that is ``inherit``.
"""

from datetime import datetime

from connections.lifecycle.connect.begin_exchange import Exchange
from connections.models import Connection, CredentialVersion

CODE = "no_refresh_token"


def lacks_refresh_token(work: Exchange, version: CredentialVersion) -> bool:
    """Whether ``version``, just connected, has no refresh token although one was to be expected. No I/O."""
    ends = version.access_expires_at is not None
    return not version.is_refreshable and work.access.strategy.expects_refresh_token(
        work.access.target, work.scopes, ends=ends
    )


def notice(connection: Connection) -> str:
    """Return what people are told of a connection that lacks its refresh token, "" of any other. No I/O."""
    if not connection.lacks_refresh_token:
        return ""
    end = _end(connection.access_expires_at)
    return (
        f"The provider gave no refresh token, so this connection cannot be renewed: {end}. Let the end"
        " user remove the app's access at the provider and connect again; if that does not help, ask for offline access"
        " in the provider app's scopes or its entry."
    )


def _end(at: datetime | None) -> str:
    return "it ends when its token does" if at is None else f"it ends at {at:%Y-%m-%d %H:%M} UTC"
