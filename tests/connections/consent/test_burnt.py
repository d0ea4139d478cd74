"""A code that came to the wrong browser, at a provider that speaks no PKCE: nobody can bring it any more."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.http import HttpResponse

from connections.lifecycle.burn import MOST_IN_A_SESSION, REMEMBERED_FOR, forget_burnt
from connections.lifecycle.clock import database_now
from connections.models import AuditEvent, BurntCode, ProviderApp, SessionState, Tenant
from providers.catalog import loader
from tests.connections.consent.observed import assert_nothing_left, session_of, token_requests
from tests.connections.consent.teams import TEAMS
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, Invitation, completion_code, failure_of
from tests.person import Person, parameters_of
from tests.sandbox_control import SandboxProcess

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


def test_one_session_burns_a_few_codes_and_no_more(ann: EndUser, eve: EndUser) -> None:
    back = eve.person.authorize(eve.leave(invite(eve)))
    eve.open(back)
    for number in range(MOST_IN_A_SESSION + 3):
        ann.open(with_code(back, f"code-{number}"))
    assert BurntCode.objects.count() == MOST_IN_A_SESSION


def test_what_no_provider_would_take_any_more_is_forgotten(ann: EndUser, eve: EndUser) -> None:
    ann.open(ann.person.authorize(eve.leave(invite(eve))))
    now = database_now()
    assert forget_burnt(now=now) == 0
    assert forget_burnt(now=now + REMEMBERED_FOR + timedelta(seconds=1)) == 1
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
