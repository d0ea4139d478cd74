"""Refresh quarantine in the admin: seen on the first page, and released one by one, together, or by the workers."""

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.test import Client

from connections.admin.held_connection import HeldConnectionAdmin
from connections.database.clock import database_now
from connections.lifecycle.steer.bulk import continue_bulk
from connections.models import (
    AuditEvent,
    BulkJob,
    Connection,
    HeldConnection,
    Installation,
    RewindCause,
    StaffLimit,
    TokenVerdict,
)
from tests.connections.admin.conftest import (
    confirm,
    list_url,
    make_app,
    make_connection,
    messages_of,
    operator_with,
    page_url,
    press_url,
    unproven,
)
from tests.connections.api.stored import expire_in
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held() -> dict[str, HeldConnection]:
    """Three of acme's and one of globex's that wait; acme's ``used`` has a used token, and ``spent`` vends nothing."""
    now = database_now()
    Installation.objects.create(quarantined_at=now, sorted_at=now, cause="behind")
    rows = {}
    for slug, names in (("acme", ("safe", "used", "spent")), ("globex", ("other",))):
        tenant = make_tenant(slug)
        app = make_app(tenant)
        for name in names:
            connection = make_connection(app, tenant, name)
            verdict = TokenVerdict.USED if name == "used" else TokenVerdict.UNKNOWN
            rows[name] = HeldConnection.objects.create(connection=connection, verdict=verdict, held_at=database_now())
    expire_in(rows["spent"].connection, -1)
    return rows


def waiting() -> set[str]:
    return set(HeldConnection.objects.values_list("connection__end_user", flat=True))


def release(browser: Client, *rows: HeldConnection, **more: str) -> Any:
    data = {"action": "release", ACTION_CHECKBOX_NAME: [str(row.pk) for row in rows], **more}
    return browser.post(list_url(HeldConnection), data, follow=True)


def limited_to(tenant: Any) -> Client:
    names = ("heldconnection", "connection")
    browser = operator_with("tom", *(f"{verb}_{name}" for verb in ("view", "change") for name in names))
    StaffLimit.objects.create(user=User.objects.get(username="tom")).tenants.set([tenant])
    return browser


def test_the_first_page_says_so_until_nothing_waits(olga: Client, held: dict[str, HeldConnection]) -> None:
    shown = olga.get("/admin/").content.decode()
    assert "It is behind what this installation remembers outside of it" in shown
    assert "4 wait to be released or connected again" in shown
    assert "3 vend still, and of 1 the refresh token is known to be used" in shown
    HeldConnection.objects.all().delete()
    assert "Refresh quarantine." not in olga.get("/admin/").content.decode()
    Installation.objects.update(sorted_at=None)
    assert "Nothing is refreshed until it is sorted" in olga.get("/admin/").content.decode()


def test_limited_staff_see_and_release_their_own_alone(held: dict[str, HeldConnection]) -> None:
    other = held["other"]
    browser = limited_to(other.connection.tenant)
    assert "1 wait to be released" in browser.get("/admin/").content.decode()
    listed = browser.get(list_url(HeldConnection)).content.decode()
    assert ("other" in listed, "safe" in listed) == (True, False)
    browser.post(press_url(held["safe"], "release"))
    release(browser, held["safe"], other, confirmed="1")
    assert waiting() == {"safe", "used", "spent"}


def test_a_newer_credential_takes_one_off_the_list(olga: Client, held: dict[str, HeldConnection]) -> None:
    safe = held["safe"].connection
    safe.current_version.__class__.objects.filter(id=safe.current_version_id).update(received_at=database_now())
    assert "safe" not in olga.get(list_url(HeldConnection)).content.decode()
    assert "Refresh quarantine" not in olga.get(page_url(safe)).content.decode()


