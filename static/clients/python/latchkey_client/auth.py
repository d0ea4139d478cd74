"""An auth for ``requests`` and ``httpx`` that puts a connection's credential into your own requests, and renews it.

It vends before the first request, keeps the credential until shortly before it ends, and answers a provider's 401 by a
report to Latchkey and one more try with a newer credential. One vend serves all threads, or tasks, that wait for it.
"""

import asyncio
import importlib
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from latchkey_client.calls import AsyncCaller
from latchkey_client.errors import ForeignOrigin, LatchkeyError, NotHandedOut

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from latchkey_client.api import Vend
    from latchkey_client.client import AsyncLatchkey, Latchkey


def _base() -> type:
    """Return the class that an auth has to be of: that of ``httpx``, of ``httpx2``, of both or of neither."""
    found = []
    for name in ("httpx", "httpx2"):
        try:
            found.append(importlib.import_module(name).Auth)
        except ImportError:
            continue
    return type("Auth", tuple(found), {})


_Auth: Any = _base()
_LONGEST_SECONDS = 300.0
_MARGIN_SECONDS = 60.0
_TOLD_SECONDS = 10.0
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class _Kept:
    """A vended credential, and until when (monotonic) it is used."""

    vended: "Vend" = field(repr=False)
    until: float

    @property
    def origin(self) -> tuple[str, str]:
        return _origin(self.vended.credential.base_url)


def _kept(vended: "Vend") -> _Kept:
    credential = vended.credential
    if credential.value is None or credential.body:
        raise NotHandedOut("This connection's credential cannot be put into a request here: use proxy().")
    longest = _LONGEST_SECONDS  # so that a switch that an operator throws, and the audit trail, are not passed by
    if credential.expires_at is not None:
        left = (credential.expires_at - datetime.now(UTC)).total_seconds()
        longest = min(longest, left - min(_MARGIN_SECONDS, left / 2))
    return _Kept(vended, time.monotonic() + longest)


