"""Each loss: what is killed, cut or frozen and for how long, and what it may cost. Nothing may ever lose a grant."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Timer
from typing import Any

from tests.campaigns.ha.scene import Scene, Seen
from tests.campaigns.stacks import control

GONE_SECONDS = 10.0
Act = Callable[[Scene], None]


@dataclass(frozen=True)
class Loss:
    """``act`` brings it about. ``may_fail`` says whether vends may fail while it lasts."""

    what: str
    act: Act
    may_fail: bool = False


@dataclass(frozen=True)
class Row:
    """What one loss cost."""

    name: str
    loss: Loss
    seen: Seen
    presented_again: int
    lost: int

    @property
    def is_kept(self) -> bool:
        """Whether it cost no more than it may."""
        is_served = self.loss.may_fail or set(self.seen.answers) <= {"200", "broken off"}
        return is_served and self.lost == 0 and self.seen.answers["200"] > 0

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "row": self.name,
            "ok": self.is_kept,
            "vends": sum(self.seen.answers.values()),
            "answers": dict(self.seen.answers),
            "outage_seconds": round(self.seen.outage_seconds, 1),
            "slowest_seconds": round(self.seen.slowest_seconds, 2),
            "late_seconds": round(self.seen.late_seconds, 1),
            "presented_again": self.presented_again,
            "lost": self.lost,
        }


def kill(*names: str) -> Act:
    """Kill these with all that they started (kill -9); each is started again, as an orchestrator would."""

    def act(scene: Scene) -> None:
        for name in names:
            owner = scene.services if name in ("postgres", "valkey") else scene.stack
            owner.kill(name)

    return act


def stop(*names: str) -> Act:
    """Stop these for a while."""

    def act(scene: Scene) -> None:
        for name in names:
            scene.stack.kill(name)
            scene.stack.stop_process(name)
            Timer(GONE_SECONDS, scene.stack.start_process, [name]).start()

    return act


def cut(name: str) -> Act:
    """Cut the line to ``name`` for a while."""

    def act(scene: Scene) -> None:
        scene.lines[name].cut()
        Timer(GONE_SECONDS, scene.lines[name].mend).start()

    return act


def freeze(name: str) -> Act:
    """Let nothing through the line to ``name`` for a while, and tell nobody."""

    def act(scene: Scene) -> None:
        scene.lines[name].freeze()
        Timer(GONE_SECONDS, scene.lines[name].mend).start()

    return act


LOSSES = {
    "nothing": Loss("nothing", lambda scene: None),
    "web": Loss("one web server killed", kill("web")),
    "web_cut": Loss("the line to one web server cut for 10 s", cut("web-2")),
    "worker": Loss("one worker killed", kill("worker")),
    "workers": Loss("both workers gone for 10 s", stop("worker", "worker-2")),
    "beat": Loss("one beat killed", kill("beat")),
    "beats": Loss("both beats gone for 10 s", stop("beat", "beat-2")),
    "valkey": Loss("Valkey killed", kill("valkey")),
    "valkey_cut": Loss("the line to Valkey cut for 10 s", cut("valkey")),
    "valkey_frozen": Loss("the line to Valkey frozen for 10 s", freeze("valkey")),
    "postgres": Loss("PostgreSQL killed", kill("postgres"), may_fail=True),
    "postgres_cut": Loss("the line to PostgreSQL cut for 10 s", cut("postgres"), may_fail=True),
    "postgres_frozen": Loss("the line to PostgreSQL frozen for 10 s", freeze("postgres"), may_fail=True),
}


def play(name: str, scene: Scene, *, seconds: float) -> Row:
    """Bring one loss about, watch for so long, and wait until all is well again."""
    loss = LOSSES[name]
    scene.settle()
    after = control(scene.stack).last_id()
    Timer(2.0, loss.act, [scene]).start()
    seen = scene.watch(seconds)
    scene.settle()
    time.sleep(1)
    return Row(name, loss, seen, scene.presented_again(after), scene.lost())
