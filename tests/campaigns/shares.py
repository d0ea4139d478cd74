"""Callers of one credential who share a provider's rate limit: ``python -m tests.campaigns.shares`` prints the shares.

One caller has many requests waiting, each of the others a single one, and they come to two processes' event loops.
"""

import argparse
import asyncio
import json
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from connections.lifecycle.proxy.turns import Turns
from connections.lifecycle.refresh.waits import Run
from connections.lifecycle.throttle.turns import leave, take_turn
from providers.catalog.proxying import ProxyLimits

GREEDY_REQUESTS, MODEST_CALLERS = 50, 9


def call_of(end_user: str, *, connection: uuid.UUID, per_minute: int, wait: float = 60) -> Any:
    """Return as much of an order and its permit as a turn needs."""
    permitted = SimpleNamespace(
        client_id=uuid.UUID(int=1),
        connection=SimpleNamespace(id=connection, provider_app_id=connection, tenant_id=uuid.UUID(int=2)),
        outgoing=SimpleNamespace(limits=ProxyLimits(requests_per_minute=per_minute)),
    )
    return SimpleNamespace(use=SimpleNamespace(end_user=end_user, wait_seconds=wait)), permitted


async def run(function: Any, /, *arguments: Any) -> Any:
    """Run ``function`` in a thread."""
    return await asyncio.to_thread(function, *arguments)


def shares(
    *,
    per_minute: int,
    seconds: float,
    run: Run = run,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> dict[str, int]:
    """Return how many turns each caller had, by its name: ``greedy``, and ``modest-0`` and so on.

    ``run`` asks Redis, and ``loop_factory`` makes the loop whose time counts.
    """
    counts: dict[str, int] = {}
    connection = uuid.uuid4()

    async def call_again_and_again(turns: Turns, name: str, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await turns.wait(*call_of(name, connection=connection, per_minute=per_minute))
            if loop.time() < until:
                counts[name] = counts.get(name, 0) + 1
            await asyncio.sleep(0.002)  # the call itself

    async def main() -> None:
        # As long as nobody is short of turns there is nothing to share.
        line = f"connection:{connection}"
        while not await run(take_turn, line, "spender", per_minute):
            pass
        await run(leave, line, "spender")
        processes = [Turns(run), Turns(run)]
        until = asyncio.get_running_loop().time() + seconds
        names = ["greedy"] * GREEDY_REQUESTS + [f"modest-{number}" for number in range(MODEST_CALLERS)]
        calls = [call_again_and_again(processes[number % 2], name, until) for number, name in enumerate(names)]
        await asyncio.gather(*calls)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
    return counts


def furthest_off(counts: dict[str, int]) -> float:
    """Return how far the modest caller with the most or fewest turns is from an equal share, as a part of that."""
    share = sum(counts.values()) / (1 + MODEST_CALLERS)
    return max(abs(counts.get(f"modest-{number}", 0) - share) / share for number in range(MODEST_CALLERS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--per-minute", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    counts = shares(per_minute=options.per_minute, seconds=options.seconds)
    print(json.dumps({"turns": counts, "furthest_off_share": round(furthest_off(counts), 3)}))
