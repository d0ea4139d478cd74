"""The pages of findings and of the rules: what security does there, and what nobody else sees or does."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from connections.database.clock import database_now
from connections.lifecycle.provision.roles import save_roles
from connections.lifecycle.watch.findings import note
from connections.lifecycle.watch.use import Span
from connections.models import ApiClient, AuditEvent, Finding, Restriction, StaffLimit, WatchRule, WatchSetting
from tests.connections.admin.conftest import World, list_url, logged_in, messages_of, page_url, press_url, unproven
from tests.factories import make_caller, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def find(client: ApiClient, rule: WatchRule = WatchRule.MANY_DENIALS, **facts: Any) -> Finding:
    now = database_now()
    return note(client, rule, span=Span(now, now, 3), facts=facts, now=now)


def press(browser: Client, row: Any, verb: str, **data: Any) -> Any:
    return browser.post(press_url(row, verb), data, follow=True)


def test_a_finding_shows_its_evidence_and_is_settled_with_a_note(olga: Client, world: World) -> None:
    finding = find(world.client, asked_for=["5d0f2f1c-7bd4-4f2b-a5a0-e1d9c4f0a3b6"], networks=["203.0.113.0/24"])
    world.client.restrict(Restriction.HELD)
    html = olga.get(page_url(finding)).content.decode()
    for said in ("Denied on many different ids", "5d0f2f1c-7bd4-4f2b-a5a0-e1d9c4f0a3b6", "203.0.113.0/24", "lk_"):
        assert said in html
    assert "Suspicious use of API clients" in olga.get("/admin/").content.decode()
    assert "This field is required" in press(olga, finding, "settle", verdict="expected", note=" ").content.decode()
    assert "Settled" in messages_of(press(olga, finding, "settle", verdict="expected", note="A deleted tenant."))[0]
    finding.refresh_from_db()
    assert (finding.verdict, finding.note, finding.resolved_by) == ("expected", "A deleted tenant.", "olga")
    assert ApiClient.objects.get(id=world.client.id).restriction == ""
    assert "A deleted tenant." in olga.get(page_url(finding)).content.decode()
    assert "not possible any more" in messages_of(press(olga, finding, "settle", verdict="harmful", note="x"))[0]


def test_a_rule_is_changed_with_a_proof_and_the_trail_says_by_whom(olga: Client, world: World) -> None:
    rule = WatchSetting.objects.get(rule="canary_used")
    changed = {"is_on": "on", "least": 1, "hold_after": 0, "kill_after": 10}
    assert "prove" in unproven(olga).post(press_url(rule, "change"), changed)["Location"]
    olga = logged_in(User.objects.get(username="olga"))
    press(olga, rule, "change", **changed)
    rule.refresh_from_db()
    assert (rule.throttle_after, rule.hold_after, rule.kill_after) == (None, 0, 10)
    row = AuditEvent.objects.get(action="watch.rule_set")
    assert (row.operator, row.detail["rule"], row.detail["kill_after"]) == ("olga", "canary_used", 10)
    press(olga, rule, "change", **changed)
    assert AuditEvent.objects.filter(action="watch.rule_set").count() == 1
    assert "greater than or equal to 0" in press(olga, rule, "change", **changed | {"least": -1}).content.decode()


def test_a_person_vouches_for_a_client(olga: Client, world: World) -> None:
    world.client.restrict(Restriction.HELD)
    assert "Held until somebody vouches" in olga.get(page_url(world.client)).content.decode()
    assert "prove" in unproven(olga).post(press_url(world.client, "vouch"))["Location"]
    press(logged_in(User.objects.get(username="olga")), world.client, "vouch")
    assert ApiClient.objects.get(id=world.client.id).restriction == ""


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("operator", False), ("security", True)])
def test_only_security_settles_sets_and_vouches(world: World, role: str, may: bool) -> None:
    save_roles()
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    browser = logged_in(user)
    world.client.restrict(Restriction.HELD)
    for row, verb in (
        (Finding.objects.get(), "settle"),
        (WatchSetting.objects.get(rule="wide_use"), "change"),
        (world.client, "vouch"),
    ):
        assert browser.get(page_url(row)).status_code == 200
        assert (browser.get(press_url(row, verb)).status_code == 200) is may, verb


def test_limited_staff_see_the_findings_of_their_tenants_clients_alone(world: World) -> None:
    """Neither another tenant's, nor those of an operator-wide client, whose evidence may be of any tenant."""
    other = make_caller(make_tenant("zz-canary"), "zz-canary").client
    wide = make_caller(None, "zz-canary wide").client
    hidden = [find(client, connections=[str(world.connection.id)]) for client in (other, wide)]
    user = User.objects.create_user("lena", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    StaffLimit.objects.create(user=user).tenants.add(world.tenant)
    lena = logged_in(user)
    html = lena.get(list_url(Finding)).content.decode()
    assert page_url(Finding.objects.get(client=world.client)) in html
    assert "zz-canary" not in html
    for finding in hidden:
        assert lena.get(page_url(finding)).status_code == 302
        lena.post(press_url(finding, "settle"), {"verdict": "expected", "note": "Mine."})
        assert Finding.objects.get(id=finding.id).resolved_at is None
    assert lena.get(list_url(WatchSetting)).content.decode().count("row1") == 0
