"""An erasure and the sealed audit trail: who left is forgotten, and the trail can be verified as before."""

import pytest
from django.db import connection as database
from django.db import transaction

from connections.database.clock import database_now
from connections.journal import audit, sealing
from connections.journal.audit import SYSTEM, Actor
from connections.journal.sealing import NO_NONCE, last_seal, leaves_of, nonces_of, seal_settled
from connections.journal.verify import Broken, verify_chain
from connections.lifecycle.end.offboard import continue_ordered, order_offboarding
from connections.models import AuditEvent, AuditRedaction, AuditSeal, OffboardingMode, Tenant


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
