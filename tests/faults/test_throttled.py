"""What a provider says to one connection about its limits holds for the whole provider app, and its budget is kept."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.lifecycle.claim import Outcome
from connections.lifecycle.clock import database_now
from connections.lifecycle.refresh import refresh
from connections.lifecycle.throttle import burst
from connections.models import Connection, RefreshAttempt, Tenant
from providers.catalog import loader
from tests.campaigns.stacks import running_stack
from tests.factories import Caller, make_caller, make_sandbox_app
from tests.faults.observed import Subject
from tests.faults.stage import Stage, until
from tests.flows import EndUser

BUDGET = 120  # requests a minute
HERD = 32


def due(owner: EndUser) -> Connection:
    connection = Connection.objects.get(id=owner.connect(scopes=["profile.read"])["id"])
    Connection.objects.filter(id=connection.id).update(refresh_due_at=database_now())
    return connection


@pytest.mark.parametrize("http_date", [False, True], ids=["seconds", "date"])
def test_a_429_holds_back_the_whole_provider_app_and_no_other(
    subject: Subject, backend: Caller, globex: Tenant, http_date: bool
) -> None:
    bob, carol = EndUser("bob", backend), EndUser("carol", make_caller(globex), tenant="globex")
    make_sandbox_app(subject.sandbox, tenant=globex)
    bobs, carols = due(bob), due(carol)
    subject.sandbox.control.clear_log()
    subject.meet("rate_limited", retry_after=4, http_date=http_date)
    assert subject.refresh().outcome is Outcome.UNAVAILABLE
    answered_at = time.monotonic()
    held = refresh(bobs.id, trigger="sweep")
    assert held.outcome not in (Outcome.REFRESHED, Outcome.FRESH)
    assert held.retry_after_seconds is not None
    assert 1 < held.retry_after_seconds <= 4
    assert [entry.status for entry in subject.requests()] == [429]
    assert not RefreshAttempt.objects.filter(connection=bobs).exists()
    bobs.refresh_from_db()
    assert (bobs.status, bobs.failures) == ("active", 0)
    assert bob.vend(str(bobs.id)).status_code == 200
    assert refresh(carols.id, trigger="sweep").outcome is Outcome.REFRESHED, "another registration is another limit"
    time.sleep(max(0.0, answered_at + 4.1 - time.monotonic()))
    Connection.objects.filter(id=bobs.id).update(refresh_due_at=database_now())
    assert refresh(bobs.id, trigger="sweep").outcome is Outcome.REFRESHED
    assert [entry.status for entry in subject.requests()] == [429, 200, 200]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    entry = (Path(loader.__file__).parent / "sandbox.toml").read_text()
    limited = [line for line in entry.splitlines() if not line.startswith("requests_per_minute")]
    limited.insert(1, f"requests_per_minute = {BUDGET}")
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "sandbox.toml").write_text("\n".join(limited))
    catalogue = str(tmp_path / "catalog")
    with running_stack(tmp_path / "stack", "web", "beat", "sandbox", LATCHKEY_CATALOG_DIR=catalogue) as running:
        yield Stage(running, count=HERD + 1)


def test_many_that_expire_together_keep_to_the_provider_s_limit_and_a_vend_goes_first(stage: Stage) -> None:
    (urgent,), herd = stage.take(), stage.take(HERD)
    with stage.worker(), stage.worker():
        for scene in herd:
            scene.make_due()
        until(lambda: len(stage.requests()) > burst(BUDGET) // 2)
        urgent.expire()
        began = time.monotonic()
        assert urgent.vend().status_code == 200
        assert time.monotonic() - began < 3, "the vend waited for the budget of the herd"
        until(lambda: all(scene.states() == ["promoted"] for scene in herd))
    moments = sorted(entry.started_at for entry in stage.requests())
    assert len(moments) == HERD + 1
    for first, begun in enumerate(moments):
        for last, ended in enumerate(moments[first:], start=first):
            # One may be overdrawn for the vend, and a moment passes between the admission and the request.
            assert last - first + 1 <= burst(BUDGET) + (ended - begun + 1) * BUDGET / 60 + 1
    assert {scene.status() for scene in herd} == {("active", "connected")}
