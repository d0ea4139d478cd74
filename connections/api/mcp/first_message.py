"""The first message of an agent: only then does a process load what it needs for agents.

The protocol's types cost each web process 22 MB and a third of a second, and most installations serve no agent by them.
"""

from collections.abc import MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from connections.api.asgi import Receive, Send
from connections.api.vend_calls import Headers
from connections.lifecycle.proxy.carry import Carrier
from connections.lifecycle.refresh.waits import Run

if TYPE_CHECKING:
    from connections.api.mcp.desk import McpDesk

_DESK = "connections.api.mcp.desk"


class LateDesk:
    """The ``McpDesk`` of one event loop, with the same arguments, made when the first request comes."""

    def __init__(self, carrier: Carrier, *, run: Run, run_proof: Run) -> None:
        self._carrier = carrier
        self._run = run
        self._run_proof = run_proof
        self._desk: McpDesk | None = None

    async def serve(self, scope: MutableMapping[str, Any], headers: Headers, receive: Receive, send: Send) -> None:
        """Answer one request. The first one waits until the types are loaded, in a thread."""
        if self._desk is None:
            module = await self._run(import_module, _DESK)
            self._desk = module.McpDesk(self._carrier, run=self._run, run_proof=self._run_proof)
        await self._desk.serve(scope, headers, receive, send)
