"""API clients and their keys: shown once, in the answer to the click, and kept nowhere."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from connections.database.clock import database_now
from connections.models import ApiClient, ApiKey, AuditEvent, Permission, Tenant
from tests.connections.admin.conftest import PASSWORD, list_url, operator_with, page_url, press_url, prove, unproven
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call

ADD = "/admin/connections/apiclient/add/"


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def caller(acme: Tenant) -> Caller:
    return make_caller(acme)


def issue(browser: Client, client: ApiClient, verb: str = "issue-key", **typed: object) -> HttpResponse:
    """Take the click that makes a key."""
    data = {"days": "30", "key_id": str(uuid.uuid4()), **typed}
    response: HttpResponse = browser.post(press_url(client, verb), data)
    return response


def key_in(answer: HttpResponse) -> str:
    """Return the key that a page shows."""
    found = re.findall(r"lk_[\w-]{43}", answer.content.decode())
    assert len(found) == 1
    return str(found[0])


def works(client: ApiClient, key: str) -> bool:
    return call(Caller(client, key), "GET", "/providers").status_code == 200


def test_a_client_is_made_with_its_permissions(olga: Client, acme: Tenant) -> None:
    data = {
        "name": "mailer",
        "tenant": str(acme.id),
        "permissions": ["connect", "read"],
        "allows_unbound": "on",
    }
    olga.post("/admin/connections/apiclient/add/", data)
    made = ApiClient.objects.get()
    assert (made.name, made.tenant, made.permissions, made.allows_unbound) == (
        "mailer",
        acme,
        ["connect", "read"],
        True,
    )
    olga.post(page_url(made), {"permissions": ["read"]})
    made.refresh_from_db()
    assert (made.name, made.tenant, made.permissions, made.allows_unbound) == ("mailer", acme, ["read"], False)
    assert list(AuditEvent.objects.filter(action="api_client.saved").values_list("operator", flat=True)) == ["olga"] * 2


def test_a_name_is_given_once_for_each_owner(olga: Client, caller: Caller, acme: Tenant) -> None:
    for owner in (str(acme.id), ""):
        olga.post("/admin/connections/apiclient/add/", {"name": "backend", "tenant": owner, "permissions": ["read"]})
    assert ApiClient.objects.count() == 2
    caller.client.refresh_from_db()
    assert "vend" in caller.client.permissions


def test_only_an_operator_wide_client_may_manage_tenants(olga: Client, acme: Tenant) -> None:
    answer = olga.post(
        "/admin/connections/apiclient/add/", {"name": "x", "tenant": str(acme.id), "permissions": ["tenants"]}
    )
    assert "permissions" in answer.context["adminform"].form.errors
    assert not ApiClient.objects.exists()


def test_a_key_is_shown_in_the_answer_and_works(olga: Client, caller: Caller) -> None:
    assert "shown once" in olga.get(press_url(caller.client, "issue-key")).content.decode()
    answer = issue(olga, caller.client)
    key = key_in(answer)
    assert works(caller.client, key)
    assert "no-store" in answer["Cache-Control"]
    assert ApiKey.objects.get(prefix=key[:10]).expires_at - database_now() <= timedelta(days=30)
    assert AuditEvent.objects.filter(action="api_key.issued", operator="olga").count() == 1


def test_a_key_is_kept_nowhere_in_clear(olga: Client, caller: Caller) -> None:
    answer = issue(olga, caller.client)
    key = key_in(answer)
    stored = [repr(session.get_decoded()) + session.session_data for session in Session.objects.all()]
    stored += [repr(dict(answer.cookies)), repr(dict(olga.cookies)), str(answer.headers)]
    stored += [repr(list(AuditEvent.objects.values()))]
    for url in (page_url(caller.client), list_url(ApiKey), list_url(ApiClient), "/admin/"):
        stored.append(olga.get(url).content.decode())
    assert all(key not in place for place in stored)
    assert key[:10] in stored[-3]


def test_the_same_click_twice_makes_one_key(olga: Client, caller: Caller) -> None:
    click = uuid.uuid4()
    issue(olga, caller.client, key_id=str(click))
    again = issue(olga, caller.client, key_id=str(click))
    assert again.status_code == 302
    assert ApiKey.objects.filter(client=caller.client).count() == 2
    assert "lk_" not in olga.get(again["Location"]).content.decode().split("messagelist")[1].split("</ul>")[0]


def test_rotating_ends_the_earlier_keys_after_the_overlap(olga: Client, caller: Caller) -> None:
    fresh = key_in(issue(olga, caller.client, "rotate-keys", overlap_hours="1"))
    earlier = ApiKey.objects.get(prefix=caller.key[:10])
    assert earlier.expires_at - database_now() <= timedelta(hours=1)
    assert works(caller.client, caller.key)
    newest = key_in(issue(olga, caller.client, "rotate-keys", overlap_hours="0"))
    assert not works(caller.client, caller.key)
    assert not works(caller.client, fresh)
    assert works(caller.client, newest)


@pytest.mark.parametrize("typed", [{"days": "9999"}, {"key_id": "nonsense"}, {"days": ""}])
def test_a_wrong_form_makes_no_key(olga: Client, caller: Caller, typed: dict[str, str]) -> None:
    answer = issue(olga, caller.client, **typed)
    assert answer.status_code == 200
    assert ApiKey.objects.count() == 1


def test_revoking_a_key_asks_first_and_acts_at_once(olga: Client, caller: Caller) -> None:
    key = ApiKey.objects.get()
    assert "for good" in olga.get(press_url(key, "revoke")).content.decode()
    assert works(caller.client, caller.key)
    olga.post(press_url(key, "revoke"))
    assert not works(caller.client, caller.key)
    assert AuditEvent.objects.get(action="api_key.revoked").detail["api_key"] == str(key.id)
    assert "Revoked" in olga.get(page_url(key)).content.decode()


def test_suspending_a_client_refuses_its_calls(olga: Client, caller: Caller) -> None:
    olga.post(press_url(caller.client, "suspend"))
    assert call(caller, "GET", "/providers").status_code == 423
    olga.post(press_url(caller.client, "resume"))
    assert works(caller.client, caller.key)


def test_every_permission_has_its_box(olga: Client, caller: Caller) -> None:
    page = olga.get(page_url(caller.client)).content.decode()
    assert page.count('type="checkbox" name="permissions"') == len(Permission)


# --- What one right alone does not reach ------------------------------------------------------------------------------
WIDE = {"name": "wide", "tenant": "", "permissions": ["read"]}
ALL_BUT = ("view_apiclient", "add_apiclient", "change_apiclient", "view_tenant")


@pytest.mark.parametrize("verb", ["issue-key", "rotate-keys"])
def test_the_right_to_change_clients_makes_no_key(caller: Caller, verb: str) -> None:
    carl = operator_with("carl", "view_apiclient", "change_apiclient")
    for client in (caller.client, make_caller(None, "wide").client):
        before = ApiKey.objects.count()
        assert carl.get(press_url(client, verb)).status_code == 403
        assert issue(carl, client, verb, overlap_hours="0").status_code == 403
        assert ApiKey.objects.count() == before


def test_the_right_to_issue_keys_makes_none_that_reaches_every_tenant(caller: Caller, acme: Tenant) -> None:
    kim = operator_with("kim", "view_apiclient", "change_apiclient", "issue_apikey")
    key_in(issue(kim, caller.client))
    for wide in (
        make_caller(None, "wide").client,
        make_caller(acme, "robot", [Permission.VEND, Permission.VEND_WITHOUT_USER]).client,
        make_caller(acme, "mailer", allows_unbound=True).client,
    ):
        before = ApiKey.objects.count()
        assert issue(kim, wide).status_code == 403
        assert ApiKey.objects.count() == before


def test_the_right_to_issue_keys_alone_makes_none(caller: Caller) -> None:
    ines = operator_with("ines", "view_apiclient", "issue_apikey", "entrust_apiclient")
    assert issue(ines, caller.client).status_code == 403


def test_a_key_needs_a_fresh_proof_and_no_password_in_the_form_is_one(olga: Client, caller: Caller) -> None:
    unproven(olga)
    for password in ("", "wrong", PASSWORD):
        answer = issue(olga, caller.client, password=password)
        assert answer["Location"].startswith("/admin/account/prove/?next=")
    assert ApiKey.objects.count() == 1
    url = press_url(caller.client, "issue-key")
    assert olga.post("/admin/account/prove/", {"password": PASSWORD, "next": url})["Location"] == url
    assert key_in(issue(olga, caller.client))


def test_after_some_wrong_passwords_the_right_one_is_not_tried(olga: Client, caller: Caller) -> None:
    unproven(olga)
    for _ in range(5):
        olga.post("/admin/account/prove/", {"password": "wrong"})
    assert olga.post("/admin/account/prove/", {"password": PASSWORD}).status_code == 200
    assert issue(olga, caller.client).status_code == 302
    assert ApiKey.objects.count() == 1
    told = AuditEvent.objects.filter(action="operator.proof", decision="wrong_password", operator="olga")
    assert told.count() == 5
    assert all("wrong" not in str(row.detail) for row in told)
    kim = operator_with("kim", "view_apiclient", "change_apiclient", "issue_apikey", "entrust_apiclient")
    assert key_in(issue(kim, caller.client)), "nobody else is locked out by it"


def test_clients_beyond_one_tenants_named_users_need_a_right_of_their_own(acme: Tenant) -> None:
    carl = operator_with("carl", *ALL_BUT, "issue_apikey")
    own = {"name": "own", "tenant": str(acme.id)}
    for typed in (
        WIDE,
        own | {"permissions": ["vend", "vend_without_user"]},
        own | {"permissions": ["connect"], "allows_unbound": "on"},
    ):
        answer = carl.post(ADD, typed)
        assert "the right to entrust API clients" in str(answer.context["adminform"].form.errors)
    assert not ApiClient.objects.exists()
    carl.post(ADD, own | {"permissions": ["vend"]})
    assert ApiClient.objects.get().permissions == ["vend"]
    dora = operator_with("dora", *ALL_BUT, "entrust_apiclient")
    assert "Prove it in another window" in unproven(dora).post(ADD, WIDE).content.decode()
    assert ApiClient.objects.count() == 1
    prove(dora, User.objects.get(username="dora"))
    dora.post(ADD, WIDE)
    assert ApiClient.objects.count() == 2


def test_a_client_is_not_changed_into_one_that_reaches_further(caller: Caller) -> None:
    carl = operator_with("carl", *ALL_BUT)
    reader = make_caller(None, "reader", [Permission.READ]).client
    for client, typed in (
        (reader, {"permissions": ["read", "vend"]}),
        (caller.client, {"permissions": ["vend", "vend_without_user"]}),
        (caller.client, {"permissions": ["vend"], "allows_unbound": "on"}),
        (caller.client, {"permissions": ["read"], "tenant": "", "allows_unbound": "on"}),
    ):
        before = ApiClient.objects.values().get(id=client.id)
        carl.post(page_url(client), typed)
        assert ApiClient.objects.values().get(id=client.id) == before
    carl.post(page_url(reader), {"permissions": []})  # less is always possible
    reader.refresh_from_db()
    assert reader.permissions == []


def test_whoever_may_change_operators_gives_themselves_nothing(db: None) -> None:
    eve = operator_with("eve", "view_user", "add_user", "change_user", "delete_user", "change_group", "add_group")
    root = User.objects.create_superuser("root", password=PASSWORD)
    me = User.objects.get(username="eve")
    eve.post(f"/admin/auth/user/{me.pk}/change/", {"username": "eve", "is_superuser": "on", "is_staff": "on"})
    eve.post(f"/admin/auth/user/{root.pk}/password/", {"password1": "taken over 1", "password2": "taken over 1"})
    eve.post("/admin/auth/user/add/", {"username": "new", "password1": "taken over 1", "password2": "taken over 1"})
    me.refresh_from_db()
    root.refresh_from_db()
    assert not me.is_superuser
    assert root.check_password(PASSWORD)
    assert User.objects.count() == 2
    assert eve.get("/admin/auth/user/").status_code == 200
