"""A second factor for all staff: enrolled, asked for, good once, and never gone around."""

import time

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from connections.admin.people.factors import opened, sealed
from connections.models import AuditEvent, Tenant
from connections.vault.sealing import Unreadable
from tests.connections.admin.conftest import PASSWORD, list_url, logged_in, operator_with
from tests.connections.admin.people.staff import (
    ACCOUNT,
    ACTIVATE,
    CODE,
    INDEX,
    LOGIN,
    code_of,
    enrol,
    make_operator,
    stored_seed,
    type_password,
)

# What django-allauth tells of a new factor it tells once the transaction is over.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _required(settings: object, transactional_db: None) -> None:
    settings.SECOND_FACTOR_REQUIRED = True  # type: ignore[attr-defined]


@pytest.fixture
def olga() -> User:
    return make_operator()


@pytest.fixture
def enrolled(olga: User) -> tuple[str, list[str]]:
    """The key of olga's app, and her recovery codes."""
    browser = Client()
    type_password(browser)
    return enrol(browser)


def trail(action: str) -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(action=action).order_by("id").values_list("operator", "decision"))


def test_whoever_has_none_gets_one_before_any_page_opens(olga: User) -> None:
    browser = Client()
    assert type_password(browser)["Location"] == INDEX
    for url in (
        INDEX,
        list_url(Tenant),
        reverse("catalogue:list"),
        reverse("admin:password_change"),
        "/admin/jsi18n/x/",
    ):
        assert browser.get(url)["Location"] == ACCOUNT
    assert browser.post(reverse("admin:connections_tenant_add"), {"slug": "spy", "name": "Spy"}).status_code == 403
    assert browser.get(reverse("connect:preview"), {"preview_screen": "landing"}).status_code == 302
    page = browser.get(ACCOUNT).content.decode()
    assert "needs a second factor" in page
    secret, codes = enrol(browser)
    assert len(codes) == 10
    assert browser.get(INDEX).status_code == 200
    assert stored_seed(olga) == secret
    assert trail("operator.factor") == [("olga", "added"), ("olga", "added")]


def test_the_page_after_the_password_asks_for_the_code(enrolled: tuple[str, list[str]]) -> None:
    browser = Client()
    assert type_password(browser)["Location"] == CODE
    assert browser.get(CODE).status_code == 200
    for url in (INDEX, list_url(Tenant), ACCOUNT, ACTIVATE, reverse("connect:preview")):
        answer = browser.get(url)
        assert answer.status_code in (302, 404), f"the password alone opens {url}"
        assert answer.get("Location", LOGIN).startswith(LOGIN)
    assert browser.post(CODE, {"code": code_of(enrolled[0])})["Location"] == INDEX
    assert browser.get(INDEX).status_code == 200
    assert AuditEvent.objects.filter(action="operator.login").latest("id").detail == {"by": ["password", "totp"]}


def test_a_code_is_good_once_and_no_earlier_one_after_it(enrolled: tuple[str, list[str]]) -> None:
    secret, _ = enrolled
    for steps, is_good in ((0, True), (0, False), (-1, False)):
        browser = Client()
        type_password(browser)
        answer = browser.post(CODE, {"code": code_of(secret, steps=steps)})
        assert (answer.status_code == 302) is is_good, steps


def test_a_recovery_code_is_good_once(enrolled: tuple[str, list[str]]) -> None:
    for is_good in (True, False):
        browser = Client()
        type_password(browser)
        assert (browser.post(CODE, {"code": enrolled[1][3]}).status_code == 302) is is_good


def test_recovery_codes_are_shown_once(olga: User) -> None:
    browser = Client()
    type_password(browser)
    _, codes = enrol(browser)
    again = browser.get("/admin/account/recovery-codes/")
    assert not any(code in again.content.decode() for code in codes)
    assert browser.get("/admin/account/recovery-codes/download/").status_code in (403, 404)


def test_codes_cannot_be_tried_one_after_the_other(enrolled: tuple[str, list[str]]) -> None:
    secret, _ = enrolled
    browser = Client()
    type_password(browser)
    for number in range(8):
        browser.post(CODE, {"code": f"{number:06}"})
    assert browser.post(CODE, {"code": code_of(secret)}).status_code == 200, "the right one is not looked at now"
    assert trail("operator.login")[-1] == ("olga", "wrong_code")
    assert len([one for one in trail("operator.login") if one[1] == "wrong_code"]) == 6


def test_a_session_that_began_before_the_factor_ends(olga: User) -> None:
    before, after = Client(), Client()
    type_password(before)
    type_password(after)
    enrol(after)
    assert before.get(INDEX)["Location"] == LOGIN
    assert before.get(INDEX)["Location"].startswith(LOGIN), "and it is no session any more"


def test_nothing_secret_of_a_factor_is_stored_in_the_clear(olga: User) -> None:
    browser = Client()
    type_password(browser)
    browser.get(ACTIVATE)
    pending = Session.objects.latest("expire_date").get_decoded()["mfa.totp.secret"]
    assert len(opened(pending)) == 32
    secret, codes = enrol(browser)
    with database.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert secret not in stored
    assert not any(code in stored for code in codes)
    told = " ".join(str(row) for row in AuditEvent.objects.values())
    assert secret not in told
    assert secret not in " ".join(str(one.get_decoded()) for one in Session.objects.all())


