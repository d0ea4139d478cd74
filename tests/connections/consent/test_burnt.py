"""A code that came to the wrong browser, at a provider that speaks no PKCE: nobody can bring it any more."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from django.http import HttpResponse

from connections.access.secrets import digest
from connections.database.clock import database_now
from connections.lifecycle.connect.burn import REMEMBERED_FOR, forget_burnt
from connections.models import AuditEvent, BurntCode, ProviderApp, SessionState, Tenant
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import assert_nothing_left, pass_time, session_of, token_requests
from tests.connections.consent.teams import TEAMS
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, Invitation, completion_code, failure_of
from tests.person import Person, parameters_of

PLAIN = TEAMS.replace('iss_parameter = "required"', 'pkce = "breaks"').replace("/{team}", "")
PLAIN = PLAIN[: PLAIN.index('[[params]]\nname = "team"')] + PLAIN[PLAIN.index("[[scopes]]") :]


@pytest.fixture
def plain(tmp_path: Path, acme: Tenant, sandbox: SandboxProcess) -> Iterator[ProviderApp]:
    """acme's app at the sandbox, by an entry that neither sends a code challenge nor is told the issuer."""
    (tmp_path / "plain.toml").write_text(PLAIN, encoding="utf-8")
    loader.configure_catalog(tmp_path)
    app = make_sandbox_app(sandbox, tenant=acme, provider="plain", client_scopes=["profile.read"])
    sandbox.control.clear_log()
    yield app
    loader.configure_catalog(None)


@pytest.fixture
def ann(backend: Caller, plain: ProviderApp) -> EndUser:
    victim = EndUser("ann", backend)
    victim.person = Person("alice")
    return victim


@pytest.fixture
def eve(backend: Caller, plain: ProviderApp) -> EndUser:
    attacker = EndUser("eve", backend)
    attacker.person = Person("carol")
    return attacker


def invite(user: EndUser) -> Invitation:
    return user.invite(provider="plain")


def with_code(back: str, code: str) -> str:
    return f"{back.partition('?')[0]}?{urlencode(parameters_of(back) | {'code': code})}"


def assert_code_is_gone(answer: HttpResponse, code: str) -> None:
    """Assert that the browser is sent away from the address that holds the code, to one that holds none."""
    assert answer.status_code == 303
    assert code not in answer["Location"]
    assert "?" not in answer["Location"]
    assert code not in answer.content.decode()


@pytest.mark.attack("a victim's code in the attacker's session, without PKCE", stopped_at="the callback: burnt")
def test_the_victims_code_cannot_be_brought_in_the_attackers_session(
    ann: EndUser, eve: EndUser, sandbox: SandboxProcess
) -> None:
    """eve sends ann the provider's link; ann consents, and eve learns the address at which she was refused."""
    lost = invite(eve)
    back = ann.person.authorize(eve.leave(lost))
    code = parameters_of(back)["code"]
    assert_code_is_gone(ann.open(back), code)
    assert_nothing_left(lost, "no_cookie")
    own = invite(eve)
    link = eve.leave(own)
    assert "code_challenge" not in link

    page = eve.visit(with_code(f"{back.partition('?')[0]}?{urlsplit(link).query}", code))

    assert failure_of(page) == "code_burnt"
    assert "Back to Acme" in page.content.decode()
    assert_nothing_left(own, "code_burnt")
    assert AuditEvent.objects.filter(action="callback.refused", decision="code_burnt").count() == 1
    assert token_requests(sandbox) == []


def test_without_the_memory_the_attack_would_work(ann: EndUser, eve: EndUser, sandbox: SandboxProcess) -> None:
    """What the test before proves: the provider itself takes the code in the attacker's session."""
    back = ann.person.authorize(eve.leave(invite(eve)))
    ann.open(back)
    BurntCode.objects.all().delete()
    own = invite(eve)
    link = eve.leave(own)
    page = eve.visit(with_code(f"{back.partition('?')[0]}?{urlsplit(link).query}", parameters_of(back)["code"]))
    assert eve.complete(own, completion_code(page)).json()["connection"]["account"]["name"] == "Alice Archer"
    assert len(token_requests(sandbox)) == 1


