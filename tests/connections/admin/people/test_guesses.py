"""Guessing passwords: hundreds at one account and at many, from one address and many. The owner still gets in."""

import pytest
from allauth.core import context
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from connections.admin.people import guesses
from connections.admin.people.forms import CodeForm, LoginForm
from connections.admin.people.guesses import Allowance, may_guess, network_of, was_right
from connections.admin.people.known import COOKIE, is_known
from connections.models import AuditEvent, GuessCount
from tests.connections.admin.conftest import PASSWORD
from tests.connections.admin.people.staff import CODE, INDEX, LOGIN, code_of, enrol, make_operator, type_password

HOME, OFFICE, ELSEWHERE = "198.51.100.7", "198.51.100.8", "203.0.113.77"
# Several times as many as the largest allowance lets through at once.
GUESSES = 5 * guesses.AT_ACCOUNT.at_once


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def olga(transactional_db: None) -> User:
    return make_operator()


@pytest.fixture
def home(olga: User) -> Client:
    """Olga's browser at home. She has logged in with it, has an app since, and is logged out."""
    browser = Client(REMOTE_ADDR=HOME)
    assert type_password(browser).status_code == 302
    browser.secret, _ = enrol(browser)  # type: ignore[attr-defined]
    browser.post("/admin/logout/")
    return browser


def looked_at() -> int:
    """Return how many passwords were looked at and wrong: what was held back is told apart in the trail."""
    return LOOKED["count"]


LOOKED = {"count": 0}


@pytest.fixture(autouse=True)
def _count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what Django's own signal says of passwords that were looked at."""
    from django.contrib.auth.signals import user_login_failed

    LOOKED["count"] = 0

    def note(**_: object) -> None:
        LOOKED["count"] += 1

    user_login_failed.connect(note, weak=False, dispatch_uid="test")
    monkeypatch.setattr("connections.journal.flood.MOST_ROWS", 10_000)


def gets_in(browser: Client, secret: str, *, steps: int, **more: str) -> bool:
    answer = type_password(browser, **more)
    if answer.status_code != 302:
        return False
    if answer["Location"] == CODE:
        answer = browser.post(CODE, {"code": code_of(secret, steps=steps)})
    return answer["Location"] == INDEX and browser.get(INDEX).status_code == 200


def guess(password: str, *, name: str = "olga", address: str = ELSEWHERE, **headers: str) -> bool:
    """Type a password as a stranger, and return whether it got past the first step.

    The form alone is asked, as the page asks it: to draw the page anew hundreds of times would show nothing more.
    """
    request = RequestFactory(REMOTE_ADDR=address).post(LOGIN, headers=headers)
    return LoginForm({"username": name, "password": password}, request=request).is_valid()


def test_hundreds_of_passwords_from_one_address_at_one_account(home: Client) -> None:
    for number in range(GUESSES):
        assert not guess(f"guess-{number}", **{"x-forwarded-for": f"10.0.0.{number % 250}"})
    assert looked_at() <= guesses.AT_ACCOUNT_FROM_ADDRESS.at_once, "a made up X-Forwarded-For is another address"
    assert not guess(PASSWORD), "nor is the right one looked at"
    assert type_password(Client(REMOTE_ADDR=ELSEWHERE)).status_code == 200
    assert gets_in(home, home.secret, steps=0)  # type: ignore[attr-defined]
    fresh = Client(REMOTE_ADDR=OFFICE)
    assert gets_in(fresh, home.secret, steps=1), "a browser and an address that are new"  # type: ignore[attr-defined]


def test_hundreds_of_passwords_from_as_many_addresses_at_one_account(home: Client) -> None:
    for number in range(GUESSES):
        assert not guess(f"guess-{number}", address=f"203.0.{number // 250}.{number % 250}")
    assert looked_at() <= guesses.AT_ACCOUNT.at_once
    assert gets_in(home, home.secret, steps=0), "the browser that is known"  # type: ignore[attr-defined]
    fresh = Client(REMOTE_ADDR=OFFICE)
    held = type_password(fresh)
    assert "type the code" in held.content.decode()
    assert 'name="code"' in held.content.decode()
    code = code_of(home.secret, steps=1)  # type: ignore[attr-defined]
    assert type_password(fresh, password="wrong", code=code).status_code == 200
    assert type_password(fresh, code="000000").status_code == 200
    assert gets_in(fresh, home.secret, steps=1, code=code)  # type: ignore[attr-defined]


