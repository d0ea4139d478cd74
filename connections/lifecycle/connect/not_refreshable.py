"""Not refreshable: report at once that an expected refresh token did not come, with the date on which the grant ends.

A provider may leave out the refresh token without a word: ``offline_access`` was asked for without the prompt for
consent, it was a second consent, or an administrator has forbidden it. ``inherit`` first tries to keep an earlier one.
"""

from datetime import datetime

from connections.lifecycle.connect.begin_exchange import Exchange
from connections.models import Connection, CredentialVersion

CODE = "no_refresh_token"


def lacks_refresh_token(work: Exchange, version: CredentialVersion) -> bool:
    """Whether ``version``, just connected, has no refresh token although one was expected. No I/O."""
    ends = version.access_expires_at is not None
    return not version.is_refreshable and work.access.strategy.expects_refresh_token(
        work.access.target, work.scopes, ends=ends
    )


def notice(connection: Connection) -> str:
    """Return the sentence for people about a missing refresh token, or "" if ``connection`` lacks none. No I/O."""
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
