"""An import of many connections, some of them dead, killed with kill -9 again and again and begun anew each time.

Real: the operator's command in a process of its own, the kills, PostgreSQL, a provider that rotates and takes a
replaced refresh token for a minute. The provider's log says which refresh token was sent how often; only those that a
kill found in flight may be sent once more, each by an attempt of its own. Afterwards every live grant is tried.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from config.local.supervisor.state import PROJECT_ROOT
from providers.sandbox.tokens import fingerprint
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground
from tests.campaigns.faults.oracle import Attempt, examine

_GRACE_SECONDS = 120
_DEAD_SHARE = 0.05
_TRIED = 1000
_LATER_SECONDS = 0.6
_ATTEMPTS = """
SELECT connection_id::text, parent_version_id::text, extract(epoch FROM claimed_at)::float8, state
FROM connections_refreshattempt WHERE connection_id IN (SELECT id FROM connections_connection WHERE tenant_id = %s)
"""
_PROGRESS = """
SELECT count(*), count(*) FILTER (WHERE version_id IS NOT NULL), count(*) FILTER (WHERE row.state = 'settled')
FROM connections_importrow AS row JOIN connections_importrun AS run ON run.id = row.run_id WHERE run.tenant_id = %s
"""


def imports(ground: Ground) -> Figure:
    """Import, kill, import on; count what was lost, told wrongly or sent twice."""
    count, kills = ground.count(10_000, least=48), ground.count(12, least=3)
    app = ground.make_app(grace_seconds=_GRACE_SECONDS, access_lifetime=3600)
    tenant = app.tenant
    assert tenant is not None
    dead_count = max(1, round(count * _DEAD_SHARE))
    tokens = ground.control.mint(app.client_id, username="alice", count=count - dead_count)
    dead = ground.control.mint(app.client_id, username="bob", count=dead_count)
    rows = [*((one, False) for one in tokens), *((one, True) for one in dead)]
    random.shuffle(rows)
    grants = {token: grant["id"] for grant in ground.control.grants(client_id=app.client_id)
              for token in grant["refresh_tokens"]}  # fmt: skip
    ground.control.revoke(username="bob", client_id=app.client_id)
    file = ground.stack.state_dir / f"import-{tenant.slug}.jsonl"
    file.write_text("\n".join(json.dumps(_row(number, one)) for number, (one, _) in enumerate(rows)))
    after, began = ground.control.last_id(), time.monotonic()
    killed, report = [], {}
    for number in range(kills):
        at = (number + random.random()) / kills
        doing, report = _killed(ground, file, tenant.slug, tenant.id, at=at, count=count)
        if report:
            break
        killed.append(doing)
    report = report or _finished(ground, file, tenant.slug)
    seconds = time.monotonic() - began
    entries = ground.wait_for_provider(after=after)
    made = ground.rows("SELECT end_user, id FROM connections_connection WHERE tenant_id = %s", tenant.id)
    by_user = {str(user): connection for user, connection in made}
    by_grant = {grants[fingerprint(str(one["refresh_token"]))]: str(by_user.get(f"user-{number}"))
                for number, (one, _) in enumerate(rows)}  # fmt: skip
    attempts = [Attempt(*row) for row in ground.rows(_ATTEMPTS, tenant.id)]
    found = examine([entry for entry in entries if entry.grant_id in by_grant], attempts, grants=by_grant)
    live = [by_user[f"user-{number}"] for number, (_, is_dead) in enumerate(rows) if not is_dead]
    tried = random.sample(live, min(_TRIED, len(live)))
    lost = [str(one) for one in tried if not ground.works(one)]
    told = report["outcomes"]
    # A dead grant that was claimed again after a kill is told as lost: nobody can know that it was dead before, nor
    # whether the first claim had sent its token.
    doubted = told.get("lost_in_flight", 0)
    claims = Counter(attempt.connection for attempt in attempts)
    right = {"refused": dead_count - doubted, "lost_in_flight": doubted, "refreshed_and_verified": count - dead_count}
    is_right = told == {what: number for what, number in right.items() if number} and len(made) == count
    is_right = is_right and doubted <= sum(times > 1 for times in claims.values())
    unstored = ground.rows(
        "SELECT count(*) FROM connections_importrow AS row JOIN connections_importrun AS run ON run.id = row.run_id"
        " WHERE run.tenant_id = %s AND row.content IS NOT NULL", tenant.id)[0][0]  # fmt: skip
    return Figure(
        row="imports",
        measure=f"import of {count:,} connections, {dead_count:,} dead, kill -9 x{len(killed)}",
        measured=f"{len(lost)} of {len(tried):,} tried lost, report {'right' if is_right else f'WRONG: {told}'}, "
        f"{len(found.twice)} sent twice, {found.retries} sent again after a kill, {count / seconds:.0f} rows/s",
        target="0 lost, the report right, no refresh token sent twice but those in flight at a kill",
        is_kept=bool(killed)
        and is_right
        and not lost
        and not found.twice
        and not unstored
        and found.retries <= 64 * len(killed),
        facts={
            "rows": count,
            "killed_while": killed,
            "outcomes": told,
            "twice": found.twice[:10],
            "retries": found.retries,
            "refreshes": len(entries),
            "seconds": round(seconds, 1),
        },
    )


def _row(number: int, tokens: dict[str, Any]) -> dict[str, Any]:
    named = {name: tokens[name] for name in ("access_token", "refresh_token")}
    return {"provider": "sandbox", "end_user": f"user-{number}", "scopes": tokens["scope"], **named}


def _start(ground: Ground, file: Path, slug: str) -> "subprocess.Popen[str]":
    with (ground.stack.state_dir / "logs" / "imports.log").open("ab") as log:  # a pipe that nobody reads would fill up
        return ground.stack.popen(
            [sys.executable, "manage.py", "connections", "import", str(file), "--tenant", slug, "--json"],
            cwd=PROJECT_ROOT,
            env=ground.stack.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def _killed(
    ground: Ground, file: Path, slug: str, tenant_id: object, *, at: float, count: int
) -> tuple[str, dict[str, Any]]:
    """Start the import, kill it once that share of its work is done, and return what it was doing.

    Also returns the report of one that had ended by then: another import would find nothing left to do.
    """
    process = _start(ground, file, slug)
    while process.poll() is None:
        taken, stored, settled = ground.rows(_PROGRESS, tenant_id)[0]
        if (taken + stored + settled) / (3 * count) >= at:
            break
        time.sleep(0.02)  # to ask costs the processor about as much as a row of the import
    time.sleep(random.uniform(0, _LATER_SECONDS))  # what is counted has just been committed: hit what comes next, too
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    out, _ = process.communicate()
    ground.wait_for_backends()
    return "reading" if taken < count else "storing" if stored < count else "proving", json.loads(out or "{}")


def _finished(ground: Ground, file: Path, slug: str) -> dict[str, Any]:
    process = _start(ground, file, slug)
    out, _ = process.communicate(timeout=1800)
    assert out, "the import printed nothing (see logs/imports.log)"
    report: dict[str, Any] = json.loads(out)
    return report
