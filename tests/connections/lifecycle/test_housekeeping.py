"""Housekeeping: old rows go in batches, and nothing that a promise stands on."""

import itertools
import threading
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, transaction
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal import events
from connections.journal.audit import SYSTEM, record
from connections.lifecycle import housekeeping
from connections.lifecycle.connect.hold import discard_expired
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.housekeeping import prune_audit, sweep_old
from connections.lifecycle.refresh.refresh import refresh
from connections.models import (
    AttemptState,
    AuditEvent,
    Connection,
    ConnectSession,
    CredentialVersion,
    Incident,
    IncidentKind,
    ManagementSession,
    OutboxEvent,
    RefreshAttempt,
    Revocation,
    Tenant,
)
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.factories import Caller
from tests.flows import EndUser, call, failure_of

# Every model grows for one of these reasons. One that is swept names its setting.
SWEPT = {
    "connections.RefreshAttempt": "attempts",
    "connections.OutboxEvent": "events",
    "connections.WebhookDelivery": "webhook_deliveries",
    "connections.WebhookSecret": "by their own end",
    "connections.ReceivedPush": "by their own end",
    "connections.PushContent": "by their own end",
    "connections.ConnectSession": "connect_sessions",
    "connections.ConnectStep": "connect_sessions",
    "connections.Incident": "incidents",
    "connections.Notice": "notices",
    "connections.Finding": "by their own end",
    "connections.Connection": "connections",
    "sessions.Session": "by their own end",
    "usersessions.UserSession": "by their own end",
    "connections.AppKey": "by their own end",
    "connections.SubjectToken": "by their own end",
    "connections.KeptAnswer": "by their own end",
    "connections.Approval": "by their own end",
    "connections.ManagementSession": "by their own end",
    "connections.ProvenToken": "by their own end",
    "connections.UsedAssertion": "by their own end",
    "connections.ActivityFigures": "by their own end",
    "connections.ImportRun": "by their own end",
    "connections.GuessCount": "by their own end",
    "connections.ImportRow": "by their own end",
}
STAYS = {
    "connections.AuditEvent": "append-only; pruned by an operator's command",
    "connections.ConnectionFigures": "one for each tenant and app with connections",
    "connections.FiguresTaken": "one",
    "connections.Installation": "one",
    "connections.HeldConnection": "one a connection; goes with its release, or with the connection",
    "connections.WatchPosition": "one",
    "connections.WatchSetting": "one a rule",
    "connections.ClientUse": "one an API client",
    "connections.KnownNetwork": "those of each API client",
    "connections.AuditSeal": "append-only; its leaves go when its rows are pruned",
    "connections.AuditRedaction": "append-only; one a sealed row from which somebody was erased",
    "connections.AuditPruning": "append-only; one an order to prune",
    "connections.AuditVerification": "three months; journal.verifications deletes the older ones",
    "connections.BulkJob": "three months; lifecycle.steer.bulk deletes the older ones",
    "connections.BulkRow": "with its job",
    "connections.CredentialVersion": "the current one, the previous one and orphans until the next refresh",
    "connections.UnreadAnswer": "until it is read, overtaken, discarded, or its connection ends",
    "connections.Scope": "one for each scope of a connection",
    "connections.BurntCode": "forgotten by lifecycle.burn when no code lives so long",
    "connections.Tenant": "made by operators",
    "connections.Brand": "one a tenant, and the operator's",
    "connections.TenantDomain": "made by operators",
    "connections.AccessGrant": "given by operators; revoked is a state, so that the trail can be read",
    "connections.Offboarding": "the receipt; after an erasure it names nobody",
    "connections.Bundle": "the receipt of a tenant that moved: none is imported twice, and it stays still here",
    "connections.InstallationKey": "one",
    "connections.ApiClient": "made by operators",
    "connections.ApiKey": "made by operators",
    "connections.TrustedIssuer": "made by operators",
    "connections.CallerRule": "made by operators",
    "connections.WebhookEndpoint": "made by operators and their services",
    "connections.ProviderApp": "made by operators",
    "connections.DataKey": "one for each tenant and rotation",
    "connections.RegisteredClient": "one an issuer and app; what was replaced ends with its last connection",
    "connections.StaffLimit": "one an account that sees some tenants only",
    "connections.StaffIdentity": "one an account at the identity provider",
    "admin.LogEntry": "what operators did in the admin; shown there",
    "auth.User": "made by operators",
    "mfa.Authenticator": "the second factors of operators",
    "account.EmailAddress": "none: django-allauth's, which is not asked to keep any",
    "account.EmailConfirmation": "none, likewise",
    "auth.Group": "made by operators",
    "auth.Permission": "made by migrations",
    "contenttypes.ContentType": "made by migrations",
}


