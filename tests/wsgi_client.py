"""A client that calls the WSGI application as a web server does: the same handler, middleware and errors as production.

Nothing raises out of it: what a view does not expect is the 500 that a caller would get, and a line in the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client


class WsgiClient(Client):
    """Django's test client, with ``config.wsgi.application`` behind it."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(enforce_csrf_checks=True, raise_request_exception=False, **defaults)
        self.handler = _answer


def _answer(environ: dict[str, Any]) -> HttpResponse:
    """Return what the application answers, read to its end and closed."""
    from config.wsgi import application  # imported by conftest, once the test database is there

    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        told.append((status, headers))

    with _transaction_of_the_test():
        parts = application(environ, start_response)
        try:
            content = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
    ((status, headers),) = told
    number, _, reason = status.partition(" ")
    # A server sends no body with these, and none in answer to HEAD.
    is_bare = environ["REQUEST_METHOD"] == "HEAD" or number in ("204", "304")
    answer = HttpResponse(b"" if is_bare else content, status=int(number), reason=reason)
    del answer["Content-Type"]
    for name, value in headers:
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
def _transaction_of_the_test() -> Iterator[None]:
    """Keep the transaction that a test runs in: each request gives its database connection back, and would end it."""
    signals = (request_started, request_finished) if connection.in_atomic_block else ()
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
