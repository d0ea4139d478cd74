"""Sort: what is safe goes on, the rest waits, and no stale refresh token reaches a strict provider."""

import time
from datetime import datetime, timedelta

import pytest
import redis
from django.db import transaction
from django.test import override_settings
from pytest_django import Settings

from connections.database.clock import database_now
from connections.database.locks import lock_connections
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.quarantine import sort
from connections.lifecycle.quarantine.begin import begin_quarantine
from connections.lifecycle.quarantine.lost import end_lost
from connections.lifecycle.quarantine.pulse import beat
from connections.lifecycle.quarantine.sort import sort_held
from connections.lifecycle.refresh import sent
from connections.lifecycle.refresh.claim import Claim, Need, Outcome, claim
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.refresh.settle import settle_success
from connections.lifecycle.sweep import sweep_refreshes
from connections.lifecycle.throttle import shared
from connections.models import (
    AuditEvent,
    Connection,
    CredentialVersion,
    HeldConnection,
    Installation,
    Notice,
    OutboxEvent,
    ProviderApp,
    RewindCause,
    Stage,
    Tenant,
    Trigger,
)
from connections.models.quarantine import holds
from providers.sandbox.client import SandboxProcess
from tests.connected import connect_at
from tests.connections.api.stored import expire_in, make_app, make_connection
from tests.connections.lifecycle.clockwork import due
from tests.connections.lifecycle.observed import refreshes, reload
from tests.connections.lifecycle.quarantine.conftest import Backup, Beside

pytestmark = pytest.mark.usefixtures("remembering")

AWAY = override_settings(REDIS_URL="redis://127.0.0.1:1/0")


def quarantine(rewound_to: datetime | None = None) -> dict[str, int]:
    begin_quarantine(RewindCause.ORDERED, rewound_to=rewound_to, actor=SYSTEM, now=database_now())
    counts = sort_held(now=database_now())
    assert counts is not None
    return dict(counts)


def waiting() -> dict[str, str]:
    return dict(HeldConnection.objects.values_list("connection__end_user", "verdict"))


def test_only_the_token_that_was_used_since_waits(
    sandbox: SandboxProcess, app: ProviderApp, backup: type[Backup]
) -> None:
    used, fresh = connect_at(sandbox, app, end_user="used"), connect_at(sandbox, app, end_user="fresh")
    due(used)
    due(fresh)
    beat(now=database_now())
    taken = backup()
    assert refresh(used.id, trigger="sweep").outcome is Outcome.REFRESHED
    beat(now=database_now())
    taken.restore()
    assert beat(now=database_now()) is RewindCause.BEHIND
    assert sweep_refreshes(now=database_now()) == 0
    assert sort_held(now=database_now()) == {"not_rotating": 0, "never_sent": 1, "used": 1}
    assert waiting() == {"used": "used"}
    sandbox.control.clear_log()
    assert refresh(used.id, trigger="sweep").outcome is Outcome.QUARANTINED
    assert refresh(fresh.id, trigger="sweep").outcome is Outcome.REFRESHED
    assert len(refreshes(sandbox)) == 1
    alive = [one for one in sandbox.control.grants(client_id=app.client_id) if not one.get("revoked")]
    assert len(alive) == 2
    event = OutboxEvent.objects.get(type="quarantine.begun")
    assert (event.tenant_id, event.payload["connections"]) == (used.tenant_id, 1)
    assert AuditEvent.objects.get(action="quarantine.sorted").detail["used"] == 1


def test_an_hour_old_stale_token_would_have_ended_the_grant(
    sandbox: SandboxProcess, app: ProviderApp, backup: type[Backup]
) -> None:
    """What quarantine is for: the same without it."""
    connection = due(connect_at(sandbox, app))
    taken = backup()
    refresh(connection.id, trigger="sweep")
    taken.restore()
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFUSED


def test_everything_waits_until_it_is_sorted(sandbox: SandboxProcess, app: ProviderApp) -> None:
    connection = due(connect_at(sandbox, app))
    begin_quarantine(RewindCause.ORDERED, rewound_to=None, actor=SYSTEM, now=database_now())
    sandbox.control.clear_log()
    for trigger in ("sweep", "vend", "api"):
        assert refresh(connection.id, trigger=trigger, need=Need(at_once=True)).outcome is Outcome.QUARANTINED
    assert (sweep_refreshes(now=database_now()), refreshes(sandbox)) == (0, [])
    sort_held(now=database_now())
    assert waiting() == {"alice": "unknown"}  # nobody knows from when the data is
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.QUARANTINED
    assert refreshes(sandbox) == []


def test_another_database_holds_everything_before_anybody_has_looked(sandbox: SandboxProcess, app: ProviderApp) -> None:
    beat(now=database_now())
    connection = due(connect_at(sandbox, app))
    Installation.objects.update(database="1.00000001.1")
    sandbox.control.clear_log()
    for need in (Need(), Need(instead_of=connection.current_version_id)):
        assert refresh(connection.id, trigger="sweep", need=need).outcome is Outcome.QUARANTINED
    assert (sweep_refreshes(now=database_now()), refreshes(sandbox)) == (0, [])


