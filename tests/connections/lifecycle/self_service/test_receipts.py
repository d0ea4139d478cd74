"""Receipts: who used a connection, found without reading what is not theirs, page by page."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.database.clock import database_now
from connections.journal.audit import ALLOWED
from connections.lifecycle.proxy.permit import ACTION
from connections.lifecycle.proxy.record_end import ENDED
from connections.lifecycle.self_service import receipts as module
from connections.lifecycle.self_service.receipts import Wanted, groups, receipts
from connections.models import AuditEvent, Connection, Tenant
from connections.models.audit_event import PART_BITS
from tests.connections.api.stored import make_connection
from tests.factories import Caller, make_caller
from tests.flows import call


def used(connection: Connection, **values: Any) -> int:
    """Write the audit row of one vend, and return its id."""
    row = {"action": "credential.vend", "decision": ALLOWED, "tenant_id": connection.tenant_id, **values}
    return AuditEvent.objects.create(connection_id=connection.id, **row).id


def ids(page: module.Page) -> list[int]:
    return [use.id for use in page.uses]


def test_a_vend_leaves_a_receipt_that_says_who_and_for_what(connection: Connection, backend: Caller) -> None:
    body = {"end_user": connection.end_user, "purpose": "nightly sync", "agent": "planner", "scopes": ["files.read"]}
    assert call(backend, "POST", f"/connections/{connection.id}/credential", body).status_code == 200
    (receipt,) = call(backend, "GET", f"/connections/{connection.id}/receipts").json()["items"]
    assert receipt["client"] == {"id": str(backend.client.id), "name": backend.client.name}
    assert receipt["kind"] == "credential"
    assert (receipt["purpose"], receipt["agent"]) == ("nightly sync", "planner")
    assert (receipt["end_user"], receipt["scopes"]) == (connection.end_user, ["files.read"])
    assert receipt["version"] == str(connection.current_version_id)


def test_a_proxied_call_is_a_use_too(connection: Connection, backend: Caller) -> None:
    used(connection, action=ACTION)
    used(connection, action=ENDED)
    (receipt,) = call(backend, "GET", f"/connections/{connection.id}/receipts").json()["items"]
    assert receipt["kind"] == "request"


def test_who_was_verified_is_told_from_who_was_only_named(connection: Connection, backend: Caller) -> None:
    used(connection, subject="alice", agent="planner")
    used(connection, subject="alice", agent="planner", detail={"verified": {"agent": "https://agents.example"}})
    verified, named = call(backend, "GET", f"/connections/{connection.id}/receipts").json()["items"]
    assert verified["verified"] == {"end_user": None, "agent": "https://agents.example"}
    assert named["verified"] == {"end_user": None, "agent": None}
    told = groups(receipts(connection.id, limit=10))
    assert [(group.agent, group.agent_is_verified) for group in told] == [("planner", True), ("planner", False)]


def test_what_was_refused_is_no_use(connection: Connection, backend: Caller) -> None:
    answer = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "somebody else"})
    assert answer.status_code == 403
    assert AuditEvent.objects.filter(connection_id=connection.id, action="credential.vend").exists()
    assert call(backend, "GET", f"/connections/{connection.id}/receipts").json() == {"items": [], "next": None}


def test_only_the_uses_of_this_connection_count(connection: Connection, acme: Tenant) -> None:
    other = make_connection(acme, end_user="bob")
    mine = used(connection)
    used(other)
    used(connection, action="connection.probe")
    assert ids(receipts(connection.id, limit=10)) == [mine]


def test_pages_follow_one_another_over_the_parts_of_the_table(connection: Connection) -> None:
    """The ids lie four parts apart, as in a table of millions of rows."""
    far = [part << PART_BITS | 5 for part in (3, 4, 9, 10)]
    made = [used(connection), *(used(connection, id=number) for number in far)]
    found: list[int] = []
    before = None
    for _ in range(3):
        page = receipts(connection.id, before=before, limit=2)
        found += ids(page)
        before = page.next
    assert found == sorted(made, reverse=True)
    assert before is None


def test_a_page_reads_no_older_part_than_it_needs(connection: Connection) -> None:
    for number in (1 << PART_BITS, 20 << PART_BITS, (20 << PART_BITS) + 1):
        used(connection, id=number)
    with CaptureQueriesContext(database) as asked:
        receipts(connection.id, limit=1)
    assert len(asked) == 2  # the ends of the table, and its newest part


def test_a_filter_leaves_out_and_goes_on(connection: Connection, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EXAMINED", 3)
    agent = make_caller(acme, "agent").client
    wanted = used(connection, api_client_id=agent.id, agent="planner", purpose="report", subject="alice")
    for _ in range(4):
        used(connection, agent="other")
    filters = [
        Wanted(api_client=agent.id),
        Wanted(agent="planner"),
        Wanted(purpose="report"),
        Wanted(subject="alice"),
    ]
    for one in filters:
        first = receipts(connection.id, limit=10, wanted=one)
        assert (ids(first), first.next is not None) == ([], True)
        second = receipts(connection.id, before=first.next, limit=10, wanted=one)
        assert (ids(second), second.next) == ([wanted], None)
    assert ids(receipts(connection.id, limit=10, wanted=Wanted(subject="bob"))) == []


def test_a_full_page_of_a_filter_goes_on_from_its_last_use(connection: Connection) -> None:
    made = [used(connection, agent="planner") for _ in range(3)]
    page = receipts(connection.id, limit=2, wanted=Wanted(agent="planner"))
    assert ids(page) == made[:0:-1]
    assert ids(receipts(connection.id, before=page.next, limit=2, wanted=Wanted(agent="planner"))) == made[:1]


def test_uses_are_grouped_by_who_and_what_for(connection: Connection, backend: Caller) -> None:
    now = database_now()
    for hours, purpose in ((3, "sync"), (2, "sync"), (1, "report")):
        used(connection, api_client_id=backend.client.id, purpose=purpose, at=now - timedelta(hours=hours))
    used(connection, api_client_id=uuid.uuid4(), purpose="sync", at=now)
    told = [(group.client, group.purpose, group.count) for group in groups(receipts(connection.id, limit=10))]
    assert told == [("", "sync", 1), (backend.client.name, "report", 1), (backend.client.name, "sync", 2)]
    sync = groups(receipts(connection.id, limit=10))[2]
    assert (sync.first_at, sync.last_at) == (now - timedelta(hours=3), now - timedelta(hours=2))


@pytest.mark.parametrize("cursor", ["", "x", "dXNlOi0x", "b3RoZXI6MQ==", "ü", "dXNlOjEyMzQ1Njc4OTAxMjM0NTY3ODkw"])
def test_a_cursor_of_nobody_s_is_refused(cursor: str, connection: Connection, backend: Caller) -> None:
    answer = call(backend, "GET", f"/connections/{connection.id}/receipts?cursor={cursor}")
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


def test_the_api_pages_by_its_cursor(connection: Connection, backend: Caller) -> None:
    made = [str(used(connection)) for _ in range(3)]
    first = call(backend, "GET", f"/connections/{connection.id}/receipts?limit=2").json()
    second = call(backend, "GET", f"/connections/{connection.id}/receipts?limit=2&cursor={first['next']}").json()
    assert [item["id"] for item in (*first["items"], *second["items"])] == made[::-1]
    assert second["next"] is None
