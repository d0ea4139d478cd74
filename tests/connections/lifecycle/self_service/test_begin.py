"""Begin: only the operator's backend invites, only where it may, and what it gets works once and for a short time."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from connections.access.secrets import digest
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import issue_key, revoke_key
from connections.lifecycle.self_service.visit import open_visit, own_visit
from connections.models import ApiKey, AuditEvent, ManagementSession, Permission, ProviderApp, Tenant
from connections.models.failures import Failure
from connections.refusals import SessionUnusable
from tests.factories import ORIGIN, RETURN_URL, Caller, make_caller
from tests.flows import call

ORDER: dict[str, Any] = {"end_user": "alice", "return_url": RETURN_URL.format(slug="acme")}


def test_the_token_is_shown_once_and_stored_hashed(acme: Tenant, backend: Caller) -> None:
    answer = call(backend, "POST", "/management-sessions", ORDER)
    body = answer.json()
    session = ManagementSession.objects.get(id=body["id"])
    assert answer.status_code == 201
    assert re.fullmatch(rf"manage\.{session.id}\.[\w-]{{43}}", body["token"])  # 256 bits
    assert body["manage_url"].endswith(f"/connect/manage/{session.id}#{body['token']}")
    assert bytes(session.token_hash) == digest(body["token"])
    assert session.expires_at - database_now() <= timedelta(minutes=5)
    (row,) = AuditEvent.objects.filter(action="management_session.created")
    assert row.detail == {"session": str(session.id), "end_user": "alice"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"return_url": "https://elsewhere.example/connected"}, "return_url"),
        ({"return_url": f"{RETURN_URL.format(slug='acme')}?x"}, "return_url"),
        ({"origin": "https://elsewhere.example"}, "origin"),
        ({"providers": ["sandbox", "no-such-provider"]}, "providers"),
        ({"end_user": ""}, "end_user"),
        ({"binding": "none"}, "binding"),
    ],
)
def test_what_is_not_the_tenants_is_refused(
    changes: dict[str, Any], field: str, app: ProviderApp, backend: Caller
) -> None:
    answer = call(backend, "POST", "/management-sessions", ORDER | changes)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_request", field)
    assert not ManagementSession.objects.exists()


def test_what_is_the_tenants_is_kept(app: ProviderApp, backend: Caller) -> None:
    order = ORDER | {
        "origin": ORIGIN.format(slug="acme"),
        "providers": ["sandbox", "sandbox"],
        "code_challenge": "c" * 43,
    }
    session = ManagementSession.objects.get(id=call(backend, "POST", "/management-sessions", order).json()["id"])
    assert (session.origin, session.providers) == (order["origin"], ["sandbox"])
    assert session.code_challenge == "c" * 43


@pytest.mark.parametrize(
    ("permissions", "providers", "status"),
    [
        ([Permission.MANAGE], [], 403),
        ([Permission.MANAGE, Permission.READ], [], 201),
        ([Permission.MANAGE, Permission.READ], ["sandbox"], 403),
        ([Permission.MANAGE, Permission.READ, Permission.CONNECT], ["sandbox"], 201),
    ],
)
def test_a_client_gives_nobody_more_than_it_may_do_itself(
    permissions: list[Permission], providers: list[str], status: int, app: ProviderApp, acme: Tenant
) -> None:
    caller = make_caller(acme, "portal", permissions)
    assert call(caller, "POST", "/management-sessions", ORDER | {"providers": providers}).status_code == status


def test_what_a_revoked_key_has_asked_for_ends_with_it(acme: Tenant, backend: Caller) -> None:
    now = database_now()
    other = Caller(backend.client, issue_key(backend.client, now=now, actor=SYSTEM).key)
    links, opened, others = (
        call(caller, "POST", "/management-sessions", ORDER).json() for caller in (backend, backend, other)
    )
    visit = open_visit(uuid.UUID(opened["id"]), token=opened["token"], now=now, actor=SYSTEM)
    assert own_visit(visit.session.id, browser_secret=visit.browser_secret, now=now)
    assert revoke_key(ApiKey.objects.get(key_hash=digest(backend.key)), now=database_now(), actor=SYSTEM)
    with pytest.raises(SessionUnusable) as closed:
        own_visit(visit.session.id, browser_secret=visit.browser_secret, now=database_now())
    assert closed.value.failure == Failure.CLOSED
    with pytest.raises(SessionUnusable) as expired:
        open_visit(uuid.UUID(links["id"]), token=links["token"], now=database_now(), actor=SYSTEM)
    assert expired.value.failure == Failure.EXPIRED
    assert open_visit(uuid.UUID(others["id"]), token=others["token"], now=database_now(), actor=SYSTEM)
