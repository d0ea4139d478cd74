"""Three sites of three owners over TLS: a product, Latchkey, a provider. A test CA has signed their certificate.

Ports of one host are one site to a browser, which hides every fault of cookies. With ``chromium_arguments`` Chromium
finds the names on this machine and trusts the one key; any other browser finds them by the proxy of ``tunnels``.
Latchkey and the provider stand behind a front that ends TLS.
"""

import asyncio
import base64
import contextlib
import hashlib
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRODUCT, SECOND_PRODUCT, LATCHKEY, PROVIDER, STRANGER = (
    "app.acme.test",
    "shop.acme.test",
    "connect.latchkey.test",
    "login.provider.test",
    "www.stranger.test",
)
_SEVERS = b"Cross-Origin-Opener-Policy: same-origin\r\n"


class Certificate:
    """One certificate for all of the sites."""

    def __init__(self) -> None:
        issued = trustme.CA().issue_cert(PRODUCT, SECOND_PRODUCT, LATCHKEY, PROVIDER, STRANGER)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(self.context)
        key = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        fingerprint = base64.b64encode(hashlib.sha256(der).digest()).decode()
        self.chromium_arguments = [
            "--host-resolver-rules=MAP *.test 127.0.0.1",
            f"--ignore-certificate-errors-spki-list={fingerprint}",
        ]


class Front:
    """Ends TLS at ``url`` for the server at the port ``upstream``, which may be set later.

    While ``severs`` is set, every answer asks the browser to sever the window from the one that opened it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.port = 0
        self.upstream = 0
        self.severs = False

    @property
    def url(self) -> str:
        """The origin."""
        return f"https://{self._name}:{self.port}"

    async def serve(self, context: ssl.SSLContext, ready: threading.Event, ended: asyncio.Event) -> None:
        """Serve until ``ended``."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.upstream)
            await asyncio.gather(pump(reader, to_server), pump(from_server, writer, change=self._severed))

    def _severed(self, chunk: bytes) -> bytes:
        if not (self.severs and chunk.startswith(b"HTTP/1.1 ") and b"\r\n" in chunk):
            return chunk
        status, _, rest = chunk.partition(b"\r\n")
        return status + b"\r\n" + _SEVERS + rest


class Tunnels:
    """A proxy at ``port`` of this machine that leads every name to this machine (CONNECT, RFC 9110 §9.3.6)."""

    port = 0

    async def serve(self, ready: threading.Event, ended: asyncio.Event) -> None:
        """Serve until ``ended``."""
        server = await asyncio.start_server(self._lead, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        server.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b" ", 2)
            if method != b"CONNECT":
                writer.close()
                return
            from_server, to_server = await asyncio.open_connection("127.0.0.1", int(target.rpartition(b":")[2]))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(pump(reader, to_server), pump(from_server, writer))


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, change: Callable[[bytes], bytes] = bytes
) -> None:
    """Write whatever is read, each chunk as ``change`` returns it, until the end."""
    try:
        while chunk := await reader.read(65536):
            writer.write(change(chunk))
            await writer.drain()
    finally:
        writer.close()


@contextmanager
def fronts(certificate: Certificate, *names: str) -> Iterator[list[Front]]:
    """Run a front for each name."""
    made = [Front(name) for name in names]
    with _serving(*(partial(front.serve, certificate.context) for front in made)):
        yield made


@contextmanager
def tunnels() -> Iterator[Tunnels]:
    """Run the proxy."""
    made = Tunnels()
    with _serving(made.serve):
        yield made


@contextmanager
def _serving(*serves: Callable[[threading.Event, asyncio.Event], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """Run servers in a thread. Each sets its event when it is ready, and serves until the other one is set."""
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    each_ready = [(serve, threading.Event()) for serve in serves]

    async def main() -> None:
        await asyncio.gather(*(serve(ready, ended) for serve, ready in each_ready))

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    try:
        for _, ready in each_ready:
            assert ready.wait(60)
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
