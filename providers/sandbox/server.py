"""The threaded HTTP/1.1 server under the application.

Owns reading requests and writing ordinary answers (RFC 9112): a thread for each open connection, connections kept
alive. It exists because faults need the accepted socket, which the WSGI environment carries as ``sandbox.socket``, and
because it keeps the cost of a token request low beside the programs that a drill measures. It reads what OAuth clients
send: bodies have a Content-Length, a chunked one is refused with 411. With a certificate it speaks TLS alone.
"""

import contextlib
import io
import socket
import ssl
import sys
import threading
import time
import traceback
from email.utils import formatdate
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

_MOST_IDLE = 32
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 2.0
_MOST_HEADER_BYTES = 64 * 1024
_MOST_BODY_BYTES = 4 * 1024 * 1024


class _Refused(Exception):
    """The request cannot be read; the argument is the status line to answer with."""


class Server:
    """Bound and listening from the start, serving from ``serve_forever`` on.

    ``certificate`` is a PEM file with a private key and its chain. Raises ``OSError`` if it cannot be used. Or ``tls``
    is the whole context.
    """

    def __init__(
        self, *, host: str, port: int, certificate: Path | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._tls = tls
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=1024)
        self._lock = threading.Lock()
        self._idle = 0
        self.port: int = self._socket.getsockname()[1]

    def serve_forever(self, app: Flask) -> NoReturn:
        """Serve ``app`` until an exception (KeyboardInterrupt) ends the wait, and stop listening then."""
        with self._socket:
            self._add_worker(app)
            while True:
                threading.Event().wait()

    def _add_worker(self, app: Flask) -> None:
        self._idle += 1
        threading.Thread(target=self._work, args=(app,), daemon=True).start()

    def _work(self, app: Flask) -> None:
        """Accept and serve one connection after another. The last idle worker starts another before it serves.

        A worker may be busy for as long as its connection lives, so one idle worker must always wait for the next.
        """
        while True:
            try:
                accepted, address = self._socket.accept()
            except OSError:
                if self._socket.fileno() < 0:
                    return
                time.sleep(_PAUSE_SECONDS)  # out of file descriptors: give connections time to end
                continue
            with self._lock:
                self._idle -= 1
                if not self._idle:
                    self._add_worker(app)
            _serve(app, accepted, address, self.port, self._tls)
            with self._lock:
                if self._idle >= _MOST_IDLE:
                    return
                self._idle += 1


def _serve(
    app: Flask, accepted: socket.socket, address: tuple[Any, ...], port: int, tls: ssl.SSLContext | None
) -> None:
    """Answer the requests of one connection until either side ends it."""
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls is not None:
        try:
            accepted = tls.wrap_socket(accepted, server_side=True)
        except OSError:  # no client of TLS, or one that does not like the certificate
            accepted.close()
            return
    with accepted, contextlib.suppress(ConnectionError, ssl.SSLError), accepted.makefile("rb") as stream:
        while True:
            try:
                environ = _read(stream)
            except _Refused as refusal:
                accepted.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                _read_on(accepted)
                return
            if environ is None:
                return
            if isinstance(accepted, ssl.SSLSocket):
                environ["wsgi.url_scheme"] = "https"
                environ["sandbox.certificate"] = accepted.getpeercert(binary_form=True)
            environ |= {"sandbox.socket": accepted, "REMOTE_ADDR": address[0], "SERVER_PORT": str(port)}
            if not _answer(app, environ, accepted):
                return


def _read_on(accepted: socket.socket) -> None:
    """Let a client finish what it is sending: closing with unread bytes would reset its answer away."""
    accepted.shutdown(socket.SHUT_WR)
    accepted.settimeout(_PATIENCE_SECONDS)
    with contextlib.suppress(TimeoutError):
        while accepted.recv(1 << 20):
            pass


def _read(stream: BinaryIO) -> dict[str, Any] | None:
    """Return the WSGI environment of the next request, None at the end of the connection."""
    head = [stream.readline(_MOST_HEADER_BYTES)]
    if not head[0]:
        return None
    size = 0
    while (line := stream.readline(_MOST_HEADER_BYTES)) not in (b"\r\n", b"\n"):
        if not line:
            return None
        head.append(line)
        size += len(line)
        if size > _MOST_HEADER_BYTES:
            raise _Refused("431 Request Header Fields Too Large")
    try:
        method, target, protocol = head[0].decode("latin-1").split()
    except ValueError:
        raise _Refused("400 Bad Request") from None
    if not target.startswith("/"):
        raise _Refused("400 Bad Request")
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
        if "_" in name:
            continue  # would be taken for the header with hyphens
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value.strip()}" if key in environ else value.strip()
    environ["wsgi.input"] = io.BytesIO(_body(stream, environ))
    return environ


def _body(stream: BinaryIO, environ: dict[str, Any]) -> bytes:
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
    try:
        chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
        body = b"".join(chunks)
    except ConnectionError:
        raise
    except Exception:  # noqa: BLE001 - whatever the application raises is its client's 500
        traceback.print_exc()
        status, headers, body = "500 Internal Server Error", Headers(), b""
    goes_on: bool = environ["SERVER_PROTOCOL"] == "HTTP/1.1" and environ.get("HTTP_CONNECTION") != "close"
    headers["Date"] = formatdate(usegmt=True)
    if not status.startswith(("204", "304")):
        headers.setdefault("Content-Length", str(len(body)))
    if not goes_on:
        headers["Connection"] = "close"
    head = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
    sent = b"" if environ["REQUEST_METHOD"] == "HEAD" else body
    accepted.sendall("\r\n".join(head).encode("latin-1") + sent)
    return goes_on
