"""What the desks of the event loop have in common: a request's body as it comes, and a caller who may go away."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from connections.api.vend_calls import Reply
from connections.lifecycle.proxy.caller_body import CallerLeft

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Received:
    """The parts of a request's body, as a server brings them."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_last = False

    async def next_part(self) -> bytes | None:
        """Return the next part, None behind the last. Raises ``CallerLeft``."""
        if self._is_last:
            return None
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise CallerLeft
        self._is_last = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part or (None if self._is_last else b"")


async def end_when_caller_leaves(task: "asyncio.Task[Any] | None", body_ended: asyncio.Event, receive: Receive) -> None:
    """End ``task`` when the caller goes away, which is told only once its body has come."""
    await body_ended.wait()
    while (await receive())["type"] != "http.disconnect":
        pass
    if task is not None:
        task.cancel()


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.content})
