"""Logins of operators leave audit rows, whether they were let in or not."""

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.test import Client

from connections.journal import flood
from connections.models import AuditEvent
from tests.connections.admin.conftest import PASSWORD

LOGIN = "/admin/login/"


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_superuser("olga", password=PASSWORD)


def rows(action: str) -> list[tuple[str, str, str | None]]:
    found = AuditEvent.objects.filter(action=action).order_by("id")
    return list(found.values_list("operator", "decision", "address"))


def test_a_login_and_a_logout_are_recorded(olga: User) -> None:
    browser = Client()
    browser.post(LOGIN, {"username": "olga", "password": PASSWORD})
    browser.post("/admin/logout/")
    assert rows("operator.login") == [("olga", "allowed", "127.0.0.1")]
    assert rows("operator.logout") == [("olga", "allowed", "127.0.0.1")]


def test_a_refused_login_is_recorded_without_what_was_typed(olga: User) -> None:
    browser = Client()
    browser.post(LOGIN, {"username": "olga", "password": "canary-wrong"})
    browser.post(LOGIN, {"username": PASSWORD, "password": "olga"})  # in the wrong fields
    browser.post(LOGIN, {"username": "ol\x00ga", "password": "x"})
    assert rows("operator.login")[:2] == [("olga", "refused", "127.0.0.1"), ("", "refused", "127.0.0.1")]
    for told in AuditEvent.objects.values():
        assert "canary-wrong" not in str(told)
        assert PASSWORD not in str(told)


def test_many_refused_logins_make_few_rows_that_tell_their_number(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of names that nobody has does not hide that olga's password is guessed."""
    monkeypatch.setattr(flood, "PER_SECONDS", 3600.0)  # a password takes its time
    monkeypatch.setattr(flood, "MOST_ROWS", 5)
    browser = Client()
    for number in range(flood.MOST_ROWS + 3):
        browser.post(LOGIN, {"username": f"nobody-{number}", "password": "x"}, REMOTE_ADDR=f"2001:db8:0:{number:x}::1")
    for _ in range(3):
        browser.post(LOGIN, {"username": "olga", "password": "x"})
    refused = rows("operator.login")
    assert refused.count(("olga", "refused", "127.0.0.1")) == 1
    assert len(refused) == flood.MOST_ROWS + 1
    monkeypatch.setattr(flood, "PER_SECONDS", 0.0)
    browser.post(LOGIN, {"username": "olga", "password": "x"})
    assert AuditEvent.objects.filter(operator="olga").order_by("-id")[0].detail == {"left_out": 2}


def test_nobody_hides_guesses_at_one_account_behind_guesses_at_another(olga: User) -> None:
    User.objects.create_user("otto", is_staff=True)
    for network in range(40):
        user_login_failed.send(__name__, credentials={"username": "otto"}, request=_from(f"2001:db8:0:{network:x}::1"))
        user_login_failed.send(__name__, credentials={"username": "otto"}, request=_from(f"2001:db8:0:1::{network:x}"))
    user_login_failed.send(__name__, credentials={"username": "olga"}, request=_from("192.0.2.7"))
    told = AuditEvent.objects.filter(action="operator.login", decision="refused")
    assert told.filter(operator="otto").count() == flood.MOST_EACH
    assert told.filter(operator="olga").count() == 1


def _from(address: str) -> HttpRequest:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = address
    return request


@pytest.mark.parametrize("query", ["?tenant=%00", "?app=%00", "?q=%00", "?status=%00", "?p=%00", "?%00=x"])
def test_nul_in_an_address_is_refused_and_no_crash(olga: User, query: str) -> None:
    browser = Client()
    browser.force_login(olga)
    for model in ("connection", "auditevent", "apiclient", "tenant", "providerapp"):
        assert browser.get(f"/admin/connections/{model}/{query}").status_code == 400
    assert browser.get("/admin/connections/connection/%00/change/").status_code == 400
