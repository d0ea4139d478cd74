"""An API on loopback for the bench of the proxy: ``python -m tests.campaigns.proxy_upstream`` prints its address.

``/small`` answers at once, ``/down/N`` with N bytes, ``/paced/N`` with 64 KiB N times a second until nobody listens,
and ``/up`` when it has read the whole request.
"""

import asyncio
import contextlib
import re

_PART = b"0123456789abcdef" * 4096


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            target = head.split(b" ", 2)[1].decode()
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            left = int(length[1]) if length else 0
            while left and (part := await reader.read(min(left, 1 << 18))):
                left -= len(part)
            kind, _, number = target[1:].partition("/")
            if kind == "down":
                await _answer(writer, int(number), pause=0.0)
            elif kind == "paced":
                await _answer(writer, 1 << 40, pause=1 / int(number))
            else:
                writer.write(
                    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"items": []}'
                )
            await writer.drain()
    writer.close()


async def _answer(writer: asyncio.StreamWriter, size: int, *, pause: float) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    while size > 0:
        writer.write(_PART[: min(size, len(_PART))])
        size -= len(_PART)
        await writer.drain()
        if pause:
            await asyncio.sleep(pause)


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
