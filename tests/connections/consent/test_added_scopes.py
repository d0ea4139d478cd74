"""Incremental consent: scopes are added to a connection, which keeps its id, its scopes and its working credential."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import Connection, CredentialVersion, OutboxEvent, ProviderApp, Tenant
from connections.refusals import InvalidRequest
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import session_of, token_requests
from tests.factories import RETURN_URL, Caller, make_caller, make_sandbox_app
from tests.flows import EndUser, Invitation, call, failure_of

FIRST = ["profile.read", "files.read"]


@pytest.fixture
def before(alice: EndUser) -> dict[str, Any]:
    """Alice's connection, which may read."""
    return alice.connect(scopes=FIRST)


def adding(alice: EndUser, before: dict[str, Any], *scopes: str, **changes: Any) -> Invitation:
    return alice.invite(connection=before["id"], add_scopes=list(scopes or ["files.write"]), **changes)


def asked(url: str) -> list[str]:
    return parse_qs(urlsplit(url).query)["scope"][0].split()


def order(alice: EndUser, **members: Any) -> Any:
    body = {"end_user": "alice", "provider": "sandbox", "return_url": RETURN_URL.format(slug="acme"), **members}
    return call(alice.backend, "POST", "/connect-sessions", body)


def allow_only(app: ProviderApp, acme: Tenant, *scopes: str) -> None:
    ProviderApp.objects.filter(id=app.id).update(allowed_scopes=list(scopes))


def assert_as_before(alice: EndUser, before: dict[str, Any]) -> None:
    shown = call(alice.backend, "GET", f"/connections/{before['id']}").json()
    assert (shown["version"], shown["status"], shown["scopes"]) == (before["version"], "active", before["scopes"])
    assert alice.vend(before["id"], scopes=FIRST).json()["version"] == before["version"]
    assert CredentialVersion.objects.count() == 1


def test_from_the_refusal_of_a_vend_to_the_scope_and_nothing_is_lost(alice: EndUser, before: dict[str, Any]) -> None:
    refused = alice.vend(before["id"], scopes=["files.read", "files.write"]).json()
    assert (refused["code"], refused["missing_scopes"]) == ("insufficient_scope", ["files.write"])

    invitation = adding(alice, before, *refused["missing_scopes"])
    request = alice.leave(invitation)
    back = alice.person.authorize(request)
    held = dict(parse_qsl(urlsplit(alice.visit(back)["Location"]).query))["completion_code"]
    assert alice.vend(before["id"]).json()["version"] == before["version"], "it works until the new one is verified"
    after = alice.complete(invitation, held).json()["connection"]

    assert sorted(asked(request)) == ["files.read", "files.write", "profile.read"], "the provider replaces grants"
    assert after["id"] == before["id"]
    assert after["scopes"]["granted"] == after["scopes"]["requested"] == ["files.read", "files.write", "profile.read"]
    assert after["scopes"]["missing"] == []
    assert alice.vend(before["id"], scopes=["files.write", "files.read"]).status_code == 200
    told = OutboxEvent.objects.get(type="connection.scopes_gained").payload
    assert told["gained_scopes"] == ["files.write"]
    assert not OutboxEvent.objects.filter(type="connection.scopes_lost").exists()


def test_the_page_lists_what_is_new_apart_from_what_stays(alice: EndUser, before: dict[str, Any]) -> None:
    invitation = adding(alice, before)
    page = unescape(alice.open(f"/connect/{invitation.id}").content.decode())
    asks, _, stays = page.partition('id="kept"')
    assert "in addition" in asks
    assert "Create, change and delete your files" in asks
    assert "Read your files" not in asks
    assert "Read your files" in stays
    assert "Create, change and delete your files" not in stays


def test_the_link_of_a_refusal_leads_to_a_page_that_says_what_is_wanted(
    alice: EndUser, before: dict[str, Any], acme: Tenant
) -> None:
    Tenant.objects.filter(id=acme.id).update(reconnect_url="")
    url = alice.vend(before["id"], scopes=["files.write"]).json()["connect_url"]
    page = unescape(alice.open(url).content.decode())
    assert re.search(r"asks to do more with your .* account", page)
    assert "Create, change and delete your files" in page
    assert "Read your files" not in page
    assert alice.open(url.replace("files.write", "files.read")).status_code == 404, "the link vouches for its scopes"
    assert alice.open(url.partition("?")[0]).status_code == 404