def test_an_answer_with_nul_in_it_is_sent_away_and_its_code_burnt(ann: EndUser, eve: EndUser) -> None:
    """The attacker writes the state of the link, and the provider gives it back as it is."""
    back = ann.person.authorize(eve.leave(invite(eve)))
    code = parameters_of(back)["code"]
    assert_code_is_gone(ann.open(f"{back}%00"), code)
    assert_code_is_gone(ann.open(f"{back}&x=%00"), code)
    own, page = bring(eve, back, code)
    assert failure_of(page) == "code_burnt"
    assert_nothing_left(own, "code_burnt")


@pytest.mark.parametrize("state", ["made up", None], ids=["unknown", "none"])
def test_a_code_with_a_state_that_nobody_knows_is_burnt_as_well(state: str | None, ann: EndUser, eve: EndUser) -> None:
    own = invite(eve)
    link = eve.leave(own)
    asked = dict(parse_qsl(urlsplit(link).query))
    planted = {name: value for name, value in (asked | {"state": state}).items() if value is not None}
    back = ann.person.authorize(f"{link.partition('?')[0]}?{urlencode(planted)}")
    code = parameters_of(back)["code"]
    assert_code_is_gone(ann.open(back), code)
    page = eve.visit(f"{back.partition('?')[0]}?{urlencode({'code': code, 'state': asked['state']})}")
    assert failure_of(page) == "code_burnt"
    assert_nothing_left(own, "code_burnt")


def test_a_code_that_is_brought_after_its_state_was_consumed_is_burnt_as_well(ann: EndUser, eve: EndUser) -> None:
    used = invite(eve)
    link = eve.leave(used)
    first = eve.person.authorize(link)
    eve.open(first)
    back = ann.person.authorize(link)
    assert_code_is_gone(ann.open(back), parameters_of(back)["code"])
    own = invite(eve)
    state = dict(parse_qsl(urlsplit(eve.leave(own)).query))["state"]
    assert (
        failure_of(eve.visit(with_code(back, parameters_of(back)["code"]).replace(parameters_of(back)["state"], state)))
        == "code_burnt"
    )
    assert session_of(used).state == SessionState.HELD


def bring(attacker: EndUser, back: str, code: str) -> tuple[Invitation, HttpResponse]:
    """Have ``attacker`` bring a code in a session of their own, and return it with the page they get."""
    own = invite(attacker)
    state = dict(parse_qsl(urlsplit(attacker.leave(own)).query))["state"]
    return own, attacker.visit(f"{back.partition('?')[0]}?{urlencode({'code': code, 'state': state})}")


def repeat_burnt(*, times: int) -> None:
    """Write the rows that so many times as many made-up codes would have left."""
    left = list(BurntCode.objects.all())
    BurntCode.objects.bulk_create(
        BurntCode(
            provider_app_id=one.provider_app_id,
            session_id=one.session_id,
            code_hash=digest(f"made-up-{number}-{place}"),
            burnt_at=one.burnt_at,
        )
        for number, one in enumerate(left)
        for place in range(1, times)
    )


@pytest.mark.parametrize("with_state", [True, False], ids=["of_the_session", "of_no_session"])
def test_codes_that_an_attacker_makes_up_beforehand_do_not_use_up_the_memory(
    with_state: bool, ann: EndUser, eve: EndUser
) -> None:
    """Anybody can bring any number of codes: that of the victim, which comes last, is burnt all the same."""
    lost = invite(eve)
    link = eve.leave(lost)
    state = dict(parse_qsl(urlsplit(link).query))["state"] if with_state else "made up"
    back = ann.person.authorize(link.replace(dict(parse_qsl(urlsplit(link).query))["state"], quote(state)))
    stranger = EndUser("nobody", eve.backend)
    for number in range(12):
        stranger.open(with_code(back, f"made-up-{number}"))
    repeat_burnt(times=100)
    assert BurntCode.objects.count() == 1200
    ann.open(back)
    own, page = bring(eve, back, parameters_of(back)["code"])
    assert failure_of(page) == "code_burnt"
    assert_nothing_left(own, "code_burnt")


def test_answers_that_nobody_asked_for_do_not_fill_the_audit_trail(ann: EndUser, plain: ProviderApp) -> None:
    used = invite(ann)
    back = ann.authorize(used)
    ann.visit(back)
    stranger = EndUser("nobody", ann.backend)
    before = AuditEvent.objects.count()
    for number in range(10):
        stranger.open(with_code(back, f"made-up-{number}"))
        stranger.open(f"/connect/callback/{plain.id}?code={number}")
        stranger.open(f"/connect/callback/00000000-0000-4000-8000-{number:012}?code={number}&state=x")
    assert AuditEvent.objects.count() == before + 1


