"""An agent made with the official Python SDK of the Model Context Protocol, as a client of Latchkey's endpoint."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

Told = TypeVar("Told")


def talk(
    base_url: str, headers: Mapping[str, str], do: Callable[[Any], Awaitable[Told]], *, mode: str = "auto"
) -> Told:
    """Connect the SDK's client to ``base_url``'s endpoint, and return what ``do`` returns of it.

    ``mode`` is the SDK's: "legacy" begins with ``initialize``, "auto" asks the server what it speaks.
    """
    # Half a second of CPU, which each worker would spend while it collects.
    import httpx2
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    async def main() -> Told:
        async with (
            httpx2.AsyncClient(headers=dict(headers), trust_env=False) as carrier,
            Client(streamable_http_client(f"{base_url}/mcp", http_client=carrier), mode=mode) as client,
        ):
            return await do(client)

    return asyncio.run(main())
