"""The page of one's own connections: what is connected from it, and how it is opened and closed."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from connections.database.clock import database_now
from connections.lifecycle.steer.switches import Suspendable
from connections.models import (
    ApiClient,
    AuditEvent,
    Brand,
    Connection,
    ConnectSession,
    ManagementSession,
    OwnerKind,
    Permission,
    Reason,
    Status,
    Tenant,
)
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_connection
from tests.connections.consent.visits import Visit, invited, visiting
from tests.factories import make_sandbox_app
from tests.flows import EndUser, Invitation, completion_code, failure_of, provider_link, return_link

# --- Connecting from it -----------------------------------------------------------------------------------------------


def test_a_connection_is_renewed_by_the_same_account_and_confirmed_like_all_else(alice: EndUser) -> None:
    connected = alice.connect(scopes=["profile.read"])
    visit = visiting(alice)
    leaving = visit.post(f"/{connected['id']}/reconnect")
    session = ConnectSession.objects.exclude(reconnects=None).get()
    assert (str(session.reconnects_id), str(session.management_id)) == (connected["id"], visit.id)
    assert session.requested_scopes == ["profile.read"]
    back = return_link(alice.visit(alice.person.authorize(provider_link(leaving))))
    assert f"management_session={visit.id}" in back and f"connect_session={session.id}" in back
    version = Connection.objects.get(id=connected["id"]).current_version_id
    code = back.partition("completion_code=")[2].partition("&")[0]
    answer = alice.complete(Invitation(str(session.id), "", ""), code)
    assert answer.json()["connection"]["id"] == connected["id"]
    assert Connection.objects.get(id=connected["id"]).current_version_id != version
    assert visit.get().status_code == 200  # and the page is still open in this browser


def test_what_does_not_come_about_leads_back_to_the_page(alice: EndUser) -> None:
    connected = alice.connect()
    visit = visiting(alice)
    leaving = visit.post(f"/{connected['id']}/reconnect")
    denied = alice.visit(alice.person.authorize(provider_link(leaving), allow=False))
    assert failure_of(denied) == "access_denied"
    assert f'href="/connect/manage/{visit.id}">Back to your connections</a>' in denied.content.decode()


def test_another_account_is_connected_where_the_product_allows_it(alice: EndUser) -> None:
    visit = visiting(alice)
    assert "Connect another account" not in visit.text()
    refused = visit.post("/connect")
    assert failure_of(refused) == "unknown" and ConnectSession.objects.count() == 0
    visit = visiting(alice, providers=["sandbox"])
    assert "Connect another account" in visit.text()
    back = alice.visit(alice.person.authorize(provider_link(visit.post("/connect"))))
    session = ConnectSession.objects.get()
    assert (session.end_user, session.owner_kind) == ("alice", OwnerKind.END_USER)
    assert alice.complete(Invitation(str(session.id), "", ""), completion_code(back)).status_code == 200
    assert f'{visit.path}/{Connection.objects.get().id}"' in visit.text()


def test_a_typed_key_is_replaced_on_the_page_that_asks_for_it(
    acme: Tenant, sandbox: SandboxProcess, user: EndUser
) -> None:
    keys = make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)
    connection = make_connection(acme, app=keys)
    visit = visiting(user)
    session_page = visit.post(f"/{connection.id}/reconnect")
    session = ConnectSession.objects.get()
    assert session_page["Location"] == f"/connect/{session.id}/method/{keys.id}"
    assert 'type="password"' in user.open(session_page["Location"]).content.decode()


def test_the_challenge_of_the_page_holds_for_what_is_connected_from_it(alice: EndUser) -> None:
    visit = visiting(alice, providers=["sandbox"], code_challenge="c" * 43)
    back = alice.visit(alice.person.authorize(provider_link(visit.post("/connect"))))
    session = ConnectSession.objects.get()
    assert session.code_challenge == "c" * 43
    assert (
        alice.complete(Invitation(str(session.id), "", ""), completion_code(back)).json()["code"]
        == "completion_mismatch"
    )


def test_without_the_right_to_connect_the_page_offers_none(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme, status=Status.NEEDS_REAUTH, reason=Reason.EXPIRED)
    ApiClient.objects.filter(id=visit.user.backend.client.id).update(permissions=["read", "manage"])
    assert "/reconnect" not in visit.text() and "/reconnect" not in visit.text(f"/{connection.id}")
    assert visit.post(f"/{connection.id}/reconnect").status_code >= 400
    assert ConnectSession.objects.count() == 0


def test_what_the_operator_changed_meanwhile_is_said_with_the_way_to_the_list(acme: Tenant, visit: Visit) -> None:
    connection, client = make_connection(acme), ApiClient.objects.filter(id=visit.user.backend.client.id)
    ManagementSession.objects.filter(id=visit.id).update(providers=["sandbox"])

    def refusals() -> set[tuple[int, str]]:
        answers = [visit.post("/connect"), visit.post(f"/{connection.id}/reconnect")]
        assert all("Back to your connections" in answer.content.decode() for answer in answers)
        return {(answer.status_code, failure_of(answer)) for answer in answers}

    Tenant.objects.filter(id=acme.id).update(return_urls=["https://app.acme.example/moved"])
    assert refusals() == {(502, "app_misconfigured")}
    Tenant.objects.filter(id=acme.id).update(return_urls=acme.return_urls)
    client.update(permissions=["read", "manage"])
    assert refusals() == {(502, "app_misconfigured")}
    assert ConnectSession.objects.count() == 0


def test_a_provider_that_was_switched_off_meanwhile_is_left_out(
    acme: Tenant, sandbox: SandboxProcess, user: EndUser
) -> None:
    make_sandbox_app(sandbox, tenant=acme)
    visit = visiting(user, providers=["sandbox"])
    ManagementSession.objects.filter(id=visit.id).update(providers=["hubspot", "sandbox"])  # whose app has gone
    assert visit.post("/connect").status_code == 200
    assert ConnectSession.objects.get().providers == ["sandbox"]


# --- The visit --------------------------------------------------------------------------------------------------------


def test_the_first_page_shows_nothing_and_changes_nothing(acme: Tenant, user: EndUser) -> None:
    make_connection(acme, provider_account_name="canary-account")
    visit = invited(user)
    for _ in range(2):
        page = visit.get("").content.decode()
        assert "Manage your connections" in page and "canary" not in page and "alice" not in page
        assert "Only continue if you came here from app.acme.example yourself." in page
    assert visit.start().status_code == 303


def test_reloads_double_clicks_and_the_back_button_lead_to_the_list(visit: Visit) -> None:
    there = f"{visit.path}/connections"
    assert visit.start()["Location"] == there  # the back button, and the click again
    assert visit.get("")["Location"] == there
    assert visit.user.visit(f"{visit.path}/start").status_code == 200


def test_it_ends_when_the_end_user_is_done(visit: Visit) -> None:
    page = visit.post("/done").content.decode()
    assert f"https://app.acme.example/connected?management_session={visit.id}" in page
    for path in ("", "/connections"):
        answer = visit.user.visit(f"{visit.path}{path}")
        assert (answer.status_code, failure_of(answer)) == (410, "closed")
        assert "app.acme.example/connected" in answer.content.decode()
    for step in ("opened", "ended"):
        row = AuditEvent.objects.get(action=f"management_session.{step}")
        assert (row.subject, row.api_client_id, row.detail["session"]) == ("alice", None, visit.id)


@pytest.mark.parametrize(
    ("column", "ago", "is_closed"),
    [
        ("seen_at", timedelta(minutes=14), False),
        ("seen_at", timedelta(minutes=16), True),
        ("ends_at", timedelta(seconds=1), True),
        ("ends_at", timedelta(seconds=-30), False),
    ],
)
def test_it_ends_after_a_while_without_use_and_after_an_hour_in_any_case(
    column: str, ago: timedelta, is_closed: bool, visit: Visit
) -> None:
    ManagementSession.objects.filter(id=visit.id).update(**{column: database_now() - ago})
    answer = visit.get()
    assert answer.status_code == (410 if is_closed else 200)
    if column == "seen_at" and not is_closed:  # this use counts
        assert database_now() - ManagementSession.objects.get(id=visit.id).seen_at < timedelta(seconds=5)


def test_an_operator_closes_it(visit: Visit, admin_client: Client) -> None:
    page = f"/admin/connections/managementsession/{visit.id}"
    assert "Open" in admin_client.get(f"{page}/change/").content.decode()
    assert "no longer works in the end user" in admin_client.get(f"{page}/press/close/").content.decode()
    assert visit.get().status_code == 200
    admin_client.post(f"{page}/press/close/")
    assert (visit.get().status_code, failure_of(visit.get())) == (410, "closed")
    assert AuditEvent.objects.get(action="management_session.ended").operator == "admin"


def test_every_kill_switch_closes_it_at_once(
    acme: Tenant, visit: Visit, switch_off: Callable[[Suspendable], None], switch_on: Callable[[Suspendable], None]
) -> None:
    for concerned in (acme, visit.user.backend.client):
        switch_off(concerned)
        assert (visit.get().status_code, failure_of(visit.get())) == (423, "suspended")
        switch_on(concerned)
    ApiClient.objects.filter(id=visit.user.backend.client.id).update(permissions=[Permission.READ])
    assert failure_of(visit.get()) == "suspended"


def test_a_switched_off_connection_is_shown_and_can_be_ended_but_not_renewed(
    acme: Tenant, visit: Visit, switch_off: Callable[[Suspendable], None]
) -> None:
    connection = make_connection(acme)
    switch_off(connection)
    text = visit.text(f"/{connection.id}")
    assert "Switched off" in text and "/reconnect" not in text and "/disconnect" in text


def test_it_is_in_the_session_s_language(acme: Tenant, user: EndUser) -> None:
    make_connection(acme)
    text = visiting(user, locale="de-AT").text()
    assert '<html lang="de" dir="ltr">' in text and "Ihre Verbindungen" in text


def test_an_old_browser_is_asked_for_the_click_once_more(user: EndUser) -> None:
    visit = invited(user)
    asked = user.browser.post(f"{visit.path}/start", {"token": visit.token}).content.decode()
    assert not ManagementSession.objects.get(id=visit.id).is_opened
    proof = re.search(r'name="form_proof" value="([0-9a-f]+)"', asked)
    assert proof and f'value="{visit.token}"' in asked
    answer = user.browser.post(f"{visit.path}/start", {"token": visit.token, "form_proof": proof[1]})
    assert answer["Location"] == f"{visit.path}/connections"


def test_an_old_browser_s_forms_are_taken_by_the_proof_that_they_carry(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme)
    page = f"/{connection.id}"
    proof = re.search(r'name="form_proof" value="([0-9a-f]+)"', visit.text(page))
    other = re.search(r'name="form_proof" value="([0-9a-f]+)"', visiting(visit.user).text())
    assert proof and other and proof[1] != other[1]
    for given, status in ((other[1], 403), (proof[1], 303)):
        answer = visit.user.browser.post(f"{visit.path}{page}/name", {"label": "Work", "form_proof": given})
        assert answer.status_code == status
    connection.refresh_from_db()
    assert connection.label == "Work"


def test_an_unknown_visit_is_nobody_s(user: EndUser) -> None:
    answer = user.open(f"/connect/manage/{uuid.uuid4()}")
    assert (answer.status_code, failure_of(answer)) == (404, "unknown")
    assert "Acme" not in answer.content.decode()


def test_it_has_the_tenant_s_logo(acme: Tenant, visit: Visit) -> None:
    assert visit.get("/logo").status_code == 404
    Brand.objects.filter(tenant=acme).update(logo=b"<svg/>", logo_media_type="image/svg+xml")
    assert f'src="{visit.path}/logo"' in visit.text()
    assert visit.get("/logo").content == b"<svg/>"
