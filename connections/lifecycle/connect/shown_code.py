"""Shown code: the record of a code that the end user enters at the provider, until the provider says how it went."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import SecretStr

from connections.access.secrets import open_for_session, seal_for_session
from connections.access.targets import registrar_of
from connections.models import ConnectSession, ProviderApp
from connections.refusals import EndpointMoved
from connections.vault.keyring import DataKey
from providers.values import DeviceAuthorization

_SLOWER_SECONDS = 5  # RFC 8628 §3.5
_SLOWEST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ShownCode:
    """The answer to a device authorization request, when it ends, and the name of the party that was asked."""

    grant: DeviceAuthorization
    expires_at: datetime
    registrar: str

    def check(self, app: ProviderApp) -> None:
        """Raise ``EndpointMoved`` unless ``app`` still points at the party that gave the code. No I/O."""
        if self.registrar != registrar_of(app):
            raise EndpointMoved("The provider app's endpoints are not those that gave this code: try again.")

    def slowed_down(self, *, by_timeout: bool = False) -> "ShownCode":
        """Return the record with a longer interval: 5 s more (RFC 8628 §3.5), or ``by_timeout`` twice as long."""
        seconds = self.grant.interval_seconds
        longer = min(seconds * 2 if by_timeout else seconds + _SLOWER_SECONDS, max(seconds, _SLOWEST_SECONDS))
        return replace(self, grant=replace(self.grant, interval_seconds=longer))

    @property
    def interval(self) -> timedelta:
        """The least time between two polls."""
        return timedelta(seconds=self.grant.interval_seconds)


def seal_shown(session: ConnectSession, shown: ShownCode, *, key: DataKey) -> bytes:
    """Return ``shown`` sealed under ``key``, the tenant's current one, for the column ``code_verifier``. No I/O."""
    grant = shown.grant
    document = {
        "device_code": grant.device_code.get_secret_value(),
        "user_code": grant.user_code,
        "verification_uri": grant.verification_uri,
        "verification_uri_complete": grant.verification_uri_complete,
        "lifetime_seconds": grant.lifetime_seconds,
        "interval_seconds": grant.interval_seconds,
        "expires_at": shown.expires_at.isoformat(),
        "registrar": shown.registrar,
    }
    return seal_for_session(session, "code_verifier", json.dumps(document).encode(), key=key)


def recall_shown(session: ConnectSession, *, key: DataKey | None = None) -> ShownCode:
    """Return the code that ``seal_shown`` sealed into ``session``. Raises ``Unreadable``, also if there is none.

    One query, unless ``key`` is the data key under which it is sealed.
    """
    document = json.loads(open_for_session(session, "code_verifier", key=key))
    expires_at, registrar = datetime.fromisoformat(document.pop("expires_at")), document.pop("registrar")
    grant = DeviceAuthorization(device_code=SecretStr(document.pop("device_code")), **document)
    return ShownCode(grant, expires_at, registrar)
