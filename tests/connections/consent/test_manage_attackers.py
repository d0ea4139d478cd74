"""What the page of one's own connections is to an attacker: a stolen or planted link, and ids that are not theirs."""

import uuid
from typing import Any

import pytest
from django.http import HttpResponse

from connections.models import AuditEvent, Connection, ConnectSession, ManagementSession, OwnerKind, Status, Tenant
from providers.sandbox.client import SandboxProcess
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_connection
from tests.connections.consent.observed import token_requests
from tests.connections.consent.test_pages import policy
from tests.connections.consent.visits import invited, visiting
from tests.factories import Caller, make_caller
from tests.flows import SAME_ORIGIN, EndUser, Invitation, call, completion_code, failure_of, provider_link

STEPS = ("name", "default", "disconnect", "reconnect")
PAGES = ("", "/receipts", "/disconnect")


def stored(connection: Connection) -> str:
    """Return all that is stored of a connection, and what was begun, to see that nothing changed."""
    return str((Connection.objects.filter(id=connection.id).values().get(), ConnectSession.objects.count()))


def refuses(answer: HttpResponse, *hidden: str) -> bool:
    """Whether an answer is a refusal under no brand that names nothing."""
    text = answer.content.decode()
    return answer.status_code >= 400 and not any(word in text for word in ("Acme", *hidden))


# --- Ids in the address -----------------------------------------------------------------------------------------------


@pytest.fixture
def others(acme: Tenant, globex: Tenant) -> dict[str, Connection]:
    """Connections that are not alice's of acme, by whose they are."""
    make_caller(globex)
    return {
        "another end user's": make_connection(acme, end_user="bob"),
        "the whole tenant's": make_connection(acme, owner=OwnerKind.TENANT),
        "another tenant's, of the same name": make_connection(globex, end_user="alice"),
        "a pending one": make_connection(acme, status=Status.PENDING, reason="awaiting_confirmation"),
    }


@pytest.mark.attack("another's connection, by its id on one's own page", stopped_at="the page: owner")
def test_no_page_and_no_step_reaches_what_is_not_the_visitor_s(
    alice: EndUser, others: dict[str, Connection], sandbox: SandboxProcess
) -> None:
    visit, before = visiting(alice, providers=["sandbox"]), {whose: stored(one) for whose, one in others.items()}
    unknown = {page: visit.get(f"/{uuid.uuid4()}{page}").content for page in PAGES}
    for whose, connection in others.items():
        assert str(connection.id) not in visit.text(), whose
        for page in PAGES:
            answer = visit.get(f"/{connection.id}{page}")
            assert (answer.status_code, failure_of(answer)) == (404, "gone"), whose
            assert without_nonce(answer.content) == without_nonce(unknown[page]), whose
        for step in STEPS:
            assert failure_of(visit.post(f"/{connection.id}/{step}", label="taken")) == "gone", whose
        assert stored(connection) == before[whose], whose


def without_nonce(content: bytes) -> bytes:
    head, _, tail = content.partition(b'nonce="')
    return head + tail.partition(b'"')[2]


# --- The link ---------------------------------------------------------------------------------------------------------


@pytest.mark.attack("a management link, stolen after its use", stopped_at="the click: single use")
def test_a_used_link_opens_nothing(alice: EndUser, mallory: EndUser, sandbox: SandboxProcess) -> None:
    visit = visiting(alice)
    for answer in (visit.start(mallory), visit.get("", user=mallory)):
        assert refuses(answer) and failure_of(answer) == "used"
    assert visit.get().status_code == 200


