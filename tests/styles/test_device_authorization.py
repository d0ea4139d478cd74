"""A code to enter at the provider (RFC 8628), through a whole life."""

from connections.models import Connection, ProviderApp
from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.codes import enter, link_with_code, pass_interval, show_code
from tests.flows import EndUser, Invitation, completion_code
from tests.styles.contract import StyleContract


class TestDeviceAuthorization(StyleContract):
    style = DeviceAuthorizationMethod.style
    auth_method = "bearer"
    renews = True
    revokes = True
    reason = "grant_rejected"

    def go_through(self, alice: EndUser, invitation: Invitation, sandbox: SandboxProcess, app: ProviderApp) -> str:
        page = show_code(alice, invitation)
        enter(alice, link_with_code(page))
        pass_interval(invitation)
        return completion_code(alice.open(f"/connect/{invitation.id}/device"))

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke(username="alice")
