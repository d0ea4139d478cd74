"""Three sites of three owners over TLS: a product, Latchkey, a provider. A test CA has signed their certificate.

Ports of one host are one site to a browser, which hides every fault of cookies. With ``chromium_arguments`` Chromium
finds the names on this machine and trusts the one key. Latchkey and the provider stand behind a front that ends TLS.
"""

import asyncio
import base64
import contextlib
import hashlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRODUCT, LATCHKEY, PROVIDER, STRANGER = (
    "app.acme.test",
    "connect.latchkey.test",
    "login.provider.test",
    "www.stranger.test",
)
_SEVERS = b"Cross-Origin-Opener-Policy: same-origin\r\n"


class Certificate:
    """One certificate for all of the sites."""

    def __init__(self) -> None:
        issued = trustme.CA().issue_cert(PRODUCT, LATCHKEY, PROVIDER, STRANGER)
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
            await asyncio.gather(self._pump(reader, to_server), self._pump(from_server, writer, is_answer=True))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        try:
            while chunk := await reader.read(65536):
                if is_answer and self.severs and chunk.startswith(b"HTTP/1.1 ") and b"\r\n" in chunk:
                    status, _, rest = chunk.partition(b"\r\n")
                    chunk = status + b"\r\n" + _SEVERS + rest
                writer.write(chunk)
                await writer.drain()
        finally:
            writer.close()


@contextmanager
def fronts(certificate: Certificate, *names: str) -> Iterator[list[Front]]:
    """Run a front for each name."""
    made = [(Front(name), threading.Event()) for name in names]
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    async def main() -> None:
        await asyncio.gather(*(front.serve(certificate.context, ready, ended) for front, ready in made))

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    try:
        for _, ready in made:
            assert ready.wait(10)
        yield [front for front, _ in made]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(5)
