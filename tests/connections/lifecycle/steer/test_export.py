"""Exports: what is noted of each connection, whose it is as of now, and cells that no spreadsheet runs."""

import csv
import io

import pytest
from django.contrib.auth.models import User

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.steer import export
from connections.lifecycle.steer.bulk import continue_bulk, order_bulk
from connections.lifecycle.steer.export import COLUMNS, as_csv, exported
from connections.models import BulkAct, BulkJob, Connection, Scope, Tenant
from tests.connections.api.stored import make_connection


@pytest.fixture
def job(acme: Tenant) -> BulkJob:
    User.objects.create_superuser("olga")
    for number in range(5):
        connection = make_connection(acme, end_user=f"=user-{number}", label="+x")
        Scope.objects.create(connection=connection, name="extra.scope", is_granted=True)
    ordered = order_bulk(
        BulkAct.EXPORT, Connection.objects.all(), tenant_id=acme.id, now=database_now(), actor=Actor(operator="olga")
    )
    continue_bulk(now=database_now())
    ordered.refresh_from_db()
    return ordered


def test_every_connection_is_in_it_once(job: BulkJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_PART", 2)
    rows = list(exported(job))
    assert sorted(row["end_user"] for row in rows) == [f"=user-{number}" for number in range(5)]
    assert all(tuple(row) == COLUMNS for row in rows)
    assert all("extra.scope" in row["granted_scopes"] for row in rows)


def test_who_was_erased_since_is_not_in_it(job: BulkJob) -> None:
    one, other = Connection.objects.order_by("id")[:2]
    Connection.objects.filter(id=one.id).update(end_user="erased-1")
    other.delete()
    named = [row["end_user"] for row in exported(job)]
    assert len(named) == 4
    assert "erased-1" in named
    assert one.end_user not in named


def test_a_file_of_it_has_a_heading_and_no_formula(job: BulkJob) -> None:
    heading, *rows = csv.reader(io.StringIO("".join(as_csv(job))))
    assert tuple(heading) == COLUMNS
    assert len(rows) == 5
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_an_act_of_another_kind_notes_nothing(acme: Tenant) -> None:
    make_connection(acme)
    job = order_bulk(
        BulkAct.PAUSE, Connection.objects.all(), tenant_id=acme.id, now=database_now(), actor=Actor(operator="olga")
    )
    continue_bulk(now=database_now())
    assert list(exported(job)) == []
