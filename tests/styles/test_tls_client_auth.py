"""A client that proves itself by a certificate instead of a secret (RFC 8705 §2), through a whole life."""

from collections.abc import Mapping
from typing import Any

import requests

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.app_keys import bring_key
from connections.models import Connection, ProviderApp
from providers.sandbox.client import SandboxProcess
from providers.vocabulary import SigningAlgorithm
from tests.styles import test_client_credentials, test_mutual_tls

ENTRY = """
name = "Played"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^https://.+$"
[client_credentials]
client_authentication = "tls_client_auth"
token_url = "{issuer}/token"
revocation_url = "{issuer}/revoke"
introspection_url = "{issuer}/introspect"
[probe]
url = "{issuer}/me"
account_id = "/sub"
"""


class TestTlsClientAuth(test_client_credentials.TestClientCredentials):
    entry = ENTRY

    def url_of(self, sandbox: SandboxProcess) -> str:
        return test_mutual_tls.trust(sandbox)

    def prepare(self, app: ProviderApp, sandbox: SandboxProcess) -> None:
        made = sandbox.control.certificate("carol")
        pair = {"pem": made["private_key"], "certificates": made["certificate"]}
        bring_key(app, algorithm=SigningAlgorithm.ES256, actor=SYSTEM, **pair)
        sandbox.control.revoke_certificate(made["thumbprint"])  # it is the client's, and nobody's in person
        scopes = ["profile.read", "files.read", "files.write"]
        sandbox.control.register_client(app.client_id, certificates=[made["thumbprint"]], scopes=scopes)

    def use(self, credential: Mapping[str, Any]) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = test_mutual_tls.authority_file()
            return session.get(f"{credential['base_url']}/me", headers=credential["headers"], timeout=20)

    def test_each_endpoint_is_shown_the_certificate_and_no_secret(
        self, connection: Connection, sandbox: SandboxProcess
    ) -> None:
        (entry,) = sandbox.control.log(endpoint="token")
        assert (entry.outcome, entry.client_id) == ("issued", connection.provider_app.client_id)
