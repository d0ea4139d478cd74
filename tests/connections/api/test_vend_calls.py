"""The short way of a vend and the way through Django: the same answers, and whatever is unusual goes through Django."""

import json
from typing import Any

import pytest
from django.conf import settings as project
from django.http import HttpResponse

from config.web import front
from connections.api.schemas import VendIn
from connections.api.vend_calls import is_vend, read_call, wait_wanted
from connections.models import AuditEvent, Connection, Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_connection
from tests.factories import Caller, make_caller
from tests.flows import call

PATH = "/api/v1/connections/6f805d0b-5b38-4576-a2ca-263c0631c1b6/credential"
HOST = (b"host", b"127.0.0.1:8000")
KEY = (b"authorization", b"Bearer lk_x")


@pytest.fixture
def connection(acme: Tenant) -> Connection:
    return make_connection(acme)


def read(headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b"{}", path: str = PATH) -> Any:
    return read_call(path, [HOST, KEY] if headers is None else headers, body, peer="192.0.2.1", scheme="https")


def test_a_usual_call_is_read() -> None:
    found = read(body=b'{"end_user": "alice", "scopes": ["a"], "min_ttl": 60, "purpose": "p", "agent": "b"}')
    assert (found.body.end_user, found.body.scopes, found.presented.address) == ("alice", ["a"], "192.0.2.1")
    assert str(found.connection_id) in PATH
    assert read(path="/api/v1/credentials", body=b'{"provider": "slack"}').connection_id is None


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([HOST], b"{}"),
        ([HOST, (b"authorization", b"bearer lk_x")], b"{}"),
        ([HOST, (b"authorization", b"Basic lk_x")], b"{}"),
        ([HOST, KEY, KEY], b"{}"),
        ([HOST, HOST, KEY], b"{}"),
        ([(b"host", b"evil.example"), KEY], b"{}"),
        ([KEY], b"{}"),
        ([HOST, KEY, (b"content-encoding", b"gzip")], b"{}"),
        ([HOST, KEY, (b"transfer-encoding", b"chunked")], b"{}"),
        ([HOST, KEY], b""),
        ([HOST, KEY], b"[]"),
        ([HOST, KEY], b'{"unknown": 1}'),
        ([HOST, KEY], b'{"end_user": "\\u0000"}'),
        ([HOST, KEY], b'{"end_user": "\xff"}'),
        ([HOST, KEY], b'{"wait": 61}'),
        ([HOST, KEY], b'{"wait": -1}'),
    ],
)
def test_an_unusual_call_is_left_to_django(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    assert read(headers, body) is None


def test_a_call_that_came_without_tls_is_left_to_django(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert read_call(PATH, [HOST, KEY], b"{}", peer="192.0.2.1", scheme="http") is None
    forwarded = [HOST, KEY, (b"x-forwarded-proto", b"https")]
    assert read_call(PATH, forwarded, b"{}", peer="192.0.2.1", scheme="http") is None
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert read_call(PATH, forwarded, b"{}", peer="192.0.2.1", scheme="http") is not None


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", PATH, True),
        ("POST", "/api/v1/credentials", True),
        ("GET", PATH, False),
        ("POST", PATH + "/", False),
        ("POST", PATH + "\n", False),
        ("POST", "/api/v1/connections/x/credential", False),
        ("POST", "/api/v1/credentials/", False),
        ("POST", "//api/v1/credentials", False),
    ],
)
def test_a_vend_is_known_by_method_and_path(method: str, path: str, expected: bool) -> None:
    assert is_vend(method, path) is expected


@pytest.mark.parametrize(
    ("body", "prefer", "seconds"),
    [
        ({}, "", 10.0),
        ({"wait": 15}, "", 15.0),
        ({"wait": 0}, "wait=30", 0.0),
        ({}, "wait=30", 30.0),
        ({}, "respond-async, wait=3", 3.0),
        ({}, "handling=lenient; x, WAIT=7", 7.0),
        ({}, "wait=999999999", 60.0),
        ({}, "wait=-1", 10.0),
        ({}, "wait=soon", 10.0),
        ({}, "waiting=3", 10.0),
    ],
)
def test_a_caller_says_how_long_it_waits(body: dict[str, Any], prefer: str, seconds: float) -> None:
    assert wait_wanted(VendIn(**body), prefer) == seconds


# --- The same both ways -----------------------------------------------------------------------------------------------
CASES = {
    "vended": {"end_user": "alice"},
    "another end user": {"end_user": "bob"},
    "missing scope": {"end_user": "alice", "scopes": ["admin"]},
    "too long": {"end_user": "alice", "min_ttl": 86_400},
    "malformed": {"end_user": 7},
    "unknown member": {"end_user": "alice", "x": 1},
    "foreign tenant": {"end_user": "alice", "tenant": "globex"},
}


def both_ways(
    caller: Caller | None, path: str, body: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[HttpResponse, HttpResponse]:
    """Return the answer of the short way, and that of Django."""
    short = call(caller, "POST", path, body)
    with monkeypatch.context() as patch:
        patch.setattr(front, "is_vend", lambda *_: False)
        return short, call(caller, "POST", path, body)


@pytest.mark.parametrize("name", CASES)
def test_both_ways_give_the_same_answer(
    name: str, connection: Connection, backend: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = both_ways(backend, f"/connections/{connection.id}/credential", CASES[name], monkeypatch)
    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert dict(short.items()) == dict(long.items())
    first, second = AuditEvent.objects.filter(action="credential.vend").order_by("id").values()[:2] or (None, None)
    if first is not None and second is not None:
        for row in (first, second):
            del row["id"], row["at"]
        assert first == second


@pytest.mark.parametrize("provider", ["sandbox", "slack"])
def test_both_ways_find_the_connection_of_an_owner(
    provider: str, connection: Connection, backend: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"provider": provider, "end_user": "alice"}
    short, long = both_ways(backend, "/credentials", body, monkeypatch)
    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert short.status_code == (200 if provider == "sandbox" else 404)


def test_both_ways_refuse_a_key_alike(connection: Connection, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = make_caller(acme)
    stranger.client.keys.update(revoked_at="2026-01-01T00:00:00Z")
    short, long = both_ways(stranger, f"/connections/{connection.id}/credential", {"end_user": "alice"}, monkeypatch)
    assert short.status_code == long.status_code == 401
    assert dict(short.items()) == dict(long.items())


def test_both_ways_have_the_headers_of_a_secure_site(
    connection: Connection, backend: Caller, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    secure = AsgiClient().generic(
        "POST",
        f"/api/v1/connections/{connection.id}/credential",
        json.dumps({"end_user": "alice"}),
        "application/json",
        secure=True,
        headers={**backend.headers, "host": project.PUBLIC_URL.split("//")[1]},
    )
    assert secure.status_code == 200
    assert secure["X-Content-Type-Options"] == "nosniff"
    assert secure["Cache-Control"] == "no-store"