def test_every_model_is_swept_or_says_why_not(settings: Any) -> None:
    assert {model._meta.label for model in apps.get_models()} == SWEPT.keys() | STAYS.keys()
    assert set(SWEPT.values()) - {"by their own end"} == settings.RETENTION_DAYS.keys()


def old_attempts(connection: Connection, count: int, **values: Any) -> list[uuid.UUID]:
    """Make attempts of 40 days ago, for a version that is long gone unless ``values`` say otherwise."""
    moment = database_now() - timedelta(days=40)
    wanted = {"parent_version_id": uuid.uuid4(), "state": AttemptState.PROMOTED, **values}
    made = [
        RefreshAttempt(connection=connection, claimed_at=moment, deadline_at=moment, **wanted) for _ in range(count)
    ]
    return [attempt.id for attempt in RefreshAttempt.objects.bulk_create(made)]


def test_old_attempts_go_batch_by_batch(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 3)
    old_attempts(connection, 8)
    age(connection.id, hours=1)
    refresh(connection.id, trigger="sweep")
    assert sweep_old(now=database_now())["attempts"] == 8
    assert RefreshAttempt.objects.count() == 1
    assert sweep_old(now=database_now())["attempts"] == 0


def test_a_kind_with_very_many_old_rows_keeps_no_other_waiting(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 1)
    monkeypatch.setattr(housekeeping, "RUN_SECONDS", 10)
    looks = itertools.count()
    monkeypatch.setattr(housekeeping, "time", SimpleNamespace(monotonic=lambda: next(looks)))  # a second for each look
    old_attempts(connection, 1000)
    OutboxEvent.objects.update(created_at=database_now() - timedelta(days=91))
    events_there_are = OutboxEvent.objects.count()
    gone = sweep_old(now=database_now())
    assert 0 < gone["attempts"] < 1000
    assert gone["events"] == min(events_there_are, gone["attempts"]) > 0


def test_old_visits_go_a_day_after_their_link(alice: EndUser, acme: Tenant) -> None:
    now = database_now()
    order = {"end_user": "alice", "return_url": acme.return_urls[0]}
    old, young = (call(alice.backend, "POST", "/management-sessions", order).json()["id"] for _ in range(2))
    begun_from = alice.invite().id
    ConnectSession.objects.filter(id=begun_from).update(management=old)
    ManagementSession.objects.filter(id=old).update(expires_at=now - timedelta(days=1, seconds=1))
    assert sweep_old(now=now)["visits"] == 1
    assert str(ManagementSession.objects.get().id) == young
    assert ConnectSession.objects.get(id=begun_from).management_id is None


def test_attempts_that_something_stands_on_stay(connection: Connection) -> None:
    version = CredentialVersion.objects.get(connection=connection)
    stay = [
        *old_attempts(connection, 1, parent_version_id=version.id, state=AttemptState.SUPERSEDED),
        *old_attempts(connection, 1, state=AttemptState.RECEIVED),
        *old_attempts(connection, 1, state=AttemptState.IN_DOUBT),
    ]
    (bought,) = old_attempts(connection, 1)
    CredentialVersion.objects.filter(id=version.id).update(attempt_id=bought)
    assert sweep_old(now=database_now())["attempts"] == 0
    assert set(RefreshAttempt.objects.values_list("id", flat=True)) == {*stay, bought}


def test_a_kind_that_is_kept_for_ever_is_left_alone(connection: Connection, settings: Any) -> None:
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"attempts": 0}
    old_attempts(connection, 2)
    assert "attempts" not in sweep_old(now=database_now())
    assert RefreshAttempt.objects.count() == 2