@pytest.mark.attack("a management link, guessed or expired", stopped_at="the click: token")
def test_a_guessed_or_expired_token_opens_nothing(
    alice: EndUser, mallory: EndUser, acme: Tenant, sandbox: SandboxProcess
) -> None:
    visit, other = invited(alice), invited(alice)
    guesses = ["", visit.token[:-1], f"{visit.token}x", other.token, visit.id, f"{visit.id}.", "\x00", "ü" * 50]
    for guess in guesses:
        assert failure_of(visit.start(mallory, token=guess)) == "unknown", guess
    session = ManagementSession.objects.get(id=visit.id)
    ManagementSession.objects.filter(id=visit.id).update(expires_at=session.created_at)
    answer = visit.start(mallory)
    assert failure_of(answer) == "expired" and refuses(answer)
    assert not ManagementSession.objects.get(id=visit.id).is_opened


@pytest.mark.attack("a management link, stolen before its use", stopped_at="the confirmation")
def test_a_stolen_link_plants_no_account(alice: EndUser, mallory: EndUser, sandbox: SandboxProcess) -> None:
    """Who has the link first can end connections, which the trail tells, but can connect nothing: not to alice."""
    stolen = invited(alice, providers=["sandbox"])
    assert stolen.start(mallory).status_code == 303
    back = mallory.visit(mallory.person.authorize(provider_link(stolen.post("/connect", user=mallory))))
    session = ConnectSession.objects.get()
    answer = mallory.complete(Invitation(str(session.id), "", ""), completion_code(back))
    assert (answer.status_code, answer.json()["code"]) == (403, "completion_mismatch")
    assert not Connection.objects.exists()
    assert failure_of(stolen.start(alice)) == "used"  # and alice notices
    assert AuditEvent.objects.filter(action="management_session.opened").count() == 1
    assert token_requests(sandbox) == []


