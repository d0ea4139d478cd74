"""How an operation of ``api`` becomes a request: its address, body and repeats, and what is in the answer."""

import asyncio
import dataclasses
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import quote, urlencode, urlsplit

from latchkey_client.errors import LatchkeyError, Problem, UnexpectedAnswer, Unreachable
from latchkey_client.shapes import as_text, decoded, plain
from latchkey_client.wire import (
    Answer,
    AsyncAnswer,
    Bearer,
    bearer_of,
    default_async_client,
    default_client,
    send,
    send_async,
)

_SHORTEST_WAIT_SECONDS = 0.1


_ETAG = "_etag"


def etag_of(value: object) -> str | None:
    """Return the ETag with which an answer came: as ``if_match`` it lets a change pass only if nobody came first."""
    etag: str | None = getattr(value, _ETAG, None)
    return etag


class Page(Protocol):
    """A page of a list."""

    @property
    def items(self) -> list[Any]:
        """What is on it."""

    @property
    def next(self) -> str | None:
        """Where the next one begins."""


@dataclass(frozen=True)
class Operation:
    """One operation. ``may_repeat``: doing it twice does no harm, so it is sent again when no answer came."""

    method: str
    path: str
    may_repeat: bool
    is_form: bool = False
    takes_key: bool = False  # an Idempotency-Key


@dataclass
class _Request:
    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)
    may_repeat: bool
    give_up_at: float
    is_second: bool = False

    def wait_after(self, error: LatchkeyError) -> float:
        """Return for how many seconds to wait before this is sent again, or raise ``error``."""
        left = self.give_up_at - time.monotonic()
        if isinstance(error, Problem) and error.status == 503 and error.retry_after_seconds is not None:
            if error.retry_after_seconds <= left:
                return max(error.retry_after_seconds, _SHORTEST_WAIT_SECONDS)
        elif isinstance(error, Unreachable) and self.may_repeat and not self.is_second:
            self.is_second = True
            return _SHORTEST_WAIT_SECONDS
        error.__context__ = None  # it may hold the whole request
        raise error


