"""A user name and a password as HTTP Basic, through a whole life."""

from connections.models import Connection
from providers.catalog.typed_methods import HttpBasicMethod
from providers.sandbox.client import SandboxProcess
from tests.styles.contract import TypedStyleContract


class TestHttpBasic(TypedStyleContract):
    style = HttpBasicMethod.style
    auth_method = "basic"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"username": "alice", "password": sandbox.control.api_key("alice")}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke_api_keys("alice")
