"""Probe: a dead grant is known before a caller finds out, and a healthy one is never called dead."""

import threading

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.probe.report import report
from connections.lifecycle.refresh.claim import Need
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.throttle.admission import DISTINCT_FAILURES
from connections.models import Connection, OutboxEvent, ProviderApp
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from providers.vocabulary import ProbeVerdict
from tests.connected import connect_at
from tests.connections.lifecycle.clockwork import age
from tests.factories import make_sandbox_app
from tests.flows import SAME_ORIGIN, EndUser, completion_code


def reload(connection: Connection) -> Connection:
    return Connection.objects.get(id=connection.id)


@pytest.fixture
def static_key(alice: EndUser, app: ProviderApp, sandbox: SandboxProcess) -> Connection:
    """A connection by a pasted API key, which nothing can refresh."""
    app.delete()
    by_key = make_sandbox_app(sandbox, tenant=app.tenant, style=ApiKeyMethod.style)
    invitation = alice.invite()
    assert alice.start(invitation).status_code == 303
    answer = alice.browser.post(
        f"/connect/{invitation.id}/method/{by_key.id}",
        {"api_key": sandbox.control.api_key("alice")},
        headers=SAME_ORIGIN,
    )
    confirmed = alice.complete(invitation, completion_code(answer))
    return Connection.objects.get(id=confirmed.json()["connection"]["id"])


def test_proves_a_credential_and_says_how(connection: Connection) -> None:
    Connection.objects.update(verified_at=None, verified_by="")
    assert probe(connection.id, trigger="sweep").verdict is ProbeVerdict.ALIVE
    row = reload(connection)
    assert row.verified_by == "probe"
    assert row.verified_at is not None
    assert row.probe_due_at is not None and row.probe_due_at > row.verified_at


