"""A 401 of the provider's: one refresh, and one repeat where the request may be sent twice."""

import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy.approve import decide_approval
from connections.models import AuditEvent, Connection, CredentialVersion, RefreshAttempt, Tenant
from tests.connections.api.grants import let
from tests.connections.api.stored import expire_in, make_app, make_connection
from tests.connections.lifecycle.proxy.conftest import SECRET
from tests.factories import Caller, make_tenant
from tests.proxied import Reply, address_of, proxied
from tests.upstream import Upstream, Wire, ok

RENEWED = "at-renewed-0123456789"


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """A refresh holds no transaction across its call, so this test is in none either."""
    return make_tenant("acme")


@pytest.fixture
def revoking(upstream: Upstream) -> Upstream:
    """A provider that has revoked the access token, and gives a new one for the refresh token."""

    def handle(wire: Wire) -> None:
        wire.read_body()
        if wire.seen.target == "/token":
            token = {"access_token": RENEWED, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-2"}
            wire.answer(ok(json.dumps(token).encode(), "Content-Type: application/json"))
        elif wire.seen.one("authorization") == f"Bearer {RENEWED}":
            wire.answer(ok(b"welcome " + wire.seen.body))
        else:
            wire.answer(ok(b"who are you?", status="401 Unauthorized"))

    upstream.handle = handle
    return upstream


def calls(upstream: Upstream) -> list[str]:
    return [seen.line.removesuffix(" HTTP/1.1") for seen in upstream.seen]


@pytest.mark.parametrize(
    ("method", "body", "headers"),
    [
        ("GET", None, {}),
        ("DELETE", None, {}),
        ("PUT", b"x" * 60_000, {}),
        ("POST", b"once", {"Idempotency-Key": "7"}),
    ],
)
def test_a_request_that_may_be_sent_twice_is_repeated_once_with_the_refreshed_credential(
    method: str, body: bytes | None, headers: dict[str, str], agent: Caller, connection: Connection, revoking: Upstream
) -> None:
    reply = proxied(agent, method, address_of(connection, "a"), body=body, headers=headers)
    assert (reply.status, reply.body) == (200, b"welcome " + (body or b""))
    assert calls(revoking) == [f"{method} /a", "POST /token", f"{method} /a"]
    first = revoking.seen[0]
    assert (first.one("authorization"), first.body) == (f"Bearer {SECRET}", body or b"")
    ended, again, allowed = AuditEvent.objects.filter(action__startswith="connection.prox")
    assert again.detail["repeats"] == allowed.id
    assert again.credential_version_id != allowed.credential_version_id
    assert (ended.decision, ended.detail["request"], ended.detail["repeated"]) == ("answered", allowed.id, True)


async def stream() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"x" * 40_000


@pytest.mark.parametrize(
    ("method", "is_large"), [("POST", False), ("PATCH", False), ("PUT", True)], ids=["post", "patch", "large"]
)
def test_any_other_is_passed_on_with_the_credential_already_refreshed(
    method: str, is_large: bool, agent: Caller, connection: Connection, revoking: Upstream
) -> None:
    reply = proxied(agent, method, address_of(connection, "a"), body=stream() if is_large else b"once")
    assert (reply.status, reply.outcome, reply.body) == (401, "upstream", b"who are you?")
    assert calls(revoking) == [f"{method} /a", "POST /token"]
    assert proxied(agent, "GET", address_of(connection, "a")).status == 200


def test_a_401_for_another_reason_is_passed_on_after_one_repeat(
    agent: Caller, connection: Connection, revoking: Upstream
) -> None:
    usual = revoking.handle

    def handle(wire: Wire) -> None:
        if wire.seen.target == "/token":
            usual(wire)
        else:
            wire.answer(ok(b"never", status="401 Unauthorized"))

    revoking.handle = handle
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.status, reply.body) == (401, b"never")
    assert calls(revoking) == ["GET /a", "POST /token", "GET /a"]


def test_a_credential_that_is_refused_and_cannot_be_refreshed_is_probed_soon(
    acme: Tenant, agent: Caller, upstream: Upstream
) -> None:
    app = make_app(acme, params={"issuer": upstream.url})
    now = database_now()
    static = make_connection(
        acme, app=app, access_token=SECRET, probe_due_at=now + timedelta(hours=6), verified_at=None
    )
    CredentialVersion.objects.filter(connection=static).update(is_refreshable=False)
    upstream.answers(ok(b"never", status="401 Unauthorized"))
    for verified_at, is_soon in ((now - timedelta(seconds=30), False), (now - timedelta(hours=1), True)):
        Connection.objects.filter(id=static.id).update(verified_at=verified_at)
        assert proxied(agent, "GET", address_of(static, "a")).status == 401
        static.refresh_from_db()
        assert (static.probe_due_at is not None and static.probe_due_at <= database_now()) is is_soon


def test_many_401s_are_no_reason_for_many_refreshes(agent: Caller, connection: Connection, revoking: Upstream) -> None:
    usual = revoking.handle

    def handle(wire: Wire) -> None:
        if wire.seen.target == "/token":
            usual(wire)
        else:
            wire.answer(ok(b"never", status="401 Unauthorized"))

    revoking.handle = handle
    for _ in range(5):
        assert proxied(agent, "GET", address_of(connection, "a")).status == 401
    assert calls(revoking).count("POST /token") == 1


def test_a_refresh_that_is_refused_leaves_the_401_as_it_is(
    agent: Caller, connection: Connection, revoking: Upstream
) -> None:
    revoking.handle = lambda wire: wire.answer(
        ok(b'{"error": "invalid_grant"}', "Content-Type: application/json", status="401 Unauthorized")
    )
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.status, reply.outcome) == (401, "upstream")
    assert calls(revoking) == ["GET /a", "POST /token"]


def test_an_expired_credential_is_refreshed_before_anything_is_sent(
    agent: Caller, connection: Connection, revoking: Upstream
) -> None:
    expire_in(connection, -5)
    assert proxied(agent, "POST", address_of(connection, "a"), body=b"once").body == b"welcome once"
    assert calls(revoking) == ["POST /token", "POST /a"]
    assert RefreshAttempt.objects.count() == 1


def test_one_approval_is_enough_for_the_request_and_its_repeat(
    agent: Caller, connection: Connection, revoking: Upstream
) -> None:
    let(connection, needs_approval=True)

    def send() -> Reply:
        return proxied(agent, "GET", address_of(connection, "a"), end_user="bob")

    approval = uuid.UUID(send().json()["approval"])
    decide_approval(approval, approves=True, by="carol", now=database_now(), actor=SYSTEM)
    assert (send().status, calls(revoking)) == (200, ["GET /a", "POST /token", "GET /a"])
    assert send().refused == (202, "approval_required")
