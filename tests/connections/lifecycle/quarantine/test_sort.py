"""Sort: what is safe goes on, the rest waits, and no stale refresh token reaches a strict provider."""

from datetime import datetime, timedelta

import pytest
import redis
from django.db import transaction

from connections.database.clock import database_now
from connections.database.locks import lock_connections
from connections.journal.audit import SYSTEM
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
from connections.models import (
    AuditEvent,
    Connection,
    CredentialVersion,
    HeldConnection,
    Installation,
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
