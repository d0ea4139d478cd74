"""The first operator: made once, by whoever can read the machine's own output."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone

from connections.lifecycle.provision.staff import make_first_operator, new_token
from connections.models import AuditEvent
from tests.connections.admin.conftest import PASSWORD
from tests.connections.admin.people.staff import INDEX, LOGIN, type_password

FIRST = "/admin/first/"

pytestmark = pytest.mark.django_db


def filled_in(token: str, **changes: str) -> Any:
    return Client().post(FIRST, {"token": token, "username": "olga", "password": PASSWORD, **changes})


def test_whoever_has_the_token_makes_the_first_operator_and_nobody_a_second() -> None:
    assert "There is no operator yet" in Client().get(LOGIN).content.decode()
    assert Client().get(FIRST).status_code == 200
    token = new_token()
    assert filled_in(token)["Location"] == LOGIN
    assert User.objects.get().is_superuser
    assert AuditEvent.objects.get(action="operator.made").operator == "olga"
    browser = Client()
    assert type_password(browser)["Location"] == INDEX
    for again in (token, new_token()):
        assert filled_in(again, username="mallory").status_code == 404
    assert Client().get(FIRST).status_code == 404
    assert "There is no operator yet" not in Client().get(LOGIN).content.decode()


@pytest.mark.parametrize("token", ["", "first", "first:1:x", "first:x", "ß"])
def test_a_stranger_without_a_token_makes_nothing(token: str) -> None:
    assert filled_in(token).status_code == 200
    assert not User.objects.exists()


def test_a_token_is_good_for_an_hour() -> None:
    token = new_token()
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert filled_in(token).status_code == 200
    assert not User.objects.exists()


def test_a_stranger_cannot_try_tokens_for_long() -> None:
    for number in range(40):
        filled_in(f"first:{number}:x")
    assert "Too many wrong tokens" in filled_in(new_token()).content.decode()


@pytest.mark.parametrize("changes", [{"password": "short"}, {"password": "password1234"}, {"username": "a b\x7f"}])
def test_a_weak_password_and_an_odd_name_are_refused(changes: dict[str, str]) -> None:
    assert filled_in(new_token(), **changes).status_code == 200
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_with_a_token_one_is_first() -> None:
    def make(name: str) -> bool:
        try:
            return make_first_operator(name, PASSWORD, address=None)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, [f"operator-{number}" for number in range(4)]))
    assert sum(made) == 1
    assert User.objects.count() == 1
