"""The page that names what is broken first in the audit trail."""

import csv
import io
import json

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.urls import reverse, reverse_lazy

from connections.database.clock import database_now
from connections.journal.audit import Actor, record
from connections.journal.sealing import last_seal, seal_settled
from connections.journal.verifications import continue_verifications
from connections.models import AuditEvent, AuditVerification
from tests.connections.admin.conftest import operator_with, prove, unproven

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:connections_auditverification_changelist"
TRAIL = reverse_lazy("admin:connections_auditevent_changelist")
ORDER = "admin:connections_auditverification_order"


def test_an_operator_orders_a_verification_and_reads_which_row_was_changed(olga: Client) -> None:
    page = olga.post(reverse(ORDER), follow=True).content.decode()
    assert "Nothing is sealed yet" in page
    changed = record("connection.status").id
    seal_settled(seconds=5, at_once=True)
    assert "Under way: seal 0 of 1" in olga.post(reverse(ORDER), follow=True).content.decode()
    assert AuditEvent.objects.get(action="audit.verify").operator == "olga"
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE connections_auditevent SET decision = 'forged' WHERE id = %s", [changed])
    continue_verifications(now=database_now())
    run = AuditVerification.objects.get()
    page = olga.get(reverse("admin:connections_auditverification_change", args=[run.pk])).content.decode()
    assert "A row was changed" in page
    assert f"Row {changed}, which seal 1 covers, was changed." in page
    assert reverse("admin:connections_auditevent_change", args=[changed]) in page
    assert "A row was changed" in olga.get(reverse(LIST), {"result": "broken"}).content.decode()


def test_the_first_page_says_that_the_trail_is_broken_to_those_who_may_read_it(olga: Client) -> None:
    home = reverse("admin:index")
    assert "The audit trail is broken" not in olga.get(home).content.decode()
    found = {"kind": "row_changed", "seal": 1, "row": 1, "detail": "Row 1 was changed.", "further": 0}
    now = database_now()
    AuditVerification.objects.create(ordered_at=now, to_seal=1, finding=found, finished_at=now)
    assert "The audit trail is broken" in olga.get(home).content.decode()
    others = operator_with("otto", "view_connection")
    assert "The audit trail is broken" not in others.get(home).content.decode()


def test_the_page_of_a_seal_has_its_anchor(olga: Client) -> None:
    record("connection.status")
    seal_settled(seconds=5, at_once=True)
    seal = last_seal()
    assert seal is not None
    page = olga.get(reverse("admin:connections_auditseal_change", args=[1])).content.decode()
    assert f"1:{seal.hash}" in page


def test_the_filtered_list_is_exported(olga: Client) -> None:
    record("tenant.saved", actor=Actor(operator="=olga"))
    record("connection.status")
    url = reverse("admin:connections_auditevent_export", args=["csv"])
    assert f"{url}?kind=tenant." in olga.get(TRAIL, {"kind": "tenant."}).content.decode()
    assert unproven(olga).get(url)["Location"].startswith("/admin/account/prove/")
    prove(olga, User.objects.get(username="olga"))
    answer = olga.get(url, {"kind": "tenant.", "subject": "alice"})
    told = AuditEvent.objects.get(action="audit.downloaded")
    assert (told.operator, told.detail) == ("olga", {"shape": "csv", "filter": {"kind": "tenant.", "subject": "…"}})
    answer = olga.get(url, {"kind": "tenant."})
    heading, *rows = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert [row[heading.index("operator")] for row in rows] == ["'=olga"]
    answer = olga.get(reverse("admin:connections_auditevent_export", args=["ocsf"]), {"operator": "=olga"})
    (line,) = b"".join(answer.streaming_content).decode().splitlines()
    assert json.loads(line)["actor"]["user"]["name"] == "=olga"
    assert olga.get(reverse("admin:connections_auditevent_export", args=["xml"])).status_code == 403


def test_who_may_only_look_orders_nothing(viktor: Client) -> None:
    assert "Verify now" not in viktor.get(reverse(LIST)).content.decode()
    assert viktor.post(reverse(ORDER)).status_code == 403
    assert viktor.get(reverse(LIST)).status_code == 200
