"""Who may have a request proxied: the vend's own rules about people and connections, and a rule for each path."""

from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy.give import Terms, give
from connections.lifecycle.proxy import watch
from connections.lifecycle.steer import switches
from connections.models import (
    AccessGrant,
    ApiKey,
    AuditEvent,
    Connection,
    OwnerKind,
    Permission,
    Reason,
    Status,
    SubjectKind,
    Tenant,
)
from tests.connections.api.stored import expire_in, overwrite
from tests.connections.lifecycle.proxy.conftest import make_agent
from tests.factories import Caller, make_caller
from tests.flows import call
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, ok


def last() -> AuditEvent:
    return AuditEvent.objects.filter(action="connection.proxy")[0]


@pytest.mark.parametrize(
    ("rules", "method", "path", "is_allowed"),
    [
        ([], "GET", "a", False),
        (["* * /**"], "DELETE", "a/b", True),
        (["sandbox GET /a"], "GET", "a", True),
        (["hubspot GET /a"], "GET", "a", False),
        (["sandbox GET /a"], "GET", "a/b", False),
        (["sandbox GET /a"], "HEAD", "a", False),
        (["sandbox GET /a"], "GET", "A", False),
        (["sandbox GET /a/*"], "GET", "a/b", True),
        (["sandbox GET /a/*"], "GET", "a/b/c", False),
        (["sandbox GET /a/**"], "GET", "a/b/c", True),
        (["sandbox GET /a/**"], "GET", "ab", False),
        (["sandbox readonly /**"], "GET", "a", True),
        (["sandbox readonly /**"], "HEAD", "a", True),
        (["sandbox readonly /**"], "POST", "a", False),
        (["sandbox readonly /**"], "OPTIONS", "a", False),
        (["sandbox GET,POST /a", "sandbox DELETE /b"], "POST", "a", True),
        (["sandbox GET,POST /a", "sandbox DELETE /b"], "DELETE", "a", False),
    ],
)
def test_a_client_may_do_what_its_rules_say_and_no_more(
    rules: list[str], method: str, path: str, is_allowed: bool, acme: Tenant, connection: Connection, upstream: Upstream
) -> None:
    reply = proxied(make_agent(acme, *rules), method, address_of(connection, path))
    assert (reply.status == 200) is is_allowed
    assert len(upstream.seen) == is_allowed
    if not is_allowed:
        assert reply.refused == (403, "policy_denied")
        assert reply.json()["rule"] == "proxy_rules"
        assert (last().decision, last().detail["rule"]) == ("policy_denied", "proxy_rules")


def test_a_redirect_leads_nowhere_that_the_rules_do_not_allow(
    acme: Tenant, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b"", "Location: /admin", status="302 Found"))
    reply = proxied(make_agent(acme, "sandbox GET /a"), "GET", address_of(connection, "a"))
    assert reply.refused == (403, "policy_denied")
    assert [seen.target for seen in upstream.seen] == ["/a"]


