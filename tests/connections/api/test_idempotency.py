"""``Idempotency-Key``: a POST that is repeated does nothing, and gets the first answer."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection as database
from django.http import HttpResponse

from connections.api.document import NOT_ONCE
from connections.lifecycle.steer.switches import Suspendable
from connections.models import AccessGrant, ApiClient, ConnectSession, KeptAnswer, Permission, Tenant
from tests.connections.api.described import DESCRIBED, Described
from tests.connections.api.stored import make_app, make_connection
from tests.connections.api.test_problems import assert_problem
from tests.connections.api.victim import SHARED
from tests.factories import RETURN_URL, Caller, make_caller, make_tenant
from tests.flows import call

SESSION = {"end_user": "alice", "provider": "sandbox", "return_url": RETURN_URL.format(slug="acme")}
POSTS = [operation for operation in DESCRIBED if operation.method == "POST"]
TAKE_A_KEY = [operation for operation in POSTS if operation.told["operationId"] not in NOT_ONCE]


def post(caller: Caller, key: str, path: str = "/connect-sessions", body: Any = None) -> HttpResponse:
    return call(caller, "POST", path, SESSION if body is None else body, headers={"Idempotency-Key": key})


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


@pytest.fixture(autouse=True)
def _app(request: pytest.FixtureRequest) -> None:
    if "acme" in request.fixturenames:
        make_app(request.getfixturevalue("acme"))


def test_a_session_is_made_once(acme: Tenant, backend: Caller, key: str) -> None:
    first, second = post(backend, key), post(backend, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert second["Content-Type"] == first["Content-Type"]
    assert ConnectSession.objects.count() == 1


def test_a_key_with_or_without_quotes_is_one_key(acme: Tenant, backend: Caller, key: str) -> None:
    assert post(backend, key).content == post(backend, f'"{key}"').content


def test_another_body_path_or_query_under_the_key_is_refused(acme: Tenant, backend: Caller, key: str) -> None:
    ApiClient.objects.update(permissions=list(Permission))
    post(backend, key)
    for path, body in (
        ("/connect-sessions", {**SESSION, "end_user": "bob"}),
        ("/webhook-endpoints?tenant=acme", {"url": "https://hooks.example/in"}),
        ("/management-sessions", {"end_user": "alice", "return_url": SESSION["return_url"]}),
    ):
        refused = assert_problem(post(backend, key, path, body), 422, "idempotency_key_reused")
        assert refused["field"] == "Idempotency-Key"
    assert ConnectSession.objects.count() == 1


def test_a_key_is_the_clients_own(acme: Tenant, backend: Caller, key: str) -> None:
    other, operator = make_caller(acme, "other"), make_caller(None, "operator")
    answers = [post(caller, key) for caller in (backend, other)]
    answers.append(post(operator, key, body={**SESSION, "tenant": "acme"}))
    assert len({answer.json()["id"] for answer in answers}) == 3


def test_an_operator_s_answer_about_a_tenant_goes_with_that_tenant(acme: Tenant, key: str) -> None:
    operator = make_caller(None, "operator")
    post(operator, key, body={**SESSION, "tenant": "acme"})
    assert KeptAnswer.objects.get().tenant == acme
    assert post(operator, key, body={**SESSION, "tenant": "acme"})["Idempotent-Replayed"] == "true"


def test_an_error_is_not_kept(acme: Tenant, backend: Caller, key: str) -> None:
    wrong = {**SESSION, "return_url": "https://elsewhere.example/"}
    assert post(backend, key, body=wrong).status_code == 422
    assert not KeptAnswer.objects.exists()
    assert post(backend, key).status_code == 201


def test_a_key_gives_nothing_to_a_client_that_may_no_longer_call(
    acme: Tenant, backend: Caller, key: str, switch_off: Callable[[Suspendable], None]
) -> None:
    post(backend, key)
    ApiClient.objects.update(permissions=[Permission.READ])
    assert_problem(post(backend, key), 403, "permission_denied")
    switch_off(backend.client)
    assert_problem(post(backend, key), 423, "suspended")


@pytest.mark.parametrize("wrong", ["", " ", "a b", "ü", "x" * 256, '"', 'a"b', "a\\b"])
def test_what_is_no_key_is_refused_by_name(acme: Tenant, backend: Caller, wrong: str) -> None:
    refused = assert_problem(post(backend, wrong), 422, "invalid_request")
    assert refused["field"] == "Idempotency-Key"


def test_other_methods_take_no_notice(acme: Tenant, backend: Caller, key: str) -> None:
    for _ in range(2):
        answer = call(backend, "GET", "/connections", headers={"Idempotency-Key": key})
        assert (answer.status_code, "Idempotent-Replayed" in answer) == (200, False)
    assert not KeptAnswer.objects.exists()


def test_an_erasure_forgets_the_answer_and_the_call_is_not_repeated(acme: Tenant, backend: Caller, key: str) -> None:
    post(backend, key)
    erased = call(backend, "DELETE", "/end-users/alice?mode=erase")
    assert erased.status_code == 200, erased.content
    assert_problem(post(backend, key), 410, "idempotent_answer_gone")
    assert not ConnectSession.objects.exists()
    assert KeptAnswer.objects.get().answer is None


@pytest.mark.parametrize("operation", TAKE_A_KEY, ids=str)
def test_every_post_says_that_it_takes_a_key_and_does(operation: Described, acme: Tenant) -> None:
    manager = make_caller(None, "manager", list(Permission))
    assert "Idempotency-Key" in {parameter["name"] for parameter in operation.told["parameters"]}
    named = {place: SHARED.get(place) or str(uuid.uuid4()) for place in operation.places}
    answer = operation.call(manager, named, tenant="acme", headers={"Idempotency-Key": "no key"})
    assert assert_problem(answer, 422, "invalid_request")["field"] == "Idempotency-Key"


def test_those_that_take_none_say_so() -> None:
    for operation in POSTS:
        if operation not in TAKE_A_KEY:
            assert "Idempotency-Key" not in {one["name"] for one in operation.told["parameters"]}
    assert {operation.told["operationId"] for operation in POSTS} >= {*NOT_ONCE}


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_grant_and_get_one_answer() -> None:
    connection = make_connection(make_tenant("acme"))
    granter = make_caller(connection.tenant, "granter", [Permission.GRANT])
    begin, key = threading.Barrier(6), str(uuid.uuid4())
    body = {"subject": {"kind": "end_user", "id": "bob"}, "connection": str(connection.id), "note": "once"}

    def send(_number: int) -> tuple[int, str]:
        begin.wait()
        answer = post(granter, key, "/access-grants", body)
        database.close()
        if answer.status_code == 409:
            assert answer["Retry-After"] == "1"
        return answer.status_code, answer.json().get("id", answer.json().get("code"))

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(send, range(6)))
    made = str(AccessGrant.objects.get().id)
    assert (201, made) in answers
    assert answers <= {(201, made), (409, "idempotency_key_in_use")}
