"""Seals: whatever is done to a sealed row or to a seal is named, and what may be done breaks nothing."""

import secrets
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, transaction
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal import sealing
from connections.journal.audit import Actor, record
from connections.journal.sealing import anchor_of, last_seal, seal_settled
from connections.journal.verifications import continue_verifications, last_finding, order_verification
from connections.journal.verify import Broken, count_unsealed, verify_chain, wrong_anchor
from connections.lifecycle.housekeeping import prune_audit
from connections.management.doctor.findings import Level
from connections.management.doctor.trail import audit_trail
from connections.models import AuditEvent, AuditPruning, AuditRedaction, AuditSeal, AuditVerification, Notice

pytestmark = pytest.mark.django_db(transaction=True)
TENANT = uuid.UUID(int=7)


@pytest.fixture
def ids(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ten rows in three seals of four, four and two."""
    monkeypatch.setattr(sealing, "BATCH", 4)
    made = [
        record(
            "connection.status",
            tenant_id=TENANT,
            connection_id=uuid.uuid4(),
            actor=Actor(subject=f"user-{number}", address="2001:db8::1"),
            scopes=["a", "b"],
            fingerprint=b"\x00\xff",
            detail={"number": number, "text": "ü\n", "part": 1.50, "none": None},
        ).id
        for number in range(10)
    ]
    assert seal_settled(seconds=10, at_once=True) == 10
    return made


def broken() -> Broken | None:
    newest = last_seal()
    checked = verify_chain(from_seal=1, to_seal=0 if newest is None else newest.number)
    return next((one.broken for one in checked if one.broken), None)


@contextmanager
def past_the_triggers() -> Iterator[Any]:
    """Do what only the database's superuser can."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor


def test_rows_are_sealed_in_a_chain_and_are_whole(ids: list[int]) -> None:
    seals = list(AuditSeal.objects.order_by("number"))
    assert [(seal.number, seal.rows) for seal in seals] == [(1, 4), (2, 4), (3, 2)]
    assert [seal.previous for seal in seals] == [sealing.FIRST, *(seal.hash for seal in seals[:2])]
    assert [checked.rows for checked in verify_chain(from_seal=1, to_seal=3)] == [4, 4, 2]
    assert broken() is None
    assert count_unsealed() == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "at + interval '1 microsecond'"),
        ("action", "'connection.statuz'"),
        ("decision", "'refused'"),
        ("tenant_id", "gen_random_uuid()"),
        ("connection_id", "NULL"),
        ("credential_version_id", "gen_random_uuid()"),
        ("api_client_id", "gen_random_uuid()"),
        ("operator", "'olga'"),
        ("subject", "'mallory'"),
        ("agent", "'x'"),
        ("purpose", "'x'"),
        ("scopes", "ARRAY['a,b']"),
        ("address", "'2001:db8::2'"),
        ("fingerprint", "NULL"),
        ("detail", """'{"number": 4, "text": "", "part": 1.5, "none": null}'"""),
    ],
)
def test_a_change_of_any_column_names_the_row(ids: list[int], column: str, value: str) -> None:
    with past_the_triggers() as cursor:
        cursor.execute(f"UPDATE connections_auditevent SET {column} = {value} WHERE id >= %s", [ids[5]])
    found = broken()
    assert found is not None
    assert (found.kind, found.seal, found.row) == ("row_changed", 2, ids[5])


def test_every_column_of_a_row_is_tried() -> None:
    mark = test_a_change_of_any_column_names_the_row.pytestmark[-1]
    assert {column for column, _ in mark.args[1]} | {"id"} == {
        field.column for field in AuditEvent._meta.concrete_fields
    }


def test_a_deleted_row_is_named(ids: list[int]) -> None:
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM connections_auditevent WHERE id IN (%s, %s)", [ids[6], ids[9]])
    found = broken()
    assert found is not None
    assert (found.kind, found.seal, found.row) == ("row_deleted", 2, ids[6])


@pytest.mark.parametrize("where", ["before the first", "in the middle", "in the last gap"])
def test_a_row_added_behind_a_seal_is_named(ids: list[int], where: str) -> None:
    gap = {"before the first": ids[0] - 1, "in the middle": ids[5], "in the last gap": ids[9]}[where]
    with past_the_triggers() as cursor:
        if gap in ids:
            cursor.execute("DELETE FROM connections_auditevent WHERE id = %s", [gap])
        cursor.execute(
            "INSERT INTO connections_auditevent (id, action, decision) VALUES (%s, 'forged', 'allowed')", [gap]
        )
    found = broken()
    assert found is not None
    assert (found.kind, found.row) == ("row_added" if where == "before the first" else "row_changed", gap)


