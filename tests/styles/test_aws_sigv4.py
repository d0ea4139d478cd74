"""An access key that signs (AWS Signature Version 4), through a whole life: a lasting one, and a temporary one."""

from connections.access.secrets import open_credential
from connections.models import Connection, CredentialVersion
from providers.catalog.aws_sigv4_method import AwsSigV4Method
from providers.sandbox.client import SandboxProcess
from tests.styles.contract import TypedStyleContract


class TestAwsSigV4(TypedStyleContract):
    style = AwsSigV4Method.style
    auth_method = "aws_sigv4"
    proxy_only = True

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return sandbox.control.access_key("alice") | {"session_token": ""}

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        return self.typed(sandbox) | {"secret_access_key": "not-what-alice-has"}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        version = CredentialVersion.objects.get(id=connection.current_version_id)
        key_id = open_credential(connection, version).fields["access_key_id"].get_secret_value()
        sandbox.control.revoke_access_key(key_id)


class TestTemporaryAccessKey(TestAwsSigV4):
    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return sandbox.control.access_key("alice", temporary=True)

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        return self.typed(sandbox) | {"session_token": "not-what-alice-has"}
