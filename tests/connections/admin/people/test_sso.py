"""Single sign-on at an OpenID provider of Authlib's: groups are roles, and no answer is believed that is not for us."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from connections.admin.people import sso
from connections.models import AuditEvent, StaffIdentity, StaffLimit, Tenant
from tests.connections.admin.conftest import (
    PASSWORD,
    World,
    list_url,
    logged_in,
    messages_of,
    press_url,
    prove,
    unproven,
)
from tests.connections.admin.people.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    identity_provider,
)
from tests.connections.admin.people.staff import ACCOUNT, INDEX, LOGIN, make_operator

SSO, PROVE, LINK = "/admin/account/sso/", "/admin/account/sso/prove/", "/admin/account/sso/link/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def running() -> Iterator[IdentityProvider]:
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: IdentityProvider, settings: Any, _roles: None) -> IdentityProvider:
    settings.SECOND_FACTOR_REQUIRED = True
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = running.issuer, CLIENT_ID
    settings.OIDC_CLIENT_SECRET = CLIENT_SECRET
    settings.OIDC_ROLES = {"latchkey-admins": "security", "support": "viewer"}
    running.register(sso.redirect_uri())
    running.person = {"sub": "u-1", "preferred_username": "maria", "groups": ["support"], "email": "maria@example.com"}
    running.lies, running.foreign_key = {"amr": ["pwd", "mfa"]}, False
    running.asked.clear()
    return running


@pytest.fixture
def _roles(transactional_db: None) -> None:
    from connections.lifecycle.provision.roles import save_roles

    save_roles()


def go(browser: Client, start: str = SSO, **changes: str | None) -> Any:
    """Go to the provider and come back, with the answer's parameters changed; return what our callback answers."""
    leaving = browser.get(start)
    assert leaving.status_code == 302, leaving.content
    with requests.Session() as person:
        person.trust_env = False
        answer = person.get(leaving["Location"], allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    given = {**dict(parse_qsl(back.query)), **changes}
    return browser.get(f"{back.path}?{urlencode({name: value for name, value in given.items() if value is not None})}")


def refusals() -> list[str]:
    return list(AuditEvent.objects.filter(action="operator.sso").order_by("id").values_list("decision", flat=True))


def roles_of(name: str) -> list[str]:
    return sorted(User.objects.get(username=name).groups.values_list("name", flat=True))


def test_a_first_login_makes_an_account_with_the_role_of_the_groups(provider: IdentityProvider) -> None:
    browser = Client()
    assert go(browser)["Location"] == INDEX
    assert browser.get(INDEX).status_code == 200
    maria = User.objects.get(username="maria")
    assert (maria.is_staff, maria.is_superuser, maria.has_usable_password(), maria.email) == (True, False, False, "")
    assert roles_of("maria") == ["viewer"]
    assert AuditEvent.objects.get(action="operator.login").detail == {"by": ["sso"]}
    (asked,) = provider.asked
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["nonce"]) >= 43
    assert len(asked["state"]) >= 43


def test_each_login_takes_the_roles_of_the_day(provider: IdentityProvider) -> None:
    go(Client())
    provider.person["groups"] = ["latchkey-admins", "something-else"]
    go(Client())
    assert roles_of("maria") == ["security"]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "groups", [None, [], "latchkey-admins", ["Latchkey-Admins"], {"latchkey-admins": 1}, [["support"]]]
)
def test_without_a_group_that_has_a_role_nobody_gets_in(groups: Any, provider: IdentityProvider) -> None:
    go(Client())
    for subject, name in (("u-1", "maria"), ("u-2", "nina")):
        provider.person |= {"sub": subject, "preferred_username": name}
        provider.lies = {"groups": groups, "amr": ["mfa"]}
        browser = Client()
        assert go(browser)["Location"] == LOGIN
        assert browser.get(INDEX)["Location"].startswith(LOGIN)
    assert roles_of("maria") == [], "and who had one has none any more"
    assert not User.objects.filter(username="nina").exists()
    assert refusals() == ["no_role"], "of many refusals in a minute, one row"


def test_what_a_login_gives_and_takes_is_in_the_audit_trail(provider: IdentityProvider, settings: Any) -> None:
    go(Client())
    go(Client())
    provider.person["groups"] = ["latchkey-admins"]
    go(Client())
    provider.person["groups"] = []
    go(Client())
    rows = AuditEvent.objects.filter(action="operator.account").order_by("id")
    assert {(row.operator, row.address) for row in rows} == {("maria", "127.0.0.1")}
    made, *changes = [(row.decision, row.detail) for row in rows]
    person = {"issuer": settings.OIDC_ISSUER, "subject": "u-1"}
    assert made == ("added", {"of": "maria", "by": "sso", "tenants": "all", **person})
    told = {"of": "maria", "by": "sso"}
    assert changes == [
        ("roles_changed", {**told, "gets": ["viewer"], "loses": []}),
        ("roles_changed", {**told, "gets": ["security"], "loses": ["viewer"]}),
        ("roles_changed", {**told, "gets": [], "loses": ["security"]}),
    ]


