"""Large and slow bodies: both ways in constant memory, at the pace of whoever is slower."""

import asyncio
import resource
import threading
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.offboard import continue_offboarding, order_offboarding
from connections.models import AuditEvent, Connection, OffboardingMode, OwnerKind, Tenant
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, Wire, ok

MIB = 1024 * 1024
SIZE = 64 * MIB
PART = b"0123456789abcdef" * 4096


def grown_by(before_kib: int) -> int:
    """Return by how many MiB this process has grown at most since its peak was ``before_kib``."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) // 1024


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_large_answer_passes_in_constant_memory(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    def large(wire: Wire) -> None:
        wire.answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // len(PART)):
            wire.answer(PART)

    upstream.handle = large
    proxied(agent, "GET", address_of(connection, "warm-up"), take=discard)
    taken = 0

    async def take(message: MutableMapping[str, Any]) -> None:
        nonlocal taken
        taken += len(message["body"])

    before = peak()
    reply = proxied(agent, "GET", address_of(connection, "a"), take=take)
    assert (reply.is_whole, taken, reply.one("content-length")) == (True, SIZE, str(SIZE))
    assert grown_by(before) < 16


def test_who_is_erased_in_the_middle_is_not_named_at_the_end(acme: Tenant, agent: Caller, upstream: Upstream) -> None:
    app = make_app(acme, params={"issuer": upstream.url})
    shared = make_connection(acme, app=app, owner=OwnerKind.TENANT)
    upstream.answers(ok(b"x" * MIB))

    def erase() -> None:
        now = database_now()
        ordered = order_offboarding(acme, "alice", mode=OffboardingMode.ERASE, now=now, actor=SYSTEM)
        assert continue_offboarding(ordered.id, now=now).done_at is not None

    assert proxied(agent, "GET", address_of(shared, "a"), at_first_part=erase).status == 200
    ended = AuditEvent.objects.get(action="connection.proxied")
    assert (ended.decision, ended.subject[:7]) == ("answered", "erased-")
    assert not AuditEvent.objects.filter(subject="alice").exists()


def test_a_large_request_passes_in_constant_memory(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    read: list[int] = []

    def large(wire: Wire) -> None:
        got = 0
        while got < SIZE and (more := wire.read(65_536)):
            got += len(more)
        read.append(got)
        wire.answer(ok(b"thanks"))

    upstream.handle = large

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(SIZE // len(PART)):
            yield PART

    before = peak()
    headers = {"Content-Length": str(SIZE)}
    reply = proxied(agent, "PUT", address_of(connection, "a"), body=parts(), headers=headers)
    assert (reply.body, read) == (b"thanks", [SIZE])
    assert grown_by(before) < 16
    assert AuditEvent.objects.filter(action="connection.proxied")[0].detail["sent"] == SIZE


def test_a_slow_reader_slows_the_provider_down(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    written: list[int] = []

    def eager(wire: Wire) -> None:
        wire.answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for number in range(SIZE // len(PART)):
            wire.answer(PART)
            written.append(number)

    upstream.handle = eager
    ahead: list[int] = []

    async def take(message: MutableMapping[str, Any]) -> None:
        if not ahead:
            await asyncio.sleep(0.3)
            ahead.append(len(written) * len(PART))

    reply = proxied(agent, "GET", address_of(connection, "a"), take=take)
    assert reply.is_whole
    assert ahead[0] < 16 * MIB  # the sockets' own buffers


def test_a_part_is_passed_on_as_soon_as_it_comes(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    """An event of a stream is not held back until the next one comes."""
    seen = threading.Event()

    def events(wire: Wire) -> None:
        wire.answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        wire.answer(b"data: two\n\n" if seen.wait(60) else b"never")

    upstream.handle = events
    parts: list[bytes] = []

    async def take(message: MutableMapping[str, Any]) -> None:
        parts.append(message["body"])
        if message["body"].endswith(b"one\n\n"):
            seen.set()

    proxied(agent, "GET", address_of(connection, "a"), take=take)
    assert b"".join(parts) == b"data: one\n\ndata: two\n\n"


async def discard(message: object) -> None:
    pass
