"""What leaves for a caller's request: its body asks for no method that is not allowed, its headers are kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connections.lifecycle.proxy.caller_body import KEPT_BYTES
from connections.models import AuditEvent, Connection, Tenant
from tests.connections.api.grants import let
from tests.connections.lifecycle.proxy.conftest import make_agent
from tests.factories import Caller
from tests.proxied import address_of, proxied
from tests.upstream import Upstream

FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
JSON = {"content-type": "application/json"}
DELETING = b'--b\r\ncontent-disposition: form-data; name="_method"\r\n\r\nDELETE\r\n--b--\r\n'


@pytest.fixture
def poster(acme: Tenant) -> Caller:
    """A client that may get and post whatever it likes."""
    return make_agent(acme, "* GET,POST /**", name="poster")


def post(caller: Caller, connection: Connection, body: Any, headers: dict[str, str], **more: Any) -> Any:
    return proxied(caller, "POST", address_of(connection, "a"), headers=headers, body=body, **more)


@pytest.mark.parametrize(
    ("headers", "body"),
    [(FORM, b"a=1&_method=DELETE"), (MULTIPART, DELETING), (JSON, b'{"_method": "DELETE"}'), ({}, b"_method=DELETE")],
)
def test_a_body_asks_for_no_method_that_is_not_allowed(
    headers: dict[str, str],
    body: bytes,
    poster: Caller,
    agent: Caller,
    connection: Connection,
    upstream: Upstream,
) -> None:
    async def streamed() -> AsyncIterator[bytes]:
        for place in range(len(body)):
            yield body[place : place + 1]

    for sent in (body, streamed()):
        reply = post(poster, connection, sent, headers)
        assert (*reply.refused, reply.json()["field"]) == (422, "invalid_request", "body")
    assert upstream.seen == []
    assert post(agent, connection, body, headers).status == 200, "who may delete may ask so"
    assert upstream.last.body == body


def test_nor_does_one_that_a_grant_limits_or_that_somebody_approves(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    let(connection, methods=["POST"], paths=["/**"])
    assert post(agent, connection, b"_method=PUT", FORM, end_user="bob").refused == (422, "invalid_request")
    let(connection, "carol", needs_approval=True)
    asked = post(agent, connection, b"_method=PUT", FORM, end_user="carol")
    assert asked.refused == (202, "approval_required")
    assert upstream.seen == []


@pytest.mark.parametrize("headers", [FORM, MULTIPART, JSON])
def test_what_was_held_back_is_sent_whole(
    headers: dict[str, str], poster: Caller, connection: Connection, upstream: Upstream
) -> None:
    body = b"x" * (3 * KEPT_BYTES)

    async def streamed() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), 50_000):
            yield body[begin : begin + 50_000]

    for sent in (body, streamed(), b"x", b""):
        assert post(poster, connection, sent, headers).status == 200
    assert [seen.body for seen in upstream.seen] == [body, body, b"x", b""]


def test_two_content_types_are_one_too_many(poster: Caller, connection: Connection, upstream: Upstream) -> None:
    twice = [("content-type", "application/json"), ("content-type", "application/x-www-form-urlencoded")]
    reply = proxied(poster, "POST", address_of(connection, "a"), headers=twice, body=b"{}")
    assert (*reply.refused, reply.json()["field"]) == (422, "invalid_request", "headers")
    assert upstream.seen == []


def test_a_header_of_any_bytes_is_passed_on_as_it_came(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    assert proxied(agent, "GET", address_of(connection, "a"), headers={"x-file-name": "café.pdf"}).status == 200
    assert upstream.last.one("x-file-name") == "café.pdf".encode().decode("latin-1")
    ended = AuditEvent.objects.get(action="connection.proxied")
    assert ended.decision == "answered"