def test_a_changed_seed_does_not_open() -> None:
    kept = sealed("SEED")
    assert opened(kept) == "SEED"
    with pytest.raises(Unreadable):
        opened(kept[:-2] + ("A" if kept[-2] != "A" else "B") + kept[-1])


def test_a_factor_is_removed_with_a_proof_alone_and_the_next_page_asks_for_another(olga: User) -> None:
    browser = Client()
    type_password(browser)
    enrol(browser)
    session = browser.session
    for shown in session["account_authentication_methods"]:
        shown["at"] -= 400
    session.save()
    deactivate = "/admin/account/totp/deactivate/"
    assert browser.post(deactivate)["Location"].startswith("/admin/account/prove/")
    assert Authenticator.objects.filter(user=olga, type="totp").exists()
    done = browser.post("/admin/account/prove/", {"password": PASSWORD, "next": deactivate})
    assert done["Location"] == ACCOUNT, "what was asked for before is done now"
    assert not Authenticator.objects.filter(user=olga).exists()
    assert ("olga", "removed") in trail("operator.factor")
    browser = Client()
    type_password(browser)
    assert browser.get(INDEX)["Location"] == ACCOUNT


def test_who_may_not_log_in_is_told_as_little_as_for_a_wrong_password(olga: User) -> None:
    User.objects.create_user("walter", password=PASSWORD)
    User.objects.create_user("gone", password=PASSWORD, is_staff=True, is_active=False)
    told = set()
    for name, password in (("walter", PASSWORD), ("gone", PASSWORD), ("nobody", PASSWORD), ("olga", "wrong")):
        answer = type_password(Client(), name, password)
        assert answer.status_code == 200
        told.add(answer.context["form"].non_field_errors()[0])
    assert len(told) == 1


def test_there_is_no_signing_up_and_no_password_by_mail() -> None:
    for path in ("signup", "password/reset", "email", "confirm-email", "social/signup", "account/signup"):
        for url in (f"/admin/{path}/", f"/admin/account/{path}/", f"/accounts/{path}/"):
            assert Client().get(url, follow=True).redirect_chain == [] or "login" in Client().get(url)["Location"], url
            assert Client().post(url).status_code in (302, 403, 404)
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/connect/x", "http:evil"],
)
def test_a_login_leads_nowhere_else(target: str, enrolled: tuple[str, list[str]]) -> None:
    browser = Client()
    browser.post(f"{LOGIN}?next={target}", {"username": "olga", "password": PASSWORD, "next": target})
    assert browser.post(CODE, {"code": enrolled[1][0], "next": target})["Location"] == INDEX
    browser.logout()
    olga = User.objects.get(username="olga")
    browser = logged_in(olga)
    answer = browser.post("/admin/account/prove/", {"password": PASSWORD, "next": target})
    assert answer.get("Location", INDEX) in (INDEX, LOGIN)


def test_only_an_own_machine_may_do_without() -> None:
    import subprocess
    import sys

    from config.local.supervisor.environment import placeholder_settings
    from tests.clone import unconfigured

    settings = placeholder_settings() | {"LATCHKEY_SECOND_FACTOR_REQUIRED": "no"}
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        env=unconfigured(**settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ImproperlyConfigured.__name__ in done.stderr
    assert "LATCHKEY_SECOND_FACTOR_REQUIRED" in done.stderr


def test_a_stolen_session_does_nothing_dangerous(world: object) -> None:
    """The cookie alone, elsewhere, after the proof has lapsed, and while it lasts: none of them is enough."""
    from tests.connections.admin.conftest import World, press_url

    assert isinstance(world, World)
    owner = logged_in(make_operator())
    user = User.objects.get(username="olga")
    session = owner.session
    session["account_authentication_methods"] = [
        *session["account_authentication_methods"],
        {"method": "mfa", "at": time.time()},
    ]
    session.save()
    thief = Client(REMOTE_ADDR="203.0.113.9")
    thief.cookies = owner.cookies
    acts = [press_url(world.tenant, "suspend"), press_url(world.tenant, "delete"), press_url(world.client, "issue-key")]
    acts += [press_url(world.connection, "disconnect"), press_url(world.connection, "revoke")]
    for act in acts:
        for browser in (thief,):
            for answer in (browser.get(act), browser.post(act, {"days": "30", "slug": "acme"})):
                assert answer.status_code == 302
                assert "/account/" in answer["Location"], act
    world.tenant.refresh_from_db()
    world.connection.refresh_from_db()
    assert (world.tenant.suspended_at, world.tenant.shred_at, world.connection.status) == (None, None, "active")
    assert thief.get(INDEX).status_code == 200, "it is the session that is stolen, and may look"
    for _ in range(7):
        thief.post("/admin/account/prove/", {"password": "guess"})
    assert thief.post("/admin/account/prove/", {"password": PASSWORD}).status_code == 200, "guesses there are counted"
    assert trail("operator.proof").count(("olga", "wrong_password")) == 5
    assert operator_with("nina").get(INDEX).status_code == 302
    assert user.is_active