def test_a_row_that_is_locked_keeps_no_other_from_going(connection: Connection) -> None:
    first, *_ = old_attempts(connection, 3)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            RefreshAttempt.objects.select_for_update().get(id=first)
            locked.set()
            done.wait(60)
        database.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(60)
    assert sweep_old(now=database_now())["attempts"] == 2
    done.set()
    thread.join()
    assert sweep_old(now=database_now())["attempts"] == 1


def test_old_events_go_and_an_old_cursor_is_told_so(
    connection: Connection, alice: EndUser, backend: Caller, acme: Tenant, globex: Tenant
) -> None:
    for _ in range(4):
        events.emit("connection.refreshed", connection)
    first, second, *_ = ids = list(OutboxEvent.objects.order_by("id").values_list("id", flat=True))
    OutboxEvent.objects.filter(id__lte=ids[2]).update(created_at=database_now() - timedelta(days=91))
    assert sweep_old(now=database_now())["events"] == 3
    answer = call(backend, "GET", f"/events?cursor={second}")
    assert (answer.status_code, answer.json()["code"]) == (410, "cursor_expired")
    assert answer.json()["cursor"] == str(ids[2])
    for cursor in ("0", ids[2]):
        page = call(backend, "GET", f"/events?cursor={cursor}").json()
        assert len(page["items"]) == 2, "from the oldest that is kept"
    assert Tenant.objects.get(id=globex.id).events_gone_to == 0, "nothing of another tenant's is said to be gone"
    assert first < Tenant.objects.get(id=acme.id).events_gone_to == ids[2]


def test_an_old_event_behind_a_younger_one_waits_for_it(connection: Connection) -> None:
    """The stream loses its beginning and nothing from its middle."""
    events.emit("connection.refreshed", connection)
    last = OutboxEvent.objects.latest("id").id
    OutboxEvent.objects.filter(id=last).update(created_at=database_now() - timedelta(days=91))
    assert sweep_old(now=database_now())["events"] == 0


def test_sessions_that_ended_incidents_that_closed_and_logins_that_ran_out_go(alice: EndUser) -> None:
    connection = Connection.objects.get(id=alice.connect()["id"])
    long_ago = database_now() - timedelta(days=400)
    alice.invite()
    ConnectSession.objects.update(expires_at=long_ago)
    for closed_at in (long_ago, None):
        Incident.objects.create(
            provider_app=connection.provider_app,
            kind=IncidentKind.MANY_FAILURES,
            opened_at=long_ago,
            last_seen_at=long_ago,
            closed_at=closed_at,
        )
    Session.objects.create(session_key="old", session_data="", expire_date=long_ago)
    gone = sweep_old(now=database_now())
    assert (gone["connect_sessions"], gone["incidents"], gone["operators' logins"]) == (1, 1, 1)
    assert ConnectSession.objects.get().state == "created", "it has not ended yet"
    assert Incident.objects.get().closed_at is None


def test_a_disconnected_connection_goes_when_its_revocation_is_over(connection: Connection) -> None:
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    Connection.objects.update(status_changed_at=database_now() - timedelta(days=400))
    assert reload(connection).revocation == Revocation.PENDING
    assert sweep_old(now=database_now())["connections"] == 0
    revoke(connection.id)
    assert sweep_old(now=database_now())["connections"] == 1
    assert not Connection.objects.exists()
    assert AuditEvent.objects.filter(connection_id=connection.id).exists(), "the trail outlives it"


def test_a_connection_that_can_be_connected_anew_never_goes(connection: Connection) -> None:
    """Its page and its reconnect link stay good, however long that takes."""
    disconnect(connection.id, now=database_now(), actor=SYSTEM, keep=True)
    assert revoke(connection.id) is Revocation.CONFIRMED
    Connection.objects.update(status_changed_at=database_now() - timedelta(days=4000))
    assert sweep_old(now=database_now())["connections"] == 0
    assert reload(connection).status == "revoked"