def test_the_link_of_a_refusal_to_the_operators_page_names_the_scopes(
    alice: EndUser, before: dict[str, Any], acme: Tenant
) -> None:
    Tenant.objects.filter(id=acme.id).update(reconnect_url="https://acme.example/again?c={connection}&s={scopes}")
    url = alice.vend(before["id"], scopes=["files.write", "a&b"]).json()["connect_url"]
    assert url == f"https://acme.example/again?c={before['id']}&s=files.write%20a%26b"


def test_an_end_user_who_allows_none_of_the_new_scopes_loses_nothing(alice: EndUser, before: dict[str, Any]) -> None:
    invitation = adding(alice, before)
    code = alice.finish(invitation, scopes=FIRST)
    after = alice.complete(invitation, code).json()["connection"]
    assert after["scopes"]["granted"] == ["files.read", "profile.read"]
    assert after["scopes"]["missing"] == ["files.write"]
    assert alice.vend(before["id"], scopes=FIRST).status_code == 200
    assert alice.vend(before["id"], scopes=["files.write"]).json()["missing_scopes"] == ["files.write"]


@pytest.mark.parametrize("allowed", [["profile.read", "files.write"], ["profile.read"]])
def test_an_end_user_who_takes_something_away_changes_nothing(
    allowed: list[str], alice: EndUser, before: dict[str, Any]
) -> None:
    invitation = adding(alice, before)
    code = alice.finish(invitation, scopes=allowed)
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (409, "exchange_failed")
    assert answer.json()["reason"] == "scopes_lost"
    assert session_of(invitation).failure == "exchange_failed"
    assert_as_before(alice, before)
    assert not OutboxEvent.objects.filter(type="connection.scopes_lost").exists()


def test_an_end_user_who_declines_changes_nothing(alice: EndUser, before: dict[str, Any]) -> None:
    invitation = adding(alice, before)
    alice.visit(alice.authorize(invitation, allow=False))
    assert_as_before(alice, before)


def test_a_connection_that_is_over_gets_what_it_had_and_the_new_scope(alice: EndUser, before: dict[str, Any]) -> None:
    Connection.objects.update(status="needs_reauth", reason="grant_rejected")
    invitation = adding(alice, before)
    after = alice.complete(invitation, alice.finish(invitation)).json()["connection"]
    assert (after["id"], after["status"]) == (before["id"], "active")
    assert after["scopes"]["granted"] == ["files.read", "files.write", "profile.read"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"add_scopes": ["files.write"]}, "connection"),
        ({"add_scopes": ["files.write"], "scopes": ["files.read"], "connection": True}, "add_scopes"),
        ({"add_scopes": ["files.read"], "connection": True}, "add_scopes"),
        ({"add_scopes": ["files.write"], "connection": True, "allow_account_change": True}, "allow_account_change"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    members: dict[str, Any], field: str, alice: EndUser, before: dict[str, Any]
) -> None:
    members = members | ({"connection": before["id"]} if "connection" in members else {})
    answer = order(alice, **members)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.content


@pytest.mark.parametrize("added", [[], [""], ["with space"], ['quo"te'], ["x" * 256], "files.write", [None]])
def test_what_is_no_list_of_scopes_is_refused(added: Any, alice: EndUser, before: dict[str, Any]) -> None:
    assert order(alice, connection=before["id"], add_scopes=added).status_code == 422


# --- Attackers --------------------------------------------------------------------------------------------------------
@pytest.fixture
def globex_backend(globex: Tenant, sandbox: SandboxProcess) -> Caller:
    """The backend of another tenant, which may connect to the sandbox as well."""
    make_sandbox_app(sandbox, tenant=globex)
    return make_caller(globex, "globex-backend")


