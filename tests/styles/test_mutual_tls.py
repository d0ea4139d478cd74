"""A client certificate (mutual TLS), through a whole life, and its end told ahead."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from ssl import PEM_cert_to_DER_cert

from connections.access.secrets import open_credential
from connections.models import Connection, CredentialVersion
from providers import egress
from providers.catalog.mutual_tls_method import MutualTlsMethod
from providers.sandbox.client import SandboxProcess
from providers.sandbox.mutual_tls import thumbprint
from tests.flows import EndUser
from tests.styles.contract import TypedStyleContract


@cache
def _file_of(pem: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
        file.write(pem)
    return file.name


def trust(sandbox: SandboxProcess) -> str:
    """Have egress trust the sandbox's authority, and return the address that asks for certificates."""
    made = sandbox.control.certificate("carol")
    egress.configure(replace(egress.current_policy(), ca_file=_file_of(made["authority"])))
    return made["url"]


def authority_file() -> str:
    """Return the file of the authority that egress trusts besides the public ones."""
    return egress.current_policy().ca_file


class TestMutualTls(TypedStyleContract):
    style = MutualTlsMethod.style
    auth_method = "mutual_tls"
    proxy_only = True
    ends = True

    def url_of(self, sandbox: SandboxProcess) -> str:
        return trust(sandbox)

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        made = sandbox.control.certificate("alice", days=20)
        return {"certificate": made["certificate"], "private_key": made["private_key"], "passphrase": ""}

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        return self.typed(sandbox) | {"private_key": self.typed(sandbox)["private_key"]}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        version = CredentialVersion.objects.get(id=connection.current_version_id)
        held = open_credential(connection, version).fields["certificate"].get_secret_value()
        sandbox.control.revoke_certificate(thumbprint(PEM_cert_to_DER_cert(held)))

    def test_its_end_is_told_ahead(self, connection: Connection, alice: EndUser) -> None:
        told = datetime.fromisoformat(self.vended(alice, connection)["expires_at"])
        assert abs(told - datetime.now(UTC) - timedelta(days=20)) < timedelta(minutes=5)