def test_a_code_that_comes_too_late_to_another_browser_is_burnt_as_well(ann: EndUser, eve: EndUser) -> None:
    """The session's time is over, and nobody has tidied it up yet."""
    lost = invite(eve)
    back = ann.person.authorize(eve.leave(lost))
    pass_time(lost, minutes=31)
    assert_code_is_gone(ann.open(back), parameters_of(back)["code"])
    assert session_of(lost).state == SessionState.FAILED
    own, page = bring(eve, back, parameters_of(back)["code"])
    assert failure_of(page) == "code_burnt"
    assert_nothing_left(own, "code_burnt")


def test_a_code_that_comes_to_the_path_of_another_app_is_burnt_there(
    ann: EndUser, eve: EndUser, plain: ProviderApp, sandbox: SandboxProcess
) -> None:
    """Two apps may be one client at the provider, which then lets an attacker choose the redirect URI."""
    shared = make_sandbox_app(sandbox, provider="plain", client_scopes=["profile.read"])
    lost = invite(eve)
    back = ann.person.authorize(eve.leave(lost)).replace(str(plain.id), str(shared.id))
    assert_code_is_gone(ann.open(back), parameters_of(back)["code"])
    assert_nothing_left(lost, "callback")
    ProviderApp.objects.filter(id=plain.id).update(suspended_at=database_now())
    own, page = bring(eve, back, parameters_of(back)["code"])
    assert failure_of(page) == "code_burnt"
    assert_nothing_left(own, "code_burnt")


@pytest.mark.attack("a code that came to two browsers, without PKCE", stopped_at="the confirmation: burnt")
def test_a_code_that_is_held_already_is_not_exchanged_once_it_came_to_another_browser(
    ann: EndUser, eve: EndUser, sandbox: SandboxProcess
) -> None:
    """eve was quicker than the victim's browser, and waits with the confirmation."""
    back = ann.person.authorize(eve.leave(invite(eve)))
    own, page = bring(eve, back, parameters_of(back)["code"])
    ann.open(back)
    answer = eve.complete(own, completion_code(page))
    assert (answer.status_code, answer.json()["failure"]) == (410, "code_burnt")
    assert_nothing_left(own, "code_burnt")
    assert AuditEvent.objects.filter(action="connect_session.exchange", decision="code_burnt").count() == 1
    assert token_requests(sandbox) == []


def test_a_code_that_is_brought_twice_by_its_own_browser_is_exchanged(ann: EndUser) -> None:
    own = invite(ann)
    back = ann.authorize(own)
    code = completion_code(ann.visit(back))
    ann.visit(back)
    assert ann.complete(own, code).status_code == 200


def test_what_no_provider_would_take_any_more_is_forgotten(ann: EndUser, eve: EndUser, plain: ProviderApp) -> None:
    ann.open(ann.person.authorize(eve.leave(invite(eve))))
    now = database_now()
    assert forget_burnt(now=now) == 0
    BurntCode.objects.create(provider_app=plain, code_hash=b"2", burnt_at=now)
    assert forget_burnt(now=now + REMEMBERED_FOR + timedelta(seconds=1), batch=1) == 2
    assert BurntCode.objects.count() == 0


def test_only_a_hash_of_the_code_is_kept(ann: EndUser, eve: EndUser) -> None:
    back = ann.person.authorize(eve.leave(invite(eve)))
    ann.open(back)
    assert parameters_of(back)["code"].encode() not in bytes(BurntCode.objects.get().code_hash)


def test_no_answer_leaves_its_code_in_the_address_bar(ann: EndUser, plain: ProviderApp) -> None:
    """Whatever comes of it: a page is only ever shown at an address without a query."""
    invitation = invite(ann)
    link = ann.leave(invitation)
    state = dict(parse_qsl(urlsplit(link).query))["state"]
    here = f"/connect/callback/{plain.id}"
    for response in (
        {"code": "c0de-planted", "state": "unknown"},
        {"code": "c0de-planted"},
        {"code": "c0de-planted" * 1000, "state": "unknown"},
        {"code": "c0de-planted", "state": state, "error": "access_denied"},
    ):
        assert_code_is_gone(ann.open(f"{here}?{urlencode(response)}"), "c0de-planted")
    assert_code_is_gone(ann.open(f"{here}?code=c0de-planted&code=c0de-planted&state={state}"), "c0de-planted")