def test_a_session_that_nobody_opens_ends_as_expired(alice: EndUser) -> None:
    invitation = alice.invite()
    assert discard_expired(now=database_now()) == 0
    ConnectSession.objects.update(expires_at=database_now())
    assert discard_expired(now=database_now()) == 1
    session = ConnectSession.objects.get()
    assert (session.state, session.failure) == ("failed", "expired")
    assert discard_expired(now=database_now()) == 0
    assert failure_of(alice.start(invitation)) == "expired"


def test_audit_rows_go_by_an_operator_s_command_alone(connection: Connection) -> None:
    old = database_now() - timedelta(days=400)
    AuditEvent.objects.create(action="old", decision="allowed", at=old)
    kept = AuditEvent.objects.count() - 1
    sweep_old(now=database_now())
    assert AuditEvent.objects.filter(action="old").exists()
    with pytest.raises((ProgrammingError, IntegrityError), match="append-only"):
        AuditEvent.objects.filter(action="old").delete()
    call_command("audit", "prune", "--before", f"{old + timedelta(days=1):%Y-%m-%d}")
    assert not AuditEvent.objects.filter(action="old").exists()
    assert AuditEvent.objects.count() == kept + 2, "that it was done is in the trail"
    assert AuditEvent.objects.get(action="audit.pruned").detail["rows"] == 1
    with pytest.raises((ProgrammingError, IntegrityError), match="append-only"):
        AuditEvent.objects.all().delete()


@pytest.mark.parametrize("ordered", ["", "0", "of something else", "for an earlier moment", "two days ago"])
def test_no_statement_takes_an_audit_row_away_without_an_order_that_stays(connection: Connection, ordered: str) -> None:
    """Whoever can run statements as Latchkey can name an order too, but not one that nobody will read."""
    now = database_now()
    old = AuditEvent.objects.create(action="old", decision="allowed", at=now - timedelta(days=400))
    given: dict[str, tuple[str, timedelta, timedelta]] = {
        "of something else": ("connection.status", timedelta(), timedelta()),
        "for an earlier moment": ("audit.prune", timedelta(), timedelta(days=500)),
        "two days ago": ("audit.prune", timedelta(days=2), timedelta()),
    }
    if ordered in given:
        action, age_of_it, before = given[ordered]
        row = AuditEvent.objects.create(
            action=action, decision="allowed", at=now - age_of_it, detail={"before": (now - before).isoformat()}
        )
        ordered = str(row.id)
    with pytest.raises((ProgrammingError, IntegrityError), match="append-only"):
        delete_by_statement(old, order=ordered)


def test_no_order_takes_the_last_month_or_itself_away(connection: Connection) -> None:
    now = database_now()
    order = AuditEvent.objects.create(
        action="audit.prune", decision="allowed", at=now, detail={"before": (now + timedelta(days=1)).isoformat()}
    )
    young = AuditEvent.objects.create(action="young", decision="allowed", at=now - timedelta(days=29))
    for row in (order, young):
        with pytest.raises((ProgrammingError, IntegrityError), match="append-only"):
            delete_by_statement(row, order=str(order.id))


@transaction.atomic
def delete_by_statement(row: AuditEvent, *, order: str) -> None:
    """Do what whoever can run statements as Latchkey does; a bare moment was enough before."""
    with database.cursor() as cursor:
        cursor.execute("SELECT set_config('latchkey.audit_prune', %s, true)", [order])
        cursor.execute("SELECT set_config('latchkey.audit_prune_before', %s, true)", [database_now().isoformat()])
        cursor.execute("DELETE FROM connections_auditevent WHERE id = %s", [row.pk])


def test_no_more_of_the_trail_goes_than_was_named(connection: Connection) -> None:
    record("young")
    assert prune_audit(before=database_now() - timedelta(days=1), actor=SYSTEM) == 0
    assert AuditEvent.objects.filter(action="young").exists()
    with pytest.raises(CommandError, match="last 30 days stay"):
        call_command("audit", "prune", "--before", f"{database_now():%Y-%m-%d}")
    with pytest.raises(CommandError, match="YYYY-MM-DD"):
        call_command("audit", "prune", "--before", "yesterday")
