"""``manage.py connections forecast``: text, JSON and CSV say the same."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, Cause
from connections.models import Connection, Tenant
from tests.connections.lifecycle.forecast.rows import certificate, ending

pytestmark = pytest.mark.django_db(transaction=True)


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("connections", "forecast", *arguments, stdout=out)
    return out.getvalue()


def test_every_format_names_each_ending(acme: Tenant) -> None:
    now = database_now()
    rows = [ending(acme, cause, now + timedelta(days=2)) for cause in OF_CONNECTIONS]
    certificate(rows[0].provider_app, now + timedelta(days=3))
    ids = [str(row.id) for row in rows]
    text, documents = told(), json.loads(told("--format", "json"))
    assert documents == json.loads(told("--json"))
    assert sorted(one["connection"] for one in documents if one["connection"]) == sorted(ids)
    assert all(one in text for one in ids)
    assert "at any time" in text
    read = list(csv.DictReader(io.StringIO(told("--format", "csv"))))
    assert [(row["connection"], row["cause"]) for row in read] == [
        (one["connection"] or "", one["cause"]) for one in documents
    ]


def test_narrows_to_days_a_tenant_and_a_cause(acme: Tenant, globex: Tenant) -> None:
    now = database_now()
    mine = ending(acme, Cause.GRANT, now + timedelta(days=5))
    ending(globex, Cause.GRANT, now + timedelta(days=5))
    assert [row["connection"] for row in json.loads(told("--json", "--tenant", "acme"))] == [str(mine.id)]
    assert told("--days", "4").strip() == "Nothing ends within 4 days."
    assert json.loads(told("--json", "--cause", "key_is_old")) == []
    for wrong in (("--days", "0"), ("--days", "401"), ("--tenant", "nobody"), ("--format", "xml")):
        with pytest.raises(CommandError):
            told(*wrong)


def test_reads_page_after_page(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.management.forecasts._PAGE", 2)
    for number in range(5):
        ending(acme, Cause.GRANT, database_now() + timedelta(days=number))
    assert len(json.loads(told("--json"))) == 5


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(acme: Tenant, begins: str) -> None:
    row = ending(acme, Cause.GRANT, database_now() + timedelta(days=1))
    Connection.objects.filter(id=row.id).update(end_user=f"{begins}1+1")
    assert f"'{begins}1+1" in told("--format", "csv")
