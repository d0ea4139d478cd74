"""The installation under test: two of each process behind lines that can be cut, and callers who vend all the time."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import requests

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.ha.relay import Relay
from tests.campaigns.stacks import QUICK, control, database, populate, stack_to_break

CONNECTIONS = 40
LIFETIME_SECONDS = 60
_CALLERS = 3
_PAUSE_SECONDS = 0.05
_CALL_SECONDS = 15.0
_EXPIRED = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - access_expires_at)), 0)::float8
FROM connections_connection WHERE access_expires_at < clock_timestamp()
"""


@dataclass
class Seen:
    """What callers and the database showed while somebody looked."""

    answers: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    late_seconds: float = 0.0
    failed_between: list[float] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Vends that brought no credential."""
        return sum(count for answer, count in self.answers.items() if answer != "200")

    @property
    def outage_seconds(self) -> float:
        """From the first vend that failed to the last."""
        return max(self.failed_between) - min(self.failed_between) if self.failed_between else 0.0


@dataclass
class Scene:
    """``lines`` are the relays by what lies behind them; ``services`` owns PostgreSQL and Valkey."""

    stack: LocalStack
    services: LocalStack
    lines: dict[str, Relay]
    key: str
    ids: list[str]
    webs: tuple[str, str]

    def watch(self, seconds: float, *, goes_on: Callable[[], bool] = lambda: False) -> Seen:
        """Vend for so long, and for as long as it ``goes_on``, and look meanwhile whose credential has ended."""
        seen, over, lock = Seen(), threading.Event(), threading.Lock()
        callers = [
            threading.Thread(target=self._call, args=(number, seen, over, lock), daemon=True)
            for number in range(_CALLERS)
        ]
        for caller in callers:
            caller.start()
        until_when = time.monotonic() + seconds
        while time.monotonic() < until_when or goes_on():
            seen.late_seconds = max(seen.late_seconds, self._late())
            time.sleep(0.5)
        over.set()
        for caller in callers:
            caller.join(2 * _CALL_SECONDS)
        return seen

    def _late(self) -> float:
        try:
            with database(self.services) as connected:
                row = connected.execute(_EXPIRED).fetchone()
        except (OSError, psycopg.OperationalError):
            return 0.0  # it is what is being killed
        return float(row[0]) if row else 0.0

    def _call(self, number: int, seen: Seen, over: threading.Event, lock: threading.Lock) -> None:
        turn = number
        while not over.wait(_PAUSE_SECONDS):
            turn += 1
            which = turn % len(self.ids)
            began = time.monotonic()
            answer = self._vend(which, first=turn % 2)
            with lock:
                seen.answers[answer] += 1
                seen.slowest_seconds = max(seen.slowest_seconds, time.monotonic() - began)
                if answer != "200":
                    seen.failed_between.append(time.monotonic())

    def _vend(self, which: int, *, first: int) -> str:
        for web in (self.webs[first], self.webs[1 - first]):
            try:
                answer = requests.post(
                    f"{web}/api/v1/connections/{self.ids[which]}/credential",
                    json={"end_user": f"user-{which}"},
                    headers={"Authorization": f"Bearer {self.key}"},
                    timeout=(2, _CALL_SECONDS),
                )
            except requests.ConnectTimeout:
                continue
            except requests.ReadTimeout:
                return "no answer in time"
            except requests.ConnectionError as error:
                if "refused" in str(error) or "NewConnectionError" in str(error):
                    continue  # nothing was sent: a load balancer asks the other
                return "broken off"
            code = answer.json().get("code", "") if _is_json(answer) else ""
            return f"{answer.status_code} {code}".strip()
        return "refused by both"

    def settle(self) -> None:
        """Return when both web processes are ready and no credential is late."""

        def is_ready() -> bool:
            try:
                return all(requests.get(f"{web}/readyz", timeout=5).status_code == 200 for web in self.webs)
            except requests.RequestException:
                return False

        until(is_ready, "both web processes", seconds=90, pause=0.3)
        until(lambda: self._late() == 0.0, "refreshes that were late", seconds=180, pause=0.5)

    def presented_again(self, after: int) -> int:
        """Return how many refresh tokens the provider was shown more than once since its log's entry ``after``."""
        shown = Counter(
            entry.refresh_presented for entry in control(self.stack).log(after=after) if entry.refresh_presented
        )
        return sum(count - 1 for count in shown.values())

    def lost(self) -> int:
        """Return how many connections are not active any more."""
        with database(self.services) as connected:
            row = connected.execute("SELECT count(*) FROM connections_connection WHERE status <> 'active'").fetchone()
        return int(row[0]) if row else 0


def _is_json(answer: requests.Response) -> bool:
    return "json" in answer.headers.get("Content-Type", "")


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Run it all until the block ends."""
    with ExitStack() as cleanup:
        services = cleanup.enter_context(stack_to_break(folder / "services", durable=True))
        lines = {}
        named = {}
        for name, setting in (("postgres", "DATABASE_URL"), ("valkey", "REDIS_URL")):
            url = urlsplit(services.environment[setting])
            lines[name] = relay = Relay(url.port or 0)
            cleanup.callback(relay.close)
            host = f"{url.netloc.rpartition('@')[0]}@" if "@" in url.netloc else ""
            named[setting] = url._replace(netloc=f"{host}127.0.0.1:{relay.port}").geturl()
        stack = LocalStack(
            state_dir=folder / "app",
            processes=("web", "sandbox", "worker", "beat"),
            workers=2,
            seed=False,
            migrate=False,
            overrides=QUICK | named | {"LATCHKEY_PIN_WEB": "false", "LATCHKEY_SWEEP_SECONDS": "1"},
        )
        cleanup.callback(stack.destroy)
        stack.start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        stack.urls["web-2"] = f"http://127.0.0.1:{port}"
        stack.start_process("web-2")
        stack.start_process("beat-2")
        lines["web-2"] = relay = Relay(port)
        cleanup.callback(relay.close)
        made = populate(stack, CONNECTIONS, "--lifetime", str(LIFETIME_SECONDS), "--grace", "60")
        webs = (stack.urls["web"], f"http://127.0.0.1:{relay.port}")
        yield Scene(stack, services, lines, made["key"], made["connections"], webs)