@pytest.mark.attack("the attacker's own management link, sent to a victim", stopped_at="the confirmation")
def test_a_planted_page_takes_no_account_of_the_victim_s(
    alice: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    planted = invited(mallory, providers=["sandbox"])
    assert planted.start(alice).status_code == 303
    back = alice.visit(alice.person.authorize(provider_link(planted.post("/connect", user=alice))))
    session = ConnectSession.objects.get()
    for somebody in (alice, mallory):
        answer = somebody.complete(Invitation(str(session.id), "", ""), completion_code(back))
        assert answer.status_code in (403, 410)
    assert not Connection.objects.exists()
    assert token_requests(sandbox) == []


# --- The browser ------------------------------------------------------------------------------------------------------


@pytest.mark.attack("an open management page, in another browser", stopped_at="the page: cookie")
def test_the_page_is_for_its_own_browser(
    alice: EndUser, mallory: EndUser, acme: Tenant, sandbox: SandboxProcess
) -> None:
    connection = make_connection(acme, provider_account_name="canary")
    visit, before = visiting(alice), stored(connection)
    visiting(mallory)  # who has cookies of ours, and a page of their own
    for browser, failure in ((mallory, "browser"), (EndUser("x", alice.backend), "no_cookie")):
        for page in ("/connections", *(f"/{connection.id}{page}" for page in PAGES)):
            answer = visit.get(page, user=browser)
            assert (answer.status_code, failure_of(answer)) == (403, failure)
            assert refuses(answer, "canary", "alice")
        for step in (*(f"/{connection.id}/{step}" for step in STEPS), "/connect", "/done"):
            assert refuses(visit.post(step, user=browser), "canary")
    assert stored(connection) == before
    assert visit.get().status_code == 200


@pytest.mark.attack("a cookie planted before a management link", stopped_at="the click: a new cookie")
def test_a_cookie_that_somebody_planted_is_not_taken_over(
    alice: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    visit = invited(alice)
    name = f"__Host-latchkey-{visit.id.replace('-', '')[:16]}"
    alice.browser.cookies[name] = mallory.browser.cookies[name] = "known-to-mallory"
    visit.start()
    assert failure_of(visit.get(user=mallory)) == "browser"
    assert visit.get().status_code == 200


@pytest.mark.attack("forms of another site, to a management page", stopped_at="the form: sender")
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
    ids=str,
)
def test_no_other_site_s_form_is_taken(
    headers: dict[str, str], alice: EndUser, acme: Tenant, sandbox: SandboxProcess
) -> None:
    connection = make_connection(acme)
    visit, before = visiting(alice, providers=["sandbox"]), stored(connection)
    for step in (*(f"/{connection.id}/{step}" for step in STEPS), "/connect", "/done"):
        answer = alice.browser.post(f"{visit.path}{step}", {"label": "taken"}, headers=headers)
        assert (answer.status_code, failure_of(answer)) == (403, "foreign_form"), step
    assert stored(connection) == before
    assert visit.get().status_code == 200


@pytest.mark.attack("a visit begun by another site's form", stopped_at="the form: sender")
def test_another_site_opens_no_visit_of_its_own_in_this_browser(
    alice: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    planted = invited(mallory)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = alice.browser.post(f"{planted.path}/start", {"token": planted.token}, headers=headers)
        assert failure_of(answer) == "foreign_form"
    assert not ManagementSession.objects.get(id=planted.id).is_opened


@pytest.mark.attack("a management page in a hostile frame", stopped_at="the browser: frame-ancestors")
def test_nobody_frames_the_page_and_a_frame_opens_nothing(
    alice: EndUser, acme: Tenant, sandbox: SandboxProcess
) -> None:
    connection, visit = make_connection(acme), visiting(alice)
    for page in ("/connections", f"/{connection.id}", f"/{connection.id}/disconnect"):
        answer = visit.get(page)
        assert policy(answer)["frame-ancestors"] == ["'none'"] and answer["X-Frame-Options"] == "DENY"
    framed = invited(alice)
    headers = SAME_ORIGIN | {"sec-fetch-dest": "iframe"}
    assert failure_of(alice.browser.post(f"{framed.path}/start", {"token": framed.token}, headers=headers)) == "framed"
    assert not ManagementSession.objects.get(id=framed.id).is_opened
    assert policy(AsgiClient().get(framed.path))["frame-ancestors"] == ["https://app.acme.example"]
    same_site = alice.browser.get(visit.path, headers={"sec-fetch-dest": "iframe"})  # which gets the cookie
    assert same_site.status_code == 200 and policy(same_site)["frame-ancestors"] == ["https://app.acme.example"]


@pytest.mark.attack("a step of a management page by a GET", stopped_at="the form: method")
def test_no_get_changes_anything(alice: EndUser, acme: Tenant, sandbox: SandboxProcess) -> None:
    connection, visit = make_connection(acme), visiting(alice, providers=["sandbox"])
    before = stored(connection)
    for step in (*(f"/{connection.id}/{step}?label=taken" for step in STEPS), "/connect", "/done", "/start"):
        visit.get(step)
    assert stored(connection) == before
    assert visit.get().status_code == 200


# --- The operator's side ----------------------------------------------------------------------------------------------


@pytest.mark.attack("a session begun on one page, confirmed by another client", stopped_at="the confirmation")
def test_only_the_client_that_invited_confirms_what_was_connected(
    alice: EndUser, acme: Tenant, sandbox: SandboxProcess
) -> None:
    visit = visiting(alice, providers=["sandbox"])
    back = alice.visit(alice.person.authorize(provider_link(visit.post("/connect"))))
    body = {"completion_code": completion_code(back), "end_user": "alice"}
    session = ConnectSession.objects.get()
    answer = call(make_caller(acme, "other"), "POST", f"/connect-sessions/{session.id}/complete", body)
    assert answer.status_code == 404


@pytest.mark.parametrize("tenant", ["globex", "initech"])
def test_nobody_invites_to_another_tenant_s_page(tenant: str, globex: Tenant, backend: Caller) -> None:
    order: dict[str, Any] = {"end_user": "alice", "return_url": "https://app.globex.example/connected"}
    answer = call(backend, "POST", "/management-sessions", {**order, "tenant": tenant})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert call(backend, "POST", "/management-sessions", order).json()["field"] == "return_url"
    assert not ManagementSession.objects.exists()
