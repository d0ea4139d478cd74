"""One proxied request and its answer, streamed over a connection of egress's, within the limits of the entry.

h11 writes and reads the HTTP; this module keeps the time, counts the bytes and never reads further ahead than a few
hundred kilobytes, so that whoever is slow slows the other side down. The answer may begin, and end, before the request
has been sent whole.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import h11

from providers import egress
from providers.catalog.proxying import ProxyLimits
from providers.errors import Evidence, MalformedResponse, MisconfiguredProvider, ProviderUnavailable
from providers.oauth.classify import retry_after_seconds
from providers.proxying.request_headers import Headers
from providers.values import ClientCertificate

_LARGEST_HEAD = 65_536  # also of a chunk's extensions, and of trailers
_PART = 65_536
_MOST_INTERIM = 16
_BROKEN = "The connection broke before the answer was complete."

Body = AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is ready to leave. ``headers`` are whole, but for how the connection and the body are framed.

    ``length`` is that of a body whose length is known, None for one that is sent in chunks.
    """

    method: str
    url: str = field(repr=False)
    target: str = field(repr=False)
    host: str
    headers: Headers = field(repr=False)
    length: int | None = 0
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins. Names of ``headers`` are in lower case. ``length`` is that of the body, if it is told."""

    status: int
    headers: Headers = field(repr=False)
    length: int | None = None

    @property
    def retry_after_seconds(self) -> float | None:
        """When the same request may succeed, if the provider says so."""
        told = next((value for name, value in self.headers if name == "retry-after"), None)
        return None if told is None else retry_after_seconds({"Retry-After": told})


class AnswerTooLarge(MalformedResponse):
    """The answer is larger than the entry lets it be."""

    code = "answer_too_large"


class Exchange:
    """One request and its answer: ``begin``, then ``parts``, and ``close`` in any case.

    ``sent`` and ``received`` count the bytes of both bodies.
    """

    def __init__(self, request: Request, body: Body | None, *, limits: ProxyLimits) -> None:
        self.sent = self.received = 0
        self._request = request
        self._body = body
        self._limits = limits
        self._ends_at = time.monotonic() + limits.total_seconds
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._line: egress.Line | None = None
        self._upload: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there was a connection, on which at least a part of the request may have left."""
        return self._line is not None

    async def begin(self) -> Head:
        """Send the request, and return how the answer begins. Takes the body from its iterator meanwhile.

        Raises what the iterator raises, what ``egress.open_line`` does, ``ProviderUnavailable`` (no answer in time) and
        ``MalformedResponse``.
        """
        request = self._request
        framing = [("transfer-encoding", "chunked")] if request.length is None else []
        if request.length is not None and (self._body is not None or request.method in ("POST", "PUT", "PATCH")):
            framing = [("content-length", str(request.length))]
        headers = [
            ("host", request.host),
            *request.headers,
            ("accept-encoding", "identity"),
            *framing,
            ("connection", "close"),
        ]
        try:
            opening = h11.Request(
                method=request.method,
                target=request.target,
                # Each character of a received header stands for one byte of it (RFC 9110 §5.5).
                headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            )
            written = self._http.send(opening) or b""
        except (h11.LocalProtocolError, UnicodeEncodeError):
            raise MisconfiguredProvider(
                Evidence("The URL or a header holds characters that HTTP cannot carry.", sent=False)
            ) from None
        self._line = await egress.open_line(request.url, certificate=request.certificate)
        self._line.writer.write(written)
        self._upload = asyncio.create_task(self._send_body())
        self._upload.add_done_callback(self._note_upload)
        head = asyncio.create_task(self._read_head())
        try:
            await asyncio.wait({head, self._upload}, return_when=asyncio.FIRST_COMPLETED)
            if self._upload.done() and not head.done():
                self._upload.result()
            async with self._in_time(self._limits.answer_seconds, "The server did not answer in time."):
                return await head
        finally:
            head.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await head

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the body of the answer as it comes, as it is coded. Raises as ``begin``."""
        while True:
            event = await self._next_event(self._limits.idle_seconds, "The answer stood still for too long.")
            if isinstance(event, h11.EndOfMessage):
                return
            if isinstance(event, h11.Data):
                self.received += len(event.data)
                if self.received > self._limits.max_response_bytes:
                    raise AnswerTooLarge(Evidence("The answer is larger than the entry lets it be."))
                yield bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                raise _malformed()

    def close(self) -> None:
        """End the exchange, however far it has come. The provider sees its connection end."""
        if self._upload is not None:
            self._upload.cancel()
        if self._line is not None:
            self._line.writer.transport.abort()

    async def _send_body(self) -> None:
        if self._body is not None:
            async for part in self._body:
                self.sent += len(part)
                if not await self._write(h11.Data(data=part)):
                    return
        await self._write(h11.EndOfMessage())

    def _note_upload(self, upload: "asyncio.Task[None]") -> None:
        """Have whoever reads the answer see why the request could not be sent whole."""
        failure = None if upload.cancelled() else upload.exception()
        if isinstance(failure, Exception) and self._line is not None:
            self._line.reader.set_exception(failure)

    async def _write(self, event: h11.Event) -> bool:
        """Write one event; False if the provider takes no more: it may have answered already."""
        if self._line is None:
            raise TypeError("The exchange has not begun.")
        try:
            self._line.writer.write(self._http.send(event) or b"")
            async with self._in_time(self._limits.idle_seconds, "The server stopped taking the request."):
                await self._line.writer.drain()
        except (ConnectionError, h11.LocalProtocolError):
            return False
        return True

    async def _read_head(self) -> Head:
        for _ in range(_MOST_INTERIM):
            event = await self._next_event(None, "The server did not answer in time.")
            if isinstance(event, h11.Response):
                headers = [(name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers]
                told = next((value for name, value in headers if name == "content-length"), None)
                chunked = any(name == "transfer-encoding" for name, _ in headers)
                return Head(event.status_code, headers, None if told is None or chunked else int(told))
            if not isinstance(event, h11.InformationalResponse):
                raise ProviderUnavailable(Evidence("The server closed the connection without an answer."))
        raise _malformed()

    async def _next_event(self, seconds: float | None, late: str) -> h11.Event:
        if self._line is None:
            raise TypeError("The exchange has not begun.")
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                raise _malformed() from None
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                raise _malformed()
            async with self._in_time(seconds, late):
                try:
                    received = await self._line.reader.read(_PART)
                except OSError:
                    raise ProviderUnavailable(Evidence(_BROKEN)) from None
            self._http.receive_data(received)

    def _in_time(self, seconds: float | None, late: str) -> "_InTime":
        left = self._ends_at - time.monotonic()
        return _InTime(left if seconds is None else min(seconds, left), late)


class _InTime:
    """Lets its block run for so many seconds. Raises ``ProviderUnavailable`` with the sentence ``late``."""

    def __init__(self, seconds: float, late: str) -> None:
        self._timeout = asyncio.timeout(max(0.0, seconds))
        self._late = late

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: object) -> None:
        try:
            await self._timeout.__aexit__(*raised)  # type: ignore[arg-type]  # what Python gives to every __aexit__
        except TimeoutError:
            raise Late(Evidence(self._late)) from None


class Late(ProviderUnavailable):
    """The provider took longer than the entry lets it."""

    code = "too_late"


def _malformed() -> MalformedResponse:
    return MalformedResponse(Evidence("The answer is not well-formed HTTP, or ended before it was complete."))
