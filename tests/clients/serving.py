"""Latchkey on a loopback port, as a thread of the test's process: clients reach it over HTTP, as they would yours."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from django.conf import settings
from django.db import connections

from providers.sandbox.waiting import until

_THREADS = 16


def _leave_database(threads: ThreadPoolExecutor) -> None:
    """Have each thread close its connection to the database, which could not be dropped otherwise."""
    everybody = threading.Barrier(_THREADS)

    def leave() -> None:
        everybody.wait(60)  # so that each thread takes one of these, and none takes two
        connections.close_all()

    for left in [threads.submit(leave) for _ in range(_THREADS)]:
        left.result()
    threads.shutdown()


def _by_its_public_name(front: Any) -> Any:
    """Return the application behind what a reverse proxy does: requests name the host of ``PUBLIC_URL``."""
    name = (b"host", urlsplit(settings.PUBLIC_URL).netloc.encode())

    async def named(scope: Any, receive: Any, send: Any) -> None:
        headers = [name, *(pair for pair in scope.get("headers", ()) if pair[0] != b"host")]
        await front({**scope, "headers": headers}, receive, send)

    return named


@contextmanager
def served() -> Iterator[str]:
    """Serve the ASGI application until the block ends; yield its address. Requests see what the test has committed."""
    from config.asgi import make_front  # imported by conftest, once the test database is there

    threads = ThreadPoolExecutor(_THREADS)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        _by_its_public_name(make_front(threads)), log_level="error", lifespan="off", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    until(lambda: server.started, "the server to start")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
        _leave_database(threads)
