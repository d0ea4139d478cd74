"""Whatever is sent, the answer is a problem document with a stable code, and never a crash."""

import json
from typing import Any

import pytest
from django.db import connection as database
from django.http import HttpResponse

from connections.models import Connection, Permission, Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.operations import OPERATIONS, Operation
from tests.factories import Caller, make_caller
from tests.flows import call

PERMISSIONS = [permission for permission in Permission if permission not in (Permission.TENANTS, Permission.CATALOGUE)]
with_body = pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.body is not None and not operation.is_form],
    ids=str,
)


def assert_problem(answer: HttpResponse, status: int, code: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, document["code"]) == (status, code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    assert document["status"] == status
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["detail"]
    return document


@pytest.fixture
def caller(acme: Tenant) -> Caller:
    return make_caller(acme, "all", PERMISSIONS)


def send(operation: Operation, caller: Caller, connection: Connection, body: str) -> HttpResponse:
    path = operation.path
    for name in ("{connection_id}", "{session_id}"):
        path = path.replace(name, str(connection.id))
    return call(caller, operation.method, path.replace("{slug}", "initech"), body)


@with_body
def test_a_body_that_is_no_json_object_is_refused(
    operation: Operation, acme: Tenant, connection: Connection, caller: Caller
) -> None:
    if operation.permission is Permission.TENANTS:
        caller = make_caller(None, "operator", [Permission.TENANTS])
    for body in ("[]", '"text"', "null", "7", "true", ""):
        assert_problem(send(operation, caller, connection, body), 422, "invalid_request")
    for body in ("{", "{'a': 1}", "\x00", '{"a": 1}}', "[" * 100_000, "9" * 5000):
        assert_problem(send(operation, caller, connection, body), 400, "invalid_request")
    huge = json.dumps({"metadata": "x" * 3_000_000})
    assert_problem(send(operation, caller, connection, huge), 413, "request_too_large")


@with_body
def test_texts_that_cannot_be_stored_are_refused_by_name(
    operation: Operation, acme: Tenant, connection: Connection, caller: Caller
) -> None:
    if operation.permission is Permission.TENANTS:
        caller = make_caller(None, "operator", [Permission.TENANTS])
    assert operation.body is not None
    members = {name: value for name, value in operation.body.items() if isinstance(value, str | dict)}
    if operation.names_tenant == "body":
        members["tenant"] = "acme"
    for name in members:
        for text in ("a\x00b", "\ud800", "x" * 300_000):
            wrong: Any = {"member": text} if name == "metadata" else text
            sent = json.dumps({**operation.body, name: wrong})
            assert_problem(send(operation, caller, connection, sent), 422, "invalid_request")
    assert_problem(
        send(operation, caller, connection, json.dumps({**operation.body, "a\x00": 1})), 422, "invalid_request"
    )
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")  # the transaction is whole: nothing reached the database that it refused


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("scopes", ["a b"]),
        ("scopes", ["ä"]),
        ("scopes", [""]),
        ("scopes", ["x"] * 201),
        ("scopes", "profile.read"),
        ("provider", []),
        ("provider", ["x"] * 101),
        ("provider", ["x\x00"]),
        ("params", {"a\x00": "b"}),
        ("params", {"a": "\x00"}),
        ("params", {"a": 1}),
        ("locale", "de\x00"),
        ("locale", "de&x=1"),
        ("binding", "opt-out"),
        ("owner", "everybody"),
        ("connection", "me"),
        ("provider", [7]),
        ("provider", {}),
        ("unknown", "x"),
    ],
)
def test_a_session_with_a_wrong_member_is_refused_by_name(member: str, value: Any, backend: Caller) -> None:
    body = {"end_user": "alice", "provider": "sandbox", "return_url": "https://app.acme.example/connected"}
    document = assert_problem(
        call(backend, "POST", "/connect-sessions", body | {member: value}), 422, "invalid_request"
    )
    assert document["field"].split(".")[0] == member
    told = str(document)
    assert not [word for word in ("function", " at 0x", "lambda", "constrained", "[str]", "partial") if word in told]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("min_ttl", -1),
        ("min_ttl", 86_401),
        ("min_ttl", float("nan")),
        ("min_ttl", float("inf")),
        ("min_ttl", "soon"),
        ("purpose", "x" * 256),
        ("agent", "\x00"),
        ("scopes", ["a\x00"]),
        ("end_user", ""),
        ("unknown", 1),
    ],
)
def test_a_vend_with_a_wrong_member_is_refused_by_name(
    member: str, value: Any, connection: Connection, backend: Caller
) -> None:
    answer = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice", member: value})
    assert assert_problem(answer, 422, "invalid_request")["field"].split(".")[0] == member


