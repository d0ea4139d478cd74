"""What webhooks deliver: ``python -m tests.campaigns.webhooks_bench``, also while the worker is killed.

A stack with its worker and beat delivers to one receiver on loopback, which answers at once. First everything is left
alone. Then the worker is killed (SIGKILL) at random instants in the midst of deliveries, and started again by what
watches over it: nothing may be lost, and what is about one connection has to come first in its order. After each death
the next run waits for the lease of the one that died (30 s).
"""

import argparse
import json
import random
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import QUICK

CONNECTIONS, EVENTS, KILLS = 100, 3000, 3


@dataclass
class Came:
    """What has come: each event's number and when, by its connection, in the order of arrival."""

    numbers: defaultdict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, event: dict[str, Any]) -> None:
        with self.lock:
            self.numbers[event["connection"]].append((event["data"]["number"], time.monotonic()))

    def all(self) -> list[tuple[int, float]]:
        """Return every arrival, repeated ones too."""
        with self.lock:
            return [one for arrivals in self.numbers.values() for one in arrivals]

    def is_in_order(self) -> bool:
        """Whether what is about one connection came first in its order."""
        with self.lock:
            firsts = [list(dict.fromkeys(number for number, _ in arrivals)) for arrivals in self.numbers.values()]
        return all(numbers == sorted(numbers) for numbers in firsts)


@contextmanager
def receiving() -> Iterator[tuple[str, Came]]:
    """Run the receiver; yields its address, and what comes."""
    came = Came()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.note(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks", came
    finally:
        server.shutdown()
        server.server_close()


def webhooks(folder: Path, *, events: int = EVENTS, kills: int = KILLS) -> dict[str, Any]:
    """Measure both, and return the figures; ``ok`` says that nothing was lost, and all came in its order."""
    dice = random.Random(time.time_ns())
    with (
        LocalStack(state_dir=folder, processes=("worker", "beat"), seed=False, durable=False, overrides=QUICK) as stack,
        receiving() as (url, came),
    ):

        def write(first: int) -> float:
            stack.run("events", "-m", "tests.campaigns.webhook_events", url, str(CONNECTIONS), str(events), str(first))
            return time.monotonic()

        def has_come(to: int) -> bool:
            return len({number for number, _ in came.all()}) >= to

        written_at = write(0)
        until(partial(has_come, events), "the events come", seconds=120)
        undisturbed = came.all()
        times = [at for _, at in undisturbed]
        write(events)
        for death in range(kills):
            some = events + (death + 1) * events // (kills + 2)
            until(partial(has_come, some), "some events come", seconds=120)
            time.sleep(dice.uniform(0, 0.2))
            stack.kill("worker")
        until(partial(has_come, 2 * events), "all events come", seconds=60 * (kills + 1))
        everything = came.all()
    numbers = {number for number, _ in everything}
    lost, in_order = 2 * events - len(numbers), came.is_in_order()
    return {
        "bench": "webhooks",
        "events": events,
        "connections": CONNECTIONS,
        "per_second": round(events / (max(times) - min(times))),
        "behind_ms": round(1000 * max(0.0, max(times) - written_at)),
        "kills": kills,
        "lost": lost,
        "repeated": len(everything) - len(numbers),
        "repeated_undisturbed": len(undisturbed) - events,
        "in_order": in_order,
        "ok": lost == 0 and in_order and len(undisturbed) == events,
    }


def main() -> None:
    """Run the bench and print its line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--kills", type=int, default=KILLS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="latchkey-webhooks-", dir="/var/tmp") as folder:
        print(json.dumps(webhooks(Path(folder) / "stack", events=options.events, kills=options.kills)))


if __name__ == "__main__":
    main()