def test_a_superuser_without_a_group_gets_in_by_the_password_alone(provider: IdentityProvider) -> None:
    StaffIdentity.objects.create(user=make_operator(), issuer=django_settings.OIDC_ISSUER, subject="u-1")
    provider.person["groups"] = []
    assert go(Client())["Location"] == LOGIN
    provider.person["groups"] = ["support"]
    assert go(Client())["Location"] == INDEX


def test_new_accounts_see_nothing_until_somebody_says_what(
    provider: IdentityProvider, settings: Any, world: World
) -> None:
    settings.OIDC_NEW_ACCOUNTS_SEE = "none"
    browser = Client()
    go(browser)
    assert browser.get(list_url(Tenant)).context["cl"].queryset.count() == 0
    assert AuditEvent.objects.get(action="operator.account", decision="added").detail["tenants"] == "none"
    StaffLimit.objects.all().delete()
    go(browser := Client())
    assert browser.get(list_url(Tenant)).context["cl"].queryset.count() == 1, "of new accounts alone"


def test_without_a_word_of_a_second_factor_ours_is_asked_for(provider: IdentityProvider) -> None:
    provider.lies = {"amr": ["pwd"]}
    browser = Client()
    assert go(browser)["Location"] == INDEX
    assert browser.get(INDEX)["Location"] == ACCOUNT


@pytest.mark.parametrize(
    ("lies", "why"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "another-client"}, "audience"),
        ({"aud": ["latchkey", "another-client"]}, "audience"),
        ({"azp": "another-client"}, "audience"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "lifetime"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_login_is_refused(
    lies: dict[str, Any], why: str, provider: IdentityProvider
) -> None:
    provider.lies = lies
    browser = Client()
    assert go(browser)["Location"] == LOGIN
    assert not User.objects.exists()
    assert refusals() == [why]


def test_a_token_of_another_key_is_refused(provider: IdentityProvider) -> None:
    provider.foreign_key = True
    assert go(Client())["Location"] == LOGIN
    assert refusals() == ["signature"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "x"}, "state"),
        ({"state": None}, "state"),
        ({"iss": "https://evil.example"}, "mix_up"),
        ({"iss": None}, "mix_up"),
        ({"code": "made-up"}, "token"),
        ({"code": None}, "declined"),
        ({"error": "access_denied"}, "declined"),
    ],
    ids=str,
)
def test_an_answer_that_is_not_ours_is_refused(changes: dict[str, Any], why: str, provider: IdentityProvider) -> None:
    assert go(Client(), **changes)["Location"] == LOGIN
    assert refusals() == [why]
    assert not User.objects.exists()


def test_an_answer_is_good_in_the_browser_that_asked_and_once(provider: IdentityProvider) -> None:
    mallory, victim = Client(), Client()
    address = mallory.get(SSO)["Location"]
    with requests.Session() as person:
        person.trust_env = False
        back = urlsplit(person.get(address, allow_redirects=False, timeout=10).headers["Location"])
    path = f"{back.path}?{back.query}"
    assert victim.get(path)["Location"] == LOGIN, "a login that somebody else began"
    victim.get(SSO)
    assert victim.get(path)["Location"] == LOGIN
    assert mallory.get(path)["Location"] == INDEX
    assert mallory.get(path).status_code == 302
    assert refusals()[:2] == ["state", "state"]


@pytest.mark.parametrize("verified", [True, False])
def test_an_address_or_a_name_takes_no_account_over(verified: bool, provider: IdentityProvider) -> None:
    olga = make_operator()
    User.objects.filter(pk=olga.pk).update(email="olga@example.com")
    provider.person |= {"preferred_username": "olga", "email": "olga@example.com", "email_verified": verified}
    browser = Client()
    assert go(browser)["Location"] == INDEX
    assert User.objects.count() == 2
    made = User.objects.exclude(pk=olga.pk).get()
    assert made.username.startswith("olga.")
    assert not made.is_superuser
    assert StaffIdentity.objects.get().user == made


