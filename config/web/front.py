"""The ASGI application: every request comes here first, in the event loop, and is given to whoever answers it.

Its path is cut to what is below the installation's own, and answered if that belongs to the host which it names. A
usual vend goes to the vend desk, and the proxy's requests to its own, which takes and gives their bodies as streams.
The messages of agents have a desk, too. Whether the process lives is said right here. All else goes to Django's WSGI
handler in a thread: in the lane of those who may wait for a provider, or in the lane of those who need nothing of one.
Those who watch the process have a lane for each thing that they ask, so that nothing which waits keeps them waiting.
A request takes its place in a lane only when its body has arrived, so that a slow sender holds no thread.
"""

import re
import string
import time
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote_from_bytes
from wsgiref.types import WSGIApplication

from a2wsgi import WSGIMiddleware
from django.conf import settings

from config.web.hosts import ALIVE_PATH, OF_ANY_HOST, Hosts, below, named_host
from config.web.lanes import BUSY_SECONDS, Lane, LaneFull
from config.web.pages import refusal
from connections.api.asgi import Message, Receive, Send, send_reply
from connections.api.health import healthz
from connections.api.mcp.first_message import LateDesk
from connections.api.mcp.resource import METADATA_PATH
from connections.api.mcp.resource import PATH as MCP_PATH
from connections.api.problems import answer_error, say_when_again
from connections.api.proxy_calls import is_proxied
from connections.api.proxy_desk import ProxyDesk
from connections.api.vend_calls import Reply, brings_token, is_vend, read_call, reply_of
from connections.api.vend_desk import VendDesk
from connections.journal import meters
from providers import spans

Scope = MutableMapping[str, Any]

# What may call a provider before it answers. The lane of the others must never wait for one.
_MAY_CALL_PROVIDER = re.compile(
    r"POST /api/v1/(?:connect-sessions/[^/]+/complete|credentials|oauth/token)"
    r"|PUT /api/v1/(?:tenants/[^/]+/(?:provider-apps|domains)|shared-provider-apps)/[^/]+"
    r"|POST /api/v1/provider-apps/[^/]+/registered-clients/[^/]+/renew"
    r"|POST /api/v1/webhook-endpoints/[^/]+/test"
    r"|GET /api/v1/outbound-addresses"
    r"|POST /api/v1/connections/[^/]+/(?:credential|refresh|probe|report)"
    r"|(?:POST|GET) /connect/callback/.*"
    r"|GET /connect/[^/]+/device(?:/state)?"
    r"|POST /connect/.*"
    r"|POST /pushes/.*"
    r"|POST /admin/.*"
)


_NOWHERE = ""
_KINDS = {MCP_PATH: "mcp", "/api/": "api", "/connect/": "widget", "/admin/": "admin", "/static/": "static"}


_OF_CALLERS = ("vend", "proxy", "mcp", "api")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def may_call_provider(method: str, path: str) -> bool:
    """Whether the answer to a request may have to wait for a provider. No I/O."""
    return _MAY_CALL_PROVIDER.fullmatch(f"{method} {path}") is not None


