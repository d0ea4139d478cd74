"""The desk where proxied calls are answered: in the event loop, part by part, and without a thread while they wait.

Each answer says by ``Latchkey-Outcome`` whose it is: ``upstream`` for the provider's own, whatever its status, and
``refused`` for a problem document of ours.
"""

import asyncio
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

from connections.api.asgi import Receive, Received, Send, end_when_caller_leaves, send_reply
from connections.api.problems import answer_error
from connections.api.proxy_calls import ProxyCall, proven, read_proxy_call
from connections.api.vend_calls import Headers, reply_of, security_headers
from connections.lifecycle.policy.client_rules import METHODS
from connections.lifecycle.proxy.answer import Answer
from connections.lifecycle.proxy.caller_body import CallerBody, CallerLeft
from connections.lifecycle.proxy.carry import Carrier
from connections.lifecycle.refresh.waits import Run
from connections.refusals import MethodNotAllowed, Refusal

OUTCOME = b"latchkey-outcome"
# A provider's page must do nothing in the name of our host, and nobody may keep what was for one caller.
_OF_EVERY_ANSWER = [
    (OUTCOME, b"upstream"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
]
_WAIT_FOR_READER_SECONDS = 60.0


class ProxyDesk:
    """Answers the proxied calls of one event loop. ``run_proof`` runs what verifies tokens, by HTTP at times."""

    def __init__(self, carrier: Carrier, *, run_proof: Run) -> None:
        self._carrier = carrier
        self._run_proof = run_proof

    async def serve(self, scope: MutableMapping[str, Any], headers: Headers, receive: Receive, send: Send) -> None:
        """Answer one request. Where an answer breaks off, this returns without its end: the server tells the caller."""
        is_secure = scope.get("scheme") == "https"
        raw_path = scope.get("raw_path") or scope["path"].encode("latin-1", "replace")
        try:
            call = read_proxy_call(
                scope["method"],
                raw_path,
                scope["query_string"],
                headers,
                peer=(scope.get("client") or ("", 0))[0],
                scheme=scope.get("scheme", "http"),
            )
        except Refusal as refusal:
            await _refuse(refusal, scope["path"], send, is_secure=is_secure)
            return
        work = asyncio.create_task(self._carry(call, receive, send, path=scope["path"], is_secure=is_secure))
        await work

    async def _carry(self, call: ProxyCall, receive: Receive, send: Send, *, path: str, is_secure: bool) -> None:
        """Carry the call as a task of its own, which ends when the caller goes away."""
        task = asyncio.current_task()
        body = CallerBody(Received(receive).next_part, length=call.body_length)
        leaving = asyncio.create_task(end_when_caller_leaves(task, body.has_ended, receive))
        has_begun = False
        try:
            if call.unproven is not None:
                call = await self._run_proof(proven, call)
            async with self._carrier.carry(call.order, body) as answer:
                has_begun = True
                await _send_answer(answer, send, is_secure=is_secure)
        except CallerLeft:
            return
        except asyncio.CancelledError:
            if not leaving.done():
                raise
        except Exception as error:  # noqa: BLE001 (a document says what it was)
            if not has_begun:
                await _refuse(error, path, send, is_secure=is_secure)
            elif not isinstance(error, Refusal):
                answer_error(error, path=path)  # the log says what it was; the caller sees the answer break off
        finally:
            leaving.cancel()


async def _send_answer(answer: Answer, send: Send, *, is_secure: bool) -> None:
    """Send an answer part by part, as fast as the caller takes it. Raises ``CallerLeft`` if it takes nothing."""
    theirs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers = [*theirs, *_OF_EVERY_ANSWER, *security_headers(is_secure=is_secure)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for part in answer.parts:
        try:
            async with asyncio.timeout(_WAIT_FOR_READER_SECONDS):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        except TimeoutError:
            raise CallerLeft from None
    await send({"type": "http.response.body", "body": b""})


async def _refuse(error: Exception, path: str, send: Send, *, is_secure: bool) -> None:
    response = answer_error(error, path=path)
    if isinstance(error, MethodNotAllowed):
        response["Allow"] = ", ".join(METHODS)  # RFC 9110 §15.5.6
    reply = reply_of(response, is_secure=is_secure)
    await send_reply(replace(reply, headers=[*reply.headers, (OUTCOME, b"refused")]), send)
