"""Switches: what is turned off stops at the next vend, and what is turned on again is as it was."""

from collections.abc import Callable

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh_and_wait
from connections.lifecycle.steer.switches import Suspendable, pause, resume, suspend, unpause
from connections.models import AuditEvent, Connection, ProviderApp
from tests.flows import EndUser

OLGA = Actor(operator="olga")

Pick = Callable[[Connection, EndUser], Suspendable]
SUBJECTS: dict[str, Pick] = {
    "connection": lambda connection, alice: connection,
    "tenant": lambda connection, alice: connection.tenant,
    "provider_app": lambda connection, alice: connection.provider_app,
    "api_client": lambda connection, alice: alice.backend.client,
}


@pytest.mark.parametrize("kind", SUBJECTS)
def test_suspending_stops_the_next_vend_and_resuming_restores_it(
    alice: EndUser, connection: Connection, kind: str
) -> None:
    subject = SUBJECTS[kind](connection, alice)
    assert alice.vend(str(connection.id)).status_code == 200
    assert suspend(subject, now=database_now(), actor=OLGA)
    assert alice.vend(str(connection.id)).status_code == 423
    assert resume(subject, actor=OLGA)
    assert alice.vend(str(connection.id)).status_code == 200
    written = AuditEvent.objects.filter(operator="olga").order_by("id")
    assert [event.action for event in written] == [f"{kind}.suspended", f"{kind}.resumed"]
    assert {event.tenant_id for event in written} == {connection.tenant_id}


@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_switch_that_stands_as_asked_is_left_alone(alice: EndUser, connection: Connection, kind: str) -> None:
    subject = SUBJECTS[kind](connection, alice)
    assert not resume(subject, actor=OLGA)
    first = database_now()
    suspend(subject, now=first, actor=OLGA)
    assert not suspend(subject, now=database_now(), actor=OLGA)
    subject.refresh_from_db()
    assert subject.suspended_at == first
    assert AuditEvent.objects.filter(operator="olga").count() == 1


@pytest.mark.parametrize("kind", ["connection", "provider_app"])
def test_pausing_stops_refreshes_but_not_vends(alice: EndUser, connection: Connection, kind: str) -> None:
    subject = SUBJECTS[kind](connection, alice)
    assert isinstance(subject, Connection | ProviderApp)
    assert pause(subject, now=database_now(), actor=OLGA)
    need = Need(instead_of=connection.current_version_id, at_once=True)
    assert refresh_and_wait(connection.id, trigger="test", need=need).outcome is Outcome.SWITCHED_OFF
    assert alice.vend(str(connection.id)).status_code == 200
    assert unpause(subject, actor=OLGA)
    assert refresh_and_wait(connection.id, trigger="test", need=need).outcome is Outcome.REFRESHED


def test_turning_a_switch_of_a_connection_counts_as_a_change(connection: Connection) -> None:
    before = connection.updated_at
    suspend(connection, now=database_now(), actor=OLGA)
    connection.refresh_from_db()
    assert connection.updated_at > before
    assert (connection.status, connection.reason) == ("active", "connected")
