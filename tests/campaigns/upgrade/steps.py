"""The steps of an upgrade and of the way back: what runs in each, and what callers saw meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

from config.local.demo.stack import LocalStack
from config.local.supervisor.state import PROJECT_ROOT
from tests.campaigns.ha.scene import Scene, Seen
from tests.campaigns.stacks import QUICK, control
from tests.campaigns.upgrade.tree import Tree, taken_out

CONNECTIONS = 40
LIFETIME_SECONDS = 30
_BEGINS_AFTER_SECONDS = 2.0
_DRAINS_SECONDS = 2.0


@dataclass
class Installation:
    """Both trees, of which ``scene`` shows callers the web servers that ``runs`` names."""

    earlier: Tree
    newer: Tree
    scene: Scene

    def show(self, *trees: Tree) -> None:
        """Send callers to the web servers of ``trees``, in turn, and wait as a load balancer that drains the others."""
        self.scene.webs = (trees[0].web_url, trees[-1].web_url)
        time.sleep(_DRAINS_SECONDS)


@dataclass(frozen=True)
class Step:
    """``act`` is done while callers vend. ``what`` says what runs from then on."""

    what: str
    act: Callable[[Installation], None]


def _nothing(_: Installation) -> None:
    return


def _migrate(at: Installation) -> None:
    at.newer.run("manage.py", "migrate", "--noinput", "--skip-checks")


def _second_web(at: Installation) -> None:
    at.newer.start("web")
    at.show(at.earlier, at.newer)


def _first_web_ends(at: Installation) -> None:
    at.show(at.newer)
    at.earlier.stop("web")


def _new_worker_old_web(at: Installation) -> None:
    at.earlier.start("web")
    at.show(at.earlier)
    at.newer.stop("web")
    at.newer.start("worker", "beat")
    at.earlier.stop("worker", "beat")


def _all_new(at: Installation) -> None:
    at.newer.start("web")
    at.show(at.newer)
    at.earlier.stop("web")


def _way_back(at: Installation) -> None:
    at.earlier.start("web", "worker", "beat")
    at.show(at.earlier)
    at.newer.stop("web", "worker", "beat")


STEPS = {
    "before": Step("earlier web, worker, beat", _nothing),
    "migrate": Step("the same, while `migrate` of the newer runs", _migrate),
    "webs": Step("both webs, earlier worker", _second_web),
    "new_web": Step("newer web, earlier worker", _first_web_ends),
    "new_worker": Step("earlier web, newer worker", _new_worker_old_web),
    "after": Step("newer web, worker, beat", _all_new),
    "back": Step("all earlier again, on the newer schema", _way_back),
}


@dataclass(frozen=True)
class Row:
    """What one step cost."""

    name: str
    seen: Seen
    refreshes: int
    presented_again: int
    lost: int

    @property
    def is_kept(self) -> bool:
        """Whether every vend brought a credential, and no grant was lost or endangered."""
        return set(self.seen.answers) == {"200"} and self.refreshes > 0 and not self.presented_again and not self.lost

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "step": self.name,
            "ok": self.is_kept,
            "answers": dict(self.seen.answers),
            "slowest_seconds": round(self.seen.slowest_seconds, 2),
            "late_seconds": round(self.seen.late_seconds, 1),
            "refreshes": self.refreshes,
            "presented_again": self.presented_again,
            "lost": self.lost,
        }


def play(name: str, at: Installation, *, seconds: float) -> Row:
    """Do one step under load, and go on with the load for so long after it is done."""
    provider = control(at.scene.stack)
    after = provider.last_id()
    failed: list[BaseException] = []
    over_at: list[float] = []

    def act() -> None:
        try:
            STEPS[name].act(at)
        except BaseException as error:  # noqa: BLE001 (told once the load has ended)
            failed.append(error)
        over_at.append(time.monotonic())

    Timer(_BEGINS_AFTER_SECONDS, act).start()
    seen = at.scene.watch(seconds, goes_on=lambda: not over_at or time.monotonic() < over_at[0] + seconds)
    if failed:
        raise failed[0]
    refreshes = sum(1 for entry in provider.log(after=after) if entry.refresh_presented)
    return Row(name, seen, refreshes, at.scene.presented_again(after), at.scene.lost())


@contextmanager
def installation(ref: str, folder: Path) -> Iterator[Installation]:
    """Run the earlier tree on a PostgreSQL, a Valkey and a provider of its own, until the block ends."""
    with ExitStack() as cleanup:
        services = LocalStack(
            state_dir=folder / "services", processes=("sandbox",), seed=False, migrate=False, overrides=dict(QUICK)
        )
        cleanup.callback(services.destroy)
        services.start()
        environment = services.environment | {"LATCHKEY_PIN_WEB": "false"}
        logs = services.state_dir / "logs"
        earlier = Tree("earlier", taken_out(ref, folder / "earlier"), environment, logs)
        newer = Tree("newer", PROJECT_ROOT, environment, logs)
        for tree in (earlier, newer):
            cleanup.callback(tree.close)
        earlier.run("manage.py", "migrate", "--noinput", "--skip-checks")
        made = earlier.populated(CONNECTIONS, lifetime=LIFETIME_SECONDS)
        earlier.start("web", "worker", "beat")
        scene = Scene(services, services, {}, made["key"], made["connections"], (earlier.web_url, earlier.web_url))
        scene.settle()
        yield Installation(earlier, newer, scene)
