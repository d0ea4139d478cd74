"""The clients: every operation of the API, and ``vend`` over the two ways to name a connection."""

from typing import Any, Unpack, overload

from latchkey_client.api import AsyncOperations, Operations, Vend, VendByOwnerIn, VendIn


class Latchkey(Operations):
    """Your Latchkey. ``key`` is an API key, or a function that returns a workload's token.

    It is safe to share between threads as far as ``http`` is (a ``requests.Session`` or an ``httpx.Client``; without
    one, a new one of whichever is installed). An answer of 503 is waited out for up to ``patience_seconds``.
    """

    @overload
    def vend(self, connection: str, /, **wanted: Unpack[VendIn]) -> Vend: ...

    @overload
    def vend(self, /, **wanted: Unpack[VendByOwnerIn]) -> Vend: ...

    def vend(self, connection: str | None = None, /, **wanted: Any) -> Vend:
        """Return a credential that works now, of the connection with this id, or of ``end_user`` at ``provider``.

        Use it at once; ``ConnectionAuth`` keeps and renews one for you. Raises the ``Problem`` that says why there is
        none: ``ReauthorizationRequired`` has the ``connect_url`` for its end user.
        """
        return self.vend_by_owner(**wanted) if connection is None else self.vend_by_id(connection, **wanted)


class AsyncLatchkey(AsyncOperations):
    """The same, asynchronously (asyncio), with an ``httpx.AsyncClient``."""

    @overload
    async def vend(self, connection: str, /, **wanted: Unpack[VendIn]) -> Vend: ...

    @overload
    async def vend(self, /, **wanted: Unpack[VendByOwnerIn]) -> Vend: ...

    async def vend(self, connection: str | None = None, /, **wanted: Any) -> Vend:
        """Return a credential that works now; see ``Latchkey.vend``."""
        if connection is None:
            return await self.vend_by_owner(**wanted)
        return await self.vend_by_id(connection, **wanted)
