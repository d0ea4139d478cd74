"""The click that asks the provider first (RFC 9126): down, unwilling, or too slow on the way."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connections.models import AuditEvent, ConnectSession, Incident, ProviderApp, SessionState, Tenant
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.steps import leave_again, submit
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, Invitation, completion_code, provider_link
from tests.styles.test_authorization_code import PUSHED


@pytest.fixture
def app(sandbox: SandboxProcess, acme: Tenant, tmp_path: Path) -> Iterator[ProviderApp]:
    (tmp_path / "played.toml").write_text(PUSHED, encoding="utf-8")
    loader.configure_catalog(tmp_path)
    yield make_sandbox_app(sandbox, tenant=acme, provider="played", pushes=True)
    loader.configure_catalog(None)


@pytest.fixture
def alice(backend: Caller, app: ProviderApp) -> EndUser:
    return EndUser("alice", backend)


@pytest.fixture
def invitation(alice: EndUser) -> Invitation:
    return alice.invite(provider="played")


def path_of(invitation: Invitation, app: ProviderApp) -> str:
    return f"/connect/{invitation.id}/method/{app.id}"


def test_the_link_shows_nothing_but_the_client_and_a_reference(alice: EndUser, invitation: Invitation) -> None:
    query = parse_qs(urlsplit(alice.leave(invitation)).query)
    assert query.keys() == {"client_id", "request_uri"}


@pytest.mark.parametrize("fault", ["status", "reset_before", "rate_limited", "html"])
def test_a_provider_that_is_down_leaves_the_click_to_be_repeated(
    alice: EndUser, invitation: Invitation, app: ProviderApp, sandbox: SandboxProcess, fault: str
) -> None:
    sandbox.control.fault(fault, endpoint="par")
    page = alice.start(invitation)
    assert page.status_code == 503
    assert "Try again soon" in page.content.decode()
    assert ConnectSession.objects.get(id=invitation.id).state == SessionState.STARTED
    url = leave_again(alice, path_of(invitation, app))
    code = completion_code(alice.visit(alice.person.authorize(url)))
    assert alice.complete(invitation, code).status_code == 200


def test_a_registration_that_is_refused_is_an_incident_with_its_reason(
    alice: EndUser, invitation: Invitation, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("error", endpoint="par", error="invalid_client", times=0)
    page = alice.start(invitation)
    assert (page.status_code, "not set up properly" in page.content.decode()) == (502, True)
    [incident] = Incident.objects.filter(provider_app=app)
    assert incident.evidence["error"] == "invalid_client"
    [row] = AuditEvent.objects.filter(action="connect_session.not_asked")
    assert (row.decision, row.tenant_id) == ("client_rejected", app.tenant_id)
    sandbox.control.clear_faults()
    assert provider_link(submit(alice, path_of(invitation, app)))


def test_a_request_that_is_refused_is_for_the_operator_and_no_incident(
    alice: EndUser, invitation: Invitation, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("error", endpoint="par", error="invalid_redirect_uri")
    assert alice.start(invitation).status_code == 502
    [row] = AuditEvent.objects.filter(action="connect_session.not_asked")
    assert row.detail["evidence"]["detail"] == (
        "The server does not take the pushed authorization request: invalid_redirect_uri."
    )
    assert not Incident.objects.exists()


def test_a_reference_that_has_run_out_is_told_and_the_next_click_has_a_new_one(
    alice: EndUser, invitation: Invitation, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    url = alice.leave(invitation)
    sandbox.control.fault("error", endpoint="authorize", error="invalid_request_uri")
    page = alice.visit(alice.person.authorize(url))
    assert "This step took too long" in page.content.decode()
    session = ConnectSession.objects.get(id=invitation.id)
    assert (session.state, session.failure) == (SessionState.STARTED, "invalid_request_uri")
    again = leave_again(alice, path_of(invitation, app))
    assert again != url
    assert completion_code(alice.visit(alice.person.authorize(again)))


def test_another_browser_asks_nobody(
    alice: EndUser, invitation: Invitation, app: ProviderApp, sandbox: SandboxProcess, backend: Caller
) -> None:
    alice.leave(invitation)
    asked = len(sandbox.control.log(endpoint="par"))
    stranger = EndUser("mallory", backend)
    page = submit(stranger, path_of(invitation, app))
    assert page.status_code == 410
    assert len(sandbox.control.log(endpoint="par")) == asked