def test_nothing_is_sure_where_the_notes_begin_after_the_backup(
    sandbox: SandboxProcess, app: ProviderApp, remembering: datetime
) -> None:
    connect_at(sandbox, app)
    assert quarantine(remembering)["unknown"] == 1
    assert waiting() == {"alice": "unknown"}
    assert quarantine(database_now())["never_sent"] == 1  # what has no newer note is let go at the next sorting


def test_an_attempt_whose_answer_is_not_in_the_backup_has_used_the_token(
    sandbox: SandboxProcess, app: ProviderApp
) -> None:
    connection = due(connect_at(sandbox, app))
    claimed = claim(connection.id, trigger=Trigger.SWEEP, need=Need())
    assert isinstance(claimed, Claim)
    sent.note((connection.id, claimed.claimed_at))
    assert quarantine(database_now())["used"] == 1


@pytest.mark.parametrize("is_stored", [True, False])
def test_an_answer_that_came_before_the_quarantine_and_was_stored_after_it_ends_the_wait(
    sandbox: SandboxProcess, app: ProviderApp, is_stored: bool
) -> None:
    """A failover while a refresh is under way: the database was away when the answer came."""
    connection = due(connect_at(sandbox, app))
    claimed = claim(connection.id, trigger=Trigger.SWEEP, need=Need())
    assert isinstance(claimed, Claim)
    sent.note((connection.id, claimed.claimed_at))
    answer = claimed.access.strategy.refresh(claimed.access.target, claimed.credential)
    came_at = claimed.received_now()
    assert quarantine(database_now())["used"] == 1
    if is_stored:
        settle_success(claimed, answer)
        CredentialVersion.objects.filter(stage=Stage.CURRENT).update(received_at=came_at)
    expire_in(reload(connection), -1)
    assert end_lost(now=database_now()) == (0 if is_stored else 1)
    assert holds(reload(connection)) is not is_stored


def test_a_refused_attempt_that_the_database_knows_leaves_the_token_good(
    sandbox: SandboxProcess, app: ProviderApp
) -> None:
    connection = due(connect_at(sandbox, app))
    sandbox.control.fault("rate_limited")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    assert quarantine(database_now())["never_sent"] == 1
    assert reload(connection).status == "active"


@pytest.mark.parametrize("slug", ["mollie", "airtable"])
def test_a_provider_that_does_not_rotate_is_let_go(acme: Tenant, remembering: datetime, slug: str) -> None:
    app = make_app(acme, provider=slug, params={})
    make_connection(acme, app=app, end_user="alice")
    rotates = slug == "airtable"
    assert quarantine(remembering)["not_rotating"] == (0 if rotates else 1)
    assert waiting() == ({"alice": "unknown"} if rotates else {})


def test_many_are_sorted_in_batches_and_each_tenant_is_told_its_own(
    acme: Tenant, globex: Tenant, remembering: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort, "BATCH", 2)
    for number in range(5):
        make_connection(acme, end_user=f"user-{number}")
    make_connection(globex, end_user="gus")
    assert quarantine(remembering)["unknown"] == 6
    told = dict(OutboxEvent.objects.filter(type="quarantine.begun").values_list("tenant_id", "payload__connections"))
    assert told == {acme.id: 5, globex.id: 1}


def test_a_newer_credential_ends_the_wait(sandbox: SandboxProcess, app: ProviderApp, remembering: datetime) -> None:
    connection = connect_at(sandbox, app)
    quarantine(remembering)
    assert refresh(due(connection).id, trigger="sweep").outcome is Outcome.QUARANTINED
    CredentialVersion.objects.filter(connection=connection).update(received_at=database_now())
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED


def test_a_sorting_waits_for_a_release_without_a_deadlock(acme: Tenant, remembering: datetime) -> None:
    connection = make_connection(acme, end_user="alice")
    Connection.objects.update(probe_due_at=database_now() + timedelta(days=1))
    quarantine(remembering)
    Connection.objects.update(probe_due_at=database_now() + timedelta(days=1))
    begin_quarantine(RewindCause.ORDERED, rewound_to=None, actor=SYSTEM, now=database_now())
    with transaction.atomic():
        lock_connections([connection.id])
        beside = Beside(lambda: sort_held(now=database_now()))
        HeldConnection.objects.all().delete()
    assert beside.result == {"not_rotating": 0, "never_sent": 0, "unknown": 1}
    assert waiting() == {"alice": "unknown"}


@pytest.mark.parametrize("names_moment", [True, False])
def test_what_was_used_stays_used_at_each_sorting(
    acme: Tenant, remembering: datetime, names_moment: bool, redis_of_its_own: "redis.Redis"
) -> None:
    connection = make_connection(acme, end_user="alice")
    sent.note((connection.id, database_now()))
    assert quarantine(database_now())["used"] == 1
    redis_of_its_own.delete("latchkey:refresh:sent")
    assert quarantine(database_now() if names_moment else None)["used"] == 1
    assert waiting() == {"alice": "used"}


