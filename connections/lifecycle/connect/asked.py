"""Asked: the record of an authorization request until its code is exchanged: what was kept and the party asked.

Whoever receives the code together with what was kept for it can use both. So both go only to the party to which the end
user was sent, even if the provider app has been pointed at another party since.
"""

import json
from dataclasses import dataclass, field

from pydantic import SecretStr

from connections.access.secrets import seal_for_session
from connections.access.targets import registrar_of
from connections.models import ConnectSession, ProviderApp, RegisteredClient
from connections.refusals import EndpointMoved
from connections.vault.keyring import DataKey


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request: what it kept (``Departure.kept``), and the name of the party that it went to.

    ``nonce`` is what an ID token has to repeat, "" if none was sent. ``scopes`` were asked for: an answer that names
    none grants these (RFC 6749 §5.1), whatever the app, or the connection to renew, has become since. None: not known.
    """

    kept: SecretStr | None
    registrar: str
    nonce: str = field(default="", repr=False)
    scopes: tuple[str, ...] | None = None

    def check(self, app: ProviderApp, client: RegisteredClient | None) -> None:
        """Raise ``EndpointMoved`` unless ``app`` still points at the party to which the end user was sent. No I/O."""
        if self.registrar != registrar_of(app, client):
            raise EndpointMoved(
                "The provider app's endpoints are not those that the end user was sent to: let them connect again."
            )


def seal_asked(session: ConnectSession, asked: Asked, *, key: DataKey) -> bytes:
    """Return ``asked`` sealed under ``key``, the tenant's current one, for the column ``code_verifier``. No I/O."""
    kept = None if asked.kept is None else asked.kept.get_secret_value()
    document = {"kept": kept, "registrar": asked.registrar, "nonce": asked.nonce, "scopes": asked.scopes}
    return seal_for_session(session, "code_verifier", json.dumps(document).encode(), key=key)


def recall(sealed: bytes) -> Asked:
    """Return the request from the plaintext of what ``seal_asked`` sealed. No I/O."""
    document = json.loads(sealed)
    kept, scopes = document["kept"], document.get("scopes")
    return Asked(
        None if kept is None else SecretStr(kept),
        document["registrar"],
        document.get("nonce", ""),
        None if scopes is None else tuple(scopes),
    )
