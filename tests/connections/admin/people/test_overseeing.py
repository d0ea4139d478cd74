"""Whoever oversees the staff limits accounts, ends their sessions and takes factors back, and gives nobody a right."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client

from connections.admin.people.factors import sealed
from connections.models import AuditEvent, Connection, StaffLimit
from tests.connections.admin.conftest import World, list_url, messages_of, operator_with, press_url
from tests.connections.admin.people.staff import INDEX, make_operator, type_password
from tests.connections.management.conftest import Run, run

__all__ = ["run"]  # the operators' commands, as a fixture


@pytest.fixture
def sid(db: None) -> Client:
    """Who oversees the staff."""
    return operator_with("sid", "view_user", "oversee_staff")


@pytest.fixture
def lena(db: None) -> User:
    return User.objects.create_user("lena", password="correct horse battery staple", is_staff=True)


def press(browser: Client, user: User, verb: str, **typed: Any) -> Any:
    return browser.post(press_url(user, verb), typed, follow=True)


def limit_url(user: User) -> str:
    return f"/admin/auth/user/{user.pk}/change/"


def test_an_account_is_limited_at_once_and_let_go_again(sid: Client, lena: User, world: World) -> None:
    lena.user_permissions.set([*lena.user_permissions.all()])
    told = press(sid, lena, "limit", sees="some", tenants="acme\n")
    assert messages_of(told) == ["It sees 1 tenant, at once."]
    assert [one.slug for one in StaffLimit.objects.get(user=lena).tenants.all()] == ["acme"]
    assert "acme" in sid.get(limit_url(lena)).content.decode()
    press(sid, lena, "limit", sees="some", tenants="")
    assert not StaffLimit.objects.get(user=lena).tenants.exists()
    assert "limited to no tenant" in sid.get(limit_url(lena)).content.decode()
    press(sid, lena, "limit", sees="all")
    assert not StaffLimit.objects.filter(user=lena).exists()
    trail = AuditEvent.objects.filter(action="operator.limit").order_by("id").values_list("decision", "detail")
    assert [decision for decision, _ in trail] == ["limited", "limited", "lifted"]
    assert trail[0][1] == {"of": "lena", "tenants": ["acme"]}


@pytest.mark.parametrize("typed", [{"sees": "some", "tenants": "nope"}, {"sees": "all", "tenants": "acme"}, {}])
def test_a_limit_that_means_nothing_is_refused(typed: dict[str, str], sid: Client, lena: User, world: World) -> None:
    assert press(sid, lena, "limit", **typed).context["form"].errors
    assert not StaffLimit.objects.exists()


def test_factors_are_taken_back_and_sessions_ended(sid: Client, lena: User) -> None:
    browser = Client()
    assert type_password(browser, "lena")["Location"] == INDEX
    assert browser.get(INDEX).status_code == 200
    Authenticator.objects.create(user=lena, type="totp", data={"secret": sealed("JBSWY3DPEHPK3PXP")})
    assert messages_of(press(sid, lena, "reset")) == ["Taken back: 1. It is logged out everywhere."]
    assert not Authenticator.objects.exists()
    assert browser.get(INDEX).status_code == 302
    type_password(browser, "lena")
    assert messages_of(press(sid, lena, "logout")) == ["Logged out in 1 place."]
    assert browser.get(INDEX).status_code == 302
    assert AuditEvent.objects.filter(action="operator.factor", operator="sid", decision="removed").exists()


def test_superusers_are_overseen_by_superusers_alone(sid: Client, db: None) -> None:
    root = make_operator("root")
    for verb in ("limit", "reset", "logout"):
        assert press(sid, root, verb, sees="some", tenants="").status_code == 403
    assert not StaffLimit.objects.exists()


def test_overseeing_makes_no_account_and_gives_no_right(sid: Client, lena: User) -> None:
    sid.post(limit_url(lena), {"username": "lena", "is_superuser": "on", "is_staff": "on"})
    sid.post(f"/admin/auth/user/{lena.pk}/password/", {"password1": "taken over 123", "password2": "taken over 123"})
    sid.post("/admin/auth/user/add/", {"username": "new", "password1": "taken over 1", "password2": "taken over 1"})
    lena.refresh_from_db()
    assert not lena.is_superuser
    assert lena.check_password("correct horse battery staple")
    assert not User.objects.filter(username="new").exists()
    assert "pbkdf2" not in sid.get(limit_url(lena)).content.decode().split("hash")[-1]
    nina = operator_with("nina", "view_user")
    assert press(nina, lena, "reset").status_code == 403


def test_a_limit_holds_in_the_session_that_is_open(sid: Client, lena: User, world: World) -> None:
    viewer = operator_with("vera", "view_connection")
    assert viewer.get(list_url(Connection)).context["cl"].queryset.count() == 1
    press(sid, User.objects.get(username="vera"), "limit", sees="some", tenants="")
    assert viewer.get(list_url(Connection)).context["cl"].queryset.count() == 0


def test_the_commands_do_the_same_at_the_machine(run: Run, lena: User, world: World) -> None:
    Authenticator.objects.create(user=lena, type="totp", data={"secret": sealed("JBSWY3DPEHPK3PXP")})
    type_password(Client(), "lena")
    told = run("operators", "list", "--json")
    assert {"name": "lena", "active": True, "roles": [], "tenants": "all"} in told.data
    assert run("operators", "reset", "lena", "--json").data["second_factors_taken_back"] == 1
    assert not Authenticator.objects.exists()
    assert run("operators", "logout", "lena", "--json").data == {"operator": "lena", "sessions_ended": 0}
    assert "already" in run("operators", "first").err
