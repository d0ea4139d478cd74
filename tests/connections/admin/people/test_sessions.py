"""Login sessions end by themselves, and by their owners and whoever oversees the staff."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.staff import end_sessions
from connections.models import AuditEvent
from tests.connections.admin.conftest import PASSWORD, prove
from tests.connections.admin.people.staff import ACCOUNT, INDEX, LOGIN, make_operator, type_password


@pytest.fixture
def olga(db: None) -> User:
    return make_operator()


def logged_in_at(address: str) -> Client:
    browser = Client(REMOTE_ADDR=address, headers={"user-agent": f"Browser at {address}"})
    assert type_password(browser)["Location"] == INDEX
    return browser


def age(browser: Client, **seconds: float) -> None:
    session = browser.session
    for name, value in seconds.items():
        session[f"latchkey_{name}"] = time.time() - value
    session.save()


@pytest.mark.parametrize(
    ("seen", "began", "is_over"),
    [(3500, 3600, False), (3700, 3700, True), (10, 43_300, True), (10, 43_100, False)],
)
def test_a_session_ends_when_it_lies_idle_and_in_any_case_in_the_evening(
    seen: float, began: float, is_over: bool, olga: User
) -> None:
    browser = logged_in_at("192.0.2.1")
    age(browser, seen=seen, began=began)
    answer = browser.get(INDEX)
    assert (answer.status_code == 302) is is_over
    if is_over:
        assert answer["Location"] == LOGIN
        assert "sessionid" not in str(browser.cookies)
        assert browser.get(INDEX)["Location"].startswith(LOGIN)
        assert AuditEvent.objects.filter(action="operator.session", decision="over", operator="olga").exists()


def test_use_keeps_a_session_from_lying_idle_with_one_write_a_minute(olga: User) -> None:
    browser = logged_in_at("192.0.2.1")
    age(browser, seen=3500)
    browser.get(INDEX)
    noted = browser.session["latchkey_seen"]
    assert time.time() - noted < 60
    browser.get(INDEX)
    assert browser.session["latchkey_seen"] == noted


def test_a_session_that_says_nothing_of_its_age_is_over(olga: User) -> None:
    browser = logged_in_at("192.0.2.1")
    session = browser.session
    del session["latchkey_began"]
    session.save()
    assert browser.get(INDEX)["Location"] == LOGIN


def test_one_sees_where_one_is_logged_in_and_ends_it(olga: User) -> None:
    here, there, third = (logged_in_at(f"192.0.2.{number}") for number in (1, 2, 3))
    page = here.get(ACCOUNT).content.decode()
    assert all(f"Browser at 192.0.2.{number}" in page for number in (1, 2, 3))
    assert page.count("This session") == 1
    endings = re.findall(r'action="(/admin/account/sessions/\d+/end/)"', page)
    assert len(endings) == 2
    here.post(endings[0])
    assert sorted(browser.get(INDEX).status_code for browser in (there, third)) == [200, 302]
    here.post("/admin/account/sessions/end-others/")
    assert [browser.get(INDEX).status_code for browser in (here, there, third)] == [200, 302, 302]
    ended = AuditEvent.objects.filter(action="operator.session", decision="ended")
    assert [row.detail for row in ended.order_by("id")] == [{"of": "olga", "sessions": 1}] * 2


NEW_PASSWORD = "another horse, another battery"


def by_its_owner(browser: Client, olga: User, settings: Any) -> None:
    given = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert browser.post("/admin/password_change/", given).status_code == 302


def on_the_page_of_accounts(browser: Client, olga: User, settings: Any) -> None:
    given = {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert browser.post(f"/admin/auth/user/{olga.pk}/password/", given).status_code == 302


def by_a_rotated_secret_key(browser: Client, olga: User, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-secret-key-of-the-installation"


@pytest.mark.parametrize("change", [by_its_owner, on_the_page_of_accounts, by_a_rotated_secret_key])
def test_a_session_that_gets_a_new_key_stays_in_the_list_and_is_ended(
    change: Callable[[Client, User, Any], None], olga: User, settings: Any
) -> None:
    here = logged_in_at("192.0.2.1")
    prove(here, olga, address="192.0.2.1")
    before = here.session.session_key
    change(here, olga, settings)
    assert here.get(INDEX).status_code == 200
    assert here.session.session_key != before
    olga.refresh_from_db()
    there = Client(REMOTE_ADDR="192.0.2.2")
    there.force_login(olga)
    prove(there, olga, address="192.0.2.2")
    page = there.get(ACCOUNT).content.decode()
    assert "Browser at 192.0.2.1" in page
    (ending,) = re.findall(r'action="(/admin/account/sessions/\d+/end/)"', page)
    there.post(ending)
    assert here.get(INDEX).status_code == 302


def test_the_sessions_that_a_new_password_ends_leave_the_list(olga: User) -> None:
    here, there = (logged_in_at(f"192.0.2.{number}") for number in (1, 2))
    prove(here, olga, address="192.0.2.1")
    by_its_owner(here, olga, None)
    page = here.get(ACCOUNT).content.decode()
    assert "Browser at 192.0.2.1" in page and "Browser at 192.0.2.2" not in page
    assert there.get(INDEX).status_code == 302


def test_everywhere_is_also_where_no_list_knows_of(olga: User) -> None:
    here, there = (logged_in_at(f"192.0.2.{number}") for number in (1, 2))
    mallory = make_operator("mallory")
    other = Client(REMOTE_ADDR="192.0.2.9")
    other.force_login(mallory)
    age(other, seen=0, began=0)
    UserSession.objects.filter(ip="192.0.2.2").delete()
    here.post("/admin/account/sessions/end-others/")
    assert [browser.get(INDEX).status_code for browser in (here, there, other)] == [200, 302, 200]
    assert end_sessions(olga, actor=SYSTEM) == 1
    assert here.get(INDEX).status_code == 302


def test_nobody_ends_a_session_of_somebody_else(olga: User) -> None:
    here = logged_in_at("192.0.2.1")
    make_operator("mallory")
    mallory = Client(REMOTE_ADDR="192.0.2.9")
    type_password(mallory, "mallory")
    page = here.get(ACCOUNT).content.decode()
    assert "/end/" not in page
    theirs = UserSession.objects.get(user=olga)
    mallory.post(f"/admin/account/sessions/{theirs.pk}/end/")
    assert here.get(INDEX).status_code == 200
    assert "192.0.2.1" not in mallory.get(ACCOUNT).content.decode()


def test_a_session_id_that_a_browser_brings_is_not_taken(olga: User) -> None:
    browser = Client()
    browser.get(LOGIN)
    browser.cookies["latchkey-operator"] = "a" * 32
    type_password(browser)
    assert browser.session.session_key != "a" * 32
    assert Client(headers={"cookie": f"latchkey-operator={'a' * 32}"}).get(INDEX).status_code == 302