def test_an_owner_links_an_account_and_proves_themselves_by_it(provider: IdentityProvider, world: World) -> None:
    olga = make_operator()
    browser = logged_in(olga)
    session = browser.session
    session["account_authentication_methods"] = [
        *session["account_authentication_methods"],
        {"method": "mfa", "at": 1.0},
    ]
    session.save()
    provider.lies = {}
    assert go(browser, LINK)["Location"] == ACCOUNT
    assert StaffIdentity.objects.get().user == olga
    linked = AuditEvent.objects.get(action="operator.sso", decision="linked").detail
    assert linked == {"issuer": django_settings.OIDC_ISSUER, "subject": "u-1"}
    session = browser.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 1.0}]
    session.save()
    suspend = press_url(world.tenant, "suspend")
    assert browser.get(suspend)["Location"].startswith("/admin/account/prove/")
    assert go(browser, f"{PROVE}?next={suspend}")["Location"] == suspend
    assert browser.get(suspend).status_code == 200
    assert provider.asked[-1]["prompt"] == "login"
    assert provider.asked[-1]["max_age"] == "0"


def test_another_person_or_an_old_login_proves_nothing(provider: IdentityProvider, world: World) -> None:
    browser = Client()
    go(browser)
    User.objects.filter(username="maria").update(is_superuser=True)
    suspend = press_url(world.tenant, "suspend")
    assert browser.get(suspend)["Location"].startswith(PROVE), "who has no password is asked there"
    for lies, why in (
        ({"sub": "u-2"}, "another_person"),
        ({"auth_time": 1}, "not_anew"),
        ({"auth_time": None}, "not_anew"),
    ):
        provider.lies = {"amr": ["mfa"], **lies}
        assert go(browser, f"{PROVE}?next={suspend}")["Location"] == ACCOUNT
        assert refusals()[-1] == why
        assert browser.post(suspend)["Location"].startswith(PROVE)
    world.tenant.refresh_from_db()
    assert world.tenant.suspended_at is None


def linked_to(user: User, subject: str) -> StaffIdentity:
    return StaffIdentity.objects.create(user=user, issuer="https://login.example", subject=subject)


def cut(browser: Client, link: StaffIdentity) -> list[str]:
    return messages_of(browser.post(f"/admin/account/sso/{link.pk}/cut/", follow=True))


def test_links_are_seen_and_cut_by_their_owner_with_a_proof(db: None) -> None:
    olga, mallory = make_operator(), make_operator("mallory")
    link = linked_to(olga, "u-9")
    browser = logged_in(olga)
    assert all(word in browser.get(ACCOUNT).content.decode() for word in ("u-9", "login.example", "Linked since"))
    assert "There is no such link." in cut(logged_in(mallory), link)
    assert unproven(browser).post(f"/admin/account/sso/{link.pk}/cut/")["Location"].startswith("/admin/account/prove/")
    assert StaffIdentity.objects.exists()
    prove(browser, olga)
    cut(browser, link)
    assert not StaffIdentity.objects.exists()
    row = AuditEvent.objects.get(action="operator.sso", decision="cut")
    assert (row.operator, row.detail["of"], row.detail["subject"]) == ("olga", "olga", "u-9")


def test_the_only_way_in_is_not_cut_nor_one_of_limited_staff(db: None) -> None:
    maria = User.objects.create_user("maria", is_staff=True)
    first, second = linked_to(maria, "u-1"), linked_to(maria, "u-2")
    browser = logged_in(maria)
    StaffLimit.objects.create(user=maria)
    assert "limited to tenants" in cut(browser, first)[0], "or a login would make an account without the limit"
    StaffLimit.objects.all().delete()
    assert cut(browser, first)[0].startswith("Cut:")
    assert "the only way" in cut(browser, second)[0]
    Authenticator.objects.create(user=maria, type="webauthn", data={"name": "Key"})
    assert cut(browser, second)[0].startswith("Cut:")


def test_taking_factors_back_cuts_the_links_of_an_account_with_a_password(olga: Client) -> None:
    lena = User.objects.create_user("lena", password=PASSWORD, is_staff=True)
    maria = User.objects.create_user("maria", is_staff=True)
    for user in (lena, maria):
        linked_to(user, f"{user.username}-9")
    assert "lena-9" in olga.get(f"/admin/auth/user/{lena.pk}/change/").content.decode()
    for user in (lena, maria):
        olga.post(press_url(user, "reset"))
    assert [one.user for one in StaffIdentity.objects.all()] == [maria]
    assert AuditEvent.objects.get(action="operator.sso", decision="cut").operator == "olga"


def test_a_provider_that_is_away_is_told_of_and_passwords_go_on(provider: IdentityProvider, settings: Any) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    browser = Client()
    assert browser.get(SSO)["Location"] == LOGIN
    assert "cannot be reached" in browser.get(LOGIN).content.decode()
    make_operator()
    assert browser.post(LOGIN, {"username": "olga", "password": PASSWORD}).status_code == 302


def test_without_a_provider_there_is_no_such_page(db: None) -> None:
    assert not django_settings.OIDC_ISSUER
    for url in (SSO, "/admin/account/sso/callback/?code=x&state=y"):
        assert Client().get(url).status_code == 404
    assert "sso" not in Client().get(LOGIN).content.decode()
