"""A pasted access token, through a whole life."""

from connections.models import Connection
from providers.catalog.typed_methods import BearerTokenMethod
from providers.sandbox.client import SandboxProcess
from tests.styles.contract import TypedStyleContract


class TestBearerToken(TypedStyleContract):
    style = BearerTokenMethod.style
    auth_method = "bearer"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"token": sandbox.control.api_key("alice")}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke_api_keys("alice")
