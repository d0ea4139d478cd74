"""The fault matrix: each scenario with its fault and its promise, in words for operators."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection as database

from connections.drills import answers, keys, losses, reach, storage, together
from connections.drills.ground import Ground, isolate
from connections.drills.oracles import Broken
from connections.drills.throwaway import throwaway_database
from providers.sandbox.client import start_sandbox
from providers.sandbox.waiting import NotInTime


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault, and what must hold. ``play`` returns what happened, and raises ``Broken`` or ``NotInTime``."""

    name: str
    fault: str
    promise: str
    play: Callable[[Ground], str]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one scenario."""

    scenario: Scenario
    happened: str
    is_kept: bool

    def as_dict(self) -> dict[str, object]:
        """Return the result as a JSON-ready mapping."""
        return {
            "name": self.scenario.name,
            "ok": self.is_kept,
            "fault": self.scenario.fault,
            "promise": self.scenario.promise,
            "happened": self.happened,
        }


SCENARIOS = (
    Scenario("killed", "killed after the rotation, provider with a grace", "retried, not lost", losses.killed),
    Scenario(
        "killed-strict", "killed after the rotation, strict provider", "lost_in_flight, told once", losses.killed_strict
    ),
    Scenario("killed-stored", "killed before the promotion", "promoted, no second request", losses.killed_stored),
    Scenario(
        "together-killed-claimed", "killed after the claim of several", "none sent, none lost", together.killed_claimed
    ),
    Scenario(
        "together-killed-stored", "killed before several are promoted", "promoted, one request", together.killed_stored
    ),
    Scenario("together-cut", "session ends that stores several", "spooled at once, stored anew", together.cut_storing),
    Scenario("stopped-before-send", "paused before the request", "aborted unsent", losses.stopped_before_send),
    Scenario("stopped-after-send", "paused past the lease", "the late answer is promoted", losses.stopped_after_send),
    Scenario("overtaken", "paused and overtaken", "the late answer is kept in reserve", losses.overtaken),
    Scenario("rivals", "eight are after one connection", "one request", losses.rivals),
    Scenario("redelivered", "a task delivered twice", "the second does nothing", losses.redelivered),
    Scenario("revoked", "grant revoked without a word", "two refusals, one notice", losses.revoked),
    Scenario("lost-answer", "answer lost, strict provider", "lost_in_flight, told once", answers.lost_answer),
    Scenario("malformed", "200 with anything but tokens", "current kept, in doubt", answers.malformed),
    Scenario("error-in-200", "200 with an error in it", "classified as the error", answers.error_in_success),
    Scenario("trickle", "a byte at a time", "aborted at the deadline, in doubt", answers.trickle),
    Scenario("huge", "huge body, gzip bomb", "stopped at the cap", answers.huge),
    Scenario("redirect", "307 at the token endpoint", "nothing reaches the target", answers.redirect),
    Scenario("server-errors", "5xx", "backoff, the valid token vends", answers.server_errors),
    Scenario("no-verdict", "403, 404, 503, server_error", "says nothing about the grant", answers.no_verdict),
    Scenario("rate-limited", "429 with Retry-After", "obeyed, capped", answers.rate_limited),
    Scenario("rate-limited-app", "429 for one connection", "holds for the provider app", answers.rate_limited_app),
    Scenario("unreachable", "DNS and connect failures", "not sent, not in doubt", reach.unreachable),
    Scenario("unverified", "certificate or TLS wrong", "nothing is sent", reach.unverified),
    Scenario("odd-lifetimes", "odd expires_in", "clamped, never a hot loop", answers.odd_lifetimes),
    Scenario("impatient-caller", "tokens too short-lived for a caller", "no hot loop", answers.impatient_caller),
    Scenario("odd-token-types", "odd token_type", "nothing is lost by it", answers.odd_token_types),
    Scenario("narrowed-scope", "scope narrowed", "stored, told, refused", answers.narrowed_scope),
    Scenario("client-rejected", "invalid_client everywhere", "one incident, none touched", answers.client_rejected),
    Scenario("database-cut", "database sessions end mid-refresh", "stored anew", storage.database_cut),
    Scenario("database-away", "database away, then the worker dies", "spooled, then stored", storage.database_away),
    Scenario("broker-away", "broker away, token expired", "vends refresh inline", storage.broker_away),
    Scenario("corrupt-row", "stored credential changed", "unreadable, not dead", keys.corrupt_row),
    Scenario("corrupt-row-swept", "the same, and it is due", "no hot loop", keys.corrupt_row_swept),
    Scenario("corrupt-key", "data key changed", "unreadable, not dead", keys.corrupt_key),
    Scenario("missing-key", "vault key missing", "readiness fails, none dead", keys.missing_key),
)


def run(scenarios: Iterable[Scenario]) -> list[Result]:
    """Play the scenarios on a throw-away database. Raises ``NoDatabase`` and ``SandboxMissing``, and leaves nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="latchkey-drill-") as folder,
        isolate(Path(folder)),
        start_sandbox(apart=True) as sandbox,
        throwaway_database() as server,
    ):
        ground = Ground(sandbox.control, server, Path(folder))
        return [judge(scenario, ground) for scenario in scenarios]


def judge(scenario: Scenario, ground: Ground) -> Result:
    """Play one scenario. Any exception that it raises counts as a broken promise."""
    ground.sandbox.clear()
    try:
        return Result(scenario, scenario.play(ground), True)
    except (Broken, NotInTime) as broken:
        return Result(scenario, str(broken), False)
    except Exception as error:  # noqa: BLE001 (no promise allows an exception)
        return Result(scenario, f"{type(error).__name__} was raised", False)
    finally:
        database.close()
