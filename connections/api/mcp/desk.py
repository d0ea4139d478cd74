"""The desk where agents' messages are answered, in the event loop: queries run in threads, and provider calls in none.

What is wrong with the HTTP request, or with who calls, is a problem document with its status; what is wrong with the
message is a JSON-RPC error; and what a tool refuses is a result, because the model behind it can act on that.
"""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, CallToolResult
from pydantic import ValidationError

from connections.api.asgi import Receive, Received, Send, end_when_caller_leaves, send_reply
from connections.api.mcp.admission import Admission, admit, standing_of
from connections.api.mcp.calling import call_provider
from connections.api.mcp.envelope import Routing, check_envelope, is_modern, routing_of, version_of
from connections.api.mcp.lookups import LOOKUPS
from connections.api.mcp.messages import Message, ProtocolError, error_of, read_message, result_of
from connections.api.mcp.protocol import CALL, answer_plain, check_request, shaped
from connections.api.mcp.resource import PATH, challenge
from connections.api.mcp.results import invalid, refused, told
from connections.api.mcp.tools import TOOLS, CallIn
from connections.api.problems import answer_error
from connections.api.proxy_calls import body_length, check_host, read_headers, said_of
from connections.api.schemas import VendIn
from connections.api.vend_calls import BareRequest, Headers, Reply, reply_of, security_headers, wait_wanted
from connections.database.pool import hand_back_database
from connections.entrance import client_address, log_crash
from connections.lifecycle.identify.callers import is_token
from connections.lifecycle.provision.callers import check_pace
from connections.lifecycle.proxy.caller_body import CallerBody, CallerLeft
from connections.lifecycle.proxy.carry import Carrier
from connections.lifecycle.refresh.waits import Run
from connections.refusals import CallerTooSlow, MethodNotAllowed, Refusal, Unauthorized

LARGEST_BODY = 1_048_576
_IDLE_SECONDS, _BODY_SECONDS = 15.0, 60.0
_ACCEPTED, _OK = 202, 200


