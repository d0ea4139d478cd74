"""Connecting again: the same account keeps its connection, another one needs an explicit choice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.models import AccessGrant, AuditEvent, Connection, CredentialVersion, ProviderApp, Revocation
from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from tests.connections.api.grants import let
from tests.connections.consent.observed import connections_locked, session_of, token_requests
from tests.flows import EndUser, Invitation, call, failure_of
from tests.person import Person


def reconnect(user: EndUser, connection_id: str, **changes: object) -> Invitation:
    return user.invite(connection=connection_id, **changes)


def test_the_same_account_renews_the_connection_under_a_new_grant(alice: EndUser) -> None:
    before = alice.connect()
    grant = CredentialVersion.objects.get(stage="current").grant_id
    invitation = reconnect(alice, before["id"], scopes=["profile.read", "files.read"])

    after = alice.complete(invitation, alice.finish(invitation)).json()["connection"]

    assert after["id"] == before["id"]
    assert after["version"] != before["version"]
    assert (after["status"], after["reason"]) == ("active", "reconnected")
    assert after["scopes"]["granted"] == ["files.read", "profile.read"]
    assert CredentialVersion.objects.get(stage="current").grant_id != grant
    assert Connection.objects.count() == 1


def test_a_renewed_connection_vends_as_before_until_the_confirmation(alice: EndUser) -> None:
    before = alice.connect()
    invitation = reconnect(alice, before["id"])
    alice.finish(invitation)
    vended = alice.vend(before["id"])
    assert (vended.status_code, vended.json()["version"]) == (200, before["version"])


def test_another_account_changes_nothing(alice: EndUser, sandbox: SandboxProcess) -> None:
    before = alice.connect()
    alice.person = Person("bob")
    invitation = reconnect(alice, before["id"])

    answer = alice.complete(invitation, alice.finish(invitation))

    assert (answer.status_code, answer.json()["code"]) == (409, "account_mismatch")
    assert CredentialVersion.objects.count() == 1
    shown = call(alice.backend, "GET", f"/connections/{before['id']}").json()
    assert (shown["version"], shown["account"]) == (before["version"], before["account"])
    assert alice.vend(before["id"]).json()["version"] == before["version"]
    assert session_of(invitation).failure == "account_mismatch"
    assert AuditEvent.objects.filter(action="connect_session.exchange", decision="account_mismatch").count() == 1


def test_another_account_is_taken_where_that_was_asked_for(alice: EndUser) -> None:
    before = alice.connect()
    on_it = let(Connection.objects.get(), "carol")
    wide = let(Connection.objects.get(), "carol", provider="sandbox")
    alice.complete(same := reconnect(alice, before["id"]), alice.finish(same))
    assert AccessGrant.objects.standing().count() == 2
    alice.person = Person("bob")
    invitation = reconnect(alice, before["id"], allow_account_change=True)
    after = alice.complete(invitation, alice.finish(invitation)).json()["connection"]
    assert after["id"] == before["id"]
    assert after["account"]["name"].startswith("Bob")
    assert after["granted_by"] is None
    assert AccessGrant.objects.standing().get() == wide, "what was given for the other account is over"
    told = AuditEvent.objects.get(action="access_grant.revoked").detail
    assert (told["grant"], told["why"]) == (str(on_it.id), "account_changed")


def test_an_account_that_cannot_be_told_now_is_asked_for_again(alice: EndUser, sandbox: SandboxProcess) -> None:
    before = alice.connect()
    sandbox.control.fault("status", endpoint="me", status=503)
    invitation = reconnect(alice, before["id"])
    code = alice.finish(invitation)
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert CredentialVersion.objects.count() == 1
    assert alice.vend(before["id"]).json()["version"] == before["version"]
    again = alice.complete(invitation, code)
    assert (again.status_code, again.json()["connection"]["reason"]) == (200, "reconnected")


def test_an_account_that_cannot_be_told_is_not_taken_for_another(alice: EndUser, sandbox: SandboxProcess) -> None:
    before = alice.connect()
    sandbox.control.fault("html", endpoint="me")
    invitation = reconnect(alice, before["id"])
    answer = alice.complete(invitation, alice.finish(invitation))
    assert (answer.status_code, answer.json()["reason"]) == (409, "account_unknown")
    assert CredentialVersion.objects.count() == 1
    assert alice.vend(before["id"]).json()["version"] == before["version"]


def test_an_account_that_another_connection_has_is_refused(alice: EndUser) -> None:
    first = alice.connect()
    alice.person = Person("bob")
    second = alice.connect()
    assert first["id"] != second["id"]
    invitation = reconnect(alice, first["id"], allow_account_change=True)

    answer = alice.complete(invitation, alice.finish(invitation))

    assert (answer.status_code, answer.json()["code"]) == (409, "account_mismatch")
    assert answer.json()["connection"] == second["id"]
    assert {str(row.current_version_id) for row in Connection.objects.all()} == {first["version"], second["version"]}


def test_connecting_the_same_account_again_adopts_the_connection(alice: EndUser, sandbox: SandboxProcess) -> None:
    before = alice.connect()
    after = alice.connect(scopes=["profile.read", "files.read"])
    assert after["id"] == before["id"]
    assert after["reason"] == "reconnected"
    assert Connection.objects.count() == 1
    vended = alice.vend(after["id"]).json()
    assert vended["version"] == after["version"]
    newest = token_requests(sandbox)[-1]
    assert fingerprint(vended["credential"]["value"]) == newest.access_issued


def test_the_same_account_connected_twice_at_once_is_one_connection(alice: EndUser, sandbox: SandboxProcess) -> None:
    invitations = [alice.invite(), alice.invite()]
    codes = [alice.finish(invitation) for invitation in invitations]
    sandbox.control.settings(delay_seconds={"me": 0.3})

    def confirm(turn: int) -> str:
        answer = alice.complete(invitations[turn], codes[turn])
        database.close()
        assert answer.status_code == 200, answer.content
        return str(answer.json()["connection"]["id"])

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(confirm, range(2)))) == 1
    assert Connection.objects.get().status == "active"


def test_two_that_cross_never_wait_for_each_other(alice: EndUser) -> None:
    """Each reconnects one connection with the account of the other one, so that both touch both."""
    bob = EndUser("alice", alice.backend)
    bob.person = Person("bob")
    first, second = alice.connect()["id"], bob.connect()["id"]
    crossing = []
    for user, connection_id in ((bob, first), (alice, second)):
        invitation = reconnect(user, connection_id, allow_account_change=True)
        crossing.append((user, invitation, user.finish(invitation)))

    def confirm(step: tuple[EndUser, Invitation, str]) -> tuple[int, str]:
        user, invitation, code = step
        try:
            answer = user.complete(invitation, code)
        finally:
            database.close()
        return answer.status_code, answer.json()["code"]

    with ThreadPoolExecutor(2) as pool:
        with connections_locked() as wait_for:
            confirmed = pool.map(confirm, crossing)
            wait_for(2)
        assert list(confirmed) == [(409, "account_mismatch")] * 2


def test_two_people_may_connect_the_same_account(alice: EndUser, mallory: EndUser) -> None:
    mallory.person = Person("alice")
    assert alice.connect()["id"] != mallory.connect()["id"]


def test_a_disconnected_account_gets_a_new_connection(alice: EndUser) -> None:
    before = alice.connect()
    call(alice.backend, "DELETE", f"/connections/{before['id']}")
    assert alice.connect()["id"] != before["id"]


def test_the_revocation_of_the_old_grant_does_not_touch_the_new_one(alice: EndUser) -> None:
    before = alice.connect()
    disconnect(Connection.objects.get().id, now=database_now(), actor=SYSTEM, keep=True)
    assert Connection.objects.get().revocation == Revocation.PENDING
    invitation = reconnect(alice, before["id"])
    after = alice.complete(invitation, alice.finish(invitation)).json()["connection"]
    assert (after["status"], after["revocation"]) == ("active", "")
    assert Connection.objects.get().revocation_due_at is None


@pytest.mark.parametrize("status", ["disconnected", "unknown", "another tenant's"])
def test_a_connection_that_cannot_be_renewed_is_not_found(status: str, alice: EndUser, globex: object) -> None:
    connection_id = "00000000-0000-4000-8000-000000000000"
    if status != "unknown":
        connection_id = alice.connect()["id"]
    if status == "disconnected":
        call(alice.backend, "DELETE", f"/connections/{connection_id}")
    if status == "another tenant's":
        Connection.objects.update(tenant=globex)
    body = {
        "end_user": "alice",
        "provider": "sandbox",
        "return_url": "https://app.acme.example/connected",
        "connection": connection_id,
    }
    answer = call(alice.backend, "POST", "/connect-sessions", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_only_its_owner_renews_a_connection(alice: EndUser, mallory: EndUser) -> None:
    connection_id = alice.connect()["id"]
    for changes, field in (
        ({"end_user": "mallory"}, "end_user"),
        ({"owner": "tenant"}, "end_user"),
        ({"provider": ["sandbox", "oidc"]}, "provider"),
    ):
        body = {
            "end_user": "alice",
            "provider": "sandbox",
            "return_url": "https://app.acme.example/connected",
            "connection": connection_id,
        }
        answer = call(alice.backend, "POST", "/connect-sessions", body | changes)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_renewal_offers_the_connections_own_provider_app_alone(alice: EndUser, app: ProviderApp) -> None:
    connection_id = alice.connect()["id"]
    ProviderApp.objects.create(provider="sandbox", auth_style="api_key", name="Keys", params=app.params)
    invitation = reconnect(alice, connection_id)
    assert alice.start(invitation).status_code == 200
    other = ProviderApp.objects.get(auth_style="api_key")
    assert failure_of(alice.visit(f"/connect/{invitation.id}/method/{other.id}")) == "unknown"


def test_a_renewal_ends_when_its_connection_is_disconnected(alice: EndUser, sandbox: SandboxProcess) -> None:
    connection_id = alice.connect()["id"]
    invitation = reconnect(alice, connection_id)
    code = alice.finish(invitation)
    call(alice.backend, "DELETE", f"/connections/{connection_id}")
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["failure"]) == (410, "gone")
    assert len(token_requests(sandbox)) == 1