def test_truncated_rows_are_named(ids: list[int]) -> None:
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM connections_auditevent")
    found = broken()
    assert found is not None
    assert (found.kind, found.row) == ("row_deleted", ids[0])


@pytest.mark.parametrize("column", ["rows", "last_id", "newest_at", "sealed_at", "leaves", "nonces", "leaves_hash"])
def test_a_changed_seal_is_named(ids: list[int], column: str) -> None:
    changed = {
        "rows": "rows + 1",
        "last_id": "last_id - 1",
        "newest_at": "newest_at - interval '1 day'",
        "sealed_at": "sealed_at - interval '1 day'",
        "leaves": r"overlay(leaves PLACING '\x00'::bytea FROM 20)",
        "nonces": r"overlay(nonces PLACING '\xffff'::bytea FROM 3)",
        "leaves_hash": r"overlay(leaves_hash PLACING '\x0000'::bytea FROM 3)",
    }[column]
    with past_the_triggers() as cursor:
        cursor.execute(f"UPDATE connections_auditseal SET {column} = {changed} WHERE number = 2")
    found = broken()
    assert found is not None
    assert found.seal == 2
    assert found.kind == ("row_changed" if column == "nonces" else "seal_changed")


def test_a_seal_that_somebody_made_anew_is_signed_by_nobody(ids: list[int]) -> None:
    """Who can write every table, and knows how seals are made, lacks the key."""
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE connections_auditevent SET decision = 'forged' WHERE id = %s", [ids[5]])
        old = AuditSeal.objects.get(number=2)
        cursor.execute("DELETE FROM connections_auditseal WHERE number >= 2")
        seal_again = sealing._seal_next
        made = seal_again(to=old.last_id, now=database_now(), at_once=True)
        assert made is not None
        cursor.execute("UPDATE connections_auditseal SET signature = %s WHERE number = 2", [bytes(old.signature)])
    found = broken()
    assert found is not None
    assert (found.kind, found.seal) == ("signature_wrong", 2)


@pytest.mark.parametrize(("number", "kind"), [(1, "seal_missing"), (2, "seal_missing")])
def test_a_removed_seal_is_named(ids: list[int], number: int, kind: str) -> None:
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM connections_auditseal WHERE number = %s", [number])
    found = broken()
    assert found is not None
    assert (found.kind, found.seal) == (kind, number)


def test_the_tail_that_was_removed_is_named_by_an_anchor_alone(ids: list[int]) -> None:
    newest = last_seal()
    assert newest is not None
    anchor = anchor_of(newest)
    assert wrong_anchor(anchor) is None
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM connections_auditseal WHERE number >= 2")
        cursor.execute("DELETE FROM connections_auditevent WHERE id > %s", [ids[3]])
    assert broken() is None
    told = wrong_anchor(anchor)
    assert told is not None
    assert (told.kind, told.seal) == ("seals_removed", 3)
    with pytest.raises(CommandError, match="The anchor names seal 3, and the last one is 1"):
        call_command("audit", "verify", "--anchor", anchor)
    record("later")
    for _ in range(4):
        record("later")
        seal_settled(seconds=5, at_once=True)
    told = wrong_anchor(anchor)
    assert told is not None
    assert told.kind == "anchor_differs", "another chain has grown over it"


def test_a_key_that_is_not_named_any_more_is_said_to_be_missing(ids: list[int], settings: Any) -> None:
    kept = settings.AUDIT_KEYS
    settings.AUDIT_KEYS = [f"fresh:{secrets.token_urlsafe(32)}=", *kept]
    record("later")
    seal_settled(seconds=5, at_once=True)
    assert broken() is None, "rotated"
    assert AuditSeal.objects.latest("number").key_id == "fresh"
    settings.AUDIT_KEYS = settings.AUDIT_KEYS[:1]
    found = broken()
    assert found is not None
    assert (found.kind, found.seal) == ("key_unknown", 1)


def test_a_row_of_an_open_transaction_is_sealed_once_it_has_ended(ids: list[int]) -> None:
    parameters = {**database.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**parameters) as other:
        other.execute("INSERT INTO connections_auditevent (action, decision) VALUES ('slow', 'allowed')")
        later = record("quick").id
        assert seal_settled(seconds=2, at_once=True) == 0, "the id before it may still come"
        other.commit()
    assert seal_settled(seconds=2, at_once=True) == 2
    assert broken() is None
    assert AuditEvent.objects.get(action="slow").id < later


