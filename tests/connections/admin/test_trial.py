"""An operator tries a provider app by a real consent, sees each step of it, and ends it by one press."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.delete_tenant import continue_deletion, order_deletion
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.steer.trial import CLIENT
from connections.lifecycle.webhooks.deliver import deliver
from connections.models import (
    ApiClient,
    AuditEvent,
    Connection,
    ConnectSession,
    ConnectStep,
    OutboxEvent,
    Permission,
    ProviderApp,
    SessionState,
    StaffLimit,
    Status,
    Tenant,
)
from providers.sandbox.client import SandboxProcess
from tests.connections.admin.conftest import messages_of, operator_with, page_url, press_url
from tests.connections.lifecycle.clockwork import age
from tests.factories import BACKEND, Caller, make_caller, make_sandbox_app
from tests.flows import EndUser, Invitation, call, return_link
from tests.receiver import Receiver, add, receiver, upstream

__all__ = ["receiver", "upstream"]

MAY_TRY = ("view_providerapp", "change_providerapp", "view_connectsession", "change_connectsession")


@pytest.fixture
def tina(acme: Tenant) -> Client:
    """A browser in which an operator is logged in who may try apps."""
    return operator_with("tina", *MAY_TRY)


def begin(browser: Client, app: ProviderApp, **typed: str) -> tuple[ConnectSession, Invitation]:
    """Press the button, and return the session with its link."""
    page = browser.post(press_url(app, "try"), {"sent": "1", **typed})
    assert page.status_code == 200, messages_of(page)
    url = page.context["url"]
    session = ConnectSession.objects.latest("created_at")
    return session, Invitation(str(session.id), urlsplit(url).fragment, url)


def come_back(user: EndUser, invitation: Invitation) -> str:
    """Go through the widget and the provider, and return where that leads."""
    return return_link(user.visit(user.authorize(invitation)))


def through(browser: Client, app: ProviderApp, user: EndUser) -> ConnectSession:
    """Try ``app`` to the end."""
    session, invitation = begin(browser, app)
    back = urlsplit(come_back(user, invitation))
    asked = browser.get(f"{back.path}?{back.query}")
    assert "Press to say that it was you" in asked.content.decode()
    done = browser.post(back.path, {"completion_code": asked.context["completion_code"]}, follow=True)
    assert "The trial went through" in messages_of(done)[0]
    session.refresh_from_db()
    return session


def test_a_trial_is_a_real_consent_whose_steps_are_shown(tina: Client, alice: EndUser, app: ProviderApp) -> None:
    session = through(tina, app, alice)
    assert (session.state, session.tried_by, session.provider_app_id) == (SessionState.COMPLETED, "tina", app.id)
    connection = session.connection
    assert connection is not None
    assert (connection.status, connection.label) == (Status.ACTIVE, "Trial")
    assert connection.end_user.startswith("trial:tina:")
    page = tina.get(page_url(session)).content.decode()
    for step in ("Sent to the provider", "Came back from the provider", "Confirmed by the operator"):
        assert step in page, step
    assert "End the trial" in page
    assert page_url(session) in tina.get(page_url(app)).content.decode(), "the app's page leads to it"
    assert {*AuditEvent.objects.filter(operator="tina").values_list("action", flat=True)} >= {
        "connect_session.created",
        "connection.connected",
    }


def test_a_trial_is_ended_by_one_press(tina: Client, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess) -> None:
    session = through(tina, app, alice)
    assert "is disconnected" in tina.get(press_url(session, "end-trial")).content.decode(), "it asks first"
    tina.post(press_url(session, "end-trial"))
    assert session.connection_id is not None
    revoke(session.connection_id)
    connection = Connection.objects.get(id=session.connection_id)
    assert (connection.status, connection.revocation) == (Status.DISCONNECTED, "confirmed")
    assert any(entry.path.endswith("/revoke") for entry in sandbox.control.log())


def test_a_trial_that_fails_says_where(tina: Client, alice: EndUser, app: ProviderApp) -> None:
    session, invitation = begin(tina, app)
    alice.visit(alice.authorize(invitation, allow=False))
    assert ConnectStep.objects.filter(session=session).latest("id").outcome != "done"
    page = tina.get(page_url(session)).content.decode()
    assert "Came back from the provider" in page
    tina.post(press_url(session, "end-trial"))
    session.refresh_from_db()
    assert (session.state, session.connection) == (SessionState.FAILED, None)
    assert AuditEvent.objects.get(action="connect_session.trial_ended").operator == "tina"


def test_what_a_trial_holds_is_destroyed_when_it_is_ended(tina: Client, alice: EndUser, app: ProviderApp) -> None:
    session, invitation = begin(tina, app)
    come_back(alice, invitation)
    session.refresh_from_db()
    assert session.state == SessionState.HELD
    tina.post(press_url(session, "end-trial"))
    session.refresh_from_db()
    assert (session.state, session.held) == (SessionState.FAILED, None)
    assert not Connection.objects.exists()


def test_the_widget_says_that_it_is_a_trial_and_of_no_other_session(
    tina: Client, alice: EndUser, app: ProviderApp
) -> None:
    session, _ = begin(tina, app)
    words = "Trial by an operator"
    assert words in alice.open(f"/connect/{session.id}").content.decode()
    assert words not in alice.open(f"/connect/{alice.invite().id}").content.decode()


def test_a_shared_app_is_tried_for_a_tenant_that_has_one_of_its_own(
    tina: Client, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    shared = make_sandbox_app(sandbox, tenant=None)
    refused = tina.post(press_url(shared, "try"), {"tenant": "nobody"})
    assert "There is no such tenant" in refused.content.decode()
    session, invitation = begin(tina, shared, tenant="acme")
    come_back(alice, invitation)
    session.refresh_from_db()
    assert (session.tenant.slug, session.provider_app_id) == ("acme", shared.id)


def test_nobody_else_finishes_a_trial(tina: Client, alice: EndUser, app: ProviderApp, backend: Caller) -> None:
    session, invitation = begin(tina, app)
    back = come_back(alice, invitation)
    code = dict(parse_qsl(urlsplit(back).query))["completion_code"]
    other = operator_with("otto", *MAY_TRY)
    answer = other.post(press_url(session, "finish"), {"completion_code": code}, follow=True)
    assert "Only the operator who began" in messages_of(answer)[0]
    by_api = call(
        backend,
        "POST",
        f"/connect-sessions/{session.id}/complete",
        {"completion_code": code, "end_user": session.end_user},
    )
    assert by_api.status_code in (404, 409)
    session.refresh_from_db()
    assert session.connection is None or session.connection.status == Status.PENDING


def test_a_session_of_an_end_user_has_neither_button(tina: Client, alice: EndUser) -> None:
    alice.connect()
    session = ConnectSession.objects.get()
    assert "/press/" not in tina.get(page_url(session)).content.decode()
    for verb in ("finish", "end-trial"):
        answer = tina.post(press_url(session, verb), {"completion_code": "x"}, follow=True)
        assert "not possible" in messages_of(answer)[0]
    assert Connection.objects.get().status == Status.ACTIVE


def test_the_client_of_trials_is_made_once_and_may_nothing(tina: Client, alice: EndUser, app: ProviderApp) -> None:
    begin(tina, app)
    begin(tina, app)
    client = ApiClient.objects.get(name=CLIENT)
    assert (client.permissions, client.keys.count(), client.allows_unbound) == ([], 0, False)


def test_limited_staff_try_apps_of_their_tenants_alone(
    globex: Tenant, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    browser = operator_with("lara", *MAY_TRY)
    limit = StaffLimit.objects.create(user=User.objects.get(username="lara"))
    limit.tenants.set([globex])
    shared = make_sandbox_app(sandbox, tenant=None)
    for hidden in (app, shared):
        answer = browser.post(press_url(hidden, "try"), {"tenant": "acme"})
        assert answer.status_code in (302, 404)
    assert not ConnectSession.objects.exists()


def test_an_app_that_cannot_be_used_is_not_tried(tina: Client, app: ProviderApp) -> None:
    ProviderApp.objects.filter(id=app.id).update(client_id="")
    answer = tina.post(press_url(app, "try"), {"sent": "1"}, follow=True)
    assert "not possible" in messages_of(answer)[0]
    assert not ConnectSession.objects.exists()


@pytest.mark.parametrize("is_operators", [False, True], ids=["of-the-tenant", "operator-wide"])
def test_no_caller_sees_or_uses_the_connection_of_a_trial(
    tina: Client, alice: EndUser, app: ProviderApp, acme: Tenant, is_operators: bool
) -> None:
    session = through(tina, app, alice)
    own = alice.connect(label="mine")
    may = (*BACKEND, Permission.PROXY, Permission.VEND_WITHOUT_USER)
    caller = make_caller(None if is_operators else acme, "all", may, proxy_rules=["sandbox GET /**"])
    named = {"tenant": "acme"} if is_operators else {}
    asked = "?tenant=acme" if is_operators else ""
    tried, user = str(session.connection_id), session.end_user

    def status(method: str, path: str, body: object = None, **headers: str) -> int:
        return call(caller, method, path, body, headers=headers).status_code

    at = {"latchkey-tenant": "acme"} if is_operators else {}
    for by in ({}, {"end_user": user}):
        assert status("POST", f"/connections/{tried}/credential", {**named, **by}) == 404
    assert status("POST", "/credentials", {**named, "provider": "sandbox", "end_user": user}) == 404
    assert status("GET", f"/connections/{tried}/proxy/me", **at) == 404
    assert status("GET", f"/connections/{tried}{asked}") == 404
    assert status("GET", f"/connections/{tried}/receipts{asked}") == 404
    for act in ("refresh", "probe"):
        assert status("POST", f"/connections/{tried}/{act}{asked}", None) == 404
    assert status("POST", f"/connections/{tried}/report", {**named, "version": tried, "status": 401}) == 404
    assert status("DELETE", f"/connections/{tried}{asked}", None, **{"if-match": "*"}) == 404
    renewal = {"end_user": user, "provider": "sandbox", "return_url": session.tenant.return_urls[0]}
    assert status("POST", "/connect-sessions", {**named, **renewal, "connection": tried}) == 404
    grant = {"subject": {"kind": "end_user", "id": "alice"}, "connection": tried, "actions": ["vend"]}
    assert status("POST", "/access-grants", {**named, **grant}) in (404, 422)
    listed = call(caller, "GET", f"/connections{asked}").json()["items"]
    assert [item["id"] for item in listed] == [own["id"]]
    ends = call(caller, "GET", f"/forecast{asked or '?'}&days=400").json()["items"]
    assert tried not in [item["connection"] for item in ends]


def test_a_trial_is_announced_to_no_tenant(tina: Client, alice: EndUser, app: ProviderApp, backend: Caller) -> None:
    session = through(tina, app, alice)
    assert session.connection_id is not None
    age(session.connection_id, hours=2)
    refresh(session.connection_id, trigger="sweep")
    tina.post(press_url(session, "end-trial"))
    told = OutboxEvent.objects.filter(connection_id=session.connection_id).order_by("id")
    assert {*told.values_list("type", flat=True)} >= {
        "connection.connected",
        "connection.refreshed",
        "connection.disconnected",
    }
    assert {*told.values_list("tenant_id", flat=True)} == {None}
    assert call(backend, "GET", "/events").json()["items"] == []


def test_a_trial_is_told_to_no_webhook_endpoint_of_the_operators(
    tina: Client, alice: EndUser, app: ProviderApp, receiver: Receiver
) -> None:
    endpoint = add(receiver, None)
    session = through(tina, app, alice)
    tina.post(press_url(session, "end-trial"))
    own = alice.connect(label="mine")
    deliver(endpoint.id)
    assert {json.loads(seen.body)["data"]["connection"] for seen in receiver.seen} == {own["id"]}


def test_what_was_told_of_trials_goes_with_their_tenant(
    tina: Client, alice: EndUser, app: ProviderApp, acme: Tenant
) -> None:
    session = through(tina, app, alice)
    tina.post(press_url(session, "end-trial"))
    assert session.connection_id is not None
    revoke(session.connection_id)
    order_deletion(acme.id, now=database_now(), at_once=True, actor=SYSTEM)
    continue_deletion(acme.id, now=database_now())
    assert not Tenant.objects.filter(id=acme.id).exists()
    assert not OutboxEvent.objects.filter(connection_id=session.connection_id).exists()
