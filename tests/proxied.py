"""A caller of the proxy that speaks ASGI itself: raw paths, slow bodies, and answers part by part."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tests.asgi_client import CallersThread, kept_transaction
from tests.factories import Caller

Message = MutableMapping[str, Any]


@dataclass
class Reply:
    """What a caller got. ``is_whole``: the answer came to its end, and did not break off."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    is_whole: bool = False

    def all_of(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]

    def one(self, name: str) -> str | None:
        values = self.all_of(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def outcome(self) -> str | None:
        return self.one("latchkey-outcome")

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refused(self) -> tuple[int, str]:
        """The status and the code of a refusal of ours."""
        assert self.outcome == "refused", (self.status, self.body)
        return self.status, self.json()["code"]


def address_of(connection: Any, path: str = "") -> str:
    return f"/api/v1/connections/{getattr(connection, 'id', connection)}/proxy/{path}"


def proxied(
    caller: Caller | None,
    method: str,
    raw_path: str,
    *,
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    end_user: str | None = "alice",
    body: bytes | AsyncIterator[bytes] | None = None,
    query: str = "",
    take: Callable[[Message], Any] | None = None,
    leaves: "asyncio.Event | None" = None,
    at_first_part: Callable[[], None] | None = None,
) -> Reply:
    """Call the proxy, and return the answer. ``raw_path`` is sent as it is, ``take`` gets each part of the answer.

    ``leaves``: the caller goes away when it is set. ``at_first_part`` runs in the
    test's thread when the first part of the answer has come.
    """
    from config.asgi import make_front  # imported by conftest, once the test database is there

    executor = CallersThread()
    reply = Reply()

    async def call() -> None:
        has_acted: list[bool] = []

        async def act_and_take(message: Message) -> None:
            if not has_acted and at_first_part is not None:
                has_acted.append(True)
                await asyncio.get_running_loop().run_in_executor(executor, at_first_part)

        taken = take if at_first_part is None else act_and_take
        await ask(make_front(executor), caller, method, raw_path, reply, headers, end_user, body, query, taken, leaves)

    with kept_transaction():
        executor.run(call)
    return reply


async def ask(
    front: Any,
    caller: Caller | None,
    method: str,
    raw_path: str,
    reply: Reply,
    headers: Any = None,
    end_user: str | None = "alice",
    body: Any = None,
    query: str = "",
    take: Any = None,
    leaves: Any = None,
) -> Reply:
    """Make one call of ``front``, within the loop."""
    sent: list[tuple[str, str]] = [("host", "testserver")]
    if caller is not None:
        sent.append(("authorization", f"Bearer {caller.key}"))
    if end_user is not None:
        sent.append(("latchkey-end-user", end_user))
    more = list(headers.items() if isinstance(headers, dict) else headers or [])
    sent += [(name.lower(), value) for name, value in more]
    names = {name for name, _ in sent}
    if isinstance(body, bytes) and "content-length" not in names:
        sent.append(("content-length", str(len(body))))
    elif body is not None and not isinstance(body, bytes) and "content-length" not in names:
        sent.append(("transfer-encoding", "chunked"))
    has_ended = leaves or asyncio.Event()
    parts = body if body is not None and not isinstance(body, bytes) else None
    whole: list[bytes] = [body if isinstance(body, bytes) else b""] if parts is None else []

    async def receive() -> Message:
        if whole:
            return {"type": "http.request", "body": whole.pop(), "more_body": False}
        if parts is not None and not ended_body.is_set():
            coming = asyncio.ensure_future(anext(parts, None))
            leaving = asyncio.ensure_future(has_ended.wait())
            await asyncio.wait({coming, leaving}, return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            if coming.done() and (part := coming.result()) is not None:
                return {"type": "http.request", "body": part, "more_body": True}
            ended_body.set()
            if coming.done():
                return {"type": "http.request", "body": b"", "more_body": False}
            coming.cancel()
        await has_ended.wait()
        return {"type": "http.disconnect"}

    ended_body = asyncio.Event()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = [(name.decode(), value.decode("latin-1")) for name, value in message["headers"]]
            return
        if take is None:
            reply.body += message.get("body", b"")
        else:
            await take(message)
        if not message.get("more_body"):
            reply.is_whole = True
            has_ended.set()

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": raw_path.split("?", maxsplit=1)[0],
        "raw_path": raw_path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode()) for name, value in sent],
        "client": ("192.0.2.7", 1),
        "server": ("testserver", 80),
    }
    await front(scope, receive, send)
    return reply