def test_hundreds_of_passwords_from_one_address_at_many_accounts(home: Client) -> None:
    for number in range(GUESSES):
        assert not guess("Summer2026!!", name=f"operator-{number % 200}")
    assert looked_at() <= guesses.FROM_ADDRESS.at_once
    assert gets_in(home, home.secret, steps=0)  # type: ignore[attr-defined]
    assert gets_in(Client(REMOTE_ADDR=OFFICE), home.secret, steps=1)  # type: ignore[attr-defined]


def test_an_ipv6_household_is_one_address(olga: User) -> None:
    for number in range(40):
        guess("x", address=f"2001:db8:1:2::{number:x}")
    assert looked_at() <= guesses.AT_ACCOUNT_FROM_ADDRESS.at_once
    assert network_of("2001:db8:1:2::7") == "2001:db8:1:2::/64"
    assert (network_of("192.0.2.1"), network_of(None)) == ("192.0.2.1", "unknown")


def test_behind_a_proxy_the_address_is_the_one_that_it_saw(olga: User, settings: object) -> None:
    settings.TRUSTED_PROXY_COUNT = 1  # type: ignore[attr-defined]
    for number in range(40):
        guess("x", address="127.0.0.1", **{"x-forwarded-for": f"10.1.2.{number}, 203.0.113.5"})
    assert looked_at() <= guesses.AT_ACCOUNT_FROM_ADDRESS.at_once
    assert type_password_from(OFFICE).status_code == 302


def type_password_from(address: str) -> object:
    return Client().post(
        LOGIN, {"username": "olga", "password": PASSWORD}, headers={"x-forwarded-for": f"203.0.113.5, {address}"}
    )


def test_a_name_that_nobody_has_is_treated_as_one_that_somebody_has(olga: User) -> None:
    told = {}
    for name in ("olga", "nobody"):
        thief = Client(REMOTE_ADDR=f"203.0.113.{len(told) + 1}")
        told[name] = [
            thief.post(LOGIN, {"username": name, "password": "x"}).context["form"].non_field_errors() for _ in range(10)
        ]
    assert told["olga"] == told["nobody"]


def test_what_was_held_back_is_in_the_trail(olga: User) -> None:
    thief = Client(REMOTE_ADDR=ELSEWHERE)
    for _ in range(8):
        type_password(thief, password="x")
    decisions = AuditEvent.objects.filter(action="operator.login", operator="olga").values_list("decision", flat=True)
    assert set(decisions) <= {"refused", "held_back"}
    assert decisions


# --- Codes of the second factor ---------------------------------------------------------------------------------------
def guess_code(user: User, code: str, *, address: str = ELSEWHERE) -> str:
    """Type a code at the second step, as one who has the password, and return why it is refused; "" if it is right."""
    request = RequestFactory(REMOTE_ADDR=address).post(CODE)
    request.session = {}  # type: ignore[assignment]
    with context.request_context(request):
        form = CodeForm({"code": code}, user=user)
        return "" if form.is_valid() else form.errors.as_data()["code"][0].code


def test_codes_at_one_account_from_one_address_end_soon_and_the_owner_s_go_on(home: Client, olga: User) -> None:
    said = [guess_code(olga, "000000") for _ in range(40)]
    assert said == ["incorrect_code"] * guesses.CODES.at_once + ["too_many"] * (40 - guesses.CODES.at_once)
    assert gets_in(home, home.secret, steps=0), "the browser that is known"  # type: ignore[attr-defined]
    assert gets_in(Client(REMOTE_ADDR=HOME), home.secret, steps=1), "the address that is"  # type: ignore[attr-defined]


