"""Acts on more connections than a page has go to the workers: for all that the operator may see, and no other."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.test import Client

from connections.admin import many
from connections.admin.connection import ConnectionAdmin
from connections.database.clock import database_now
from connections.lifecycle.steer.bulk import continue_bulk
from connections.models import AuditEvent, BulkJob, BulkRow, Connection, Reason, StaffLimit, Status
from tests.connections.admin.conftest import (
    SECRET,
    TOKEN,
    confirm,
    list_url,
    make_app,
    make_connection,
    operator_with,
    page_url,
    press_url,
    prove,
    unproven,
)
from tests.connections.api.stored import overwrite
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Three of acme's and three of globex's, on pages of two."""
    monkeypatch.setattr(ConnectionAdmin, "list_per_page", 2)
    made = []
    for slug in ("acme", "globex"):
        tenant = make_tenant(slug)
        app = make_app(tenant)
        made += [make_connection(app, tenant, f"user-{number}") for number in range(3)]
    return made


def ask_about_all(browser: Client, action: str, row: Connection, **narrowed: str) -> Any:
    chosen = {ACTION_CHECKBOX_NAME: str(row.id), "select_across": "1", "index": "0", "action": action}
    return browser.post(f"{list_url(Connection)}?{urlencode(narrowed)}", chosen)


def act_on_all(browser: Client, action: str, row: Connection) -> Any:
    return confirm(browser, ask_about_all(browser, action, row))


def test_the_workers_do_it_and_a_page_says_how_far_they_are(olga: Client, connections: list[Connection]) -> None:
    told = act_on_all(olga, "pause", connections[0]).content.decode()
    job = BulkJob.objects.get()
    assert page_url(job) in told
    assert job.total == 6
    assert "Under way: 0 of 6" in olga.get(page_url(job)).content.decode()
    continue_bulk(now=database_now())
    page = olga.get(page_url(job)).content.decode()
    assert "Done: 6 of 6" in page
    assert "press/cancel/" not in page
    rows = olga.get(list_url(BulkRow), {"job": str(job.id)}).content.decode()
    assert rows.count("turned") >= 2
    assert Connection.objects.filter(paused_at=None).count() == 0


@pytest.mark.parametrize("action", ConnectionAdmin.actions)
def test_a_question_is_asked_before_it_is_ordered(action: str, olga: Client, connections: list[Connection]) -> None:
    asked = ask_about_all(olga, action, connections[0])
    assert "6 connections?" in asked.content.decode()
    bare = {ACTION_CHECKBOX_NAME: str(connections[0].id), "select_across": "1", "action": action, "confirmed": "1"}
    olga.post(list_url(Connection), bare)
    assert not BulkJob.objects.exists(), "nobody was told which"
    told = [confirm(olga, asked).content.decode() for _ in range(2)]
    job = BulkJob.objects.get()
    assert (job.act, job.total) == (action, 6)
    assert all(page_url(job) in page for page in told), "the same question orders nothing more"


def test_a_job_is_cancelled_by_its_button(olga: Client, connections: list[Connection]) -> None:
    act_on_all(olga, "pause", connections[0])
    job = BulkJob.objects.get()
    url = f"{page_url(job).removesuffix('change/')}press/cancel/"
    assert "Nothing more of it is begun" in olga.get(url).content.decode()
    olga.post(url)
    continue_bulk(now=database_now())
    assert Connection.objects.filter(paused_at=None).count() == 6


def test_limited_staff_act_on_their_tenants_alone(connections: list[Connection]) -> None:
    browser = operator_with("tom", "view_connection", "change_connection", "view_bulkjob", "view_bulkrow")
    acme, globex = connections[0].tenant, connections[-1].tenant
    limit = StaffLimit.objects.create(user=User.objects.get(username="tom"))
    limit.tenants.set([acme])
    act_on_all(browser, "pause", connections[0])
    job = BulkJob.objects.get()
    assert (job.tenant_id, job.total) == (acme.id, 3)
    assert browser.get(page_url(job)).status_code == 200
    continue_bulk(now=database_now())
    assert Connection.objects.filter(tenant=globex, paused_at=None).count() == 3
    BulkJob.objects.update(tenant=globex)
    assert browser.get(page_url(job)).status_code != 200
    assert str(connections[0].id) not in browser.get(list_url(BulkRow)).content.decode()


