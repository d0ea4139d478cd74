"""Refresh quarantine by the API: how it stands, whose refreshes wait, their release; and what a held vend is told."""

import uuid
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.lifecycle.steer.bulk import continue_bulk
from connections.models import (
    AuditEvent,
    Connection,
    HeldConnection,
    Installation,
    Permission,
    Tenant,
    TokenVerdict,
)
from tests.connections.api.stored import expire_in, make_connection
from tests.factories import Caller, make_caller
from tests.flows import call

MAY = [Permission.READ, Permission.MANAGE, Permission.VEND]


@pytest.fixture
def keeper(acme: Tenant) -> Caller:
    return make_caller(acme, "keeper", MAY)


@pytest.fixture
def held(acme: Tenant, globex: Tenant) -> dict[str, Connection]:
    """Three of acme's that wait, one of them with a used token, one of acme's that does not, and one of globex's."""
    now = database_now()
    Installation.objects.create(quarantined_at=now, sorted_at=now, cause="restored")
    rows = {name: make_connection(acme, end_user=name) for name in ("a", "b", "used", "free")}
    rows["other"] = make_connection(globex, end_user="a")
    for name, row in rows.items():
        if name != "free":
            verdict = TokenVerdict.USED if name == "used" else TokenVerdict.UNKNOWN
            HeldConnection.objects.create(connection=row, verdict=verdict, held_at=database_now())
    return rows


def listed(caller: Caller, **query: str) -> list[str]:
    """Read all pages of one item, and return whose connections they name."""
    found, cursor = [], ""
    while True:
        asked = "&".join(f"{name}={value}" for name, value in ({"limit": "1"} | query).items()) + cursor
        page = call(caller, "GET", f"/quarantine/connections?{asked}").json()
        found += page["items"]
        if page["next"] is None:
            return sorted(item["end_user"] for item in found)
        cursor = f"&cursor={page['next']}"


def release(caller: Caller, row: Connection, **body: Any) -> str:
    answer = call(caller, "POST", f"/connections/{row.id}/release", body)
    assert answer.status_code == 200, answer.content
    outcome: str = answer.json()["outcome"]
    return outcome


def test_it_stands_as_it_is_seen_by_each(keeper: Caller, held: dict[str, Connection]) -> None:
    own = call(keeper, "GET", "/quarantine").json()
    assert own["tenants"] == [{"tenant": "acme", "waits": 3, "used": 1, "vends": 3}]
    assert (own["active"], own["sorted"], own["cause"], own["data_from"]) == (True, True, "restored", None)
    operator = make_caller(None, "operator", MAY)
    every = call(operator, "GET", "/quarantine").json()["tenants"]
    assert [(one["tenant"], one["waits"]) for one in every] == [("acme", 3), ("globex", 1)]


def test_without_one_nothing_waits(keeper: Caller) -> None:
    Installation.objects.all().delete()
    assert call(keeper, "GET", "/quarantine").json() == {
        "active": False,
        "sorted": True,
        "begun_at": None,
        "cause": None,
        "data_from": None,
        "tenants": [],
    }


def test_what_waits_is_listed_by_pages_and_filters(keeper: Caller, held: dict[str, Connection]) -> None:
    assert listed(keeper) == ["a", "b", "used"]
    assert listed(keeper, verdict="used") == ["used"]
    assert listed(keeper, end_user="b", provider="sandbox") == ["b"]
    assert listed(keeper, provider="hubspot") == []
    operator = make_caller(None, "operator", MAY)
    assert listed(operator, tenant="globex") == ["a"]
    assert call(operator, "GET", "/quarantine/connections").status_code == 422, "an operator-wide client names one"


def test_one_is_released_once_and_a_used_token_only_if_that_is_said(
    keeper: Caller, held: dict[str, Connection]
) -> None:
    assert [release(keeper, held["a"]) for _ in range(2)] == ["released", "not_held"]
    assert release(keeper, held["free"]) == "not_held"
    assert release(keeper, held["used"]) == "token_used"
    assert listed(keeper) == ["b", "used"]
    assert release(keeper, held["used"], with_used=True) == "released"
    told = AuditEvent.objects.filter(action="quarantine.release", api_client_id=keeper.client.id)
    assert set(told.values_list("connection_id", flat=True)) == {held["a"].id, held["used"].id}


def test_until_it_is_sorted_nothing_is_released(keeper: Caller, held: dict[str, Connection]) -> None:
    Installation.objects.update(sorted_at=None, quarantined_at=database_now())
    assert release(keeper, held["a"]) == "unsorted"
    assert HeldConnection.objects.count() == 4
    assert call(keeper, "GET", "/quarantine").json()["sorted"] is False
    job = call(keeper, "POST", "/bulk-jobs", {"act": "release", "everything": True}).json()
    assert job["total"] == 4, "everything of the tenant's is held"
    continue_bulk(now=database_now())
    assert HeldConnection.objects.count() == 4
    Installation.objects.update(sorted_at=database_now())
    continue_bulk(now=database_now())
    job = call(keeper, "GET", f"/bulk-jobs/{job['id']}").json()
    assert job["outcomes"] == {"released": 2, "token_used": 1, "not_held": 1}


def test_another_tenants_is_never_released(keeper: Caller, held: dict[str, Connection]) -> None:
    for key in (held["other"].id, uuid.uuid4()):
        answer = call(keeper, "POST", f"/connections/{key}/release", {"with_used": True})
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such connection.")
    named = {"act": "release", "connections": [str(held["other"].id), str(held["a"].id)]}
    assert call(keeper, "POST", "/bulk-jobs", named).json()["total"] == 1
    continue_bulk(now=database_now())
    assert HeldConnection.objects.filter(connection=held["other"]).exists()


def test_all_of_a_tenant_are_released_in_the_background(keeper: Caller, held: dict[str, Connection]) -> None:
    job = call(keeper, "POST", "/bulk-jobs", {"act": "release", "everything": True}).json()
    assert job["total"] == 3, "what is not held is no row of it"
    continue_bulk(now=database_now())
    job = call(keeper, "GET", f"/bulk-jobs/{job['id']}").json()
    assert job["outcomes"] == {"released": 2, "token_used": 1}
    assert listed(keeper) == ["used"]


@pytest.mark.parametrize(("is_sorted", "seconds"), [(True, "300"), (False, "5")])
def test_a_vend_that_needs_its_refresh_is_told_why_and_when_to_ask_again(
    transactional_db: None, keeper: Caller, held: dict[str, Connection], is_sorted: bool, seconds: str
) -> None:
    if not is_sorted:
        Installation.objects.update(sorted_at=None, quarantined_at=database_now())
    vend = f"/connections/{held['a'].id}/credential"
    assert call(keeper, "POST", vend, {"end_user": "a"}).status_code == 200, "it vends while it is valid"
    expire_in(held["a"], -1)
    refused = call(keeper, "POST", vend, {"end_user": "a"})
    assert (refused.status_code, refused.json()["code"]) == (423, "quarantined")
    assert "refresh quarantine" in refused.json()["detail"]
    assert refused["Retry-After"] == seconds
    assert "connect_url" in refused.json()


def test_a_cursor_of_another_kind_is_refused(keeper: Caller, held: dict[str, Connection]) -> None:
    first = call(keeper, "GET", "/quarantine/connections?limit=1").json()["next"]
    for query in (f"cursor={first}&verdict=used", "cursor=AAAA", f"cursor={first[:12]}"):
        answer = call(keeper, "GET", f"/quarantine/connections?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), query