def test_codes_at_one_account_from_all_over_end_too_and_the_owner_s_go_on(home: Client, olga: User) -> None:
    said = [guess_code(olga, "000000", address=f"203.0.{number // 250}.{number % 250}") for number in range(200)]
    assert said.count("incorrect_code") == AuditEvent.objects.filter(decision="wrong_code").count()
    assert said.count("incorrect_code") <= guesses.CODES_AT_ACCOUNT.at_once
    fresh = Client(REMOTE_ADDR=OFFICE)
    type_password(fresh)
    told = fresh.post(CODE, {"code": code_of(home.secret)}).content.decode()  # type: ignore[attr-defined]
    assert "change the password" in told
    assert gets_in(home, home.secret, steps=0), "the browser that is known"  # type: ignore[attr-defined]


def test_codes_typed_with_the_password_are_counted_like_the_others(home: Client, olga: User) -> None:
    """Strangers use up the passwords; then one who has the right one would have as many codes as addresses."""
    for number in range(guesses.AT_ACCOUNT.at_once + 1):
        guess("x", address=f"198.18.0.{number}")
    for number in range(200):
        address = f"203.0.{number // 250}.{number % 250}"
        form = LoginForm(
            {"username": "olga", "password": PASSWORD, "code": "000000"},
            request=RequestFactory(REMOTE_ADDR=address).post(LOGIN),
        )
        assert not form.is_valid()
    tried = AuditEvent.objects.filter(decision="wrong_code").count()
    assert 0 < tried <= guesses.CODES_AT_ACCOUNT.at_once
    assert gets_in(home, home.secret, steps=0)  # type: ignore[attr-defined]


def test_who_has_no_password_uses_up_no_code(home: Client) -> None:
    for number in range(100):
        request = RequestFactory(REMOTE_ADDR=f"203.0.113.{number}").post(LOGIN)
        form = LoginForm({"username": "olga", "password": "guess", "code": "000000"}, request=request)
        assert not form.is_valid()
    fresh = Client(REMOTE_ADDR=OFFICE)
    assert gets_in(fresh, home.secret, steps=0, code=code_of(home.secret))  # type: ignore[attr-defined]


def test_a_stolen_session_uses_up_its_own_codes_alone(home: Client, olga: User) -> None:
    """The owner ends it, or logs in anew."""
    assert gets_in(home, home.secret, steps=0)  # type: ignore[attr-defined]
    prove = reverse("mfa_reauthenticate")
    stolen = Client(REMOTE_ADDR=ELSEWHERE)
    stolen.cookies = home.cookies.copy()
    said = [stolen.post(prove, {"code": "000000"}).context["form"].errors.as_text() for _ in range(20)]
    assert sum("not right" in one for one in said) == guesses.CODES_AS_PROOF.at_once
    assert "wait" in said[-1]
    home.post("/admin/logout/")
    type_password(home)
    answer = home.post(CODE, {"code": code_of(home.secret, steps=1)})  # type: ignore[attr-defined]
    assert answer["Location"] == INDEX
    assert stolen.get(INDEX).status_code == 302, "the session that was stolen is over"


def test_counts_run_down_and_a_right_guess_takes_them_back(db: None) -> None:
    slow, quick = Allowance("slow", 2, 3600.0), Allowance("quick", 2, 0.01)
    assert [may_guess(slow, "a") for _ in range(4)] == [True, True, False, False]
    assert may_guess(slow, "b")
    was_right(slow, "a")
    assert may_guess(slow, "a")
    for _ in range(3):
        may_guess(quick, "a")
    GuessCount.objects.update(counted_at="2026-01-01T00:00:00Z")
    assert may_guess(quick, "a")
    assert may_guess(slow, "a")


def test_a_browser_is_known_until_the_password_changes(home: Client, olga: User) -> None:
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = home.cookies[COOKIE].value
    assert is_known(request, olga, address=None) == "browser"
    request.COOKIES[COOKIE] = home.cookies[COOKIE].value[:-1] + "x"
    assert is_known(request, olga, address=None) == ""
    request.COOKIES[COOKIE] = home.cookies[COOKIE].value
    olga.set_password("another correct horse")
    assert is_known(request, olga, address=None) == ""
    assert home.cookies[COOKIE]["httponly"]
