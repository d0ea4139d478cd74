"""The desk where vends are answered: together where they come together, and without a thread where they wait."""

from connections.api.batches import Batches
from connections.api.problems import answer_error
from connections.api.vend_calls import Reply, VendCall, answer_calls, find_by_owner, reply_of
from connections.lifecycle.refresh.waits import Refreshes, Run
from connections.lifecycle.vend.vend import RefreshNeeded

THREADS = 1
LARGEST_BATCH = 32


class VendDesk:
    """Answers the calls of one event loop.

    ``run_vend`` has ``THREADS`` threads that keep their database connections; ``run_lookup`` runs the queries that come
    before some vends; ``refreshes`` are those of the event loop.
    """

    def __init__(self, *, run_vend: Run, run_lookup: Run, refreshes: Refreshes) -> None:
        self._run_lookup = run_lookup
        self._refreshes = refreshes
        self._batches: Batches[VendCall, Reply | RefreshNeeded] = Batches(
            answer_calls, run=run_vend, at_once=THREADS, largest=LARGEST_BATCH
        )

    async def answer(self, call: VendCall) -> Reply:
        """Answer one call. Waits for a refresh as long as the caller allows, if no valid credential is left."""
        try:
            return await self._answer(call)
        except Exception as error:  # noqa: BLE001 (a document says what it was)
            return reply_of(answer_error(error, path=call.path), is_secure=call.is_secure)

    async def _answer(self, call: VendCall) -> Reply:
        if call.connection_id is None:
            found: VendCall | Reply = await self._run_lookup(find_by_owner, call)
            if isinstance(found, Reply):
                return found
            call = found
        answer = await self._batches.ask(call)
        if isinstance(answer, RefreshNeeded):
            report = await self._refreshes.refresh_and_wait(
                answer.order.connection_id,
                places=answer.places,
                need=answer.need,
                min_ttl_seconds=answer.order.min_ttl_seconds,
                wait_seconds=answer.order.wait_seconds,
            )
            answer = await self._batches.ask(call.after(report))
        if isinstance(answer, RefreshNeeded):
            raise TypeError("A call with a report has a final answer.")
        return answer