class Front:
    """The ASGI application (3.0) of the web processes. ``django`` is Django's WSGI handler."""

    def __init__(
        self,
        django: WSGIApplication,
        *,
        desk: VendDesk,
        proxy: ProxyDesk,
        mcp: LateDesk,
        plain: Lane,
        provider: Lane,
        watching: Mapping[str, Lane],
    ) -> None:
        """``watching`` has a lane for each path by which this process is watched."""
        self._desk = desk
        self._proxy = proxy
        self._mcp = mcp
        self._hosts = Hosts()
        self._plain = (plain, _in_lane(django, plain))
        self._provider = (provider, _in_lane(django, provider))
        self._watching = {path: (lane, _in_lane(django, lane)) for path, lane in watching.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of the server's."""
        if scope["type"] == "http":
            own = _own_part(scope)
            if not spans.are_followed() or own["path"] in OF_ANY_HOST:
                await self._answer(own, receive, _timed(own, send))
                return
            with _span(own) as span:
                await self._answer(own, receive, _noting(span, _timed(own, send)))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await _live(receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Django's META cannot tell a name with an underscore from the one with a hyphen that a trusted proxy sends.
        headers = [(name.lower(), value) for name, value in scope["headers"] if b"_" not in name]
        method, path = scope["method"], scope["path"]
        if path == _NOWHERE or not self._hosts.answer(named_host(headers), path):
            accepts = dict(headers).get(b"accept-language", b"").decode("latin-1")
            await send_reply(_nothing(accepts, is_secure=scope.get("scheme") == "https"), send)
            return
        if path == ALIVE_PATH:
            await send_reply(reply_of(healthz(), is_secure=scope.get("scheme") == "https"), send)
            return
        if is_proxied(path, scope.get("raw_path") or b""):
            await self._proxy.serve(scope, headers, receive, send)
            return
        if path == MCP_PATH:
            await self._mcp.serve(scope, headers, receive, send)
            return
        body = await _Body.of(receive)
        if body.is_cut_off:
            return
        if body.is_whole and is_vend(method, path) and not scope["query_string"]:
            peer = (scope.get("client") or ("", 0))[0]
            call = read_call(path, headers, body.content, peer=peer, scheme=scope.get("scheme", "http"))
            if call is not None:
                await send_reply(await self._desk.answer(call), send)
                return
        authorization = dict(headers).get(b"authorization", b"").decode("latin-1")
        may_wait = may_call_provider(method, path) or brings_token(authorization)
        lane, django = self._watching.get(path) or (self._provider if may_wait else self._plain)
        readable = {**scope, "headers": headers, "query_string": _ascii(scope["query_string"])}
        try:
            async with lane.place():
                await django(readable, body.replayed(receive), send)
        except LaneFull as full:
            accepts = dict(headers).get(b"accept-language", b"").decode("latin-1")
            await send_reply(_busy(full, path, accepts=accepts, is_secure=scope.get("scheme") == "https"), send)


def _own_part(scope: Scope) -> Scope:
    """Return the request with its path as it is below the installation's own; ``_NOWHERE`` where it is not."""
    path = below(scope["path"])
    if path == scope["path"]:
        return scope
    raw = scope.get("raw_path") or b""
    own = settings.PUBLIC_PATH.encode()
    if path is None or (raw and not raw.startswith(own) and path != METADATA_PATH):
        path = _NOWHERE  # what is written in two ways is read in one
    return {**scope, "root_path": "", "path": path, "raw_path": raw.removeprefix(own)}


def _in_lane(django: WSGIApplication, lane: Lane) -> Any:
    application: Any = WSGIMiddleware(cast("Any", django))
    application.executor.shutdown()  # it has no threads yet
    application.executor = lane.executor
    return application


def _span(scope: Scope) -> AbstractContextManager[spans.Noted]:
    """Begin the span of a request. Callers of the API may say which trace it belongs to."""
    kind = kind_of(scope["method"], scope["path"], scope.get("raw_path") or b"")
    method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
    said = [value for name, value in scope["headers"] if name.lower() == b"traceparent"]
    parent = said[0].decode("latin-1") if len(said) == 1 and kind in _OF_CALLERS else None
    facts = {"http.request.method": method, "latchkey.kind": kind}
    return spans.root(f"{method} {kind}", spans.Kind.SERVER, facts, parent=parent)


def _noting(span: spans.Noted, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.note("http.response.status_code", message["status"])
        await send(message)

    return sending


def _timed(scope: Scope, send: Send) -> Send:
    """Return ``send`` so that it measures how long the answer took to begin."""
    if not settings.METRICS_TOKEN:
        return send
    began = time.monotonic()

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = kind_of(scope["method"], scope["path"], scope.get("raw_path") or b"")
            meters.request_answered(kind, message["status"], seconds=time.monotonic() - began)
        await send(message)

    return sending


def kind_of(method: str, path: str, raw_path: bytes) -> str:
    """Return which kind of request this is, one of few. No I/O."""
    if is_vend(method, path):
        return "vend"
    if is_proxied(path, raw_path):
        return "proxy"
    return next((kind for prefix, kind in _KINDS.items() if path.startswith(prefix)), "other")


async def _live(receive: Receive, send: Send) -> None:
    """Follow the server's life (ASGI lifespan): there is nothing to do at its beginning or end."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


@dataclass(frozen=True, slots=True)
class _Body:
    """What has come of a request's body: all of it, or as much as Django would accept at most."""

    content: bytes
    is_whole: bool
    is_cut_off: bool = False

    @classmethod
    async def of(cls, receive: Receive) -> "_Body":
        """Read the body. Stops where it is larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE``: Django refuses it then."""
        content = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return cls(content, is_whole=False, is_cut_off=True)
            content += message.get("body", b"")
            if not message.get("more_body", False):
                return cls(content, is_whole=True)
            if len(content) > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
                return cls(content, is_whole=False)

    def replayed(self, receive: Receive) -> Receive:
        """Return a ``receive`` that gives what has come, and then whatever else comes."""
        first: list[Message] = [{"type": "http.request", "body": self.content, "more_body": not self.is_whole}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        return again


def _ascii(query: bytes) -> bytes:
    """Return ``query`` with every byte that no URL may hold percent-encoded (RFC 3986 §2)."""
    return query if query.isascii() else quote_from_bytes(query, safe=string.printable).encode()


def _nothing(accepts: str, *, is_secure: bool) -> Reply:
    """Return the page for an address without anything, which tells nothing of the address."""
    return reply_of(refusal(HTTPStatus.NOT_FOUND, path="/", accepts=accepts), is_secure=is_secure)


def _busy(full: LaneFull, path: str, *, accepts: str, is_secure: bool) -> Reply:
    if path.startswith("/api/"):
        return reply_of(answer_error(full, path=path), is_secure=is_secure)
    page = refusal(HTTPStatus.SERVICE_UNAVAILABLE, path=path, accepts=accepts)
    say_when_again(page, BUSY_SECONDS)
    return reply_of(page, is_secure=is_secure)
