"""Exports of the audit trail: nothing is passed over, and every line has the shape that a SIEM expects."""

import csv
import io
import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal import trail
from connections.journal.audit import Actor, record
from connections.journal.sealing import anchor_of, last_seal, seal_settled
from connections.journal.shapes import ocsf_of
from connections.journal.trail import Wanted, read_trail
from connections.models import AuditEvent, Tenant

pytestmark = pytest.mark.django_db(transaction=True)
CLIENT, CONNECTION = uuid.UUID(int=1), uuid.UUID(int=2)


def export(capsys: Any, *options: str) -> str:
    capsys.readouterr()
    call_command("audit", "export", *options)
    return str(capsys.readouterr().out)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_export_goes_on_where_a_killed_one_stopped(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "PAGE", 2)
    cursor = tmp_path / "cursor"
    first = [record("tenant.saved").id for _ in range(5)]
    told = lines(export(capsys, "--cursor-file", str(cursor)))
    assert [event["metadata"]["sequence"] for event in told] == first
    assert cursor.read_text() == str(first[-1])
    later = record("tenant.saved").id
    assert [event["metadata"]["uid"] for event in lines(export(capsys, "--cursor-file", str(cursor)))] == [str(later)]
    assert export(capsys, "--after", str(later)) == ""
    cursor.write_text("nonsense")
    with pytest.raises(CommandError, match="holds no row's id"):
        call_command("audit", "export", "--cursor-file", str(cursor))


def test_a_row_that_commits_late_is_not_passed_over(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "_SETTLE_SECONDS", 0.05)
    sealed = record("tenant.saved").id
    seal_settled(seconds=5, at_once=True)
    with psycopg.connect(**{**database.get_connection_params(), "cursor_factory": psycopg.Cursor}) as other:
        other.execute("INSERT INTO connections_auditevent (action, decision) VALUES ('slow', 'allowed')")
        record("quick")
        (page,) = read_trail(Wanted(), after=0)
        assert [row.id for row in page.rows] == [sealed], "what is sealed has settled"
        other.commit()
    pages = list(read_trail(Wanted(), after=page.to))
    assert [row.action for page in pages for row in page.rows] == ["slow", "quick"]


def test_seals_come_with_the_rows_that_they_cover(capsys: Any) -> None:
    record("tenant.saved")
    seal_settled(seconds=5, at_once=True)
    record("tenant.saved")
    told = lines(export(capsys))
    newest = last_seal()
    assert newest is not None
    assert [event["metadata"]["uid"].startswith("seal") for event in told] == [False, True, False]
    assert told[1]["unmapped"]["anchor"] == anchor_of(newest)
    assert len(lines(export(capsys, "--kind", "tenant."))) == 2, "a part of the trail proves nothing of the whole"


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [
        ("--tenant", "acme", "tenant"),
        ("--connection", str(CONNECTION), "connection"),
        ("--client", str(CLIENT), "client"),
        ("--operator", "olga", "operator"),
        ("--subject", "alice", "subject"),
        ("--kind", "api_key.refused", "kind"),
        ("--kind", "api_key.", "kind"),
        ("--until", "2020-06-01", "time"),
    ],
)
def test_it_is_filtered(capsys: Any, acme: Tenant, option: str, value: str, found: str) -> None:
    made = {
        "tenant": record("x", tenant_id=acme.id).id,
        "connection": record("x", connection_id=CONNECTION).id,
        "client": record("x", actor=Actor(api_client_id=CLIENT)).id,
        "operator": record("x", actor=Actor(operator="olga")).id,
        "subject": record("x", actor=Actor(subject="alice")).id,
        "kind": record("api_key.refused", decision="unknown").id,
        "near": record("api_keys.x").id,
        "time": AuditEvent.objects.create(action="x", decision="y", at=database_now() - timedelta(days=5000)).id,
    }
    assert [event["metadata"]["sequence"] for event in lines(export(capsys, option, value))][-1:] == [made[found]]


@pytest.mark.parametrize(
    ("action", "decision", "class_uid", "activity", "status"),
    [
        ("operator.login", "allowed", 3002, 1, "Success"),
        ("operator.login", "refused", 3002, 1, "Failure"),
        ("operator.logout", "allowed", 3002, 2, "Success"),
        ("api_key.refused", "unknown", 3002, 1, "Failure"),
        ("credential.vend", "allowed", 6003, 2, "Success"),
        ("credential.vend", "policy_denied", 6003, 2, "Failure"),
        ("connection.proxy", "allowed", 6003, 99, "Success"),
        ("tenant.saved", "allowed", 3004, 3, "Success"),
        ("webhook_endpoint.added", "allowed", 3004, 1, "Success"),
        ("issuer.distrusted", "allowed", 3004, 4, "Success"),
        ("connection.status", "needs_reauth", 3004, 3, "Success"),
    ],
)
def test_each_kind_has_its_class_of_ocsf(
    action: str, decision: str, class_uid: int, activity: int, status: str
) -> None:
    record(action, decision=decision, actor=Actor(subject="alice", api_client_id=CLIENT, address="192.0.2.7"))
    event = ocsf_of(AuditEvent.objects.get())
    assert (event["class_uid"], event["activity_id"], event["status"]) == (class_uid, activity, status)
    assert event["type_uid"] == class_uid * 100 + activity
    assert event["category_uid"] == class_uid // 1000
    assert event["metadata"]["version"] == "1.3.0"
    assert {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata"} <= event.keys()
    needed = {3002: {"user", "service"}, 6003: {"actor", "api", "src_endpoint"}, 3004: {"entity"}}[class_uid]
    assert needed <= event.keys()
    assert abs(event["time"] / 1000 - database_now().timestamp()) < 60
    assert event["unmapped"]["decision"] == decision


def test_no_cell_of_the_csv_is_a_formula_and_what_is_written_is_read_back(capsys: Any) -> None:
    nasty = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", 'a"b', "a,b", "ü\n2"]
    for text in nasty:
        record("x", actor=Actor(agent=text), detail={"text": text})
    heading, *rows = csv.reader(io.StringIO(export(capsys, "--format", "csv"), newline=""))
    agents = [row[heading.index("agent")] for row in rows]
    assert agents == [f"'{text}" if text[0] in "=+-@\t\r" else text for text in nasty]
    assert [json.loads(row[heading.index("detail")])["text"] for row in rows] == nasty
