"""Kill -9 of real processes at uniformly random instants of the whole refresh cycle, at a provider of either kind.

Real: the processes (forked from a zygote that has imported the product), the kill, PostgreSQL, the provider,
``refresh`` in the killed process, and in another process ``recover_unfinished`` and ``refresh`` again. Sped up: the
lease, by moving the times of what the killed process left; with a strict provider also the ten minutes within which
many refusals would be taken for the provider's fault, because here they are all real losses.

Which phase (``connections/drills/phases``) a kill hit is told apart afterwards, by the provider's log and the attempt's
row. The drills kill once in each of the phases that matter; what must hold afterwards is theirs.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connections.drills.oracles import Broken, expect_loss_told
from connections.drills.phases import LOSING, Phase
from connections.lifecycle.refresh.claim import Outcome
from connections.models import ProviderApp
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground, Member
from tests.campaigns.faults.lean import Lean

_AT_ONCE = 3
_EACH = 2
_SPAN_SECONDS = 0.2
_PROVIDER_SECONDS = 0.012
_GRACE_SECONDS = 120


@dataclass(slots=True)
class _Trial:
    """One kill: whom, of which connections, and when."""

    child: Lean
    members: list[Member]
    killed_at: float = 0.0
    phase: Phase = Phase.UNCLAIMED
    hit: Member | None = None


@dataclass(slots=True)
class _Tally:
    phases: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return self.phases.total()


def with_grace(ground: Ground) -> Figure:
    """Kill where the provider takes a replaced refresh token for a while: nothing may be lost."""
    tally = _campaign(ground, grace_seconds=_GRACE_SECONDS)
    return Figure(
        row="kills",
        measure=f"kill -9 x{tally.kills:,}, provider with a grace period",
        measured=f"{tally.lost.total()} connections lost{_unhit(tally)}{_wrong(tally)}",
        target="0 connections lost",
        is_kept=not tally.lost and not tally.wrong and not _missing(tally),
        facts=_facts(tally),
    )


def strict(ground: Ground) -> Figure:
    """Kill where a replaced refresh token is refused at once: a loss may happen, and has to be told as what it is."""
    tally = _campaign(ground, grace_seconds=0)
    rate = tally.lost.total() / tally.kills
    return Figure(
        row="kills_strict",
        measure=f"kill -9 x{tally.kills:,}, strict provider",
        measured=f"{tally.lost.total()} lost ({rate:.1%}), all lost_in_flight between send and store"
        f"{_unhit(tally)}{_wrong(tally)}",
        target="lost only between send and store, every one labelled lost_in_flight",
        is_kept=not tally.wrong and not _missing(tally),
        facts=_facts(tally) | {"rate": round(rate, 4)},
    )


def _campaign(ground: Ground, *, grace_seconds: int) -> _Tally:
    wanted = ground.count(1000, least=12)
    app = ground.make_app(grace_seconds=grace_seconds, access_lifetime=3600)
    places = [ground.make_members(app, _EACH) for _ in range(_AT_ONCE)]
    tally = _Tally()
    try:
        # A short campaign goes on until every phase was hit; a full one hits them all many times over. On a busy
        # machine a cycle takes longer, and the provider's share of it is too small to hit: so that share grows as well.
        while tally.kills < wanted or (_missing(tally) and tally.kills < 20 * wanted):
            slower = 1 + tally.kills // wanted
            ground.control.settings(delay_seconds={"token": slower * _PROVIDER_SECONDS})
            _round(ground, app, places, tally, span=slower * _SPAN_SECONDS, strict=grace_seconds == 0)
    finally:
        ground.control.settings(delay_seconds=0)
    return tally


def _round(
    ground: Ground, app: ProviderApp, places: list[list[Member]], tally: _Tally, *, span: float, strict: bool
) -> None:
    """Kill one process in each place at any instant of ``span`` seconds, and count what it hit and what was lost."""
    after = ground.control.last_id()
    trials = [_Trial(ground.zygote.fork("cycle", ids=[str(one.id) for one in members]), members) for members in places]
    for trial in trials:
        trial.child.wait_for_turns(2)  # what opens the first database connection is no part of the cycle
    began = time.monotonic()
    moments = sorted((random.uniform(0, span), number) for number in range(len(trials)))
    for moment, number in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        trials[number].child.kill()
        trials[number].killed_at = time.time()
    ground.wait_for_backends()
    entries = ground.wait_for_provider(after=after)
    for trial in trials:
        trial.phase = _phase(ground, trial, entries)
    outcomes = ground.recover([member.id for trial in trials for member in trial.members])
    for number, trial in enumerate(trials):
        tally.phases[trial.phase] += 1
        for place, member in enumerate(trial.members):
            if outcomes[member.id] is Outcome.REFRESHED:
                continue
            _judge_loss(ground, trial, member, outcomes[member.id], tally, strict=strict)
            (places[number][place],) = ground.make_members(app, 1)
    if strict:
        ground.rows(
            "UPDATE connections_connection SET refused_at = refused_at - interval '11 minutes'"
            " WHERE provider_app_id = %s AND refused_at > now() - interval '11 minutes'",
            app.id,
        )


def _phase(ground: Ground, trial: _Trial, entries: Sequence[Any]) -> Phase:
    """Return which phase of the cycle the kill hit."""
    marks = trial.child.marks
    trial.hit = member = trial.members[(marks.turn - 1) % len(trial.members)]
    if not marks.is_busy:
        trial.hit = None
        return Phase.PROMOTED
    started_at = marks.started_at
    attempts = ground.rows(
        "SELECT state FROM connections_refreshattempt WHERE connection_id = %s AND claimed_at >= to_timestamp(%s)"
        " ORDER BY claimed_at DESC",
        member.id,
        started_at,
    )
    if not attempts:
        return Phase.UNCLAIMED
    state = attempts[0][0]
    if state == "promoted":
        return Phase.PROMOTED
    if state == "received":
        return Phase.STORED
    own = [entry for entry in entries if entry.grant_id == member.grant and entry.started_at >= started_at]
    if not own:
        return Phase.CLAIMED
    is_answered = own[-1].ended_at < trial.killed_at and not own[-1].client_closed
    return Phase.ANSWERED if is_answered else Phase.SENT


def _judge_loss(
    ground: Ground, trial: _Trial, member: Member, outcome: Outcome, tally: _Tally, *, strict: bool
) -> None:
    """Count a connection that did not refresh again, and note what is wrong about it."""
    tally.lost[trial.phase] += 1
    told = f"after a kill {trial.phase}, outcome {outcome}"
    try:
        expect_loss_told(member.id)
    except Broken as broken:
        tally.wrong.append(f"{broken} {told}")
        return
    if not strict or trial.phase not in LOSING or trial.hit != member:
        tally.wrong.append(f"lost {told}")


def _missing(tally: _Tally) -> list[Phase]:
    return [phase for phase in Phase if not tally.phases[phase]]


def _unhit(tally: _Tally) -> str:
    return f"; NO KILL HIT: {', '.join(_missing(tally))}" if _missing(tally) else ""


def _wrong(tally: _Tally) -> str:
    return f"; WRONG: {tally.wrong[0]} ({len(tally.wrong)} in all)" if tally.wrong else ""


def _facts(tally: _Tally) -> dict[str, Any]:
    return {
        "kills": tally.kills,
        "kills_by_phase": {phase: tally.phases[phase] for phase in Phase},
        "lost_by_phase": dict(tally.lost),
        "wrong": tally.wrong[:20],
    }
