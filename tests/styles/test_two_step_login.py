"""A two-step login, through a whole life."""

from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, ProviderApp, Trigger
from providers.catalog.typed_methods import TwoStepLoginMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser
from tests.styles.contract import TypedStyleContract


class TestTwoStepLogin(TypedStyleContract):
    style = TwoStepLoginMethod.style
    auth_method = "session"
    renews = True
    revokes = True
    reason = "grant_rejected"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"username": "alice", "password": "alice"}

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"username": "alice", "password": "not-the-password"}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.settings(locked=["alice"])
        sandbox.control.revoke(username="alice")

    def test_a_session_that_ended_early_is_replaced_by_another_login(
        self, connection: Connection, alice: EndUser, sandbox: SandboxProcess
    ) -> None:
        before = self.vended(alice, connection)
        sandbox.control.revoke(username="alice")
        assert self.use(before).status_code == 401
        assert self.try_to_end(connection).status == "active"
        assert self.use(self.vended(alice, connection)).status_code == 200

    def test_an_answer_that_is_lost_costs_another_login_and_nothing_more(
        self, connection: Connection, alice: EndUser, sandbox: SandboxProcess
    ) -> None:
        sandbox.control.fault("lost_response", endpoint="session")
        age(connection.id, hours=1)
        refresh(connection.id, trigger=Trigger.SWEEP)
        age(connection.id, hours=1)
        refresh(connection.id, trigger=Trigger.SWEEP)
        assert self.use(self.vended(alice, connection)).status_code == 200
        assert len(sandbox.control.log(endpoint="session", outcome="issued")) == 3

    def test_a_provider_that_is_away_is_told_and_the_form_may_be_sent_again(
        self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        invitation = alice.invite()
        alice.start(invitation)
        sandbox.control.fault("status", endpoint="session", status=503)
        page = self.submit(alice, invitation, app, self.typed(sandbox))
        assert page.status_code == 503
        assert self.submit(alice, invitation, app, self.typed(sandbox)).status_code in (200, 302)
