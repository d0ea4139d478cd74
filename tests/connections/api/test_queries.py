"""Queries: what an operation does not know is refused by name, and never ignored."""

import pytest

from connections.models import Connection, Permission
from tests.asgi_client import AsgiClient
from tests.connections.api.described import DESCRIBED, Described
from tests.connections.api.test_matrix import victims
from tests.connections.api.test_problems import assert_problem
from tests.connections.api.victim import Victim, make_victim
from tests.factories import Caller, make_caller
from tests.flows import call

ELSEWHERE = ("/proxy/", "/oauth/token")  # the provider's own query; RFC 6749 §3.2 has unknown parameters ignored
OPERATIONS = [one for one in DESCRIBED if not any(part in one.path for part in ELSEWHERE)]


@pytest.fixture(scope="module")
def victim(module_db: None) -> Victim:
    return make_victim()


@pytest.fixture(scope="module")
def manager(module_db: None) -> Caller:
    return make_caller(None, "manager", list(Permission))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_unknown_parameter_is_refused_by_name(
    operation: Described, victim: Victim, manager: Caller, db: None
) -> None:
    query = {"tenannt": victim.tenant.slug}
    answer = operation.call(manager, victims(operation, victim), tenant=victim.tenant.slug, query=query)
    told = assert_problem(answer, 422, "invalid_request")
    known = [one["name"] for one in operation.told["parameters"] if one["in"] == "query"]
    assert told["field"] == "tenannt"
    assert told["detail"].endswith(f"'tenannt'. Known are: {', '.join(sorted(known)) or 'none'}.")


def test_a_stranger_is_not_told_what_is_known(db: None) -> None:
    assert_problem(call(None, "GET", "/connections?tenannt=acme"), 401, "unauthorized")


def test_a_vend_is_not_made_by_a_query(connection: Connection, backend: Caller) -> None:
    path = f"/connections/{connection.id}/credential"
    body = {"end_user": connection.end_user}
    assert call(backend, "POST", path, body).status_code == 200
    assert_problem(call(backend, "POST", f"{path}?end_user=bob", body), 422, "invalid_request")


def test_only_what_may_be_repeated_comes_twice(connection: Connection, backend: Caller) -> None:
    assert call(backend, "GET", "/connections?status=active&status=suspect").status_code == 200
    told = assert_problem(call(backend, "GET", "/connections?limit=1&limit=2"), 422, "invalid_request")
    assert told["field"] == "limit"


def test_a_long_name_is_told_in_part(backend: Caller) -> None:
    told = assert_problem(call(backend, "GET", f"/connections?{'x' * 5000}=1"), 422, "invalid_request")
    assert len(told["detail"]) < 300


def test_a_token_request_keeps_what_its_address_holds(db: None) -> None:
    answer = AsgiClient().post(
        "/api/v1/oauth/token?region=eu", {"grant_type": "x"}, "application/x-www-form-urlencoded"
    )
    assert "region" not in answer.content.decode()