class _Caller:
    """What both clients know: where Latchkey is, the key, and how long a caller is willing to wait."""

    def __init__(self, base_url: str, key: Bearer, *, http: Any, timeout: float, patience_seconds: float) -> None:
        if urlsplit(base_url).scheme not in ("http", "https"):
            raise LatchkeyError("base_url is the address of your Latchkey, such as https://connect.example.com.")
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._http = http
        self._timeout = timeout
        self._patience_seconds = patience_seconds

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    def _request(
        self,
        operation: Operation,
        *,
        path: Mapping[str, Any],
        query: Mapping[str, Any],
        headers: Mapping[str, Any],
        body: Mapping[str, Any] | None,
    ) -> _Request:
        said = {name: as_text(value) for name, value in headers.items() if value is not None}
        if operation.takes_key:
            said.setdefault("Idempotency-Key", str(uuid.uuid4()))
        content = None
        if body is not None and operation.is_form:
            said["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode({name: as_text(value) for name, value in body.items() if value is not None}).encode()
        elif body is not None:
            said["Content-Type"] = "application/json"
            content = json.dumps(plain(body)).encode()
        filled = {name: quote(as_text(value), safe="") for name, value in path.items()}
        return _Request(
            method=operation.method,
            url=self._base_url + operation.path.format(**filled) + _query(query),
            headers=said,
            content=content,
            # What was changed already does not match any more.
            may_repeat=(operation.may_repeat and "If-Match" not in said) or operation.takes_key,
            give_up_at=time.monotonic() + self._patience_seconds,
        )

    def _proxied(
        self, template: str, connection_id: Any, path: str, stated: Mapping[str, str | None], sending: Mapping[str, Any]
    ) -> tuple[str, dict[str, str], Any, float]:
        """Return the address, the headers, the body and the time-out of a proxied request."""
        headers = dict(sending.get("headers") or {})
        headers |= {name: value for name, value in stated.items() if value is not None}
        content = sending.get("content")
        if "json" in sending:
            content = json.dumps(plain(sending["json"])).encode()
            headers.setdefault("Content-Type", "application/json")
        filled = template.format(
            connection_id=quote(as_text(connection_id), safe=""),
            path=quote(path.removeprefix("/"), safe="/%:@!$&'()*+,;=~"),
        )
        url = self._base_url + filled + _query(sending.get("params") or {})
        return url, headers, content, float(sending.get("timeout", self._timeout))


class Caller(_Caller):
    """Sends the operations of ``api``."""

    def __init__(
        self, base_url: str, key: Bearer, *, http: Any = None, timeout: float = 60.0, patience_seconds: float = 30.0
    ) -> None:
        http = default_client() if http is None else http
        super().__init__(base_url, key, http=http, timeout=timeout, patience_seconds=patience_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to Latchkey."""
        self._http.close()

    def _call(
        self,
        operation: Operation,
        kind: Any,
        *,
        path: Mapping[str, Any],
        query: Mapping[str, Any],
        headers: Mapping[str, Any],
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        request = self._request(operation, path=path, query=query, headers=headers, body=body)
        while True:
            try:
                return self._answered(request, kind)
            except LatchkeyError as error:
                seconds = request.wait_after(error)
            time.sleep(seconds)

    def _answered(self, request: _Request, kind: Any) -> Any:
        answer = self._send(request.method, request.url, request.headers, request.content, self._timeout)
        return _value(answer, answer.read(), kind)

    def _send(self, method: str, url: str, headers: dict[str, str], content: Any, timeout: float) -> Answer:
        bearer = bearer_of(self._key)
        return send(self._http, method, url, bearer=bearer, headers=headers, content=content, timeout=timeout)

    def _proxy(
        self,
        method: str,
        template: str,
        connection_id: Any,
        path: str,
        stated: Mapping[str, str | None],
        sending: Mapping[str, Any],
    ) -> Answer:
        url, headers, content, timeout = self._proxied(template, connection_id, path, stated, sending)
        answer = self._send(method, url, headers, content, timeout)
        if answer.headers.get("latchkey-outcome") != "upstream":
            _refuse(answer, answer.read())
        return answer

    def _each(self, fetch: Callable[[str | None], Page]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page = fetch(cursor)
            yield from page.items
            if page.next is None or page.next == cursor:
                return
            cursor = page.next


class AsyncCaller(_Caller):
    """Sends the operations of ``api``, asynchronously."""

    def __init__(
        self, base_url: str, key: Bearer, *, http: Any = None, timeout: float = 60.0, patience_seconds: float = 30.0
    ) -> None:
        http = default_async_client() if http is None else http
        super().__init__(base_url, key, http=http, timeout=timeout, patience_seconds=patience_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections to Latchkey."""
        await self._http.aclose()

    async def _call(
        self,
        operation: Operation,
        kind: Any,
        *,
        path: Mapping[str, Any],
        query: Mapping[str, Any],
        headers: Mapping[str, Any],
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        request = self._request(operation, path=path, query=query, headers=headers, body=body)
        while True:
            try:
                return await self._answered(request, kind)
            except LatchkeyError as error:
                seconds = request.wait_after(error)
            await asyncio.sleep(seconds)

    async def _answered(self, request: _Request, kind: Any) -> Any:
        answer = await self._send(request.method, request.url, request.headers, request.content, self._timeout)
        return _value(answer, await answer.read(), kind)

    async def _send(
        self, method: str, url: str, headers: dict[str, str], content: Any, wait_seconds: float
    ) -> AsyncAnswer:
        bearer = bearer_of(self._key)
        return await send_async(
            self._http, method, url, bearer=bearer, headers=headers, content=content, wait_seconds=wait_seconds
        )

    async def _proxy(
        self,
        method: str,
        template: str,
        connection_id: Any,
        path: str,
        stated: Mapping[str, str | None],
        sending: Mapping[str, Any],
    ) -> AsyncAnswer:
        url, headers, content, timeout = self._proxied(template, connection_id, path, stated, sending)
        answer = await self._send(method, url, headers, content, timeout)
        if answer.headers.get("latchkey-outcome") != "upstream":
            _refuse(answer, await answer.read())
        return answer

    async def _each(self, fetch: Callable[[str | None], Awaitable[Page]]) -> AsyncIterator[Any]:
        cursor: str | None = None
        while True:
            page = await fetch(cursor)
            for item in page.items:
                yield item
            if page.next is None or page.next == cursor:
                return
            cursor = page.next


def _query(query: Mapping[str, Any]) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        several = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        pairs += [(name, as_text(one)) for one in several if one is not None]
    return f"?{urlencode(pairs)}" if pairs else ""


def _value(answer: Answer | AsyncAnswer, content: bytes, kind: Any) -> Any:
    """Return the value in a whole answer. Raises the ``Problem`` that it is, and ``UnexpectedAnswer``."""
    if answer.is_problem or answer.status >= 300:
        _refuse(answer, content)
    if kind is None or not content:
        return None
    try:
        value = decoded(kind, json.loads(content))
        if dataclasses.is_dataclass(value):
            object.__setattr__(value, _ETAG, answer.headers.get("etag"))
        return value
    except (ValueError, TypeError, AttributeError):
        raise UnexpectedAnswer(f"An answer with the status {answer.status} cannot be read.") from None


def _refuse(answer: Answer | AsyncAnswer, content: bytes) -> None:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not content and answer.headers.get("latchkey-outcome") == "refused":
        document = {"code": "", "detail": "A HEAD is refused without a body that says why."}
    if not isinstance(document, dict) or "code" not in document:
        raise UnexpectedAnswer(f"Something that is no Latchkey answered with the status {answer.status}.")
    raise Problem.of(document, status=answer.status, retry_after=answer.headers.get("retry-after"))
