"""The threaded HTTP/1.1 server under the application.

Owns reading requests and writing ordinary answers (RFC 9112), a thread for each connection, connections kept alive. It
exists because faults need the accepted socket, which the WSGI environment carries as ``sandbox.socket``, and because the
development servers at hand take several times as long for a request as the application itself. It reads what OAuth
clients send: bodies have a Content-Length, a chunked one is refused with 411.
"""

import contextlib
import io
import socket
import sys
import threading
import traceback
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Flask

_MOST_HEADER_BYTES = 64 * 1024
_MOST_BODY_BYTES = 4 * 1024 * 1024


class _Refused(Exception):
    """The request cannot be read; the argument is the status line to answer with."""


class Server:
    """Bound and listening from the start; ``app`` may be set until ``serve_forever``."""

    def __init__(self, *, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=1024)
        self.port: int = self._socket.getsockname()[1]

    def serve_forever(self, app: Flask) -> NoReturn:
        """Accept connections until an exception (KeyboardInterrupt) ends it, and stop listening then."""
        with self._socket:
            while True:
                accepted, address = self._socket.accept()
                threading.Thread(target=_serve, args=(app, accepted, address, self.port), daemon=True).start()


def _serve(app: Flask, accepted: socket.socket, address: tuple[Any, ...], port: int) -> None:
    """Answer the requests of one connection until either side ends it."""
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with accepted, contextlib.suppress(ConnectionError), accepted.makefile("rb", 1 << 16) as stream:
        while True:
            try:
                environ = _read(stream)
            except _Refused as refusal:
                accepted.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                return
            if environ is None:
                return
            environ |= {"sandbox.socket": accepted, "REMOTE_ADDR": address[0], "SERVER_PORT": str(port)}
            if not _answer(app, environ, accepted):
                return


def _read(stream: io.BufferedReader) -> dict[str, Any] | None:
    """Return the WSGI environment of the next request, None at the end of the connection."""
    head = [stream.readline(_MOST_HEADER_BYTES)]
    if not head[0]:
        return None
    size = 0
    while (line := stream.readline(_MOST_HEADER_BYTES)) not in (b"\r\n", b"\n", b""):
        head.append(line)
        size += len(line)
        if size > _MOST_HEADER_BYTES:
            raise _Refused("431 Request Header Fields Too Large")
    try:
        method, target, protocol = head[0].decode("latin-1").split()
    except ValueError:
        raise _Refused("400 Bad Request") from None
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "sandbox",
        "SERVER_PROTOCOL": protocol,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for line in head[1:]:
        name, _, value = line.decode("latin-1").partition(":")
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value.strip()}" if key in environ else value.strip()
    environ["wsgi.input"] = io.BytesIO(_body(stream, environ))
    return environ


def _body(stream: io.BufferedReader, environ: dict[str, Any]) -> bytes:
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise _Refused("411 Length Required")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise _Refused("400 Bad Request")
    if int(length) > _MOST_BODY_BYTES:
        raise _Refused("413 Content Too Large")
    body = stream.read(int(length))
    if len(body) < int(length):
        raise ConnectionAbortedError
    return body


def _answer(app: Flask, environ: dict[str, Any], accepted: socket.socket) -> bool:
    """Run the application and send what it returns, in one piece; return whether the connection goes on."""
    head: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        head[:] = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]

    try:
        answer: Iterable[bytes] = app(environ, start_response)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
    except ConnectionError:
        raise
    except Exception:
        traceback.print_exc()
        head[:], body = ["HTTP/1.1 500 Internal Server Error"], b""
    goes_on = environ["SERVER_PROTOCOL"] == "HTTP/1.1" and environ.get("HTTP_CONNECTION", "").lower() != "close"
    head.append(f"Date: {formatdate(usegmt=True)}")
    if not any(line.lower().startswith("content-length:") for line in head):
        head.append(f"Content-Length: {len(body)}")
    if not goes_on:
        head.append("Connection: close")
    if environ["REQUEST_METHOD"] == "HEAD":
        body = b""
    accepted.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)
    return goes_on
