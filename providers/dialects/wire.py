"""A network in memory: what ``providers.egress`` writes to a socket is read as HTTP, and a function answers it.

Everything above the socket is the product's: the request is composed, written and its answer parsed by the code that
runs in production. Only looking a name up, TCP and TLS are left out, so that a vendor's own addresses can be called.
Where a client certificate is presented, the handshake is made, too.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from requests.structures import CaseInsensitiveDict

from providers.dialects.certificates import shown_in_handshake
from providers.rehearsal import rehearsed
from providers.values import ClientCertificate

# Status, headers, body.
Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True)
class Request:
    """One request as it was written: ``url`` is the whole address, with the host of its ``Host`` header.

    ``certificate`` is the client certificate (DER) of its connection, empty if there was none.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    certificate: bytes = b""

    @property
    def address(self) -> str:
        """The address without its query."""
        return self.url.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip()


class _Socket:
    """The end of a connection to ``target``: it takes one request, and then holds the answer to it."""

    deadline = 0.0

    def __init__(
        self, target: SplitResult, respond: Callable[[Request], Answer], certificate: ClientCertificate | None
    ) -> None:
        self._target, self._respond, self._sent = target, respond, bytearray()
        self._certificate = certificate

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        status, headers, body = self._respond(self._request())
        lines = [f"HTTP/1.1 {status} Answer", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        return io.BytesIO(head.encode() + body)

    def close(self) -> None:
        pass

    def _request(self) -> Request:
        head, _, body = bytes(self._sent).partition(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        method, path, _ = first.decode().split(" ")
        headers = CaseInsensitiveDict(BytesParser().parsebytes(rest + b"\r\n\r\n").items())
        host = self._target.hostname or ""
        shown = b"" if self._certificate is None else shown_in_handshake(host, self._certificate)
        return Request(method, f"{self._target.scheme}://{headers['Host']}{path}", headers, body, shown)


@contextmanager
def answered_by(respond: Callable[[Request], Answer]) -> Iterator[None]:
    """Answer everything that this process sends by ``respond``, within the block."""

    def connect(target: SplitResult, certificate: ClientCertificate | None) -> _Socket:
        assert target.scheme == "https", "a vendor is called by https"
        return _Socket(target, respond, certificate)

    with rehearsed(connect):
        yield