def test_an_export_is_ordered_for_few_rows_too_and_downloaded(olga: Client, connections: list[Connection]) -> None:
    chosen = {ACTION_CHECKBOX_NAME: str(connections[0].id), "action": "export"}
    assert unproven(olga).post(list_url(Connection), chosen)["Location"].startswith("/admin/account/prove/")
    prove(olga, User.objects.get(username="olga"))
    olga.post(list_url(Connection), chosen)
    job = BulkJob.objects.get()
    assert "press/download/" not in olga.get(page_url(job)).content.decode()
    continue_bulk(now=database_now())
    assert "press/download/" in olga.get(page_url(job)).content.decode()
    assert unproven(olga).get(press_url(job, "download"))["Location"].startswith("/admin/account/prove/")
    assert not AuditEvent.objects.filter(action="bulk.downloaded").exists()
    prove(olga, User.objects.get(username="olga"))
    file = olga.get(press_url(job, "download"))
    assert file["Content-Type"] == "text/csv; charset=utf-8" and "no-store" in file["Cache-Control"]
    text = b"".join(file.streaming_content).decode()
    assert str(connections[0].id) in text
    assert not any(word in text for word in (SECRET, TOKEN))
    assert AuditEvent.objects.get(action="bulk.downloaded").operator == "olga"


def test_limited_staff_export_and_download_what_is_their_tenants(connections: list[Connection]) -> None:
    lara = operator_with("lara", "view_connection", "change_connection", "view_bulkjob", "change_bulkjob")
    StaffLimit.objects.create(user=User.objects.get(username="lara")).tenants.add(connections[0].tenant)
    act_on_all(lara, "export", connections[0])
    job = BulkJob.objects.get()
    continue_bulk(now=database_now())
    text = b"".join(lara.get(press_url(job, "download")).streaming_content).decode()
    assert [str(one.id) in text for one in connections] == [True] * 3 + [False] * 3
    other = operator_with("otto", "view_bulkjob", "change_bulkjob")
    StaffLimit.objects.create(user=User.objects.get(username="otto")).tenants.add(connections[-1].tenant)
    assert other.get(press_url(job, "download")).status_code == 302, "for them it is not there"
    assert AuditEvent.objects.filter(action="bulk.downloaded").count() == 1


def test_what_is_confirmed_is_what_was_asked_about(olga: Client, connections: list[Connection]) -> None:
    first, second, *_ = connections
    overwrite(first, status="suspect", reason="refresh_failing")
    overwrite(second, status="suspect", reason="refresh_failing")
    overwrite(connections[2], status="suspect", reason="refresh_failing")
    asked = ask_about_all(olga, "disconnect", first, status__exact="suspect")
    for late in connections[3:]:
        overwrite(late, status="suspect", reason="refresh_failing")
    overwrite(second, status="active", reason="connected")
    make_connection(first.provider_app, first.tenant, "late", status=Status.SUSPECT, reason=Reason.REFRESH_FAILING)
    confirm(olga, asked)
    if (job := BulkJob.objects.first()) is not None:
        assert set(job.rows.values_list("connection", flat=True)) <= {row.id for row in connections[:3]}
    continue_bulk(now=database_now())
    ended = Connection.objects.filter(status="disconnected").values_list("id", flat=True)
    assert {*ended} <= {row.id for row in connections[:3]} and first.id in ended


def test_of_more_than_a_question_takes_along_none_is_newer_than_it(
    olga: Client, connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "MOST_TAKEN_ALONG", 3)
    asked = ask_about_all(olga, "pause", connections[0])
    assert "Pause more than 3 connections?" in asked.content.decode()
    late = make_connection(connections[0].provider_app, connections[0].tenant, "late")
    confirm(olga, asked)
    job = BulkJob.objects.get()
    assert job.total == 6 and not job.rows.filter(connection=late).exists()


def test_the_trail_says_how_they_were_chosen_and_names_nobody(olga: Client, connections: list[Connection]) -> None:
    narrowed = {"tenant": "acme", "q": "user-1", "app": str(connections[0].provider_app_id)}
    chosen = {ACTION_CHECKBOX_NAME: str(connections[1].id), "action": "export"}
    olga.post(f"{list_url(Connection)}?{urlencode(narrowed)}", chosen)
    told = AuditEvent.objects.get(action="bulk.ordered").detail["chosen_by"]
    assert told == {"tenant": "acme", "q": "…", "app": str(connections[0].provider_app_id)}