def test_a_revoked_grant_is_found_without_a_vend(connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.revoke(client_id=connection.provider_app.client_id)
    assert probe(connection.id, trigger="sweep").verdict is ProbeVerdict.DEAD
    row = reload(connection)
    assert (row.status, row.reason) == ("suspect", "refresh_refused")
    age(connection.id, seconds=31)
    probe(connection.id, trigger="sweep")
    row = reload(connection)
    assert (row.status, row.reason) == ("needs_reauth", "grant_rejected")
    assert OutboxEvent.objects.filter(type="connection.needs_reauth").count() == 1


def test_a_dead_access_token_of_a_living_grant_is_replaced(connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", endpoint="me", status=401)
    assert probe(connection.id, trigger="sweep").verdict is ProbeVerdict.DEAD
    row = reload(connection)
    assert (row.status, row.verified_by) == ("active", "refresh")
    assert row.current_version_id != connection.current_version_id


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_no_other_answer_counts_against_the_connection(
    connection: Connection, sandbox: SandboxProcess, status: int
) -> None:
    sandbox.control.fault("status", endpoint="me", status=status, times=0)
    assert probe(connection.id, trigger="sweep").verdict in (ProbeVerdict.FORBIDDEN, ProbeVerdict.UNAVAILABLE)
    row = reload(connection)
    assert (row.status, row.reason, row.refused_at) == ("active", "connected", None)
    assert sandbox.control.log(grant_type="refresh_token") == []


def test_a_static_key_is_dead_after_two_refusals_30_s_apart(static_key: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.revoke_api_keys("alice")
    probe(static_key.id, trigger="sweep")
    assert (reload(static_key).status, reload(static_key).reason) == ("suspect", "probe_refused")
    probe(static_key.id, trigger="sweep")
    assert reload(static_key).status == "suspect"
    age(static_key.id, seconds=31)
    probe(static_key.id, trigger="sweep")
    assert (reload(static_key).status, reload(static_key).reason) == ("needs_reauth", "credential_dead")


def test_a_static_key_that_works_again_is_trusted_again(static_key: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", endpoint="me", status=401)
    probe(static_key.id, trigger="sweep")
    assert reload(static_key).status == "suspect"
    probe(static_key.id, trigger="sweep")
    row = reload(static_key)
    assert (row.status, row.reason, row.refused_at) == ("active", "recovered", None)


def test_a_working_access_token_lifts_no_suspicion_of_a_refused_refresh(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    """It runs out, and nothing takes its place: the second refusal has to count as the second."""
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant", times=0)
    refresh(connection.id, trigger="api", need=Need(instead_of=connection.current_version_id))
    before = reload(connection)
    assert (before.status, before.reason) == ("suspect", "refresh_refused")
    assert probe(connection.id, trigger="sweep").verdict is ProbeVerdict.ALIVE
    row = reload(connection)
    assert (row.status, row.reason, row.refused_at) == ("suspect", "refresh_refused", before.refused_at)
    age(connection.id, seconds=31)
    refresh(connection.id, trigger="api", need=Need(instead_of=connection.current_version_id, at_once=True))
    assert (reload(connection).status, reload(connection).reason) == ("needs_reauth", "grant_rejected")


def test_a_report_on_the_current_version_probes_at_once(connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.revoke(client_id=connection.provider_app.client_id)
    version = connection.current_version_id
    assert version is not None
    told = report(connection.id, version_id=version, status=401, actor=SYSTEM)
    assert (told.is_superseded, told.verdict) == (False, ProbeVerdict.DEAD)
    assert reload(connection).status == "suspect"


def test_a_report_on_an_old_version_sends_nothing(connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.clear_log()
    told = report(connection.id, version_id=connection.id, status=401, actor=SYSTEM)
    assert told.is_superseded
    assert sandbox.control.log() == []


def test_a_probe_of_a_version_replaced_meanwhile_says_nothing_about_the_new_one(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("stall", endpoint="me", seconds=15)

    def run() -> None:
        probe(connection.id, trigger="sweep")
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: sandbox.control.log(endpoint="me"), "the probe", pause=0.02)
    refresh(connection.id, trigger="api", need=Need(instead_of=connection.current_version_id))
    Connection.objects.update(verified_at=None, verified_by="")
    assert thread.is_alive()
    sandbox.control.release()
    thread.join()
    assert reload(connection).verified_by == ""


def test_many_connections_failing_at_once_open_one_incident_and_end_none(
    app: ProviderApp, sandbox: SandboxProcess
) -> None:
    ids = [connect_at(sandbox, app, end_user=f"user-{number}").id for number in range(6)]
    sandbox.control.revoke(client_id=app.client_id)
    for connection_id in ids:
        age(connection_id, minutes=30)
        probe(Connection.objects.get(id=connection_id).id, trigger="sweep")
    for connection_id in ids:
        age(connection_id, seconds=31)
        probe(Connection.objects.get(id=connection_id).id, trigger="sweep")
    assert not Connection.objects.filter(status="needs_reauth").exists()
    incident = app.incidents.get(closed_at=None)
    assert incident.kind == "many_failures"


@pytest.fixture
def several(sandbox: SandboxProcess, app: ProviderApp) -> list[Connection]:
    """More connections of one app than are needed to see that a provider is down."""
    return [connect_at(sandbox, app, end_user=f"user-{number}") for number in range(DISTINCT_FAILURES + 2)]


@pytest.mark.parametrize("http_date", [False, True])
@pytest.mark.parametrize("trigger", ["sweep", "report"])
def test_no_connection_of_an_app_is_probed_before_the_provider_allows(
    several: list[Connection], alice: EndUser, sandbox: SandboxProcess, http_date: bool, trigger: str
) -> None:
    alice.name = several[-1].end_user
    sandbox.control.fault("rate_limited", endpoint="me", retry_after=40, http_date=http_date)
    assert probe(several[0].id, trigger="sweep").verdict is ProbeVerdict.UNAVAILABLE
    sandbox.control.clear_log()
    held = probe(several[1].id, trigger=trigger)
    assert (held.verdict, sandbox.control.log()) == (None, [])
    assert "The provider is not asked" in held.detail
    for connection in several[:2]:
        due = reload(connection).probe_due_at
        assert due is not None
        assert 36 <= (due - database_now()).total_seconds() <= 70
    assert alice.vend(str(several[-1].id)).status_code == 200
    assert reload(several[1]).status == "active"


def test_a_provider_that_is_down_is_asked_by_a_few_only(several: list[Connection], sandbox: SandboxProcess) -> None:
    sandbox.control.clear_log()
    sandbox.control.fault("status", endpoint="me", status=503, times=0)
    for connection in several:
        probe(connection.id, trigger="sweep")
    assert len(sandbox.control.log(endpoint="me")) == DISTINCT_FAILURES
    assert {reload(connection).status for connection in several} == {"active"}


def test_a_probe_that_is_not_due_does_not_become_so_by_being_held_back(
    several: list[Connection], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("rate_limited", endpoint="me", retry_after=40)
    probe(several[0].id, trigger="sweep")
    Connection.objects.filter(id=several[1].id).update(probe_due_at=None)
    probe(several[1].id, trigger="api")
    assert reload(several[1]).probe_due_at is None