class ConnectionAuth(_Auth):  # type: ignore[misc]  # the libraries are what happens to be installed
    """Puts the credential of one connection into requests to its provider.

    Name the connection by its id, or by ``provider`` and the other members of ``vend``. Use it as ``auth=`` of
    ``requests``, of an ``httpx.Client`` (with a ``Latchkey``) or of an ``httpx.AsyncClient`` (with either client). What
    ``vend`` refuses is raised out of the request. Requests to any other origin are refused (``ForeignOrigin``). With
    httpx leave redirects off, as they are: they would take headers along to wherever they lead.
    """

    requires_request_body = False
    requires_response_body = False

    def __init__(self, latchkey: "Latchkey | AsyncLatchkey", connection: str | None = None, **wanted: Any) -> None:
        if (connection is None) is ("provider" not in wanted):
            raise LatchkeyError("Name the connection once, by its id or by provider and end user.")
        self._latchkey: Any = latchkey
        self._is_async = isinstance(latchkey, AsyncCaller)
        self._named = () if connection is None else (connection,)
        self._wanted = wanted
        self._kept: _Kept | None = None
        self._lock = threading.Lock()
        self._async_lock: asyncio.Lock | None = None
        self._told = ("", 0.0)  # the last version that was reported, and until when that is not done again

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._named[0] if self._named else self._wanted['provider']!r}>"

    def url(self, path: str) -> str:
        """Return the address of ``path`` at the connection's provider. See ``url_async`` for an ``AsyncLatchkey``."""
        return _below(self._current().vended.credential.base_url, path)

    async def url_async(self, path: str) -> str:
        """Return the address of ``path`` at the connection's provider."""
        return _below((await self._current_async()).vended.credential.base_url, path)

    # -- requests ------------------------------------------------------------------------------------------------------

    def __call__(self, request: Any) -> Any:
        """Prepare a request of ``requests``, and look at its answer."""
        kept = self._current()
        _place_in_prepared(request, kept)
        position = _position_of(request.body)

        def look(response: Any, **options: Any) -> Any:
            nonlocal kept
            if _leads_elsewhere(response, kept):
                _take_out(response.request, kept)  # the redirect goes there without the credential
            is_theirs = _origin(response.request.url) == kept.origin
            if response.status_code != _UNAUTHORIZED or position is None or not is_theirs:
                return response
            newer = self._renewed(kept)
            if newer is None:
                return response
            response.content  # noqa: B018 (read whole, so that the connection can be used again)
            response.close()
            again = response.request.copy()
            _take_out(again, kept)
            _take_out(response.request, kept)  # of this one, and not of ``again``, requests makes that of a redirect
            _place_in_prepared(again, newer)
            kept = newer
            if hasattr(again.body, "seek"):
                again.body.seek(position)
            repeated = response.connection.send(again, **options)
            if repeated.is_redirect and not _leads_elsewhere(repeated, kept):
                _place_in_prepared(response.request, kept)
            repeated.history.append(response)
            repeated.request = again
            return repeated

        request.register_hook("response", look)
        return request

    # -- httpx ---------------------------------------------------------------------------------------------------------

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Prepare a request of an ``httpx.Client``, and look at its answer."""
        kept = self._current()
        before = str(request.url)
        _place_in_httpx(request, before, kept)
        response = yield request
        if response.status_code == _UNAUTHORIZED and _is_repeatable(request):
            newer = self._renewed(kept)
            if newer is not None:
                response.read()
                _place_in_httpx(request, before, newer, instead_of=kept)
                yield request

    async def async_auth_flow(self, request: Any) -> "AsyncGenerator[Any, Any]":
        """Prepare a request of an ``httpx.AsyncClient``, and look at its answer."""
        kept = await self._current_async()
        before = str(request.url)
        _place_in_httpx(request, before, kept)
        response = yield request
        if response.status_code == _UNAUTHORIZED and _is_repeatable(request):
            newer = await self._renewed_async(kept)
            if newer is not None:
                await response.aread()
                _place_in_httpx(request, before, newer, instead_of=kept)
                yield request

    # -- what is kept --------------------------------------------------------------------------------------------------

    def _fresh(self, after: _Kept | None) -> _Kept | None:
        """Return what is kept, if it is still good and, with ``after``, of another version than that."""
        kept = self._kept
        if kept is None or kept.until <= time.monotonic():
            return None
        if after is not None and kept.vended.version == after.vended.version:
            return None
        return kept

    def _current(self, after: _Kept | None = None) -> _Kept:
        if (kept := self._fresh(after)) is not None:
            return kept
        with self._lock:
            if (kept := self._fresh(after)) is not None:  # another thread has vended meanwhile
                return kept
            if after is not None and self._was_told(after):
                return after
            if after is not None:
                self._latchkey.report_connection(after.vended.connection, **self._report(after))
            self._kept = kept = _kept(self._latchkey.vend(*self._named, **self._wanted))
            return kept

    def _renewed(self, refused: _Kept) -> _Kept | None:
        """Tell Latchkey that the provider refused this credential; return a newer one, if there is one."""
        newer = self._current(after=refused)
        return None if newer.vended.version == refused.vended.version else newer

    async def _current_async(self, after: _Kept | None = None) -> _Kept:
        if not self._is_async:
            return await asyncio.to_thread(self._current, after)
        if (kept := self._fresh(after)) is not None:
            return kept
        if self._async_lock is None:
            self._async_lock = asyncio.Lock()
        async with self._async_lock:
            if (kept := self._fresh(after)) is not None:
                return kept
            if after is not None and self._was_told(after):
                return after
            if after is not None:
                await self._latchkey.report_connection(after.vended.connection, **self._report(after))
            self._kept = kept = _kept(await self._latchkey.vend(*self._named, **self._wanted))
            return kept

    async def _renewed_async(self, refused: _Kept) -> _Kept | None:
        newer = await self._current_async(after=refused)
        return None if newer.vended.version == refused.vended.version else newer

    def _was_told(self, refused: _Kept) -> bool:
        """Whether Latchkey was told just now, and knew no newer version: one report serves all who were refused."""
        return self._told[0] == refused.vended.version and time.monotonic() < self._told[1]

    def _report(self, refused: _Kept) -> dict[str, Any]:
        self._told = (refused.vended.version, time.monotonic() + _TOLD_SECONDS)
        told = {"version": refused.vended.version, "status": _UNAUTHORIZED}
        return told | ({"tenant": self._wanted["tenant"]} if "tenant" in self._wanted else {})


def _place_in_prepared(request: Any, kept: _Kept) -> None:
    """Put the credential into a prepared request of ``requests``."""
    _check_origin(request.url, kept)
    request.headers.update(kept.vended.credential.headers)
    request.url = _with_query(request.url, kept.vended.credential.query)


def _leads_elsewhere(response: Any, kept: _Kept) -> bool:
    """Whether an answer of ``requests`` is a redirect to where the credential does not go."""
    return response.is_redirect and _origin(urljoin(response.url, response.headers["location"])) != kept.origin


def _take_out(request: Any, kept: _Kept) -> None:
    """Take the credential out of a prepared request again."""
    for name in kept.vended.credential.headers:
        request.headers.pop(name, None)
    request.url = _with_query(request.url, {}, but=kept.vended.credential.query)


def _place_in_httpx(request: Any, url: str, kept: _Kept, *, instead_of: _Kept | None = None) -> None:
    """Put the credential into a request of ``httpx`` to ``url``, in the place of another one."""
    _check_origin(url, kept)
    for name in instead_of.vended.credential.headers if instead_of is not None else ():
        request.headers.pop(name, None)
    request.headers.update(kept.vended.credential.headers)
    request.url = type(request.url)(_with_query(url, kept.vended.credential.query))


def _check_origin(url: str, kept: _Kept) -> None:
    if _origin(url) != kept.origin:
        raise ForeignOrigin(f"{_origin(url)[1]} is not where this connection's credential goes: {kept.origin[1]}.")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return parts.scheme, f"{parts.hostname}:{port}"


def _with_query(url: str, more: Mapping[str, str], *, but: Mapping[str, str] | None = None) -> str:
    """Return ``url`` with ``more`` in its query, and without the parameters of ``but``."""
    if not more and not but:
        return url
    parts = urlsplit(url)
    names = {*more, *(but or ())}
    pairs = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in names]
    return parts._replace(query=urlencode([*pairs, *more.items()])).geturl()


def _below(base_url: str, path: str) -> str:
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}"


def _position_of(body: Any) -> int | None:
    """Return where a body begins, or None for one that cannot be sent twice."""
    if body is None or isinstance(body, (bytes, str)):
        return 0
    try:
        return int(body.tell())
    except (AttributeError, OSError, ValueError):
        return None


def _is_repeatable(request: Any) -> bool:
    """Whether a request of ``httpx`` can be sent twice: its body is there as a whole."""
    try:
        return request.content is not None
    except Exception:  # noqa: BLE001 (RequestNotRead, of whichever library it is)
        return False
