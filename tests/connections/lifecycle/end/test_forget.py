"""An erasure and the sealed audit trail: who left is forgotten, and the trail can be verified as before."""

import uuid
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.db import transaction

from connections.database.clock import database_now
from connections.journal import audit, sealing
from connections.journal.audit import SYSTEM, Actor
from connections.journal.sealing import NO_NONCE, last_seal, leaves_of, nonces_of, seal_settled
from connections.journal.verify import Broken, verify_chain
from connections.lifecycle.end.offboard import continue_ordered, order_offboarding
from connections.models import (
    AuditEvent,
    AuditRedaction,
    AuditSeal,
    Connection,
    Notice,
    OffboardingMode,
    Tenant,
)

OWNERS = ("alice", "alice at home", "the whole tenant")
LONG_AGO = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def sealed(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows about alice, in several seals, of which one names bob too."""
    monkeypatch.setattr(sealing, "BATCH", 3)
    details = [{}, {"number": 1}, {"end_user": "alice"}, {"granted_by": "alice", "subject": "bob"}]
    made = [
        audit.record("x", actor=Actor(subject=subject, address="192.0.2.7"), tenant_id=acme.id, detail=detail).id
        for subject in ("alice", "carol")
        for detail in details
    ]
    seal_settled(seconds=5, at_once=True)
    return made


def erase(tenant: Tenant, end_user: str) -> None:
    ordered = order_offboarding(tenant, end_user, mode=OffboardingMode.ERASE, now=database_now(), actor=SYSTEM)
    continue_ordered(now=database_now())
    ordered.refresh_from_db()
    assert ordered.done_at is not None


def first_broken() -> Broken | None:
    newest = last_seal()
    assert newest is not None
    return next((one.broken for one in verify_chain(from_seal=1, to_seal=newest.number) if one.broken), None)


def write_past_the_triggers(statement: str, row: int) -> None:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, [row])


def test_a_sealed_row_stays_provable_and_nothing_is_left_to_try_its_digest_with(
    acme: Tenant, sealed: list[int]
) -> None:
    erase(acme, "alice")
    assert not AuditEvent.objects.filter(subject="alice").exists()
    redacted = set(AuditRedaction.objects.values_list("event_id", flat=True))
    assert redacted == {*sealed[:4], sealed[6], sealed[7]}
    for seal in AuditSeal.objects.all():
        for leaf, nonce in zip(leaves_of(seal), nonces_of(seal), strict=True):
            assert (nonce == NO_NONCE) is (leaf.id in redacted)
    assert first_broken() is None
    seal_settled(seconds=5, at_once=True)
    assert first_broken() is None
    write_past_the_triggers("UPDATE connections_auditevent SET subject = 'mallory' WHERE id = %s", sealed[2])
    found = first_broken()
    assert found is not None
    assert (found.kind, found.row) == ("row_changed", sealed[2])


def test_a_row_that_names_two_people_is_redacted_twice(acme: Tenant, sealed: list[int]) -> None:
    erase(acme, "alice")
    first = AuditRedaction.objects.get(event_id=sealed[3])
    erase(acme, "bob")
    second = AuditRedaction.objects.get(event_id=sealed[3])
    assert bytes(first.nonce) != bytes(second.nonce)
    assert first.order_id != second.order_id
    assert first_broken() is None


def test_a_redaction_that_nobody_signed_hides_nothing(acme: Tenant, sealed: list[int]) -> None:
    erase(acme, "alice")
    write_past_the_triggers(
        "UPDATE connections_auditredaction SET signature = overlay(signature PLACING '\\x00'::bytea FROM 5)"
        " WHERE event_id = %s",
        sealed[1],
    )
    found = first_broken()
    assert found is not None
    assert (found.kind, found.row) == ("row_changed", sealed[1])


def test_a_row_that_was_changed_before_is_erased_and_stays_broken(acme: Tenant, sealed: list[int]) -> None:
    write_past_the_triggers("UPDATE connections_auditevent SET decision = 'forged' WHERE id = %s", sealed[1])
    erase(acme, "alice")
    assert not AuditEvent.objects.filter(subject="alice").exists()
    found = first_broken()
    assert found is not None
    assert (found.kind, found.row) == ("row_changed", sealed[1])


def test_notes_and_mails_of_earlier_releases_are_rewritten(db: None) -> None:
    noted = {"user": User.objects.create_superuser("alice"), "action_flag": 2, "change_message": ""}
    kinds = [ContentType.objects.get_for_model(model) for model in (Connection, User)]
    for kind in kinds:
        LogEntry.objects.create(content_type=kind, object_id=str(uuid.UUID(int=7)), object_repr="of alice", **noted)
    ends = [f"2026-12-01 10:00 UTC: sandbox of {whose} at acme: It ends ({uuid.UUID(int=7)})" for whose in OWNERS]
    Notice.objects.create(
        cause="forecast:2026-11-30",
        subject="x",
        body="\n".join(ends),
        state="off",
        created_at=LONG_AGO,
        ended_at=LONG_AGO,
    )
    rewriting = import_module("connections.migrations.0064_notes_without_names")
    with database.cursor() as cursor:
        for statement in (rewriting._NOTES, rewriting._MAILS):
            cursor.execute(statement)
    notes = dict(LogEntry.objects.values_list("content_type", "object_repr"))
    assert notes == {kinds[0].id: "connection 00000000", kinds[1].id: "of alice"}, "who of the staff it was stays"
    told = [line.partition(" of ")[2].partition(": ")[0] for line in Notice.objects.get().body.splitlines()]
    assert told == ["an end user at acme", "an end user at acme", "the whole tenant at acme"]