def test_the_right_to_vend_is_no_right_to_proxy_nor_the_other_way_round(
    acme: Tenant, connection: Connection, agent: Caller, upstream: Upstream
) -> None:
    operators = (Permission.TENANTS, Permission.CATALOGUE)
    others = [permission for permission in Permission if permission not in (Permission.PROXY, *operators)]
    backend = make_caller(acme, "backend", others)
    assert proxied(backend, "GET", address_of(connection, "a")).refused == (403, "permission_denied")
    vended = call(agent, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"})
    assert (vended.status_code, vended.json()["code"]) == (403, "permission_denied")
    assert upstream.seen == []


@pytest.mark.parametrize("end_user", ["bob", None, "Alice", ""])
def test_an_end_users_connection_is_used_with_that_end_user_alone(
    end_user: str | None, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    status, code = proxied(agent, "GET", address_of(connection, "a"), end_user=end_user).refused
    assert (status, code) in [(403, "policy_denied"), (422, "invalid_request")]
    assert upstream.seen == []


def test_acting_without_a_user_is_a_permission_of_its_own(
    acme: Tenant, connection: Connection, upstream: Upstream
) -> None:
    overwrite(connection, owner_kind=OwnerKind.TENANT, end_user="")
    agent = make_agent(acme, "* * /**")
    assert proxied(agent, "GET", address_of(connection, "a"), end_user=None).refused == (403, "policy_denied")
    trusted = make_agent(acme, "* * /**", name="trusted", further=(Permission.VEND_WITHOUT_USER,))
    assert proxied(trusted, "GET", address_of(connection, "a"), end_user=None).status == 200
    assert proxied(agent, "GET", address_of(connection, "a"), end_user="anybody").status == 200


def test_an_operator_wide_client_names_the_tenant(acme: Tenant, globex: Tenant, connection: Connection) -> None:
    wide = make_agent(None, "* * /**", name="wide")
    address = address_of(connection, "a")
    assert proxied(wide, "GET", address).refused == (422, "invalid_request")
    assert proxied(wide, "GET", address, headers={"Latchkey-Tenant": "globex"}).refused == (404, "not_found")
    assert proxied(wide, "GET", address, headers={"Latchkey-Tenant": "acme"}).status == 200


@pytest.mark.parametrize("who", ["connection", "tenant", "app", "client"])
def test_a_kill_switch_stops_the_next_call(who: str, agent: Caller, connection: Connection, upstream: Upstream) -> None:
    subject = {
        "connection": connection,
        "tenant": connection.tenant,
        "app": connection.provider_app,
        "client": agent.client,
    }[who]
    switches.suspend(subject, now=database_now(), actor=SYSTEM)
    assert proxied(agent, "GET", address_of(connection, "a")).refused == (423, "suspended")
    assert upstream.seen == []


def test_a_pause_stops_it_too(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    overwrite(connection, paused_at=database_now())
    assert proxied(agent, "GET", address_of(connection, "a")).refused == (423, "paused")
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (Status.PENDING, Reason.AWAITING_CONFIRMATION, (409, "pending")),
        (Status.NEEDS_REAUTH, Reason.GRANT_REJECTED, (409, "reauthorization_required")),
        (Status.REVOKED, Reason.REVOKED_BY_OPERATOR, (409, "reauthorization_required")),
        (Status.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST, (404, "not_found")),
        (Status.SUSPECT, Reason.PROBE_REFUSED, None),
    ],
)
def test_the_connections_state_counts_as_for_a_vend(
    status: Status,
    reason: Reason,
    expected: tuple[int, str] | None,
    agent: Caller,
    connection: Connection,
    upstream: Upstream,
) -> None:
    overwrite(connection, status=status, reason=reason)
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert reply.status == 200 if expected is None else reply.refused == expected
    assert len(upstream.seen) == (expected is None)


def test_scopes_that_the_caller_needs_have_to_be_granted(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    address = address_of(connection, "a")
    assert proxied(agent, "GET", address, headers={"Latchkey-Scopes": "files.read"}).status == 200
    assert proxied(agent, "GET", address, headers={"Latchkey-Scopes": "files.read admin"}).refused == (
        403,
        "insufficient_scope",
    )


def test_an_expired_credential_that_cannot_be_refreshed_is_not_sent(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    expire_in(connection, -5, refreshable=False)
    assert proxied(agent, "GET", address_of(connection, "a")).refused == (409, "reauthorization_required")
    assert upstream.seen == []


def test_a_use_is_noticed_as_a_vend_is(agent: Caller, connection: Connection) -> None:
    assert connection.last_vended_at is None
    proxied(agent, "GET", address_of(connection, "a"))
    connection.refresh_from_db()
    assert connection.last_vended_at is not None


# --- Under an access grant --------------------------------------------------------------------------------------------
def grant(connection: Connection, **terms: Any) -> AccessGrant:
    named: dict[str, Any] = {"subject_kind": SubjectKind.END_USER, "subject": "bob", "connection_id": connection.id}
    return give(Terms(**{**named, **terms}), tenant=connection.tenant, now=database_now(), actor=SYSTEM)[0]


def test_another_end_user_may_do_what_a_grant_says(
    acme: Tenant, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    given = grant(connection, methods=["GET"], paths=["/a/**"])
    assert proxied(agent, "GET", address_of(connection, "a/b"), end_user="bob").status == 200
    assert last().detail["grant"] == str(given.id)
    for method, path in (("POST", "a/b"), ("GET", "c")):
        reply = proxied(agent, method, address_of(connection, path), end_user="bob")
        assert reply.refused == (403, "policy_denied")
        assert last().detail["grant"] == str(given.id)
    assert len(upstream.seen) == 1


def test_a_client_without_rules_may_do_what_a_grant_says_that_names_paths(
    acme: Tenant, connection: Connection, upstream: Upstream
) -> None:
    bare = make_agent(acme, name="bare")
    grant(connection, paths=["/a/**"])
    assert proxied(bare, "GET", address_of(connection, "a/b"), end_user="bob").status == 200
    assert proxied(bare, "GET", address_of(connection, "a/b")).refused == (403, "policy_denied")
    narrow = make_agent(acme, "sandbox GET /other", name="narrow")
    assert proxied(narrow, "GET", address_of(connection, "a/b"), end_user="bob").refused == (403, "policy_denied")
    assert len(upstream.seen) == 1


def test_a_grant_without_paths_says_nothing_for_a_client_without_rules(
    acme: Tenant, connection: Connection, upstream: Upstream
) -> None:
    grant(connection)
    bare = make_agent(acme, name="bare")
    assert proxied(bare, "GET", address_of(connection, "a"), end_user="bob").refused == (403, "policy_denied")
    assert upstream.seen == []


# --- In the middle ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["connection", "client", "key", "grant"])
def test_what_is_switched_off_stops_in_the_middle_of_a_stream(
    who: str, agent: Caller, connection: Connection, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0.05)
    grant(connection, paths=["/a"])

    def throw() -> None:
        if who == "grant":
            AccessGrant.objects.update(revoked_at=database_now())
        elif who == "key":
            ApiKey.objects.filter(client=agent.client).update(revoked_at=database_now())
        else:
            switches.suspend(connection if who == "connection" else agent.client, now=database_now(), actor=SYSTEM)

    upstream.handle = lambda wire: (wire.answer(b"HTTP/1.1 200 OK\r\n\r\nfirst"), wire.has_been_left(10))[0]
    reply = proxied(agent, "GET", address_of(connection, "a"), at_first_part=throw, end_user="bob")
    assert (reply.status, reply.is_whole) == (200, False)
    assert AuditEvent.objects.filter(action="connection.proxied")[0].decision == "suspended"