class McpDesk:
    """Answers the messages of one event loop.

    ``run`` runs short queries in threads, ``run_proof`` what verifies tokens, by HTTP at times; ``carrier`` is the
    proxy's, so that its calls and these share its places.
    """

    def __init__(self, carrier: Carrier, *, run: Run, run_proof: Run) -> None:
        self._carrier = carrier
        self._run = run
        self._run_proof = run_proof

    async def serve(self, scope: MutableMapping[str, Any], headers: Headers, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_secure = scope.get("scheme") == "https"
        work = asyncio.create_task(self._serve(scope, headers, receive, send, is_secure=is_secure))
        await work

    async def _serve(
        self, scope: MutableMapping[str, Any], headers: Headers, receive: Receive, send: Send, *, is_secure: bool
    ) -> None:
        leaving: asyncio.Task[None] | None = None
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed("Send messages by POST: there is no session to end, and no stream to listen to.")
            caller = _Caller.of(scope, headers)
            body = CallerBody(Received(receive).next_part, length=caller.length)
            content = await _whole(body)
            leaving = asyncio.create_task(end_when_caller_leaves(asyncio.current_task(), body.has_ended, receive))
            admission: Admission = await caller.choose(self._run, self._run_proof)(caller.admitted)
            reply = await self._answer(admission, caller, content)
        except CallerLeft:
            return
        except asyncio.CancelledError:
            if leaving is None or not leaving.done():
                raise
            return
        except Exception as error:  # noqa: BLE001 (a document says what it was)
            reply = await self._problem(error, is_secure=is_secure)
        finally:
            if leaving is not None:
                leaving.cancel()
        await send_reply(_finished(reply, is_secure=is_secure), send)

    async def _answer(self, admission: Admission, caller: "_Caller", content: bytes) -> Reply:
        message: Message | None = None
        version = caller.routing.version
        try:
            message = read_message(content)
            version = version_of(message, caller.routing)
            if message.id is None:
                return Reply(_ACCEPTED, [], b"")
            check_request(message, version)
            if message.method != CALL:
                return _json(_OK, result_of(message.id, answer_plain(message, version)))
            result = await self._called(admission, caller, message)
            return _json(_OK, result_of(message.id, shaped(message.method, version, result)))
        except ProtocolError as error:
            return _json(_status_of(error, version), error_of(None if message is None else message.id, error))

    async def _called(self, admission: Admission, caller: "_Caller", message: Message) -> CallToolResult:
        """Return what a tool returns; a refusal is a result as well. Raises ``ProtocolError`` for a crash."""
        name, arguments = str(message.params["name"]), message.params.get("arguments") or {}
        try:
            asked = TOOLS[name].takes.model_validate(arguments)
        except ValidationError as error:
            return refused(invalid(error))
        run = caller.choose(self._run, self._run_proof)
        try:
            if isinstance(asked, CallIn):
                standing = await run(_standing, admission)
                return await call_provider(self._carrier, standing, asked)
            result: CallToolResult = await run(_looked_up, admission, name, asked)
            return result
        except Refusal as refusal:
            if isinstance(refusal, Unauthorized):  # the key has ended meanwhile
                raise
            return refused(refusal)
        except CallerLeft:
            raise
        except Exception as error:  # noqa: BLE001 (the log says what it was)
            log_crash(PATH, error)
            raise ProtocolError(INTERNAL_ERROR, "Something went wrong here; it is in the log.") from None

    async def _problem(self, error: Exception, *, is_secure: bool) -> Reply:
        response = answer_error(error, path=PATH)
        if isinstance(error, MethodNotAllowed):
            response["Allow"] = "POST"
        if isinstance(error, Unauthorized):
            response["WWW-Authenticate"] = await self._run(challenge)
        return reply_of(response, is_secure=is_secure)


def _standing(admission: Admission) -> Any:
    try:
        return standing_of(admission)
    finally:
        hand_back_database()


def _looked_up(admission: Admission, name: str, asked: Any) -> CallToolResult:
    """Return what a tool that reads returns. A call of a provider is counted by the proxy, and this one here."""
    try:
        check_pace(admission.client.id, restriction=admission.client.restriction)
        return told(LOOKUPS[name](standing_of(admission), asked))
    finally:
        hand_back_database()


@dataclass(frozen=True, slots=True)
class _Caller:
    """What the headers of a request say of who calls, and of the message."""

    bearer: str = field(repr=False)
    said: VendIn = field(repr=False)
    address: str | None
    wait_seconds: float
    routing: Routing
    length: int | None

    @classmethod
    def of(cls, scope: MutableMapping[str, Any], headers: Headers) -> "_Caller":
        """Read the headers. Raises refusals."""
        meta, stated = read_headers(headers)
        peer = (scope.get("client") or ("", 0))[0]
        request = BareRequest({**meta, "REMOTE_ADDR": peer}, scheme=scope.get("scheme", "http"))
        check_host(request)
        check_envelope(headers)
        authorization = meta.get("HTTP_AUTHORIZATION", "")
        if not authorization.lower().startswith("bearer "):
            raise Unauthorized("The API key is missing, unknown, revoked or expired.")
        said = said_of(stated)
        return cls(
            bearer=authorization[len("bearer ") :].strip(),
            said=said,
            address=client_address(request),
            wait_seconds=wait_wanted(said, meta.get("HTTP_PREFER", "")),
            routing=routing_of(headers),
            length=body_length(meta),
        )

    def choose(self, run: Run, run_proof: Run) -> Run:
        """Return the second where tokens have to be verified, which may take HTTP."""
        return run_proof if is_token(self.bearer) or self.said.end_user_token or self.said.agent_token else run

    def admitted(self) -> Admission:
        """Return who calls. As ``admit``; gives the thread's database connection back."""
        try:
            return admit(self.bearer, self.said, address=self.address, wait_seconds=self.wait_seconds)
        finally:
            hand_back_database()


async def _whole(body: CallerBody) -> bytes:
    most = min(LARGEST_BODY, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or LARGEST_BODY)
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await body.whole(most_bytes=most, idle_seconds=_IDLE_SECONDS)
    except TimeoutError:
        raise CallerTooSlow("The request's body did not come in time.") from None


def _status_of(error: ProtocolError, version: str) -> int:
    """Return the status of an error. With a handshake, 404 would mean that a session has ended."""
    if error.code == INTERNAL_ERROR:
        return 500
    if error.code == METHOD_NOT_FOUND:
        return 404 if is_modern(version) else _OK
    if error.code == INVALID_PARAMS and not is_modern(version):
        return _OK
    return 400


def _json(status: int, content: bytes) -> Reply:
    return Reply(status, [(b"content-type", b"application/json")], content)


def _finished(reply: Reply, *, is_secure: bool) -> Reply:
    own = {name for name, _ in reply.headers}
    usual = [
        (b"content-length", b"%d" % len(reply.content)),
        (b"cache-control", b"no-store"),
        *security_headers(is_secure=is_secure),
    ]
    return Reply(reply.status, [*reply.headers, *(pair for pair in usual if pair[0] not in own)], reply.content)
