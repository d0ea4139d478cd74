"""The endpoint as a server calls it: headers that come twice, bodies that come slowly, and callers who go away."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping, Sequence
from typing import Any

from tests.asgi_client import CallersThread, kept_transaction
from tests.factories import Caller


def exchange(
    caller: Caller,
    message: Any,
    *,
    more: Sequence[tuple[str, str]] = (),
    parts: AsyncIterator[bytes] | None = None,
    leaves: asyncio.Event | None = None,
    length: str | None = None,
) -> tuple[int, Any]:
    """Send a message, and return the status and the answer as JSON, or 0 and None where there is none.

    ``more`` headers are sent as they are. The body comes in ``parts``, if they are given. ``leaves``: the caller goes
    away when it is set.
    """
    from config.asgi import make_front  # imported by conftest, once the test database is there

    executor = CallersThread()
    content = json.dumps(message).encode()
    sent: list[MutableMapping[str, Any]] = []
    headers = [
        ("host", "testserver"),
        ("authorization", f"Bearer {caller.key}"),
        ("latchkey-end-user", "alice"),
        ("content-type", "application/json"),
        ("content-length", str(len(content)) if length is None else length),
        *more,
    ]

    async def call() -> None:
        has_ended = leaves or asyncio.Event()
        whole = [content] if parts is None else []
        is_sent: list[bool] = []

        async def receive() -> MutableMapping[str, Any]:
            if whole:
                return {"type": "http.request", "body": whole.pop(), "more_body": False}
            if parts is not None and not is_sent:
                part = await anext(parts, None)
                is_sent.extend([True] if part is None else [])
                return {"type": "http.request", "body": part or b"", "more_body": part is not None}
            await has_ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and leaves is None:
                has_ended.set()

        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": "POST",
            "path": "/mcp",
            "raw_path": b"/mcp",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": ("192.0.2.7", 1),
            "server": ("testserver", 80),
        }
        await make_front(executor)(scope, receive, send)

    with kept_transaction():
        executor.run(call)
    if not sent:
        return 0, None
    return sent[0]["status"], json.loads(b"".join(part.get("body", b"") for part in sent[1:]) or b"null")
