"""A load generator on plain sockets: cheap enough that the server, not the client, is what is measured.

Each worker thread keeps one HTTP/1.1 connection and sends the same request again and again, waiting for each answer.
"""

import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Load:
    """What a run measured: answers a second, and the time of each in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float
    count: int
    unexpected: list[bytes] = field(default_factory=list)


def request_bytes(method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return one HTTP/1.1 request, ready to send."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run_load(url: str, requests: list[bytes], *, connections: int = 16, seconds: float = 5.0) -> Load:
    """Send ``requests`` round robin over that many connections for that long; anything but a 200 is kept."""
    parts = urlsplit(url)
    times: list[float] = []
    unexpected: list[bytes] = []
    stop_at = time.monotonic() + seconds

    def run(number: int) -> None:
        mine: list[float] = []
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            turn = number
            while (began := time.perf_counter()) and time.monotonic() < stop_at:
                sock.sendall(requests[turn % len(requests)])
                turn += connections
                answer = _read_answer(sock)
                mine.append(time.perf_counter() - began)
                if not answer.startswith(b"HTTP/1.1 200"):
                    unexpected.append(answer[:500])
                    break
        times.extend(mine)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - began
    times.sort()
    if not times:
        return Load(0, 0, 0, 0, unexpected)
    return Load(
        per_second=round(len(times) / elapsed, 1),
        p50_ms=round(times[len(times) // 2] * 1000, 2),
        p99_ms=round(times[int(len(times) * 0.99)] * 1000, 2),
        count=len(times),
        unexpected=unexpected,
    )


def _read_answer(sock: socket.socket) -> bytes:
    answer = sock.recv(65536)
    head, separator, body = answer.partition(b"\r\n\r\n")
    while not separator:
        more = sock.recv(65536)
        if not more:
            return answer
        answer += more
        head, separator, body = answer.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        more = sock.recv(65536)
        if not more:
            break
        body += more
    return head + separator + body
