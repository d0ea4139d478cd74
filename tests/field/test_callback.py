"""What providers send along with, or instead of, a code; and what people do when they are back."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.http import HttpResponse

from connections.access.targets import redirect_uri
from connections.database.clock import database_now
from connections.models import Connection, ConnectSession, SessionState
from tests.connections.consent.observed import session_of
from tests.field.stage import Stage
from tests.flows import EndUser, Invitation, completion_code, failure_of, standing_of

TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600}
COMPANY = """
base_url = "<url>/v3/company/{company}"
[[params]]
name = "company"
label = "Company"
scope = "callback"
callback = "realmId"
pattern = '^[0-9]{1,20}$'
"""
# Two hosts of the same provider: the second one is the test's, and the first is nobody's.
REGION = """
[[params]]
name = "accounts"
label = "Region"
scope = "callback"
callback = "location"
choices = { us = "http://127.0.0.1:9", eu = "<url>" }
"""


def with_company(stage: Stage) -> None:
    stage.write(ENTRY_WITH_TOP.replace("<params>", COMPANY))


def with_region(stage: Stage) -> None:
    text = ENTRY_WITH_TOP.replace("<params>", 'base_url = "{accounts}/api"\n' + REGION)
    stage.write(text.replace('token_url = "<url>/token"', 'token_url = "{accounts}/token"'))
    stage.register()  # the endpoint has moved: its secrets are entered again


ENTRY_WITH_TOP = """
name = "Field"
<params>
[authorization_code]
authorization_url = "<url>/authorize"
token_url = "<url>/token"
<method>
[probe]
url = "<url>/me"
account_id = "/id"
"""


def leave(stage: Stage, invitation: Invitation) -> str:
    """Leave for the provider, and return the address to come back to, without anything but the state."""
    sent = dict(parse_qsl(urlsplit(stage.alice.leave(invitation)).query))
    return f"{redirect_uri(stage.app.id)}?{urlencode({'state': sent['state']})}"


def try_again(stage: Stage, invitation: Invitation, **parameters: str) -> HttpResponse:
    """Press "Try again" on the page, and come back once more."""
    page = stage.alice.browser.post(
        f"/connect/{invitation.id}/method/{stage.app.id}", headers={"sec-fetch-site": "same-origin"}
    )
    link = page.content.decode().partition('id="leave" href="')[2].partition('"')[0].replace("&amp;", "&")
    state = dict(parse_qsl(urlsplit(link).query))["state"]
    query = urlencode({"code": "code-2", "state": state, **parameters})
    return stage.alice.visit(f"{redirect_uri(stage.app.id)}?{query}")


def assert_leads_on(page: HttpResponse, invitation: Invitation, failure: str) -> None:
    text = page.content.decode()
    assert failure_of(page) == failure
    assert "<strong>Acme</strong>" in text
    assert f'href="/connect/{invitation.id}/choose"' in text
    assert f"error={failure}" in text


# --- What only the callback carries -----------------------------------------------------------------------------------
def test_a_companys_id_from_the_callback_is_the_connections(stage: Stage) -> None:
    with_company(stage)
    stage.tokens(TOKENS)
    invitation = stage.invite()
    page = stage.come_back(invitation, realmId="4620816365")
    assert session_of(invitation).callback_params == {"company": "4620816365"}
    connection = stage.alice.complete(invitation, completion_code(page)).json()["connection"]
    assert connection["params"] == {"company": "4620816365"}
    assert connection["account"]["id"] == "4620816365:u-1"
    credential = stage.vend(Connection.objects.get()).json()["credential"]
    assert credential["base_url"] == f"{stage.server.url}/v3/company/4620816365"


@pytest.mark.parametrize(
    ("brought", "failure"),
    [
        ("", "parameter_missing"),
        ("46a", "parameter_unknown"),
        ("1/../2", "parameter_unknown"),
        ("9" * 21, "parameter_unknown"),
    ],
)
def test_without_a_companys_id_nothing_is_sent_and_the_next_try_works(brought: str, failure: str, stage: Stage) -> None:
    with_company(stage)
    stage.tokens(TOKENS)
    invitation = stage.invite()
    assert_leads_on(stage.come_back(invitation, realmId=brought), invitation, failure)
    assert session_of(invitation).state == SessionState.STARTED
    assert stage.requests() == []
    code = completion_code(try_again(stage, invitation, realmId="77"))
    assert stage.alice.complete(invitation, code).json()["connection"]["params"] == {"company": "77"}


def test_a_companys_id_that_is_there_twice_is_refused(stage: Stage) -> None:
    with_company(stage)
    invitation = stage.invite()
    back = leave(stage, invitation)
    page = stage.alice.visit(f"{back}&code=c&realmId=1&realmId=2")
    assert_leads_on(page, invitation, "repeated_parameter")
    assert stage.requests() == []


def test_two_companies_of_one_person_are_two_connections(stage: Stage) -> None:
    with_company(stage)
    stage.tokens(TOKENS, times=2)
    ids = []
    for company in ("11", "22"):
        invitation = stage.invite()
        code = completion_code(stage.come_back(invitation, realmId=company))
        ids.append(stage.alice.complete(invitation, code).json()["connection"]["id"])
    assert len(set(ids)) == 2
    assert {one.params["company"] for one in Connection.objects.filter(status="active")} == {"11", "22"}


def test_a_reconnect_to_another_company_is_another_account(stage: Stage) -> None:
    with_company(stage)
    stage.tokens(TOKENS, times=3)
    first = stage.invite()
    stage.alice.complete(first, completion_code(stage.come_back(first, realmId="11")))
    connection = Connection.objects.get()

    def reconnect(**changes: object) -> HttpResponse:
        invitation = stage.invite(connection=str(connection.id), **changes)
        return stage.alice.complete(invitation, completion_code(stage.come_back(invitation, realmId="22")))

    asked = len(stage.requests())
    refused = reconnect()
    assert (refused.status_code, refused.json()["code"]) == (409, "account_mismatch")
    assert len(stage.requests()) == asked
    connection.refresh_from_db()
    assert (connection.status, connection.params) == ("active", {"company": "11"})
    allowed = reconnect(allow_account_change=True)
    assert (allowed.status_code, allowed.json()["connection"]["params"]) == (200, {"company": "22"})


def test_a_reconnect_that_is_told_no_company_keeps_its_own(stage: Stage) -> None:
    with_company(stage)
    stage.tokens(TOKENS, times=2)
    first = stage.invite()
    stage.alice.complete(first, completion_code(stage.come_back(first, realmId="11")))
    renewed = stage.connect(connection=str(Connection.objects.get().id))
    assert renewed.params == {"company": "11"}


def test_a_company_that_the_session_fixes_is_not_replaced(stage: Stage) -> None:
    with_company(stage)
    invitation = stage.invite(params={"company": "11"})
    code = completion_code(stage.come_back(invitation, realmId="22"))
    answer = stage.alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_mismatch")
    assert stage.requests() == []


def test_a_code_and_a_state_may_have_other_names(stage: Stage) -> None:
    stage.describe(method='callback = { code = "auth_code", state = "custom", error = "problem" }')
    stage.tokens(TOKENS)
    invitation = stage.invite()
    sent = dict(parse_qsl(urlsplit(stage.alice.leave(invitation)).query))
    assert "state" not in sent
    query = urlencode({"auth_code": "code-1", "custom": sent["custom"], "code": "of something else"})
    code = completion_code(stage.alice.visit(f"{redirect_uri(stage.app.id)}?{query}"))
    assert stage.alice.complete(invitation, code).status_code == 200
    assert stage.requests()[0].form["code"] == "code-1"


# --- A host that the callback names -----------------------------------------------------------------------------------
def test_a_host_is_chosen_by_the_callback_out_of_the_entrys_list(stage: Stage) -> None:
    with_region(stage)
    stage.tokens(TOKENS)
    stage.tokens({"access_token": "at-2", "expires_in": 3600})
    invitation = stage.invite()
    code = completion_code(stage.come_back(invitation, location="eu"))
    answer = stage.alice.complete(invitation, code)
    assert answer.json()["connection"]["params"] == {"accounts": "eu"}
    connection = Connection.objects.get()
    assert stage.vend(connection).json()["credential"]["base_url"] == f"{stage.server.url}/api"
    assert stage.refresh(connection).outcome == "refreshed"
    assert len(stage.requests()) == 2


@pytest.mark.parametrize("brought", ["au", "EU", "http://127.0.0.1:1", "evil.example", "eu/../x", ""])
def test_a_host_that_is_not_on_the_list_is_refused_before_any_request(brought: str, stage: Stage) -> None:
    with_region(stage)
    invitation = stage.invite()
    failure = "parameter_unknown" if brought else "parameter_missing"
    assert_leads_on(stage.come_back(invitation, location=brought), invitation, failure)
    assert stage.server.requests == []
    assert session_of(invitation).held is None


# --- Approval is still to be given ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "answer",
    [
        {"setup_action": "request"},
        {"setup_action": "request", "installation_id": ""},
        {"admin_consent": "True", "tenant": "11111111-2222-4333-8444-555555555555"},
        {"error": "consent_required"},
        {"error": "interaction_required", "error_description": "AADSTS65001"},
        {"error": "admin_consent_required"},
    ],
)
def test_a_requested_approval_is_told_as_that_and_can_be_tried_again(answer: dict[str, str], stage: Stage) -> None:
    stage.tokens(TOKENS)
    invitation = stage.invite()
    page = stage.come_back(invitation, code="", **answer)
    assert page.status_code == 200
    assert_leads_on(page, invitation, "approval_requested")
    assert "has to approve it" in page.content.decode()
    session = session_of(invitation)
    assert (session.state, session.failure) == (SessionState.STARTED, "approval_requested")
    assert stage.alice.complete(invitation, completion_code(try_again(stage, invitation))).status_code == 200


def test_an_entry_may_say_what_means_approval(stage: Stage) -> None:
    stage.describe(method='approval = { review = ["pending"] }')
    invitation = stage.invite()
    assert_leads_on(stage.come_back(invitation, review="pending"), invitation, "approval_requested")
    assert session_of(invitation).held is None


# --- Delivered twice --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("second", ["code-1", "another", ""])
def test_the_same_browser_gets_the_same_completion_code_while_the_first_one_is_held(second: str, stage: Stage) -> None:
    stage.tokens(TOKENS)
    invitation = stage.invite()
    back = leave(stage, invitation)
    first = stage.alice.open(f"{back}&code=code-1")
    again = stage.alice.open(f"{back}&code={second}")
    assert (first.status_code, again.status_code) == (302, 302)
    assert completion_code(first) == completion_code(again)
    assert stage.alice.complete(invitation, completion_code(again)).status_code == 200
    assert [request.form["code"] for request in stage.requests()] == ["code-1"]


def test_after_the_connection_is_made_the_same_browser_is_told_so(stage: Stage) -> None:
    stage.tokens(TOKENS)
    invitation = stage.invite()
    back = f"{leave(stage, invitation)}&code=code-1"
    code = completion_code(stage.alice.open(back))
    connected = stage.alice.complete(invitation, code)
    for address in (back, f"{back}x", f"/connect/{invitation.id}", f"/connect/{invitation.id}/choose"):
        page = stage.alice.visit(address)
        assert (page.status_code, standing_of(page)) == (200, "completed")
        assert "<strong>Acme</strong>" in page.content.decode()
        assert completion_code(page) == code
    assert stage.alice.complete(invitation, code).json() == connected.json()
    assert len(stage.requests()) == 1


def test_a_refusal_that_is_delivered_twice_is_told_twice(stage: Stage) -> None:
    invitation = stage.invite()
    back = f"{leave(stage, invitation)}&error=access_denied"
    for _ in range(2):
        assert_leads_on(stage.alice.visit(back), invitation, "access_denied")
    assert_leads_on(stage.alice.visit(f"{back}&code=later"), invitation, "access_denied")
    assert session_of(invitation).state == SessionState.STARTED


def test_a_session_that_has_failed_says_so_again(stage: Stage) -> None:
    stage.tokens({"error": "invalid_grant"}, status=400)
    invitation = stage.invite()
    back = f"{leave(stage, invitation)}&code=code-1"
    stage.alice.complete(invitation, completion_code(stage.alice.open(back)))
    page = stage.alice.visit(back)
    assert failure_of(page) == "exchange_failed"
    assert "Back to Acme" in page.content.decode()


def test_while_it_is_exchanged_the_same_browser_is_sent_back_with_the_same_code(stage: Stage) -> None:
    invitation = stage.invite()
    back = f"{leave(stage, invitation)}&code=code-1"
    code = completion_code(stage.alice.open(back))
    for state in (SessionState.EXCHANGING, SessionState.CHOOSING):
        ConnectSession.objects.filter(id=invitation.id).update(state=state, exchange_started_at=database_now())
        page = stage.alice.visit(back)
        assert standing_of(page) == state
        assert completion_code(page) == code


def test_a_stranger_who_brings_the_same_answer_is_refused_under_nobodys_brand(stage: Stage) -> None:
    invitation = stage.invite()
    back = f"{leave(stage, invitation)}&code=code-1"
    stage.alice.open(back)
    page = EndUser("mallory", stage.alice.backend).visit(back)
    assert failure_of(page) == "state"
    text = page.content.decode()
    assert "Acme" not in text
    assert "<a " not in text
    assert session_of(invitation).state == SessionState.HELD