def test_what_was_used_and_has_been_connected_again_is_judged_anew(acme: Tenant) -> None:
    connection = make_connection(acme, end_user="alice")
    sent.note((connection.id, database_now()))
    quarantine(database_now())
    CredentialVersion.objects.update(received_at=database_now())
    assert quarantine(database_now()) == {"not_rotating": 0, "never_sent": 1}
    assert waiting() == {}


@pytest.mark.parametrize("cause", [RewindCause.ORDERED, RewindCause.BEHIND])
def test_a_doubt_stays_and_is_counted_unless_somebody_names_the_moment(acme: Tenant, cause: RewindCause) -> None:
    make_connection(acme, end_user="alice")
    assert quarantine()["unknown"] == 1
    begin_quarantine(cause, rewound_to=database_now(), actor=SYSTEM, now=database_now())
    is_free = cause is RewindCause.ORDERED
    counts = sort_held(now=database_now())
    assert counts is not None
    assert (counts["never_sent"], counts["unknown"]) == ((1, 0) if is_free else (0, 1))
    assert waiting() == ({} if is_free else {"alice": "unknown"})


@pytest.fixture
def used_and_fresh(acme: Tenant, remembering: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two connections of which Redis knows all, in batches of one, in a quarantine that nobody has sorted."""
    monkeypatch.setattr(sort, "BATCH", 1)
    monkeypatch.setattr(sort, "ASKED_AGAIN", 0)
    used = make_connection(acme, end_user="used")
    make_connection(acme, end_user="fresh")
    sent.note((used.id, database_now()))
    begin_quarantine(RewindCause.ORDERED, rewound_to=database_now(), actor=SYSTEM, now=database_now())


@pytest.mark.usefixtures("used_and_fresh")
def test_a_redis_that_does_not_answer_for_a_while_makes_nothing_unknown() -> None:
    now = database_now()
    with AWAY:
        for seconds in (0, 1, sort.PATIENCE.total_seconds() - 1):
            assert sort_held(now=now + timedelta(seconds=seconds)) is None
    assert all(holds(connection) for connection in Connection.objects.all())
    assert (waiting(), Installation.objects.get().waits_for_redis_since) == ({}, now)
    assert sort_held(now=database_now()) == {"not_rotating": 0, "never_sent": 1, "used": 1}
    assert waiting() == {"used": "used"}
    assert Installation.objects.get().waits_for_redis_since is None
    assert "without_redis" not in AuditEvent.objects.get(action="quarantine.sorted").detail


@pytest.mark.usefixtures("used_and_fresh")
@pytest.mark.parametrize("ordered_by", [None, Actor(operator="anna")])
def test_a_redis_that_stays_away_ends_in_doubts_of_which_people_are_told(ordered_by: Actor | None) -> None:
    now = database_now()
    with AWAY:
        if ordered_by is None:
            assert sort_held(now=now) is None
        counts = sort_held(now=now if ordered_by else now + sort.PATIENCE, ordered_by=ordered_by)
    assert counts == {"not_rotating": 0, "never_sent": 0, "unknown": 2}
    assert waiting() == {"used": "unknown", "fresh": "unknown"}
    row = AuditEvent.objects.get(action="quarantine.sorted")
    assert (row.detail["without_redis"], row.operator) == (2, "anna" if ordered_by else "")
    assert "2 connections" in Notice.objects.get(cause__startswith="quarantine.unanswered:").body
    assert quarantine(database_now()) == {"not_rotating": 0, "never_sent": 1, "used": 1}  # as the notice advises


@pytest.mark.usefixtures("used_and_fresh")
def test_the_wait_begins_anew_with_each_quarantine_and_after_a_time_in_which_nobody_asked() -> None:
    began = database_now()
    with AWAY:
        assert sort_held(now=began - sort.PATIENCE * 2) is None  # as in the data of a backup that is restored
        assert sort_held(now=began) is None
        Installation.objects.update(beaten_at=began, unanswered_at=began)
        beat(now=began + sort.PATIENCE * 2)
        assert sort_held(now=began + sort.PATIENCE * 2) is None
        beat(now=began + sort.PATIENCE * 2)
        assert sort_held(now=began + sort.PATIENCE * 3) is not None


@pytest.mark.usefixtures("used_and_fresh")
def test_one_slow_answer_does_not_begin_the_run_anew(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sort, "ASKED_AGAIN", 1)
    monkeypatch.setattr(shared._lines[settings.REDIS_URL], "away_until", time.monotonic() + shared.AWAY_SECONDS / 2)
    assert sent.recall([]) is None
    assert sort_held(now=database_now()) == {"not_rotating": 0, "never_sent": 1, "used": 1}
