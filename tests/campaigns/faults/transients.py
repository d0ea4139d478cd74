"""Transient faults by the thousand: none may make a connection look revoked.

The faults are those of the drills (``connections/drills/faults``), each of which must leave a living grant active: the
drills meet them one by one, this row mixed and at random. Real: everything; two lean processes refresh and probe
without regard to the backoff, against a provider most of whose answers are faults. It has a grace period, because some
of the faults hide a rotation. A second provider app meets ``invalid_client`` among them, which is an incident of its
own and never the connections' fault.
"""

import time
from collections import Counter

from connections.drills import faults
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.reread import discard_unread
from connections.models import ProviderApp
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground
from tests.campaigns.faults.lean import stopped

_PROCESSES = 2
_CONNECTIONS = 20
_GRACE_SECONDS = 600
_PROBE_EACH = 5


def transients(ground: Ground) -> Figure:
    """Count the connections that were downgraded although their grants are alive."""
    wanted = ground.count(10_000, least=150)
    apps = [ground.make_app(grace_seconds=_GRACE_SECONDS, access_lifetime=3600) for _ in range(2)]
    members = [ground.make_members(app, _CONNECTIONS) for app in apps]
    ids = [member.id for own in members for member in own]
    after = ground.control.last_id()
    _arm(ground, apps)
    children = [
        ground.zygote.fork("endure", ids=[str(one.id) for one in own], probe_each=_PROBE_EACH) for own in members
    ]
    met: Counter[str] = Counter()
    seen = after
    deadline = time.monotonic() + 60 + wanted / 5
    while met.total() < wanted:
        assert time.monotonic() < deadline, "the faults are not met (see logs/lean.log)"
        time.sleep(0.5)
        for entry in ground.control.log(after=seen):
            if entry.ended_at is None:
                break
            seen = entry.id
            if entry.fault:
                met[f"{entry.endpoint} {entry.fault}"] += 1
    outcomes: Counter[str] = Counter()
    for told in stopped(children):
        outcomes.update(told)
    ground.control.clear_faults()
    downgrades = ground.rows(
        "SELECT type, count(*) FROM connections_outboxevent WHERE connection_id = ANY(%s)"
        " AND type IN ('connection.suspect', 'connection.needs_reauth', 'connection.revoked') GROUP BY type",
        ids,
    )
    statuses = ground.statuses(ids)
    for one in ids:
        discard_unread(one, actor=SYSTEM)  # or it would rightly hold the connection back; see ``players.endure``
    recovered = ground.recover(ids)
    lost = [str(one) for one in ids if recovered[one] != "refreshed" or not ground.works(one)]
    raised = {name: count for name, count in outcomes.items() if name.startswith("raised")}
    false = sum(count for _, count in downgrades)
    return Figure(
        row="transients",
        measure=f"false `revoked` in {met.total():,} transient faults",
        measured=f"{false}" + (f"; {raised}" if raised else "") + (f"; {len(lost)} LOST" if lost else ""),
        target="0",
        is_kept=not false and not lost and not raised,
        facts={
            "faults": dict(met),
            "downgrades": dict(downgrades),
            "statuses": statuses,
            "outcomes": dict(outcomes),
            "lost": lost,
        },
    )


def _arm(ground: Ground, apps: list[ProviderApp]) -> None:
    """Arm every fault until cleared, each with such a chance that about one request in eight is answered properly."""
    own = apps[1].client_id
    rejected = faults.CLIENT_REJECTED
    ground.control.fault(rejected.kind, times=0, client_id=own, probability=0.1, **rejected.options)
    for endpoint, answers in (("token", faults.TRANSIENT), ("me", faults.TRANSIENT_PROBES)):
        for position, answer in enumerate(answers):
            # The first that matches is met: later ones need a higher chance to come up as often.
            chance = 1 / (len(answers) - position + len(answers) / 7)
            ground.control.fault(answer.kind, endpoint=endpoint, times=0, probability=chance, **answer.options)
