"""What somebody asks to do with an account: seen, allowed or refused by its owner, and by nobody else."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest

from connections.database.clock import database_now
from connections.lifecycle.policy.approve_link import approve_url
from connections.models import AccessGrant, Approval, AuditEvent, Connection, OwnerKind, Permission, SubjectKind, Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.grants import in_seconds, let
from tests.connections.api.stored import make_connection
from tests.connections.api.vending import vend
from tests.connections.consent.questions import wait_for_answer
from tests.connections.consent.visits import Visit, visiting
from tests.factories import Caller, make_caller
from tests.flows import EndUser, failure_of

PORTAL = (Permission.READ, Permission.MANAGE, Permission.GRANT)


@pytest.fixture
def portal(acme: Tenant) -> Caller:
    """The client that invites end users to their page. It has asked for nothing itself."""
    return make_caller(acme, "portal", PORTAL)


@pytest.fixture
def agent(acme: Tenant) -> Caller:
    return make_caller(acme, "Planner", [Permission.PROXY, Permission.VEND])


@pytest.fixture
def connection(acme: Tenant) -> Connection:
    return make_connection(acme, provider_account_name="alice@work.example")


@pytest.fixture
def visit(portal: Caller) -> Visit:
    return visiting(EndUser("alice", portal))


def state_of(approval: Approval) -> str:
    return Approval.objects.get(id=approval.id).state(now=database_now())


# --- The link ---------------------------------------------------------------------------------------------------------


def opened(approval: Approval) -> tuple[int, str]:
    answer = AsgiClient().get(urlsplit(approve_url(approval)).path, headers={"sec-fetch-dest": "document"})
    return answer.status_code, unescape(answer.content.decode())


def test_the_link_leads_to_the_product_and_tells_nobody_what_is_asked(connection: Connection, agent: Caller) -> None:
    approval = wait_for_answer(connection, agent)
    status, page = opened(approval)
    assert status == 200
    assert "Somebody has to approve this" in page and 'href="https://app.acme.example/"' in page
    for hidden in ("bob", "alice", "crm-bot", "DELETE", "contacts", "clean up", "Planner", str(connection.id)):
        assert hidden not in page
    assert "<form" not in page


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"decided_at": "now", "is_approved": True, "good_until": "now"}, "This can no longer be answered"),
        ({"decided_at": "now", "is_approved": True, "good_until": "later"}, "This was allowed"),
        ({"decided_at": "now", "is_approved": False}, "This can no longer be answered"),
        ({"expires_at": "now"}, "This can no longer be answered"),
    ],
)
def test_the_link_says_how_it_ended(
    changes: dict[str, object], title: str, connection: Connection, agent: Caller
) -> None:
    moments = {"now": database_now(), "later": database_now() + timedelta(minutes=5)}
    set_to = {name: moments.get(str(value), value) for name, value in changes.items()}
    assert title in opened(wait_for_answer(connection, agent, **set_to))[1]


def test_a_link_that_we_did_not_give_out_leads_nowhere(connection: Connection, agent: Caller) -> None:
    approval = wait_for_answer(connection, agent)
    path = urlsplit(approve_url(approval)).path
    other = wait_for_answer(connection, agent)
    for made_up in (path[:-1] + ("0" if path[-1] != "0" else "1"), path.replace(str(approval.id), str(other.id))):
        for further in ("", "/logo"):
            assert AsgiClient().get(made_up + further).status_code == 404


def test_what_belongs_to_no_person_is_answered_by_operators(acme: Tenant, agent: Caller) -> None:
    nobodys = make_connection(acme, owner=OwnerKind.TENANT)
    assert "/admin/" in approve_url(wait_for_answer(nobodys, agent))
    answered_for = make_connection(acme, owner=OwnerKind.TENANT, granted_by="alice")
    assert "/connect/approve/" in approve_url(wait_for_answer(answered_for, agent))


# --- The answer -------------------------------------------------------------------------------------------------------


def test_the_owner_sees_exactly_what_would_be_done_by_whom(connection: Connection, agent: Caller, visit: Visit) -> None:
    approval = wait_for_answer(connection, agent)
    listed = visit.text()
    assert "Waiting for your answer" in listed and f"/approvals/{approval.id}" in listed
    page = visit.text(f"/approvals/{approval.id}")
    for shown in ("Planner", "crm-bot", "bob", "clean up", "DELETE /crm/contacts/7", "alice@work.example", "Sandbox"):
        assert shown in page, shown


def test_the_owner_allows_it_once_and_the_trail_says_so(acme: Tenant, agent: Caller, visit: Visit) -> None:
    connection = make_connection(acme)
    let(connection, needs_approval=True)
    asked = vend(agent, connection, end_user="bob", purpose="report")
    approval = Approval.objects.get(id=asked.json()["approval"])
    page = visit.text(f"/approvals/{approval.id}")
    assert "Be given access to the account itself" in page
    answer = visit.post(f"/approvals/{approval.id}", answer="allow")
    assert (answer.status_code, answer["Location"]) == (303, f"{visit.path}/connections?told=allowed")
    assert "Allowed, for one time within 15 minutes." in visit.text("/connections?told=allowed")
    row = AuditEvent.objects.get(action="approval.decided")
    assert (row.decision, row.subject, row.api_client_id) == ("approved", "alice", None)
    assert (row.detail["decided_by"], row.detail["purpose"], row.detail["once"]) == ("alice", "report", True)
    assert vend(agent, connection, end_user="bob", purpose="report").status_code == 200
    assert vend(agent, connection, end_user="bob", purpose="report").status_code == 202


def test_the_owner_refuses_it(connection: Connection, agent: Caller, visit: Visit) -> None:
    approval = wait_for_answer(connection, agent)
    assert visit.post(f"/approvals/{approval.id}", answer="refuse")["Location"].endswith("told=refused")
    assert state_of(approval) == "denied"
    assert visit.post(f"/approvals/{approval.id}", answer="allow")["Location"].endswith("told=answered")
    assert visit.get(f"/approvals/{approval.id}")["Location"].endswith("told=answered")
    assert state_of(approval) == "denied"


@pytest.mark.parametrize("verdict", ["", "yes", "ALLOW", "allow\x00"])
def test_an_answer_that_is_none_decides_nothing(
    verdict: str, connection: Connection, agent: Caller, visit: Visit
) -> None:
    approval = wait_for_answer(connection, agent)
    visit.post(f"/approvals/{approval.id}", answer=verdict)
    assert state_of(approval) == "pending"


def test_it_is_not_answered_after_its_time(connection: Connection, agent: Caller, visit: Visit) -> None:
    approval = wait_for_answer(connection, agent)
    Approval.objects.update(expires_at=database_now())
    assert "Waiting for your answer" not in visit.text()
    assert visit.post(f"/approvals/{approval.id}", answer="allow")["Location"].endswith("told=answered")
    assert state_of(approval) == "expired"


def test_nobody_answers_for_somebody_else(
    acme: Tenant, globex: Tenant, connection: Connection, agent: Caller, portal: Caller
) -> None:
    approval = wait_for_answer(connection, agent)
    stranger = EndUser("alice", make_caller(globex, "portal", PORTAL), tenant="globex")
    # bob, in whose name it was asked, is not its owner either.
    for other in (EndUser("bob", portal), EndUser("Alice", portal), stranger):
        theirs = visiting(other)
        assert str(approval.id) not in theirs.text()
        for answer in (
            theirs.get(f"/approvals/{approval.id}"),
            theirs.post(f"/approvals/{approval.id}", answer="allow"),
        ):
            assert (answer.status_code, failure_of(answer)) == (404, "gone")
    assert state_of(approval) == "pending"


def test_another_browser_or_page_answers_nothing(
    connection: Connection, agent: Caller, portal: Caller, visit: Visit
) -> None:
    approval = wait_for_answer(connection, agent)
    page = f"/approvals/{approval.id}"
    mallory = EndUser("mallory", portal)
    assert visit.get(page, user=mallory).status_code == 403
    assert visit.post(page, user=mallory, answer="allow").status_code == 403
    forged = visit.user.browser.post(
        f"{visit.path}{page}", {"answer": "allow"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert forged.status_code == 403
    assert state_of(approval) == "pending"


def test_a_client_approves_nothing_that_it_has_asked_for_by_opening_the_page_itself(
    acme: Tenant, connection: Connection
) -> None:
    both = make_caller(acme, "both", [*PORTAL, Permission.PROXY, Permission.VEND])
    approval = wait_for_answer(connection, both)
    visit = visiting(EndUser("alice", both))
    assert "Waiting for your answer" not in visit.text()
    assert visit.post(f"/approvals/{approval.id}", answer="allow").status_code == 404
    assert state_of(approval) == "pending"


def test_nor_by_the_page_of_a_client_whose_keys_it_may_issue(
    acme: Tenant, connection: Connection, portal: Caller, visit: Visit
) -> None:
    maker = make_caller(acme, "maker", [*PORTAL, Permission.PROXY, Permission.VEND, Permission.CALLERS])
    approval = wait_for_answer(connection, maker)
    assert "Waiting for your answer" not in visit.text()
    assert visit.post(f"/approvals/{approval.id}", answer="allow").status_code == 404
    assert state_of(approval) == "pending"


def test_a_client_that_may_not_grant_has_nothing_answered(
    acme: Tenant, connection: Connection, agent: Caller, backend: Caller
) -> None:
    approval = wait_for_answer(connection, agent)
    visit = visiting(EndUser("alice", backend))
    assert "Waiting for your answer" not in visit.text()
    assert visit.post(f"/approvals/{approval.id}", answer="allow").status_code == 404
    assert state_of(approval) == "pending"


def test_who_answers_for_the_tenant_s_connection_answers_here(acme: Tenant, agent: Caller, visit: Visit) -> None:
    shared = make_connection(acme, owner=OwnerKind.TENANT, granted_by="alice")
    others = make_connection(acme, owner=OwnerKind.TENANT, granted_by="carol")
    mine, theirs = wait_for_answer(shared, agent), wait_for_answer(others, agent)
    listed = visit.text()
    assert str(mine.id) in listed and str(theirs.id) not in listed
    visit.post(f"/approvals/{mine.id}", answer="allow")
    assert visit.post(f"/approvals/{theirs.id}", answer="allow").status_code == 404
    assert (state_of(mine), state_of(theirs)) == ("approved", "pending")


# --- Who else may use it ----------------------------------------------------------------------------------------------


def test_the_owner_sees_who_else_may_use_it_and_ends_that(connection: Connection, agent: Caller, visit: Visit) -> None:
    assert "Who else may use it" not in visit.text(f"/{connection.id}")
    grant = let(connection, "bob", methods=["GET"], paths=["/crm/**"], needs_approval=True, expires_at=in_seconds(900))
    let(connection, str(agent.client.id), SubjectKind.API_CLIENT)
    let(connection, "sales", SubjectKind.GROUP)
    page = visit.text(f"/{connection.id}")
    shown = ("bob", "A person", "GET", "/crm/**", "Asks first", "Planner", "A service", "sales", "A group of people")
    for word in shown:
        assert word in page, word
    answer = visit.post(f"/{connection.id}/grants/{grant.id}")
    assert answer["Location"] == f"{visit.path}/{connection.id}?told=unshared"
    assert AccessGrant.objects.get(id=grant.id).revoked_at is not None
    row = AuditEvent.objects.get(action="access_grant.revoked")
    assert (row.subject, row.detail["why"]) == ("alice", "by_request")
    assert ">bob<" not in visit.text(f"/{connection.id}")
    assert visit.post(f"/{connection.id}/grants/{grant.id}").status_code == 303, "twice is once"
    assert visit.get(f"/{connection.id}/grants/{grant.id}").status_code == 303


def test_what_the_tenant_gave_for_a_whole_provider_is_shown_and_stays(connection: Connection, visit: Visit) -> None:
    grant = let(connection, "bob", provider="sandbox")
    page = visit.text(f"/{connection.id}")
    assert "Given by Acme for all accounts at this provider." in page
    assert not re.search(r"/grants/", page)
    assert visit.post(f"/{connection.id}/grants/{grant.id}").status_code == 404
    assert AccessGrant.objects.get().revoked_at is None


def test_nobody_ends_a_grant_on_another_s_connection(
    acme: Tenant, globex: Tenant, connection: Connection, visit: Visit
) -> None:
    bobs = make_connection(acme, end_user="bob")
    theirs = make_connection(globex)
    for grant in (let(bobs, "carol"), let(theirs, "carol")):
        for through in (connection, bobs, theirs):
            assert visit.post(f"/{through.id}/grants/{grant.id}").status_code == 404
    assert not AccessGrant.objects.exclude(revoked_at=None).exists()
