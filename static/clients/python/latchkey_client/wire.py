"""HTTP, by whichever client is there: ``requests``, or ``httpx`` (or its successor ``httpx2``); async needs the latter.

Answers are read as streams. What a library raises may hold the whole request, so it never leaves this module.
"""

import importlib
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType, TracebackType
from typing import Any, TypedDict

from latchkey_client.errors import LatchkeyError, Unreachable

_LIBRARIES = ("requests", "httpx", "httpx2")
_CHUNK = 65_536


class Sending(TypedDict, total=False):
    """What goes into a proxied request: ``params`` of its query, ``headers``, and ``json`` or ``content`` as body."""

    params: Mapping[str, Any]
    headers: Mapping[str, str]
    json: Any
    content: bytes | Iterable[bytes]
    timeout: float


class AsyncSending(TypedDict, total=False):
    """The same, with a body that may come asynchronously."""

    params: Mapping[str, Any]
    headers: Mapping[str, str]
    json: Any
    content: bytes | AsyncIterable[bytes]
    timeout: float


class _Answered:
    """An answer whose body has not been read yet. It does not show what it holds."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"

    @property
    def is_problem(self) -> bool:
        """Whether Latchkey itself refused, where a provider could have answered."""
        return self.headers.get("content-type", "").startswith("application/problem+json")


class Answer(_Answered):
    """An answer, to be read once: whole, or as a stream. Close it, or use it as a context manager."""

    def __enter__(self) -> "Answer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()

    def stream(self) -> Iterator[bytes]:
        """Yield the body in pieces, as they come."""
        with _without_details():
            if _library_of(self._response) == "requests":
                yield from self._response.iter_content(_CHUNK)
            else:
                yield from self._response.iter_bytes(_CHUNK)

    def read(self) -> bytes:
        """Return the whole body, and close the answer."""
        with self:
            return b"".join(self.stream())

    def json(self) -> Any:
        """Return the whole body, which is JSON, and close the answer."""
        return json.loads(self.read())


class AsyncAnswer(_Answered):
    """The same, asynchronously."""

    async def __aenter__(self) -> "AsyncAnswer":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connection back."""
        await self._response.aclose()

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces, as they come."""
        with _without_details():
            async for piece in self._response.aiter_bytes(_CHUNK):
                yield piece

    async def read(self) -> bytes:
        """Return the whole body, and close the answer."""
        async with self:
            return b"".join([piece async for piece in self.stream()])

    async def json(self) -> Any:
        """Return the whole body, which is JSON, and close the answer."""
        return json.loads(await self.read())


def default_client() -> Any:
    """Return a new client of the first library that is installed. Raises ``LatchkeyError`` without one."""
    library = _first_of(_LIBRARIES)
    return library.Session() if library.__name__ == "requests" else library.Client()


def default_async_client() -> Any:
    """Return a new asynchronous client of the first library that is installed. Raises ``LatchkeyError`` without one."""
    return _first_of(_LIBRARIES[1:]).AsyncClient()


def send(
    http: Any, method: str, url: str, *, bearer: str, headers: Mapping[str, str], content: Any, timeout: float
) -> Answer:
    """Send one request, following no redirect. Raises ``Unreachable``."""
    said = _headers(headers, bearer)
    with _without_details():
        if _library_of(http) == "requests":
            return Answer(
                http.request(
                    method,
                    url,
                    headers=said,
                    data=content,
                    timeout=timeout,
                    stream=True,
                    allow_redirects=False,
                    auth=_as_it_is,
                )
            )
        request = http.build_request(method, url, headers=said, content=content, timeout=timeout)
        return Answer(http.send(request, stream=True, follow_redirects=False, auth=_as_it_is))


async def send_async(
    http: Any, method: str, url: str, *, bearer: str, headers: Mapping[str, str], content: Any, wait_seconds: float
) -> AsyncAnswer:
    """Send one request, following no redirect. Raises ``Unreachable``."""
    with _without_details():
        said = _headers(headers, bearer)
        request = http.build_request(method, url, headers=said, content=content, timeout=wait_seconds)
        return AsyncAnswer(await http.send(request, stream=True, follow_redirects=False, auth=_as_it_is))


def _headers(headers: Mapping[str, str], bearer: str) -> dict[str, bytes]:
    # As bytes: the libraries do not agree on how to write what is not ASCII.
    said = {name: value.encode() for name, value in headers.items()}
    return {**said, "Authorization": f"Bearer {bearer}".encode()}


def _as_it_is(request: Any) -> Any:
    """Stand in the place of an auth, so that no ``.netrc`` puts its password over the key."""
    return request


def _first_of(names: tuple[str, ...]) -> ModuleType:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise LatchkeyError(f"Install one of {', '.join(names)}, or give the client an `http` of your own.")


def _library_of(thing: object) -> str:
    for kind in type(thing).__mro__:
        if (library := kind.__module__.partition(".")[0]) in _LIBRARIES:
            return library
    return ""


@contextmanager
def _without_details() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in (*_LIBRARIES, "urllib3", "httpcore", "httpcore2"):
            raise
        raise Unreachable(f"Latchkey gave no whole answer ({type(error).__name__}).") from None


Bearer = str | Callable[[], str]


def bearer_of(key: Bearer) -> str:
    """Return the key, or what the function gives that reads a workload's token anew."""
    return key() if callable(key) else key
