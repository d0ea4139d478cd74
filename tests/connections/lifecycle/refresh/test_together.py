"""The refreshes of one message: claimed with one commit, sent at the same time, and each judged by itself."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from connections.database.clock import database_now
from connections.database.pool import release_database
from connections.lifecycle.refresh import helpers, sent
from connections.lifecycle.refresh.claim_query import AppRow, find_apps
from connections.lifecycle.refresh.helpers import Helpers, helpers_of_process
from connections.lifecycle.refresh.together import refresh_together
from connections.lifecycle.throttle import admission
from connections.lifecycle.throttle.admission import admit_many
from connections.models import Connection, CredentialVersion, ProviderApp, RefreshAttempt
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connected import connect_at
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.unfinished import open_attempt

COUNT = 5


@pytest.fixture
def several(sandbox: SandboxProcess, app: ProviderApp) -> list[Connection]:
    """Connections of one app, one of each of several end users, all due."""
    made = [connect_at(sandbox, app, end_user=f"user-{number}", scopes=["profile.read"]) for number in range(COUNT)]
    for one in made:
        age(one.id, hours=1)
    return made


def rows_of(connections: list[Connection]) -> list[AppRow]:
    found = find_apps(*(connection.id for connection in connections))
    release_database()
    return [found[connection.id] for connection in connections]


def refresh_all(connections: list[Connection], *, seconds: float = 30) -> list[Exception]:
    return refresh_together(rows_of(connections), begin_by=time.monotonic() + seconds)


def states() -> Counter[str]:
    return Counter(RefreshAttempt.objects.values_list("state", flat=True))


def test_all_are_claimed_with_one_commit_and_sent_at_the_same_time(
    several: list[Connection], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=15, times=COUNT)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(refresh_all, several)
        until(lambda: len(sandbox.control.log(grant_type="refresh_token")) == COUNT, "all at the provider", pause=0.02)
        sandbox.control.release()
        assert running.result() == []
    entries = sandbox.control.log(grant_type="refresh_token")
    assert max(entry.started_at for entry in entries) < min(entry.ended_at or 0 for entry in entries)
    assert [entry.outcome for entry in entries] == ["rotated"] * COUNT
    assert len({entry.refresh_presented for entry in entries}) == COUNT
    assert states() == {"promoted": COUNT}
    ids = [connection.id for connection in several]
    claimed_at = dict(RefreshAttempt.objects.values_list("connection_id", "claimed_at"))
    assert sent.recall(ids).at == claimed_at, "each is noted outside of the database"
    assert max(claimed_at.values()).timestamp() < min(entry.started_at for entry in entries), "all, before one is sent"
    assert RefreshAttempt.objects.values("claimed_by").distinct().count() == 1


def test_what_is_not_plain_has_its_turn_and_keeps_none_of_the_others(
    several: list[Connection], sandbox: SandboxProcess
) -> None:
    under_way, doubtful, fresh, *plain = several
    attempt = open_attempt(under_way, deadline_at="2999-01-01T00:00:00Z")
    open_attempt(doubtful, state="in_doubt")
    Connection.objects.filter(id=fresh.id).update(refresh_due_at="2999-01-01T00:00:00Z")
    assert refresh_all(several) == []
    attempt.refresh_from_db()
    assert attempt.state == "sent", "that of another process is left to it"
    assert states() == {"sent": 1, "superseded": 1, "promoted": len(plain) + 1}
    assert len(sandbox.control.log(grant_type="refresh_token")) == len(plain) + 1


def test_one_that_cannot_be_opened_is_marked_and_leaves_no_attempt(
    several: list[Connection], sandbox: SandboxProcess
) -> None:
    broken = several[1]
    CredentialVersion.objects.filter(connection=broken).update(secrets=b"no ciphertext")
    assert refresh_all(several) == []
    broken.refresh_from_db()
    assert broken.undecryptable_at is not None
    assert not RefreshAttempt.objects.filter(connection=broken).exists()
    assert states() == {"promoted": COUNT - 1}
    assert len(sandbox.control.log(grant_type="refresh_token")) == COUNT - 1


def test_one_that_is_refused_or_unanswered_is_settled_beside_those_that_succeed(
    several: list[Connection], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant")
    sandbox.control.fault("lost_response", grant_type="refresh_token")
    assert refresh_all(several) == []
    assert states() == {"rejected": 1, "in_doubt": 1, "promoted": COUNT - 2}


def test_sends_no_more_than_the_throttle_admits(
    several: list[Connection], sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "budget_of", lambda provider: 18)  # three at once
    assert refresh_all(several) == []
    assert states() == {"promoted": 3}
    held = Connection.objects.filter(refresh_enqueued_until__gt=database_now())
    assert held.count() == COUNT - 3, "the others stay due, and are held back"
    assert len(sandbox.control.log(grant_type="refresh_token")) == 3


def test_an_admission_that_no_claim_used_is_given_back(several: list[Connection]) -> None:
    app = several[0].provider_app
    budget = admission.budget_of(app.provider)
    for connection in several[1:]:
        open_attempt(connection, deadline_at="2999-01-01T00:00:00Z")
    assert refresh_all(several) == []
    room = admission.burst(budget)
    assert admit_many(app.id, count=10 * room, budget=budget) >= room - 1


def test_goes_on_alone_where_no_helper_comes_free(
    several: list[Connection], sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helpers, "STALLED_SECONDS", 0.05)
    line = helpers_of_process()
    taken = line.take(helpers.THREADS)
    try:
        assert refresh_all(several) == []
    finally:
        line.give_back(taken)
    assert states() == {"promoted": COUNT}
    assert len(sandbox.control.log(grant_type="refresh_token")) == COUNT


def test_helpers_are_free_again_whatever_became_of_the_claims(several: list[Connection]) -> None:
    for connection in several:
        open_attempt(connection, deadline_at="2999-01-01T00:00:00Z")
    assert refresh_all(several) == []
    assert _free(helpers_of_process()) == helpers.THREADS
    RefreshAttempt.objects.all().delete()
    assert refresh_all(several) == []
    assert _free(helpers_of_process()) == helpers.THREADS


def _free(line: Helpers) -> int:
    taken = line.take(helpers.THREADS)
    line.give_back(taken)
    return taken


def test_begins_none_after_its_time(several: list[Connection]) -> None:
    assert refresh_all(several, seconds=-1) == []
    assert not RefreshAttempt.objects.exists()