def test_the_list_is_filtered_by_what_matters(olga: Client, held: dict[str, HeldConnection]) -> None:
    for query, found in (
        ({"tenant": "globex"}, {"other"}),
        ({"verdict__exact": "used"}, {"used"}),
        ({"vends": "no"}, {"spent"}),
        ({"vends": "yes"}, {"safe", "used", "other"}),
        ({"connection": str(held["safe"].pk)}, {"safe"}),
    ):
        rows = olga.get(list_url(HeldConnection), query).context["cl"].result_list
        assert {row.connection.end_user for row in rows} == found, query


def test_the_page_of_the_connection_says_why_and_leads_there(olga: Client, held: dict[str, HeldConnection]) -> None:
    for name, says in (("safe", "until somebody releases it"), ("used", "let the end user connect again")):
        shown = olga.get(page_url(held[name].connection)).content.decode()
        assert says in shown
        assert f"{list_url(HeldConnection)}?connection={held[name].pk}" in shown


def test_until_it_is_sorted_none_is_said_to_be_released(olga: Client, held: dict[str, HeldConnection]) -> None:
    begun = {"quarantined_at": database_now(), "cause": RewindCause.ORDERED, "sorted_at": None}
    Installation.objects.update_or_create(only=True, defaults=begun)
    (told,) = messages_of(release(olga, *held.values(), confirmed="1"))
    assert told.startswith("Everything waits until it is sorted")
    assert len(waiting()) == 4


def test_one_is_released_and_one_with_a_used_token_all_the_same(olga: Client, held: dict[str, HeldConnection]) -> None:
    for name, verb in (("safe", "release"), ("used", "release-used")):
        url = press_url(held[name], verb)
        assert "ends" in olga.get(url).content.decode()
        answer = olga.post(url, follow=True)
        assert answer.redirect_chain[-1][0] == page_url(held[name].connection)
        assert messages_of(answer) == ["Released: it refreshes again."]
    assert waiting() == {"spent", "other"}
    told = AuditEvent.objects.filter(action="quarantine.release", operator="olga")
    assert {row.detail["verdict"] for row in told} == {"unknown", "used"}


def test_the_plain_button_never_releases_a_used_token(olga: Client, held: dict[str, HeldConnection]) -> None:
    olga.post(press_url(held["used"], "release"))
    assert "used" in waiting()


def test_many_are_asked_about_and_used_ones_left_out(olga: Client, held: dict[str, HeldConnection]) -> None:
    asked = release(olga, *held.values()).content.decode()
    assert "Release 4 connections?" in asked
    assert len(waiting()) == 4
    told = messages_of(release(olga, *held.values(), confirmed="1"))
    assert told == [
        "3 released: they refresh again.",
        "1 left alone, whose refresh token was used: let the end users connect again.",
    ]
    assert waiting() == {"used"}


def test_more_than_a_page_goes_to_the_workers(
    olga: Client, held: dict[str, HeldConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HeldConnectionAdmin, "list_per_page", 2)
    confirm(olga, release(olga, held["safe"], select_across="1", index="0"))
    job = BulkJob.objects.get()
    assert (job.act, job.total, len(waiting())) == ("release", 4, 4)
    continue_bulk(now=database_now())
    assert waiting() == {"used"}
    outcomes = set(job.rows.values_list("connection__end_user", "code"))
    assert outcomes == {("safe", "released"), ("spent", "released"), ("other", "released"), ("used", "token_used")}


def test_without_a_fresh_proof_nothing_is_released(olga: Client, held: dict[str, HeldConnection]) -> None:
    browser = unproven(olga)
    answers = [browser.post(press_url(held["safe"], "release")), release(browser, held["safe"], confirmed="1")]
    assert answers[0].status_code == 302
    assert answers[0]["Location"].startswith("/admin/account/prove/")
    assert len(waiting()) == 4


def test_who_may_only_look_releases_nothing(viktor: Client, held: dict[str, HeldConnection]) -> None:
    assert viktor.get(page_url(held["safe"])).status_code == 200
    assert viktor.post(press_url(held["safe"], "release")).status_code == 403
    release(viktor, held["safe"], confirmed="1")
    assert len(waiting()) == 4
    assert Connection.objects.filter(end_user="safe").exists()