def test_another_tenants_connection_is_unknown(
    alice: EndUser, before: dict[str, Any], globex_backend: Caller, sandbox: SandboxProcess
) -> None:
    sent = len(token_requests(sandbox))
    stranger = EndUser("alice", globex_backend, tenant="globex")
    for connection in (before["id"], "0c7f8f2e-8f0b-4f5e-9f3c-0d2b6a1f4c11"):
        body = {"connection": connection, "add_scopes": ["files.write"], "return_url": RETURN_URL.format(slug="globex")}
        answer = order(stranger, **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert len(token_requests(sandbox)) == sent
    assert_as_before(alice, before)


def test_another_end_users_connection_gets_no_scope(alice: EndUser, before: dict[str, Any], mallory: EndUser) -> None:
    answer = order(mallory, end_user="mallory", connection=before["id"], add_scopes=["files.write"])
    assert (answer.status_code, answer.json()["field"]) == (422, "end_user")
    assert_as_before(alice, before)


@pytest.mark.parametrize("member", ["scopes", "add_scopes"])
def test_what_the_app_does_not_allow_cannot_be_asked_for(
    member: str, alice: EndUser, before: dict[str, Any], app: ProviderApp, acme: Tenant
) -> None:
    allow_only(app, acme, *FIRST)
    answer = order(alice, connection=before["id"], **{member: ["files.write"]})
    assert (answer.status_code, answer.json()["field"]) == (422, member)
    assert "files.write" in answer.json()["detail"]


def test_an_empty_list_of_allowed_scopes_allows_none(
    alice: EndUser, before: dict[str, Any], app: ProviderApp, acme: Tenant
) -> None:
    allow_only(app, acme)
    assert order(alice, scopes=["profile.read"]).status_code == 422


def test_what_the_app_no_longer_allows_is_not_asked_for_either(
    alice: EndUser, before: dict[str, Any], app: ProviderApp, acme: Tenant
) -> None:
    invitation = adding(alice, before)
    allow_only(app, acme, *FIRST)
    assert alice.open(f"/connect/{invitation.id}").status_code == 200
    page = alice.start(invitation)
    assert (page.status_code, failure_of(page)) == (502, "app_misconfigured")
    assert_as_before(alice, before)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"allowed_scopes": ["files.read"], "scopes": ["profile.read"]}, "scopes"),
        ({"allowed_scopes": ["files.read"]}, "scopes"),
        ({"allowed_scopes": ["profile.read"], "required_scopes": ["files.read"]}, "required_scopes"),
    ],
)
def test_an_app_asks_for_no_more_than_it_allows(
    changes: dict[str, Any], field: str, app: ProviderApp, acme: Tenant, alice: EndUser
) -> None:
    told = Registration(
        provider=app.provider, auth_style=app.auth_style, client_id=app.client_id, params=app.params, **changes
    )
    with pytest.raises(InvalidRequest) as refused:
        save_provider_app(told, tenant=acme, actor=SYSTEM)
    assert refused.value.extra["field"] == field


def test_a_callback_that_comes_again_adds_nothing_more(
    alice: EndUser, before: dict[str, Any], mallory: EndUser, sandbox: SandboxProcess
) -> None:
    invitation = adding(alice, before)
    back = alice.authorize(invitation)
    code = dict(parse_qsl(urlsplit(alice.visit(back)["Location"]).query))["completion_code"]
    after = alice.complete(invitation, code).json()["connection"]
    sent = len(token_requests(sandbox))
    assert alice.visit(back).status_code in (200, 302)
    assert mallory.visit(back).status_code == 400
    assert call(alice.backend, "GET", f"/connections/{before['id']}").json()["version"] == after["version"]
    assert len(token_requests(sandbox)) == sent


def test_the_link_sent_to_somebody_else_adds_nothing_of_theirs(
    alice: EndUser, before: dict[str, Any], mallory: EndUser
) -> None:
    invitation = adding(alice, before)
    code = mallory.finish(invitation)
    answer = mallory.complete(invitation, code, end_user="mallory")
    assert answer.json()["code"] == "completion_mismatch"
    assert_as_before(alice, before)
