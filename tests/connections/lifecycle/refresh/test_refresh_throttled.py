"""Refreshes under the throttle: what one connection learns of its provider holds for the whole provider app."""

from typing import Any

import pytest

from connections.database.clock import database_now
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.sweep import sweep_refreshes
from connections.lifecycle.throttle.admission import DISTINCT_FAILURES
from connections.models import Connection, ProviderApp, RefreshAttempt
from providers.sandbox.client import SandboxProcess
from tests.connected import connect_at
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser


@pytest.fixture
def several(sandbox: SandboxProcess, app: ProviderApp) -> list[Connection]:
    """Connections of one app, one of each of several end users, all due."""
    made = [connect_at(sandbox, app, end_user=f"user-{number}") for number in range(DISTINCT_FAILURES + 1)]
    for one in made:
        age(one.id, hours=1)
    return made


def sent(sandbox: SandboxProcess) -> int:
    return len(sandbox.control.log(grant_type="refresh_token"))


@pytest.mark.parametrize("http_date", [False, True])
def test_retry_after_holds_every_connection_of_the_app(
    several: list[Connection], alice: EndUser, sandbox: SandboxProcess, http_date: bool
) -> None:
    sandbox.control.fault("rate_limited", grant_type="refresh_token", retry_after=60, http_date=http_date)
    first, second, third = several[:3]
    assert refresh(first.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    report = refresh(second.id, trigger="sweep")
    assert report.outcome is Outcome.HELD_BACK
    assert report.retry_after_seconds is not None and 50 <= report.retry_after_seconds <= 61
    assert refresh(third.id, trigger="api", need=Need(at_once=True)).outcome is Outcome.HELD_BACK
    assert sweep_refreshes(now=database_now()) == 0
    assert sent(sandbox) == 1
    assert RefreshAttempt.objects.count() == 1, "what is held back claims nothing"
    alice.name = "user-1"
    answer = alice.vend(str(second.id))
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert 50 <= int(answer["Retry-After"]) <= 61


def test_a_valid_token_vends_while_its_provider_is_left_alone(
    several: list[Connection], alice: EndUser, sandbox: SandboxProcess
) -> None:
    alice.name = "fresh"
    fresh = alice.connect()["id"]
    sandbox.control.fault("rate_limited", grant_type="refresh_token", retry_after=60)
    refresh(several[0].id, trigger="sweep")
    assert alice.vend(fresh).status_code == 200


def test_a_provider_that_answers_nobody_is_left_alone_and_tried_again(
    several: list[Connection], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("status", grant_type="refresh_token", times=0, status=503)
    outcomes = [refresh(connection.id, trigger="sweep").outcome for connection in several]
    assert outcomes == [Outcome.UNAVAILABLE] * DISTINCT_FAILURES + [Outcome.HELD_BACK]
    assert sent(sandbox) == DISTINCT_FAILURES
    assert {row.status for row in Connection.objects.all()} == {"active"}


def test_refreshes_go_on_without_redis(several: list[Connection], sandbox: SandboxProcess, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    sandbox.control.fault("rate_limited", grant_type="refresh_token", retry_after=60)
    assert refresh(several[0].id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    assert refresh(several[1].id, trigger="sweep").outcome is Outcome.REFRESHED
    report = refresh(several[0].id, trigger="sweep")
    assert report.outcome is Outcome.BACKING_OFF, "what the database knows of the connection itself still holds"
