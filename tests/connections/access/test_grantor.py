"""A secret goes to nobody but the party that gave it, or for which it was entered, whatever an app is changed to.

The attacker may change a provider app, and runs a server of their own, which takes whatever it is sent.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connections.access.secrets import credential_place, open_client_secrets, open_for_renewal
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh, refresh_and_wait
from connections.lifecycle.steer.outlook import outlook
from connections.lifecycle.steer.rebind import rebind
from connections.models import (
    AuditEvent,
    Connection,
    CredentialVersion,
    DataKey,
    OutboxEvent,
    ProviderApp,
    RefreshAttempt,
    Revocation,
    Tenant,
)
from connections.vault.sealing import seal
from providers.catalog import loader
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from providers.vocabulary import ProbeVerdict
from tests.connections.lifecycle.clockwork import age, due
from tests.factories import make_caller, make_sandbox_app
from tests.flows import EndUser, call, completion_code
from tests.providers.conftest import Provider, make_provider  # noqa: F401 - a fixture


@pytest.fixture
def attacker(make_provider: Callable[..., Provider]) -> Provider:  # noqa: F811 - that fixture
    """A server that answers everything as a provider would like to."""
    server = make_provider()
    server.answers_with(200, {"access_token": "theirs", "token_type": "Bearer", "expires_in": 60, "sub": "x"})
    return server


def move(app: ProviderApp, issuer: str, **changes: Any) -> None:
    """Change the app as a form does in which the attacker types a client secret of their own."""
    registration = {
        "provider": app.provider,
        "auth_style": str(app.auth_style),
        "client_id": app.client_id,
        "client_secrets": ["typed by the attacker"],
        "params": {"issuer": issuer},
        **changes,
    }
    save_provider_app(Registration(**registration), tenant=app.tenant, actor=SYSTEM)


@pytest.fixture
def moved(connection: Connection, attacker: Provider) -> Connection:
    """alice's connection, with its app pointing at the attacker's server."""
    move(connection.provider_app, attacker.url)
    return connection


def test_a_refresh_token_is_not_sent_to_another_issuer(moved: Connection, attacker: Provider) -> None:
    due(moved)
    assert refresh(moved.id, trigger="sweep").outcome is Outcome.MOVED
    need = Need(instead_of=moved.current_version_id, at_once=True)
    assert refresh_and_wait(moved.id, trigger="api", need=need).outcome is Outcome.MOVED
    assert attacker.requests == []
    assert not RefreshAttempt.objects.exists()
    moved.refresh_from_db()
    assert moved.status == "active"


def test_a_probe_does_not_send_the_access_token_to_another_issuer(moved: Connection, attacker: Provider) -> None:
    found = probe(moved.id, trigger="sweep")
    assert found.verdict is None
    assert "not those that gave this credential" in found.detail
    assert attacker.requests == []


def test_a_revocation_does_not_send_the_tokens_to_another_issuer(moved: Connection, attacker: Provider) -> None:
    disconnect(moved.id, now=database_now(), actor=SYSTEM)
    assert revoke(moved.id) is Revocation.PENDING
    assert attacker.requests == []
    assert AuditEvent.objects.filter(action="connection.revocation", decision="app_misconfigured").exists()


def test_a_vend_does_not_send_its_caller_to_another_issuer(moved: Connection, alice: EndUser) -> None:
    answer = alice.vend(str(moved.id))
    assert (answer.status_code, answer.json()["code"]) == (502, "app_misconfigured")
    assert answer.json()["reason"] == "endpoint_moved"
    assert AuditEvent.objects.filter(action="credential.open", decision="app_misconfigured").count() == 1
    age(moved.id, hours=2)
    answer = alice.vend(str(moved.id))
    assert (answer.status_code, answer.json()["reason"]) == (502, "endpoint_moved")


def test_a_pasted_key_is_not_sent_to_another_host(
    alice: EndUser, acme: Tenant, sandbox: SandboxProcess, attacker: Provider
) -> None:
    app = make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)
    key = sandbox.control.api_key("alice")
    invitation = alice.invite()
    alice.start(invitation)
    page = alice.browser.post(
        f"/connect/{invitation.id}/method/{app.id}", {"api_key": key}, headers={"sec-fetch-site": "same-origin"}
    )
    answer = alice.complete(invitation, completion_code(page))
    connection_id = answer.json()["connection"]["id"]
    assert alice.vend(connection_id).status_code == 200
    move(app, attacker.url, client_id="", client_secrets=())
    assert probe(connection_id, trigger="sweep").verdict is None
    assert alice.vend(connection_id).json()["reason"] == "endpoint_moved"
    assert attacker.requests == []


def test_a_code_is_not_sent_to_another_issuer_than_the_user_went_to(
    alice: EndUser, app: ProviderApp, attacker: Provider
) -> None:
    invitation = alice.invite()
    code = alice.finish(invitation)
    move(app, attacker.url)
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["reason"]) == (502, "endpoint_moved")
    assert attacker.requests == []


def test_client_secrets_are_not_kept_where_they_would_go_elsewhere(
    alice: EndUser, app: ProviderApp, attacker: Provider
) -> None:
    """Not by a row that was changed without the form either: whom they are for is sealed with them."""
    ProviderApp.objects.filter(id=app.id).update(params={"issuer": attacker.url})
    answer = alice.start(alice.invite())
    assert attacker.url not in answer.content.decode()
    assert attacker.requests == []


def test_an_edited_entry_does_not_take_credentials_elsewhere(
    connection: Connection, alice: EndUser, attacker: Provider, tmp_path: Path
) -> None:
    text = next(path for slug, path in loader.catalog_files().items() if slug == "sandbox").read_text()
    (tmp_path / "sandbox.toml").write_text(
        text.replace('token_url = "{issuer}/token"', f'token_url = "{attacker.url}/t"')
    )
    loader.configure_catalog(tmp_path)
    try:
        due(connection)
        assert refresh(connection.id, trigger="sweep").outcome is Outcome.MOVED
        assert probe(connection.id, trigger="sweep").verdict is None
        answer = alice.start(alice.invite())
        assert "/authorize?" not in answer.content.decode()
    finally:
        loader.configure_catalog(None)
    assert attacker.requests == []
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED


def test_a_credential_of_which_nobody_knows_who_gave_it_goes_nowhere(
    connection: Connection, alice: EndUser, sandbox: SandboxProcess
) -> None:
    version = CredentialVersion.objects.get()
    credential, key = open_for_renewal(connection, version)
    place = credential_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=version.id)
    version.secrets = seal(replace(credential, granted_by="").to_bytes(), key=key, place=place)
    version.save()
    sandbox.control.clear_log()
    assert refresh(due(connection).id, trigger="sweep").outcome is Outcome.MOVED
    assert alice.vend(str(connection.id)).json()["reason"] == "endpoint_moved"
    assert sandbox.control.log() == []


def test_what_is_moved_back_works_again(moved: Connection, alice: EndUser, sandbox: SandboxProcess) -> None:
    assert alice.vend(str(moved.id)).status_code == 502
    move(moved.provider_app, sandbox.url)
    assert alice.vend(str(moved.id)).status_code == 200


@pytest.mark.parametrize("found_by", ["refresh", "probe"])
def test_an_endpoint_that_moved_is_told_once_and_until_it_is_over(
    moved: Connection, sandbox: SandboxProcess, alice: EndUser, found_by: str
) -> None:
    for _ in range(2):
        if found_by == "refresh":
            refresh(due(moved).id, trigger="sweep")
        else:
            probe(moved.id, trigger="sweep")
    assert OutboxEvent.objects.filter(type="connection.endpoint_moved", connection_id=moved.id).count() == 1
    assert AuditEvent.objects.filter(action="connection.endpoint_moved", connection_id=moved.id).count() == 1
    health = call(alice.backend, "GET", f"/connections/{moved.id}").json()["health"]
    assert health["evidence"]["endpoint_moved_at"]
    moved.refresh_from_db()
    foreseen = outlook(moved, attempt=None, incidents=[], hold=None, now=database_now())
    told = [step.text for step in foreseen if step.is_held]
    assert "endpoints are not those that gave this credential" in told[0]

    move(moved.provider_app, sandbox.url)
    assert probe(moved.id, trigger="sweep").verdict is ProbeVerdict.ALIVE
    moved.refresh_from_db()
    assert "endpoint_moved_at" not in moved.evidence


def secrets_of(connection: Connection) -> list[str]:
    return [secret.get_secret_value() for secret in open_client_secrets(connection.provider_app)]


def test_connections_follow_where_an_operator_with_the_keys_says_so(
    connection: Connection, alice: EndUser, sandbox: SandboxProcess
) -> None:
    other = sandbox.url.replace("127.0.0.1", "localhost")
    move(connection.provider_app, other, client_secrets=secrets_of(connection))
    done = rebind(ProviderApp.objects.get(), actor=SYSTEM)
    assert (done.moved, done.left) == (1, 0)
    assert rebind(ProviderApp.objects.get(), actor=SYSTEM).moved == 0
    assert alice.vend(str(connection.id)).json()["credential"]["base_url"] == other
    assert refresh(due(connection).id, trigger="sweep").outcome is Outcome.REFRESHED
    assert AuditEvent.objects.filter(action="connection.rebound", connection_id=connection.id).count() == 1


def test_what_follows_opens_though_the_data_key_was_replaced_before(
    connection: Connection, alice: EndUser, sandbox: SandboxProcess
) -> None:
    """It is sealed anew under the key of today, so the column that vends go by has to name that one."""
    DataKey.objects.update(is_current=False)
    other = sandbox.url.replace("127.0.0.1", "localhost")
    move(connection.provider_app, other, client_secrets=secrets_of(connection))
    assert rebind(ProviderApp.objects.get(), actor=SYSTEM).moved == 1
    version = CredentialVersion.objects.get()
    assert version.data_key_id == DataKey.objects.get(tenant=connection.tenant, is_current=True).id
    assert alice.vend(str(connection.id)).status_code == 200


def test_another_tenant_learns_nothing_of_it(moved: Connection, globex: Tenant) -> None:
    answer = call(make_caller(globex), "POST", f"/connections/{moved.id}/credential", {"end_user": "alice"})
    assert answer.status_code == 404
