"""Asked: the record of an authorization request until its code is exchanged: the PKCE verifier and the party asked.

Whoever receives the code together with the verifier can use both. So both go only to the party to which the end user
was sent, even if the provider app has been pointed at another party since.
"""

import json
from dataclasses import dataclass

from pydantic import SecretStr

from connections.access.secrets import open_for_session, seal_for_session
from connections.access.targets import registrar_of
from connections.models import ConnectSession, ProviderApp
from connections.refusals import EndpointMoved


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request: its PKCE verifier (None without PKCE), and the name of the party that it went to."""

    verifier: SecretStr | None
    registrar: str

    def check(self, app: ProviderApp) -> None:
        """Raise ``EndpointMoved`` unless ``app`` still points at the party to which the end user was sent. No I/O."""
        if self.registrar != registrar_of(app):
            raise EndpointMoved(
                "The provider app's endpoints are not those that the end user was sent to: let them connect again."
            )


def seal_asked(session: ConnectSession, asked: Asked) -> bytes:
    """Return ``asked`` sealed for the column ``code_verifier`` of ``session``."""
    verifier = None if asked.verifier is None else asked.verifier.get_secret_value()
    document = json.dumps({"verifier": verifier, "registrar": asked.registrar})
    return seal_for_session(session, "code_verifier", document.encode())


def recall(session: ConnectSession) -> Asked:
    """Return the request that ``seal_asked`` sealed into ``session``. Raises ``Unreadable``, also if there is none."""
    document = json.loads(open_for_session(session, "code_verifier"))
    verifier = document["verifier"]
    return Asked(None if verifier is None else SecretStr(verifier), document["registrar"])