def test_an_id_that_was_drawn_and_not_written_yet_holds_the_seal_back(ids: list[int]) -> None:
    """A vend draws its id a moment before its transaction has one of its own."""
    parameters = {**database.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with (
        psycopg.connect(**parameters, autocommit=True) as holder,
        psycopg.connect(**parameters, autocommit=True) as other,
    ):
        holder.execute("SELECT pg_advisory_lock(4711)")
        drawn = threading.Thread(
            target=lambda: other.execute(
                "WITH drawn AS MATERIALIZED"
                " (SELECT nextval('connections_auditevent_id_seq') AS id, pg_advisory_xact_lock(4711) AS held)"
                " INSERT INTO connections_auditevent (id, action, decision)"
                " SELECT id, 'slow', 'allowed' FROM drawn"
            )
        )
        drawn.start()
        while audit_last_given() == ids[-1]:
            pass
        later = record("quick").id
        try:
            assert seal_settled(seconds=2, at_once=True) == 0
        finally:
            holder.execute("SELECT pg_advisory_unlock(4711)")
            drawn.join()
    assert seal_settled(seconds=2, at_once=True) == 2
    assert broken() is None
    assert AuditEvent.objects.get(action="slow").id < later


def audit_last_given() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT last_value FROM connections_auditevent_id_seq")
        return int(cursor.fetchone()[0])


def test_few_young_rows_wait_for_more() -> None:
    record("young")
    assert seal_settled(seconds=2) == 0
    AuditEvent.objects.create(action="old", decision="allowed", at=database_now() - timedelta(minutes=2))
    assert seal_settled(seconds=2) == 2


def test_pruned_rows_leave_a_chain_that_is_whole(ids: list[int]) -> None:
    long_ago = database_now() - timedelta(days=400)
    for number in range(6):
        AuditEvent.objects.create(action=f"old {number}", decision="allowed", at=long_ago)
    AuditEvent.objects.create(action="younger", decision="allowed", at=database_now() - timedelta(days=40))
    assert prune_audit(before=database_now() - timedelta(days=100), actor=Actor(operator="olga")) == 6
    assert AuditEvent.objects.filter(action="younger").exists()
    seal_settled(seconds=5, at_once=True)
    assert broken() is None
    assert AuditSeal.objects.filter(leaves=b"").count() == 1, "of the seal that has no row any more"
    assert prune_audit(before=database_now() - timedelta(days=31), actor=Actor(operator="olga")) == 1
    seal_settled(seconds=5, at_once=True)
    assert broken() is None


def test_rows_that_went_without_a_signed_order_are_named(ids: list[int]) -> None:
    AuditEvent.objects.create(action="old", decision="allowed", at=database_now() - timedelta(days=400))
    prune_audit(before=database_now() - timedelta(days=100), actor=Actor(operator="olga"))
    assert broken() is None
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE connections_auditpruning SET before = now()")
    found = broken()
    assert found is not None
    assert found.kind == "row_deleted"


def test_the_database_refuses_what_nobody_may_do_to_seals(ids: list[int]) -> None:
    AuditRedaction.objects.create(event_id=1, order_id=1, nonce=b"", digest=b"", key_id="k", signature=b"")
    AuditPruning.objects.create(order_id=1, before=database_now(), key_id="k", signature=b"")
    forbidden = [
        "UPDATE connections_auditseal SET rows = 5 WHERE number = 1",
        "UPDATE connections_auditseal SET leaves = '' WHERE number = 1",
        "UPDATE connections_auditseal SET leaves = '', nonces = '' WHERE number = 1",
        "DELETE FROM connections_auditseal",
        "DELETE FROM connections_auditredaction",
        "DELETE FROM connections_auditpruning",
        "UPDATE connections_auditpruning SET before = now()",
    ]
    for statement in forbidden:
        with (
            pytest.raises((ProgrammingError, IntegrityError), match="append-only"),
            transaction.atomic(),
            database.cursor() as cursor,
        ):
            cursor.execute(statement)


@pytest.mark.parametrize("table", ["auditevent", "auditseal", "auditredaction", "auditpruning"])
def test_the_database_refuses_to_truncate(table: str) -> None:
    enable = f"ALTER TABLE connections_{table} ENABLE TRIGGER audit_no_truncate; "  # tests switch it off
    with (
        pytest.raises((ProgrammingError, IntegrityError), match="append-only"),
        transaction.atomic(),
        database.cursor() as cursor,
    ):
        cursor.execute(f"{enable} TRUNCATE connections_{table}")


def test_a_verification_goes_on_where_it_stopped_and_keeps_what_it_found(ids: list[int]) -> None:
    now = database_now()
    continue_verifications(now=now, seconds=-1)
    run = AuditVerification.objects.get()
    assert (run.reached, run.to_seal, run.finished_at) == (0, 3, None), "the day's has begun"
    assert order_verification(now=now, actor=Actor(operator="olga")) == run, "one at a time"
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE connections_auditevent SET operator = 'x' WHERE id = %s", [ids[8]])
    AuditVerification.objects.update(reached=1, rows=4)
    continue_verifications(now=now)
    run.refresh_from_db()
    assert (run.reached, run.rows, run.finding["row"]) == (3, 10, ids[8])
    again = order_verification(now=now, actor=Actor(operator="olga"))
    assert again is not None
    assert again != run
    assert AuditEvent.objects.get(action="audit.verify").operator == "olga"


def verified() -> AuditVerification:
    """Order a verification, and return it when it has ended."""
    now = database_now()
    run = order_verification(now=now, actor=Actor(operator="olga"))
    assert run is not None
    continue_verifications(now=now)
    run.refresh_from_db()
    return run


def test_whoever_broke_an_old_row_hides_none_of_what_is_broken_later(ids: list[int]) -> None:
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE connections_auditevent SET operator = 'x' WHERE id = ANY (%s)", [[ids[0], ids[9]]])
        cursor.execute("DELETE FROM connections_auditseal WHERE number = 2")
    run = verified()
    assert (run.finding["row"], run.finding["further"], run.reached) == (ids[0], 2, 3)
    assert last_finding() == run.finding


def test_seals_that_are_gone_with_their_rows_were_known_to_an_earlier_verification(ids: list[int]) -> None:
    assert verified().finding == {} == last_finding()
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM connections_auditseal WHERE number >= 2")
        cursor.execute("DELETE FROM connections_auditevent WHERE id >= %s", [ids[4]])
    run = verified()
    assert (run.finding["kind"], run.finding["seal"], run.finding["further"]) == ("seal_missing", 2, 1)
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM connections_auditseal")
    assert verified().finding["seal"] == 1


def test_a_verification_that_goes_on_behind_a_missing_seal_counts_it_once(ids: list[int]) -> None:
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM connections_auditseal WHERE number = 1")
    now = database_now()
    run = order_verification(now=now, actor=Actor(operator="olga"))
    assert run is not None
    run.find({"kind": "seal_missing", "seal": 1, "row": None, "detail": "Seal 1 is not there."})
    run.go_on(reached=1, rows=0)
    continue_verifications(now=now)
    run.refresh_from_db()
    assert (run.finding["seal"], run.finding["further"]) == (1, 0)


def test_what_an_earlier_release_has_found_is_told_too(ids: list[int]) -> None:
    now = database_now()
    found = {"kind": "row_changed", "seal": 1, "row": 1, "detail": "Row 1 was changed."}
    AuditVerification.objects.create(ordered_at=now, to_seal=1, finding=found, finished_at=now)
    (finding,) = audit_trail()
    assert finding.says == "Row 1 was changed."


def test_the_operators_are_told_once_for_the_same_and_again_for_more(ids: list[int]) -> None:
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE connections_auditevent SET operator = 'x' WHERE id = %s", [ids[0]])
    verified()
    verified()
    (notice,) = Notice.objects.all()
    assert f"Row {ids[0]}, which seal 1 covers, was changed." in notice.body
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE connections_auditevent SET operator = 'x' WHERE id = %s", [ids[9]])
    verified()
    assert Notice.objects.count() == 2
    (finding,) = audit_trail()
    assert finding.level is Level.FAULT
    assert "1 further seals are broken" in finding.says


def test_the_command_says_what_is_whole_and_fails_where_it_is_not(ids: list[int], capsys: Any) -> None:
    record("young")
    call_command("audit", "verify")
    told = capsys.readouterr().out
    assert "3 seals, 10 rows" in told
    assert "1 rows" in told
    newest = last_seal()
    assert newest is not None
    assert anchor_of(newest) in told
    with past_the_triggers() as cursor:
        cursor.execute("UPDATE connections_auditevent SET operator = 'x' WHERE id = %s", [ids[2]])
    with pytest.raises(CommandError, match=f"Row {ids[2]}, which seal 1 covers, was changed"):
        call_command("audit", "verify")
    call_command("audit", "verify", "--from-seal", "2")
    with pytest.raises(CommandError, match="An anchor is"):
        call_command("audit", "verify", "--anchor", "nonsense")
    call_command("audit", "keys")
    assert ":public:" in capsys.readouterr().out
