"""Watch: what is switched off stops, also in the middle of a stream, within seconds.

One query for all calls that are under way in an event loop, once a second while there are any. A database that is away
stops nothing: each call has an end of its own.
"""

import asyncio
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError
from django.db.models.functions import Now

from connections.database.pool import hand_back_database, replace_broken_connections
from connections.lifecycle.proxy.permit import Permit
from connections.lifecycle.refresh.waits import Run
from connections.models import VENDS, AccessGrant, ApiKey, Connection, ProvenToken, Restriction
from connections.models.switches import KILL_SWITCH, PAUSE, any_thrown
from connections.refusals import Suspended

EVERY_SECONDS = 1.0


@dataclass(slots=True)
class Watched:
    """One call under way, and the task that carries it."""

    connection_id: uuid.UUID
    grant_id: uuid.UUID | None
    key_hash: bytes = field(repr=False)
    task: "asyncio.Task[object]"
    refusal: Suspended | None = None

    def stopped(self) -> Suspended | None:
        """Return why the call was stopped, and take the task's cancellation back; None if it was not stopped here."""
        if self.refusal is not None:
            self.task.uncancel()
        return self.refusal


class Watch:
    """Stops the calls of one event loop. ``run`` runs a query in a thread."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._calls: dict[int, Watched] = {}
        self._poller: asyncio.Task[None] | None = None

    @contextmanager
    def over(self, permitted: Permit, *, key_hash: bytes) -> Iterator[Watched]:
        """Watch over a call while the block runs in the current task, which is cancelled if the call has to stop."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A call is carried by a task.")
        watched = Watched(permitted.connection.id, permitted.access.grant_id, key_hash, task)
        self._calls[id(watched)] = watched
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            yield watched
        finally:
            del self._calls[id(watched)]

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            calls = [*self._calls.values()]
            if not calls:
                return
            on: Still | None = await self._run(
                still_on,
                {call.connection_id for call in calls},
                {call.key_hash for call in calls},
                {call.grant_id for call in calls if call.grant_id is not None},
            )
            if on is None:
                continue
            for call in calls:
                if on.lets(call):
                    continue
                if call.refusal is None and id(call) in self._calls:
                    call.refusal = Suspended("This was switched off while the call was under way.")
                    call.task.cancel()


@dataclass(frozen=True, slots=True)
class Still:
    """What may still be used: the connections that may be called, the keys and the access grants that are good."""

    connections: Collection[uuid.UUID]
    keys: Collection[bytes]
    grants: Collection[uuid.UUID]

    def lets(self, call: Watched) -> bool:
        """Whether ``call`` may go on."""
        is_granted = call.grant_id is None or call.grant_id in self.grants
        return is_granted and call.connection_id in self.connections and call.key_hash in self.keys


def still_on(
    connection_ids: Collection[uuid.UUID], key_hashes: Collection[bytes], grant_ids: Collection[uuid.UUID]
) -> Still | None:
    """Return those of them that may still be used; None while the database is away. Three queries, or four."""
    try:
        called = Connection.objects.filter(id__in=connection_ids, status__in=VENDS)
        called = called.exclude(any_thrown(KILL_SWITCH, PAUSE))
        keys = ApiKey.objects.filter(key_hash__in=key_hashes, revoked_at=None, expires_at__gt=Now())
        keys = keys.filter(client__suspended_at=None).exclude(client__restriction=Restriction.HELD)
        # A token proves who began a call. One that goes on for longer than that ends with what the token stood on.
        proven = ProvenToken.objects.filter(token_hash__in=key_hashes, client__suspended_at=None)
        proven = proven.exclude(client__restriction=Restriction.HELD)
        grants = AccessGrant.objects.filter(id__in=grant_ids).standing().exclude(expires_at__lte=Now())
        return Still(
            connections=set(called.values_list("id", flat=True)),
            keys={
                bytes(found)
                for found in (*keys.values_list("key_hash", flat=True), *proven.values_list("token_hash", flat=True))
            },
            grants=set(grants.values_list("id", flat=True)) if grant_ids else (),
        )
    except (OperationalError, InterfaceError):
        hand_back_database()  # a thread that kept the broken connection would fail for ever
        replace_broken_connections()
        return None
    finally:
        hand_back_database()
