"""On demand: what an operator asks for is done or ordered, audited in their name, and told in words."""

import uuid
from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.steer.on_demand import (
    end_on_demand,
    order_probe,
    order_refresh,
    probe_on_demand,
    refresh_on_demand,
)
from connections.lifecycle.sweep import sweep_refreshes
from connections.models import AuditEvent, Connection, Permission, Tenant
from connections.refusals import NotFound
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import overwrite
from tests.factories import make_caller
from tests.flows import EndUser, call

OLGA = Actor(operator="olga", address="192.0.2.7")


def audited(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action, operator="olga")


def test_a_refresh_happens_although_none_is_due(connection: Connection) -> None:
    told = refresh_on_demand(connection.id, actor=OLGA)
    assert (told.is_success, told.code) == (True, "refreshed")
    event = audited("connection.refresh")
    assert (event.decision, event.address) == ("allowed", "192.0.2.7")
    assert event.detail["attempt"] == str(connection.refresh_attempts.get().id)


def test_a_provider_that_is_down_is_told_as_that(connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", status=503)
    told = refresh_on_demand(connection.id, actor=OLGA)
    assert (told.is_success, told.code) == (False, "unavailable")
    assert audited("connection.refresh").decision == "unavailable"


def test_a_probe_of_a_dead_grant_tells_what_followed(connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.revoke(username="alice")
    told = probe_on_demand(connection.id, actor=OLGA)
    assert (told.is_success, told.code) == (False, "dead")
    assert "The connection is suspect now" in told.detail
    assert audited("connection.probe").decision == "dead"


def test_a_probe_of_what_is_not_in_use_says_so(connection: Connection) -> None:
    overwrite(connection, status="revoked", reason="revoked_by_operator")
    told = probe_on_demand(connection.id, actor=OLGA)
    assert (told.is_success, told.code) == (False, "not_probed")
    assert "not in use" in told.detail


@pytest.mark.parametrize(("keep", "status"), [(True, "revoked"), (False, "disconnected")])
def test_an_ending_is_told_once(connection: Connection, keep: bool, status: str) -> None:
    told = end_on_demand(connection.id, now=database_now(), actor=OLGA, keep=keep)
    assert (told.is_success, told.code) == (True, status)
    assert "asked to revoke the grant" in told.detail
    again = end_on_demand(connection.id, now=database_now(), actor=OLGA, keep=keep)
    assert (again.is_success, again.code) == (False, "nothing_changed")
    assert audited("connection.disconnect").detail == {"keep": keep}


def test_an_ordered_refresh_is_due_now_and_sent_once(connection: Connection) -> None:
    now = database_now()
    overwrite(connection, next_attempt_at=now + timedelta(hours=1), failures=4)
    assert order_refresh(connection.id, now=now, actor=OLGA).is_success
    connection.refresh_from_db()
    assert (connection.refresh_due_at, connection.next_attempt_at) == (now, None)
    assert sweep_refreshes(now=now) == 0  # the order itself was sent; the sweep waits before it sends it again
    assert sweep_refreshes(now=now + timedelta(minutes=2)) == 1
    assert audited("connection.refresh_ordered").connection_id == connection.id


def test_nothing_is_ordered_for_what_is_not_in_use(connection: Connection) -> None:
    overwrite(connection, refresh_due_at=None)
    assert order_refresh(connection.id, now=database_now(), actor=OLGA).code == "not_refreshable"
    overwrite(connection, status="revoked", reason="revoked_by_operator")
    assert order_refresh(connection.id, now=database_now(), actor=OLGA).code == "gone"
    assert order_probe(connection.id, actor=OLGA).code == "gone"
    assert not AuditEvent.objects.filter(operator="olga").exists()


def test_an_unknown_connection_is_gone(transactional_db: None) -> None:
    nobody = uuid.uuid4()
    assert refresh_on_demand(nobody, actor=OLGA).code == "gone"
    assert probe_on_demand(nobody, actor=OLGA).code == "gone"
    assert order_probe(nobody, actor=OLGA).code == "gone"
    with pytest.raises(NotFound):
        end_on_demand(nobody, now=database_now(), actor=OLGA, keep=True)


def test_a_client_that_may_not_read_is_told_only_where_a_connection_stands(
    connection: Connection, alice: EndUser, acme: Tenant
) -> None:
    steward = make_caller(acme, "steward", [Permission.MANAGE])
    path = f"/connections/{connection.id}"
    answers = [
        call(steward, "PATCH", path, {"metadata": {"a": 1}}).json(),
        call(steward, "POST", f"{path}/probe").json()["connection"],
        call(steward, "POST", f"{path}/refresh").json()["connection"],
        call(steward, "DELETE", path).json(),
    ]
    assert {frozenset(answer) for answer in answers} == {frozenset({"id", "status", "reason", "revocation"})}
    assert answers[-1]["status"] == "disconnected"
    for act in ("refresh", "probe"):
        assert AuditEvent.objects.get(action=f"connection.{act}").api_client_id == steward.client.id
