"""Bulk jobs by the API: one act on many connections of one tenant, its rows, its end; and exports without a secret."""

import uuid
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.lifecycle.steer.bulk import continue_bulk
from connections.models import AuditEvent, BulkJob, Connection, CredentialVersion, Permission, Tenant
from tests.connections.api.stored import make_connection
from tests.factories import Caller, make_caller
from tests.flows import call


@pytest.fixture
def keeper(acme: Tenant) -> Caller:
    return make_caller(acme, "keeper", [Permission.READ, Permission.MANAGE])


@pytest.fixture
def own(acme: Tenant) -> list[Connection]:
    return [make_connection(acme, end_user=f"user-{number}") for number in range(3)]


@pytest.fixture
def foreign(globex: Tenant) -> Connection:
    return make_connection(globex, end_user="user-0")


def order(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = call(caller, "POST", "/bulk-jobs", body)
    assert answer.status_code == 202, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_a_job_is_ordered_done_and_reported_row_by_row(keeper: Caller, own: list[Connection]) -> None:
    job = order(keeper, act="pause", everything=True)
    assert (job["state"], job["total"], job["settled"], job["client"]) == ("under_way", 3, 0, str(keeper.client.id))
    continue_bulk(now=database_now())
    job = call(keeper, "GET", f"/bulk-jobs/{job['id']}").json()
    assert (job["state"], job["settled"], job["outcomes"]) == ("done", 3, {"turned": 3})
    first = call(keeper, "GET", f"/bulk-jobs/{job['id']}/rows?limit=2").json()
    last = call(keeper, "GET", f"/bulk-jobs/{job['id']}/rows?limit=2&cursor={first['next']}").json()
    rows = [*first["items"], *last["items"]]
    assert {row["connection"] for row in rows} == {str(one.id) for one in own}
    assert {(row["outcome"], row["success"], row["result"]) for row in rows} == {("turned", True, None)}
    assert last["next"] is None
    assert call(keeper, "GET", "/bulk-jobs").json()["items"] == [job]
    by = AuditEvent.objects.filter(action__in=("bulk.ordered", "connection.paused")).values_list("api_client_id")
    assert {one for (one,) in by} == {keeper.client.id}, "who ordered it is who did it"


@pytest.mark.parametrize("named", [{"end_user": "user-0"}, {"provider": "sandbox"}, {"status": "active"}])
def test_filters_and_names_never_reach_another_tenant(
    keeper: Caller, own: list[Connection], foreign: Connection, named: dict[str, str]
) -> None:
    ids = [str(one.id) for one in (own[0], foreign)]
    for body in (named, {"connections": ids}, {"connections": [str(foreign.id)]}, {"everything": True}):
        job = order(keeper, act="suspend", **body)
        assert not BulkJob.objects.get(id=job["id"]).rows.filter(connection=foreign).exists()
    continue_bulk(now=database_now())
    foreign.refresh_from_db()
    assert foreign.suspended_at is None


def test_a_job_that_says_not_which_or_too_much_is_refused(keeper: Caller, own: list[Connection]) -> None:
    for body in ({}, {"connections": []}, {"everything": False}, {"everything": True, "end_user": "user-0"}):
        assert call(keeper, "POST", "/bulk-jobs", {"act": "disconnect", **body}).status_code == 422
    assert call(keeper, "POST", "/bulk-jobs", {"act": "vend", "everything": True}).status_code == 422
    assert not BulkJob.objects.exists()


def test_only_an_operator_takes_kill_switches_back(keeper: Caller, own: list[Connection], foreign: Connection) -> None:
    refused = call(keeper, "POST", "/bulk-jobs", {"act": "resume", "everything": True})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    operator = make_caller(None, "operator", list(Permission))
    Connection.objects.update(suspended_at=database_now())
    order(operator, act="resume", everything=True, tenant="acme")
    continue_bulk(now=database_now())
    assert set(Connection.objects.filter(suspended_at=None)) == set(own)


def test_a_cancelled_job_does_nothing_more(keeper: Caller, own: list[Connection]) -> None:
    job = order(keeper, act="disconnect", everything=True)
    for _ in range(2):
        answer = call(keeper, "POST", f"/bulk-jobs/{job['id']}/cancel").json()
        assert answer["state"] == "cancelling"
    continue_bulk(now=database_now())
    job = call(keeper, "GET", f"/bulk-jobs/{job['id']}").json()
    assert (job["state"], job["outcomes"]) == ("cancelled", {"cancelled": 3})
    assert Connection.objects.filter(status="active").count() == 3
    assert AuditEvent.objects.filter(action="bulk.cancelled").count() == 1


def test_another_tenants_job_is_not_there(keeper: Caller, own: list[Connection], globex: Tenant) -> None:
    job = order(keeper, act="export", everything=True)
    stranger = make_caller(globex, "stranger", [Permission.READ, Permission.MANAGE])
    for method, path in (("GET", ""), ("GET", "/rows"), ("POST", "/cancel")):
        for key in (job["id"], uuid.uuid4()):
            answer = call(stranger, method, f"/bulk-jobs/{key}{path}")
            assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such bulk job.")
    assert call(stranger, "GET", "/bulk-jobs").json()["items"] == []
    assert BulkJob.objects.get().cancelled_at is None


def test_an_export_says_how_each_stood_and_nothing_secret(keeper: Caller, own: list[Connection]) -> None:
    job = order(keeper, act="export", everything=True)
    continue_bulk(now=database_now())
    Connection.objects.update(status="needs_reauth", reason="grant_rejected")
    answer = call(keeper, "GET", f"/bulk-jobs/{job['id']}/rows")
    for row in answer.json()["items"]:
        assert (row["outcome"], row["result"]["status"]) == ("exported", "active"), "as it stood then"
    stored = [version.secrets.stored.decode()[:40] for version in CredentialVersion.objects.all()]
    assert stored
    assert not any(secret in answer.content.decode() for secret in stored)
