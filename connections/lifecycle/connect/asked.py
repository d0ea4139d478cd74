"""Asked: what is remembered of an authorization request until its answer is exchanged: its verifier and its addressee.

The code that comes back is of use to whoever is sent it together with the verifier, so both go to the party alone that
the end user was sent to, whatever the provider app is changed to meanwhile.
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
    """An authorization request: its PKCE verifier, None without, and what names the party that it was for."""

    verifier: SecretStr | None
    registrar: str

    def check(self, app: ProviderApp) -> None:
        """Raise ``EndpointMoved`` unless ``app`` still points at the party that the end user was sent to."""
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
    """Return what ``seal_asked`` sealed. Raises ``Unreadable``, also where no request was made."""
    document = json.loads(open_for_session(session, "code_verifier"))
    verifier = document["verifier"]
    return Asked(None if verifier is None else SecretStr(verifier), document["registrar"])
