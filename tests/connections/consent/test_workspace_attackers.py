"""The attackers of the choice: it takes the browser that consented AND the one that is logged in at the operator's."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.db import connection as database
from django.http import HttpResponse

from connections.access.secrets import open_for_session
from connections.models import Connection, CredentialVersion, SessionState
from tests.connections.consent.choosing import answer, choice_due, fields_of, invite
from tests.connections.consent.observed import assert_nothing_left, row_locked, session_of
from tests.factories import Caller, make_caller
from tests.flows import EndUser, Invitation, call, failure_of


def assert_kept_from(page: HttpResponse, invitation: Invitation, failure: str = "browser") -> None:
    """Assert that ``page`` tells nothing of the choice, and that it is as open as before."""
    assert (page.status_code, failure_of(page)) == (410, failure)
    assert "Team" not in page.content.decode()
    assert session_of(invitation).state == SessionState.CHOOSING
    assert CredentialVersion.objects.count() == 0


def test_the_address_is_of_no_use_in_another_browser(member: EndUser, mallory: EndUser) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    invite(mallory)
    for page in (mallory.visit(url), answer(mallory, url, "north"), answer(mallory, url, answer="none")):
        assert_kept_from(page, invitation)
    answer(member, url, "south")
    assert member.complete(invitation, code).json()["connection"]["params"] == {"team": "south"}


def test_the_cookie_alone_is_not_enough(member: EndUser) -> None:
    """Somebody who consented in the victim's stead, and had the victim bring the code, never sees the address."""
    invitation = invite(member)
    _, url = choice_due(member, invitation)
    path = urlsplit(url).path
    for page in (
        member.visit(path),
        member.visit(f"{path}?token="),
        member.visit(f"{path}?token=guess"),
        answer(member, url, "north", token=""),
        answer(member, url, "north", token="é"),
        answer(member, url, token="guess", answer="none"),
    ):
        assert_kept_from(page, invitation)


def test_another_sessions_token_and_cookie_open_nothing(member: EndUser, mallory: EndUser) -> None:
    hers, his = invite(member), invite(mallory)
    _, her_url = choice_due(member, hers)
    _, his_url = choice_due(mallory, his)
    crossed = urlsplit(her_url).path + "?" + urlsplit(his_url).query
    for page in (mallory.visit(crossed), member.visit(crossed), mallory.visit(her_url)):
        assert_kept_from(page, hers)
    own_cookie = next(iter(mallory.browser.cookies.values())).value
    name = f"__Host-latchkey-{hers.id.replace('-', '')[:16]}"
    mallory.browser.cookies[name] = own_cookie
    assert_kept_from(mallory.visit(her_url), hers)


def test_the_address_is_told_to_the_sessions_own_client_and_user_alone(member: EndUser, unbound: Caller) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    body = {"completion_code": code, "end_user": "alice"}
    assert call(unbound, "POST", f"/connect-sessions/{invitation.id}/complete", body).status_code == 404
    wide = make_caller(None, "wide")
    named = body | {"tenant": "acme"}
    assert call(wide, "POST", f"/connect-sessions/{invitation.id}/complete", named).status_code == 404
    assert url.partition("token=")[2] not in member.visit(url.partition("?")[0]).content.decode()


def test_a_mismatch_while_the_choice_is_due_destroys_what_is_kept(member: EndUser, mallory: EndUser) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    assert mallory.complete(invitation, code).status_code == 403
    assert_nothing_left(invitation, "completion_mismatch")
    assert failure_of(member.follow(answer(member, url, "north"))) == "completion_mismatch"


def test_a_victims_browser_cannot_be_made_to_choose(member: EndUser) -> None:
    """Forms of other sites, whoever knows the address: by what browsers say, and for old ones by the proof."""
    invitation = invite(member)
    _, url = choice_due(member, invitation)
    path, token = urlsplit(url).path, url.partition("token=")[2]
    chosen = {"token": token, "workspace": "north"}
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ):
        page = member.browser.post(path, chosen, headers=headers)
        assert (page.status_code, failure_of(page)) == (403, "foreign_form")
    assert session_of(invitation).state == SessionState.CHOOSING
    proof = fields_of(member.visit(url))["form_proof"]
    assert member.browser.post(path, chosen | {"form_proof": proof}, headers={"origin": "null"}).status_code == 200
    assert session_of(invitation).state == SessionState.COMPLETED


def test_of_two_choices_at_once_one_is_taken(member: EndUser) -> None:
    invitation = invite(member)
    _, url = choice_due(member, invitation)

    def choose(team: str) -> int:
        status = answer(member, url, team).status_code
        database.close()
        return status

    with ThreadPoolExecutor() as pool:
        with row_locked(invitation) as wait_for:
            choices = [pool.submit(choose, team) for team in ("north", "south")]
            wait_for(2)
        assert sorted(each.result() for each in choices) == [200, 303]
    assert Connection.objects.get().status == "active"
    assert CredentialVersion.objects.count() == 1


def test_what_is_kept_and_its_token_are_sealed(member: EndUser) -> None:
    invitation = invite(member)
    code, url = choice_due(member, invitation)
    session = session_of(invitation)
    held = open_for_session(session, "held").decode()
    token = url.partition("token=")[2]
    assert len(token) == 43  # 256 bits
    assert code in held
    assert token in held
    with database.cursor() as cursor:
        cursor.execute("SELECT s::text, held FROM connections_connectsession s WHERE id = %s", [invitation.id])
        row = cursor.fetchone()
    assert row is not None
    stored = row[0] + bytes(row[1]).decode("latin-1")
    for secret in (code, token, "Team North"):
        assert secret not in stored
