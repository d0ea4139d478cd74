"""Pasted keys, and the choice between providers and methods."""

import re
from typing import Any

import pytest

from connections.models import Connection, ProviderApp, SessionState, Tenant
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import assert_nothing_left, pass_time, session_of, token_requests
from tests.connections.consent.steps import submit
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, completion_code, failure_of


@pytest.fixture
def keys(acme: Tenant, sandbox: SandboxProcess) -> ProviderApp:
    """acme takes pasted keys of the sandbox."""
    return make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)


@pytest.fixture
def paster(backend: Caller, keys: ProviderApp) -> EndUser:
    """alice, where a pasted key is the only way to connect."""
    return EndUser("alice", backend)


def test_a_pasted_key_is_tried_held_and_vended(paster: EndUser, keys: ProviderApp, sandbox: SandboxProcess) -> None:
    key = sandbox.control.api_key("alice")
    invitation = paster.invite()
    form = paster.visit(paster.start(invitation)["Location"]).content.decode()
    assert 'name="api_key"' in form
    assert 'type="password"' in form

    held = submit(paster, f"/connect/{invitation.id}/method/{keys.id}", api_key=f" {key}\n")

    assert Connection.objects.get().status == "pending"
    answer = paster.complete(invitation, completion_code(held))
    connection = answer.json()["connection"]
    assert (connection["status"], connection["auth_style"]) == ("active", "api_key")
    assert connection["account"]["name"].startswith("Alice")
    vended = paster.vend(connection["id"]).json()["credential"]
    assert (vended["auth_method"], vended["value"], vended["headers"]) == ("api_key", key, {"X-Api-Key": key})
    assert vended["expires_at"] is None
    assert token_requests(sandbox) == []


def test_a_wrong_key_is_told_on_the_same_page_and_never_repeated(
    paster: EndUser, keys: ProviderApp, sandbox: SandboxProcess
) -> None:
    invitation = paster.invite()
    paster.start(invitation)
    path = f"/connect/{invitation.id}/method/{keys.id}"
    for typed, words in (
        ("wrong-key-0123456789", "does not accept this"),
        ("short", "does not have the expected form"),
        ("", "is required"),
        ("кириллица-123", "does not have the expected form"),
    ):
        page = submit(paster, path, api_key=typed)
        text = page.content.decode()
        assert page.status_code == 422
        assert words in text
        assert 'role="alert"' in text
        assert not typed or typed not in text
    assert session_of(invitation).state == SessionState.STARTED
    right = submit(paster, path, api_key=sandbox.control.api_key("alice"))
    assert paster.complete(invitation, completion_code(right)).status_code == 200


def test_a_key_that_cannot_be_tried_is_not_held(paster: EndUser, keys: ProviderApp, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", endpoint="me", status=503)
    invitation = paster.invite()
    paster.start(invitation)
    path, key = f"/connect/{invitation.id}/method/{keys.id}", sandbox.control.api_key("alice")
    page = submit(paster, path, api_key=key)
    assert page.status_code == 503
    assert "cannot be reached" in page.content.decode()
    assert session_of(invitation).held is None
    assert completion_code(submit(paster, path, api_key=key))


def test_a_pasted_key_needs_the_confirmation_too(
    paster: EndUser, mallory: EndUser, keys: ProviderApp, sandbox: SandboxProcess
) -> None:
    invitation = paster.invite()
    paster.start(invitation)
    path = f"/connect/{invitation.id}/method/{keys.id}"
    assert failure_of(submit(mallory, path, api_key="x")) == "no_cookie"
    code = completion_code(submit(paster, path, api_key=sandbox.control.api_key("alice")))
    again = paster.follow(submit(paster, path, api_key=sandbox.control.api_key("alice")))
    assert completion_code(again) == code
    assert mallory.complete(invitation, code).status_code == 403
    assert_nothing_left(invitation, "completion_mismatch")


def test_a_key_is_not_taken_after_the_time_is_over(paster: EndUser, keys: ProviderApp, sandbox: SandboxProcess) -> None:
    invitation = paster.invite()
    paster.start(invitation)
    pass_time(invitation, minutes=30)
    page = submit(paster, f"/connect/{invitation.id}/method/{keys.id}", api_key=sandbox.control.api_key("alice"))
    assert failure_of(page) == "expired"
    assert sandbox.control.log(endpoint="me") == []


def test_a_key_of_another_account_does_not_renew_a_connection(
    paster: EndUser, keys: ProviderApp, sandbox: SandboxProcess
) -> None:
    def paste(username: str, **changes: object) -> tuple[int, dict[str, Any]]:
        invitation = paster.invite(**changes)
        paster.start(invitation)
        path = f"/connect/{invitation.id}/method/{keys.id}"
        code = completion_code(submit(paster, path, api_key=sandbox.control.api_key(username)))
        answer = paster.complete(invitation, code)
        return answer.status_code, answer.json()

    _, connected = paste("alice")
    connection = connected["connection"]
    assert paste("bob", connection=connection["id"])[1]["code"] == "account_mismatch"
    status, renewed = paste("alice", connection=connection["id"])
    assert status == 200
    assert renewed["connection"]["version"] != connection["version"]


def test_several_ways_to_connect_are_a_choice(
    alice: EndUser, app: ProviderApp, keys: ProviderApp, sandbox: SandboxProcess
) -> None:
    invitation = alice.invite()
    landing = alice.visit(f"/connect/{invitation.id}").content.decode()
    assert "You choose how on the next page" in landing
    assert landing.count('class="monogram"') == 1, "one provider: its icon heads the page"
    choices = alice.visit(alice.start(invitation)["Location"]).content.decode()
    links = re.findall(r'"(/connect/[^"]+/method/[^"]+)"', choices)
    assert links == [f"/connect/{invitation.id}/method/{choice.id}" for choice in (app, keys)]
    assert "How would you like to connect Sandbox?" in choices
    assert choices.count('class="monogram"') == 1, "that of the page: each line names its way alone"
    assert 'type="search"' not in choices

    held = submit(alice, links[1], api_key=sandbox.control.api_key("alice"))

    connection = alice.complete(invitation, completion_code(held)).json()["connection"]
    assert connection["auth_style"] == "api_key"


def test_a_provider_app_that_is_not_on_offer_cannot_be_chosen(
    alice: EndUser, app: ProviderApp, globex: Tenant, sandbox: SandboxProcess
) -> None:
    foreign = make_sandbox_app(sandbox, tenant=globex)
    shared = make_sandbox_app(sandbox)  # hidden by acme's own
    invitation = alice.invite()
    alice.start(invitation)
    for other in (foreign, shared):
        path = f"/connect/{invitation.id}/method/{other.id}"
        assert failure_of(alice.visit(path)) == "unknown"
        assert failure_of(submit(alice, path)) == "unknown"


def test_a_tenant_without_an_app_of_its_own_uses_the_shared_one(
    backend: Caller, sandbox: SandboxProcess, globex: Tenant
) -> None:
    make_sandbox_app(sandbox, tenant=globex)
    alice = EndUser("alice", backend)
    with pytest.raises(AssertionError, match="no provider app"):
        alice.invite()
    shared = make_sandbox_app(sandbox)
    assert Connection.objects.get(id=alice.connect()["id"]).provider_app_id == shared.id