@pytest.mark.parametrize(
    "metadata",
    [{"a": float("nan")}, {"a": float("-inf")}, {"a\x00": 1}, {"a": ["\x00"]}, {"a": {"b": "\udfff"}}, [], "x", None],
    ids=repr,
)
def test_metadata_that_is_no_storable_object_is_refused(metadata: Any, connection: Connection, backend: Caller) -> None:
    answer = call(backend, "PATCH", f"/connections/{connection.id}", {"metadata": metadata})
    assert assert_problem(answer, 422, "invalid_request")["field"].split(".")[0] == "metadata"


def test_metadata_can_always_be_read_back(connection: Connection, backend: Caller) -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    path = f"/connections/{connection.id}"
    assert_problem(call(backend, "PATCH", path, {"metadata": deep}), 422, "invalid_request")
    assert_problem(call(backend, "PATCH", path, {"metadata": {"a": "x" * 17_000}}), 422, "invalid_request")
    kept = {"crm": {"id": 7, "tags": ["a", "b"]}, "ünïcödé": "☃", "big": 10**30, "none": None}
    assert call(backend, "PATCH", path, {"metadata": kept}).json()["metadata"] == kept
    assert call(backend, "GET", path).json()["metadata"] == kept


@pytest.mark.parametrize(
    "query",
    [
        "end_user=%00",
        "provider=%00",
        "tenant=%00",
        "cursor=%00",
        "status=dead",
        "limit=0",
        "limit=201",
        "limit=many",
        "end_user=" + "x" * 256,
        "end_user=",
    ],
)
def test_a_list_with_a_wrong_parameter_is_refused_by_name(query: str, connection: Connection, backend: Caller) -> None:
    answer = call(backend, "GET", f"/connections?{query}")
    assert assert_problem(answer, 422, "invalid_request")["field"] == query.partition("=")[0]


@pytest.mark.parametrize("identifier", ["me", "0", "%00", "..", "a" * 5000, "00000000-0000-4000-8000-00000000000g"])
def test_an_identifier_that_is_none_finds_nothing(identifier: str, backend: Caller) -> None:
    answer = call(backend, "GET", f"/connections/{identifier}")
    assert answer.status_code in (404, 422)
    assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_method_is_refused(backend: Caller) -> None:
    for method, path in (("BREW", "/connections"), ("POST", "/connections"), ("HEAD", "/tenants"), ("PUT", "/events")):
        answer = call(backend, method, path)
        assert answer.status_code == 405
        assert "GET" in answer["Allow"]
        if method != "HEAD":
            assert_problem(answer, 405, "method_not_allowed")


def test_an_unknown_path_is_a_problem_too(backend: Caller) -> None:
    for method in ("GET", "POST", "DELETE"):
        for path in ("/", "/nothing", "/connections/", "/tenants/acme/x", "/docs", "/%00"):
            assert_problem(call(backend, method, path), 404, "not_found")


def test_an_answer_to_wrong_input_repeats_no_secret(connection: Connection, backend: Caller) -> None:
    planted = "planted-secret-7f3a"
    for method, path, body in (
        ("POST", "/connect-sessions", {"end_user": planted * 30, "provider": {planted: planted}, "return_url": 7}),
        ("POST", f"/connections/{connection.id}/credential", {"min_ttl": planted, "scopes": planted}),
        ("PATCH", f"/connections/{connection.id}", {"metadata": planted, "tenant": [planted]}),
        ("POST", "/connect-sessions", f'{{"end_user": {planted}}}'),
    ):
        answer = call(backend, method, path, body)
        assert answer.status_code in (400, 422)
        assert planted not in answer.content.decode()


def test_a_crash_says_nothing_of_itself(
    connection: Connection, backend: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE connections_scope RENAME TO gone")
    answer = call(backend, "GET", f"/connections/{connection.id}")
    document = assert_problem(answer, 500, "internal_error")
    assert "gone" not in json.dumps(document)
    assert "connections_scope" not in json.dumps(document)
    (logged,) = [record for record in caplog.records if record.name == "connections.entrance"]
    assert isinstance(logged.msg, dict)
    assert logged.msg["error"] == "ProgrammingError"
    assert not logged.exc_info


def test_the_scheme_is_bearer_and_nothing_else(acme: Tenant, backend: Caller) -> None:
    for header in ("", backend.key, f"Basic {backend.key}", f"Bearer  {backend.key}", f"Token {backend.key}", "Bearer"):
        answer = AsgiClient().get("/api/v1/connections", headers={"Authorization": header})
        assert_problem(answer, 401, "unauthorized")
    assert AsgiClient().get(f"/api/v1/connections?access_token={backend.key}").status_code == 401
    lower = {"Authorization": f"bearer {backend.key}"}
    assert AsgiClient().get("/api/v1/connections", headers=lower).status_code == 200
