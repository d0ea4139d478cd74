"""A client that calls the ASGI application as a web server does: the same front, handler and errors as production.

The event loop runs in a thread of its own. Whatever the application gives to its threads runs in the thread of the
test, on the test's database connection. Nothing raises out of it: what nobody expects is the 500 that a caller would
get, and a line in the log.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache, partial
from typing import Any
from urllib.parse import quote

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client

Message = MutableMapping[str, Any]
_OWN = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}


class AsgiClient(Client):
    """Django's test client, with ``config.asgi``'s application behind it."""

    def __init__(self, *, handler: WSGIHandler | None = None, **defaults: Any) -> None:
        """``handler`` takes the place of the process's own Django, which was made for other settings."""
        super().__init__(enforce_csrf_checks=True, raise_request_exception=False, **defaults)
        self.handler = partial(_answer, handler=handler)


class CallersThread(Executor):
    """Runs what is submitted in the thread that called ``run``."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> "Future[Any]":
        """Order a call, from any thread."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*arguments, **named))
            except BaseException as error:  # noqa: BLE001 (the one who waits for the future gets it)
                future.set_exception(error)

        self._work.put(work)
        return future

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the coroutine function ``main`` in the loop's thread, and what it submits in this one."""
        ended = asyncio.run_coroutine_threadsafe(main(), _loop())
        ended.add_done_callback(lambda _: self._work.put(None))
        while (work := self._work.get()) is not None:
            work()
        ended.result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of all requests, which runs in a thread until this process ends."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="asgi client", daemon=True).start()
    return loop


def _answer(environ: dict[str, Any], *, handler: WSGIHandler | None) -> HttpResponse:
    """Return what the application answers, read to its end."""
    from config.asgi import make_front  # imported by conftest, once the test database is there

    executor = CallersThread()
    sent: list[Message] = []
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))

    async def call() -> None:
        received: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        has_ended = asyncio.Event()

        async def receive() -> Message:
            if received:
                return received.pop()
            await has_ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                has_ended.set()

        await make_front(executor, **({} if handler is None else {"handler": handler}))(_scope(environ), receive, send)

    with kept_transaction():
        executor.run(call)
    return _response(environ["REQUEST_METHOD"], sent)


def _scope(environ: dict[str, Any]) -> dict[str, Any]:
    headers = [
        (_OWN.get(name) or name.removeprefix("HTTP_").replace("_", "-").lower().encode(), str(value).encode("latin-1"))
        for name, value in environ.items()
        if (name in _OWN and value not in ("", None)) or name.startswith("HTTP_")
    ]
    if "HTTP_HOST" not in environ:
        headers.append((b"host", f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}".encode().removesuffix(b":80")))
    return {
        "type": "http",
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        "raw_path": quote(environ["PATH_INFO"].encode("latin-1")).encode(),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": (environ.get("REMOTE_ADDR", ""), 0),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
    }


def _response(method: str, sent: list[Message]) -> HttpResponse:
    started, *parts = sent
    status = started["status"]
    # A server sends no body with these, and none in answer to HEAD.
    is_bare = method == "HEAD" or status in (204, 304)
    content = b"" if is_bare else b"".join(part.get("body", b"") for part in parts)
    answer = HttpResponse(content, status=status)
    del answer["Content-Type"]
    for name, value in ((name.decode().title(), value.decode("latin-1")) for name, value in started["headers"]):
        if name == "Set-Cookie":
            answer.cookies.load(value)
        else:
            assert name not in answer, f"{name} is sent twice"
            answer[name] = value
    answer.wsgi_request = HttpRequest()  # Django's client asks it for an urlconf of its own
    if answer.has_header("Location"):
        answer.url = answer["Location"]
    return answer


@contextmanager
def kept_transaction() -> Iterator[None]:
    """Keep the transaction that a test runs in: each request gives its database connection back, and would end it."""
    signals = (request_started, request_finished) if connection.in_atomic_block else ()
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
