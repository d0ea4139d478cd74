"""What is withdrawn from an API client, or named by one, reaches the sessions that it has made already."""

from dataclasses import replace

import pytest

from connections.database.clock import database_now as now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import issue_key, revoke_key
from connections.models import ApiClient, ApiKey, Connection, ConnectSession, Permission, Tenant
from providers.sandbox.client import SandboxProcess
from tests.factories import Caller, make_caller, make_sandbox_app
from tests.flows import EndUser, call, failure_of

ALL = [Permission.CONNECT, Permission.READ, Permission.VEND]


@pytest.fixture
def mailer(acme: Tenant, sandbox: SandboxProcess) -> EndUser:
    """alice, invited by a client that may skip the confirmation."""
    make_sandbox_app(sandbox, tenant=acme)
    return EndUser("alice", make_caller(acme, "mailer", ALL, allows_unbound=True))


def tokens_asked(sandbox: SandboxProcess) -> int:
    return len([request for request in sandbox.control.log() if request.path == "/token"])


def test_a_session_that_skips_the_confirmation_ends_with_its_clients_right_to_that(
    mailer: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = mailer.invite(binding="none")
    back = mailer.authorize(invitation)
    ApiClient.objects.update(allows_unbound=False)
    sandbox.control.clear_log()
    page = mailer.visit(back)
    assert failure_of(page) == "suspended"
    assert tokens_asked(sandbox) == 0
    assert not Connection.objects.filter(status="active").exists()


def test_it_is_not_begun_either(mailer: EndUser) -> None:
    invitation = mailer.invite(binding="none")
    ApiClient.objects.update(allows_unbound=False)
    assert failure_of(mailer.start(invitation)) == "suspended"


@pytest.mark.parametrize("binding", ["completion", "none"])
def test_the_links_of_a_revoked_key_lead_nowhere_and_those_of_other_keys_do(mailer: EndUser, binding: str) -> None:
    stolen, kept = mailer.invite(binding=binding), ApiKey.objects.get(client=mailer.backend.client)
    other = EndUser("bob", replace(mailer.backend, key=issue_key(mailer.backend.client, now=now(), actor=SYSTEM).key))
    fine = other.invite(binding=binding)
    revoke_key(kept, now=now(), actor=SYSTEM)
    assert failure_of(mailer.start(stolen)) == "suspended"
    assert other.authorize(fine)


def test_what_was_begun_by_a_link_of_a_revoked_key_brings_no_connection(
    mailer: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = mailer.invite(binding="none")
    back = mailer.authorize(invitation)
    revoke_key(ApiKey.objects.get(), now=now(), actor=SYSTEM)
    sandbox.control.clear_log()
    assert failure_of(mailer.visit(back)) == "suspended"
    assert tokens_asked(sandbox) == 0
    assert not Connection.objects.filter(status="active").exists()


def test_what_is_held_for_a_revoked_key_is_confirmed_by_no_other(mailer: EndUser, sandbox: SandboxProcess) -> None:
    invitation = mailer.invite()
    code = mailer.finish(invitation)
    again = issue_key(mailer.backend.client, now=now(), actor=SYSTEM).key
    revoke_key(ApiKey.objects.exclude(prefix=ApiKey.prefix_of(again)).get(), now=now(), actor=SYSTEM)
    sandbox.control.clear_log()
    answer = EndUser("alice", replace(mailer.backend, key=again)).complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (423, "suspended")
    assert tokens_asked(sandbox) == 0


def test_an_operator_wide_key_confirms_only_where_it_names_the_tenant(
    acme: Tenant, globex: Tenant, sandbox: SandboxProcess
) -> None:
    make_sandbox_app(sandbox, tenant=acme)
    wide = make_caller(None, "wide", ALL)
    alice = EndUser("alice", wide)
    invitation = alice.invite(tenant="acme")
    code = alice.finish(invitation)
    path, body = f"/connect-sessions/{invitation.id}/complete", {"completion_code": code, "end_user": "alice"}
    unnamed = call(wide, "POST", path, body)
    assert (unnamed.status_code, unnamed.json()["field"]) == (422, "tenant")
    assert call(wide, "POST", path, body | {"tenant": "globex"}).status_code == 404
    assert ConnectSession.objects.get(id=invitation.id).state == "held"
    assert call(wide, "POST", path, body | {"tenant": "acme"}).status_code == 200


def test_a_tenants_key_that_names_another_tenant_confirms_nothing(
    alice: EndUser, app: object, globex: Tenant, backend: Caller
) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    body = {"completion_code": code, "end_user": "alice", "tenant": "globex"}
    assert call(backend, "POST", f"/connect-sessions/{invitation.id}/complete", body).status_code == 404
    assert alice.complete(invitation, code).status_code == 200
