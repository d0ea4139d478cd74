"""A hostile caller: tricks with paths, headers, bodies and ids. Nothing of it reaches the provider."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from connections.lifecycle.policy.client_rules import METHODS
from connections.models import AuditEvent, Connection, Tenant
from providers.sandbox.waiting import until
from tests.connections.lifecycle.proxy.conftest import SECRET, make_agent
from tests.connections.lifecycle.proxy.test_provider import Limit, limit
from tests.factories import Caller, make_caller
from tests.providers.proxying.tricks import TRICKS
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, Wire, ok

__all__ = ["limit"]


def test_a_path_that_could_be_read_in_two_ways_is_refused(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    for path in TRICKS:
        reply = proxied(agent, "GET", address_of(connection, path))
        assert reply.refused == (422, "invalid_request"), path
        assert reply.json()["field"] == "path"
    assert upstream.seen == []


@pytest.mark.parametrize("path", ["projects/group%2Fproject", "projects/a%2fb%2Fc/issues"])
def test_an_encoded_slash_passes_where_the_entry_takes_it_for_a_part_of_a_name(
    path: str, acme: Tenant, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    reader = make_agent(acme, "* readonly /projects/*", "* readonly /projects/*/issues", name="reader")
    assert proxied(reader, "GET", address_of(connection, path)).refused == (422, "invalid_request")
    limit(encoded_slashes=True)
    assert proxied(reader, "GET", address_of(connection, path)).status == 200
    assert upstream.last.target == f"/{path}"
    narrow = make_agent(acme, "* readonly /projects/group/project", "* readonly /projects/a/**", name="narrow")
    assert proxied(narrow, "GET", address_of(connection, path)).refused == (403, "policy_denied")


@pytest.mark.parametrize(
    "path",
    ["a%2F..%2Fb", "%2F%2Fevil.example", "a%2F%2Fb", "a%2F", "..%2Fb", "a%2F.", "a%252Fb", "a%2F@evil", "a%2F;x"],
)
def test_an_encoded_slash_leads_nowhere_for_a_server_that_decodes_it(
    path: str, agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(encoded_slashes=True)
    reply = proxied(agent, "GET", address_of(connection, f"{path}/c"))
    assert reply.refused == (422, "invalid_request")
    assert upstream.seen == []


@pytest.mark.parametrize("query", ["a=\r\nHost:x", "a b", "a=\x00", "a=%zz", "a=\xe9", "x=" + "y" * 17_000, "a#b"])
def test_a_query_that_no_url_may_hold_is_refused(
    query: str, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    assert proxied(agent, "GET", address_of(connection, "a"), query=query).refused == (422, "invalid_request")
    assert upstream.seen == []


@pytest.mark.parametrize(
    "query",
    [
        "_method=DELETE",
        "a=1&_METHOD=delete",
        "a=1;_method=PUT",
        "%5Fmethod=DELETE",
        "_method[]=DELETE",
        "$method=PATCH",
        "X-HTTP-Method-Override=DELETE",
        "_method=",
        "_method=GET&_method=DELETE",
        "verb=delete",
    ],
)
def test_a_query_never_asks_for_another_method_than_the_one_that_is_allowed(
    query: str, agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(method_parameters=["verb"])
    reply = proxied(agent, "GET", address_of(connection, "a"), query=query)
    assert reply.refused == (422, "invalid_request")
    assert upstream.seen == []
    assert proxied(agent, "DELETE", address_of(connection, "a"), query="_method=DELETE").status == 200
    assert proxied(agent, "GET", address_of(connection, "a"), query="method=DELETE").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "",
        "crm/v3/objects/contacts",
        "a/",
        "users/bob%40example.com",
        "v1/models/x:run",
        "a%20b",
        "%C3%A9t%C3%A9",
        "a.b/c",
    ],
)
def test_a_plain_path_arrives_byte_by_byte(
    path: str, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    query = "filter[name]=a|b&x=%2e%2e%2f&y=1;2&z=https://a.example/?q=@"
    assert proxied(agent, "GET", address_of(connection, path), query=query).status == 200
    assert upstream.last.target == f"/{path}?{query}"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_that_is_allowed_arrives_as_it_is(
    method: str, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    reply = proxied(agent, method, address_of(connection, "a"))
    assert (reply.status, reply.outcome) == (200, "upstream")
    assert upstream.last.line == f"{method} /a HTTP/1.1"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "GET\r\nX: y", "PURGE"])
def test_every_other_method_is_refused(method: str, agent: Caller, connection: Connection, upstream: Upstream) -> None:
    answer = proxied(agent, method, address_of(connection, "a"))
    assert answer.refused == (405, "method_not_allowed")
    assert "GET" in dict(answer.headers)["allow"].split(", ")
    assert upstream.seen == []


def test_no_header_says_who_called_or_by_which_way_or_asks_for_another_request(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b"fine"))
    dropped = {
        "Cookie": "sessionid=1",
        "Proxy-Authorization": "Basic x",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=203.0.113.9",
        "X-Real-IP": "203.0.113.9",
        "X-Api-Key": "mine",
        "X-HTTP-Method-Override": "DELETE",
        "X-Method-Override": "DELETE",
        "X-Original-URL": "/admin",
        "X-Rewrite-URL": "/admin",
        "X-Amz-Security-Token": "x",
        "X-Amz-Copy-Source": "/other/secret",
        "Latchkey-Purpose": "p",
        "Connection": "close, X-Secret-Hop",
        "X-Secret-Hop": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Trailer": "X",
        "Upgrade": "websocket",
        "Expect": "100-continue",
        "Accept-Encoding": "gzip, br",
        "Via": "1.1 x",
        "Sec-Fetch-Site": "none",
    }
    preferred = {"Prefer": 'wait=3, outlook.timezone="UTC"'}
    kept = {
        "X-Amz-Target": "DynamoDB_20120810.ListTables",
        "Notion-Version": "2022-06-28",
        "Accept": "application/json",
        "If-None-Match": "W/1",
        "User-Agent": "mine",
    }
    assert proxied(agent, "GET", address_of(connection, "a"), headers=dropped | kept | preferred).status == 200
    arrived = {name.lower() for name, _ in upstream.last.headers}
    assert arrived == {
        *("host", "authorization", "accept-encoding", "connection", "prefer"),
        *(name.lower() for name in kept),
    }
    assert upstream.last.one("authorization") == f"Bearer {SECRET}"
    assert upstream.last.one("connection") == "close"
    assert upstream.last.one("user-agent") == "mine"
    assert upstream.last.one("prefer") == 'outlook.timezone="UTC"'
    assert agent.key not in str(upstream.last)


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "5"), ("Content-Length", "6")],
        [("Content-Length", "5"), ("Content-Length", "5")],
        [("Content-Length", "+5")],
        [("Content-Length", "5, 5")],
        [("Content-Length", "0x5")],
        [("Host", "evil.example")],
        [("Authorization", "Bearer lk_other")],
        [("Latchkey-End-User", "bob")],
        [("X-Bad", "a\r\nX-Smuggled: 1")],
        [("X-Bad", "a\x00b")],
        [("X Bad", "a")],
        [("X-Many", "a" * 40_000)],
        [(f"X-{number}", "a") for number in range(120)],
    ],
)
def test_headers_that_could_smuggle_a_request_are_refused(
    headers: list[tuple[str, str]], agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    reply = proxied(agent, "POST", address_of(connection, "a"), headers=headers, body=b"hello")
    assert reply.refused == (422, "invalid_request")
    assert upstream.seen == []


def test_a_body_is_framed_anew(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    smuggled = b"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: evil\r\n\r\n"

    async def parts() -> AsyncIterator[bytes]:
        yield smuggled
        yield b"rest"

    proxied(agent, "POST", address_of(connection, "a"), body=parts())
    assert upstream.last.one("transfer-encoding") == "chunked"
    assert upstream.last.body == smuggled + b"rest"
    proxied(agent, "POST", address_of(connection, "a"), body=smuggled)
    assert (upstream.last.one("content-length"), upstream.last.one("transfer-encoding")) == (str(len(smuggled)), None)
    assert upstream.last.body == smuggled
    assert len(upstream.seen) == 2


def test_another_tenants_connection_is_as_unknown_as_none(
    globex: Tenant, connection: Connection, upstream: Upstream
) -> None:
    stranger = make_agent(globex, "* * /**", name="stranger")
    foreign = proxied(stranger, "GET", address_of(connection, "a"))
    unknown = proxied(stranger, "GET", address_of("6f805d0b-5b38-4576-a2ca-263c0631c1b6", "a"))
    assert foreign.refused == (404, "not_found")
    assert (foreign.body, foreign.headers) == (unknown.body, unknown.headers)
    assert upstream.seen == []
    assert {row.tenant_id for row in AuditEvent.objects.filter(action="connection.proxy")} == {None}


@pytest.mark.parametrize("address", ["x", "6F805D0B-5B38-4576-A2CA-263C0631C1B6", "-" * 36])
def test_an_id_that_is_none_is_not_found(address: str, agent: Caller, upstream: Upstream) -> None:
    assert proxied(agent, "GET", address_of(address, "a")).refused == (404, "not_found")


def test_no_call_without_a_key(connection: Connection, acme: Tenant, upstream: Upstream) -> None:
    nobody = Caller(make_caller(acme, "nobody", []).client, "lk_wrong")
    for caller in (None, nobody):
        reply = proxied(caller, "GET", address_of(connection, "a"))
        assert reply.refused == (401, "unauthorized")
        assert (reply.one("www-authenticate") or "").startswith("Bearer")
    assert upstream.seen == []


def test_a_caller_that_hangs_up_ends_the_call_at_the_provider(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    left: list[bool] = []

    def slow(wire: Wire) -> None:
        wire.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabc")
        left.append(wire.has_been_left())

    upstream.handle = slow
    leaves = asyncio.Event()

    async def take(message: object) -> None:
        leaves.set()

    reply = proxied(agent, "GET", address_of(connection, "a"), take=take, leaves=leaves)
    assert (reply.status, reply.is_whole) == (200, False)
    assert AuditEvent.objects.filter(action="connection.proxied").values_list("decision", flat=True)[0] == "caller_left"
    assert until(lambda: left, "the end of the connection") == [True]


def test_a_caller_that_hangs_up_in_its_upload_leaves_half_a_request(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    def read(wire: Wire) -> None:
        wire.read_body()
        wire.answer(ok(b"never"))

    upstream.handle = read
    leaves = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        leaves.set()
        await asyncio.Event().wait()

    reply = proxied(agent, "POST", address_of(connection, "a"), body=parts(), leaves=leaves)
    assert (reply.status, reply.is_whole) == (0, False)
    assert AuditEvent.objects.filter(action="connection.proxied").values_list("decision", flat=True)[0] == "caller_left"
