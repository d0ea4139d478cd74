"""``/forecast``: a tenant's own, by date, page by page."""

from datetime import timedelta
from typing import Any

import pytest

from connections.api.pages import write_cursor
from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, Cause
from connections.models import ApiClient, Tenant
from tests.connections.api.stored import make_app
from tests.connections.lifecycle.forecast.rows import certificate, ending
from tests.factories import Caller
from tests.flows import call

pytestmark = pytest.mark.django_db(transaction=True)


def listed(backend: Caller, query: str = "", *, status: int = 200) -> dict[str, Any]:
    answer = call(backend, "GET", f"/forecast{query}")
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_lists_what_ends_by_date_with_cause_and_advice(acme: Tenant, backend: Caller) -> None:
    now = database_now()
    rows = [ending(acme, cause, now + timedelta(days=number)) for number, cause in enumerate(OF_CONNECTIONS, start=1)]
    key = certificate(make_app(acme), now + timedelta(days=9))
    ending(acme, Cause.GRANT, now + timedelta(days=40))
    items = listed(backend)["items"]
    assert [item["connection"] for item in items] == [*(str(row.id) for row in rows), None]
    assert [item["cause"] for item in items] == [*OF_CONNECTIONS, Cause.CERTIFICATE]
    assert items[-1]["provider_app"] == str(key.provider_app_id)
    assert all(item["detail"] for item in items)
    assert [item["ends_at"] is None for item in items] == [cause is Cause.CROWDED for cause in OF_CONNECTIONS] + [False]
    assert len(listed(backend, "?days=60")["items"]) == len(OF_CONNECTIONS) + 2


def test_pages_lead_through_all(acme: Tenant, backend: Caller) -> None:
    at = database_now() + timedelta(days=2)
    made = {str(ending(acme, cause, at).id) for cause in OF_CONNECTIONS}
    read, cursor = [], ""
    while True:
        page = listed(backend, f"?limit=2{cursor}")
        read += [item["connection"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(read) == len(made)
    assert set(read) == made


def test_another_tenants_are_neither_listed_nor_asked_for(acme: Tenant, globex: Tenant, backend: Caller) -> None:
    theirs = ending(globex, Cause.GRANT, database_now() + timedelta(days=2))
    certificate(theirs.provider_app, database_now() + timedelta(days=2))
    certificate(make_app(None), database_now() + timedelta(days=2))
    assert listed(backend)["items"] == []
    assert listed(backend, "?tenant=globex", status=404)["code"] == "not_found"


def test_narrows_to_a_cause_and_a_provider(acme: Tenant, backend: Caller) -> None:
    for cause in OF_CONNECTIONS:
        ending(acme, cause, database_now() + timedelta(days=2))
    assert [item["cause"] for item in listed(backend, "?cause=key_is_old")["items"]] == ["key_is_old"]
    assert listed(backend, "?provider=hubspot")["items"] == []


@pytest.mark.parametrize("query", ["?days=0", "?days=401", "?days=x", "?cause=boredom", "?limit=0", "?dais=3"])
def test_what_cannot_be_meant_is_refused(query: str, backend: Caller) -> None:
    assert listed(backend, query, status=422)["code"] == "invalid_request"


def test_a_cursor_of_another_list_is_refused(acme: Tenant, backend: Caller) -> None:
    for _ in range(2):
        ending(acme, Cause.GRANT, database_now() + timedelta(days=2))
    cursor = listed(backend, "?limit=1")["next"]
    assert listed(backend, f"?limit=1&days=31&cursor={cursor}", status=422)["field"] == "cursor"
    of = f"forecast {acme.id} 30 None None"
    for position in ("x", "0001-01-01T00:00:00+00:00|grant_ends|5d0f2f1c-7bd4-42bf-b5a0-e1d9c4f0a3b6"):
        assert listed(backend, f"?cursor={write_cursor(position, of=of)}", status=422)["field"] == "cursor"


def test_needs_the_permission_to_read(backend: Caller) -> None:
    ApiClient.objects.update(permissions=["vend"])
    assert listed(backend, status=403)["code"] == "permission_denied"
