"""Ten thousand connections that expire together, at a provider app with a budget, and vends in the middle of it.

Real: web server, two workers and a beat, the throttle that they share, a provider that takes 0.3 s. Its catalogue entry
is the sandbox's with a lower ``requests_per_minute``. Besides the herd there are connections of the same app whose
token is valid, and some whose token has expired: their vends refresh inline, overdraw the budget, and wait for nobody.
"""

import random
import re
import statistics
import time
import uuid
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import requests

from connections.lifecycle.throttle.admission import burst
from providers.catalog.loader import catalog_files, configure_catalog
from providers.sandbox.waiting import until
from tests.campaigns.faults.figures import Figure, percentile
from tests.campaigns.faults.ground import Ground
from tests.campaigns.stacks import extra_worker
from tests.factories import make_caller

PROVIDER = "sandbox-with-a-limit"
_A_MINUTE = 1800
_A_MINUTE_FOR_FEW = 300
_FEW = 2000
_VALID = 10
_EXPIRED = 20
_EXPIRED_FOR_FEW = 10
_PROVIDER_SECONDS = 0.3
_VEND_SECONDS = 0.5
_INLINE_SECONDS = 5.0
# What was admitted one after the other may leave a little closer together.
_CLOSER = 10
_SHARES = """
SELECT (extract(epoch FROM connection.refresh_due_at - version.received_at) / version.lifetime_seconds)::float8
FROM connections_connection AS connection
JOIN connections_credentialversion AS version ON version.id = connection.current_version_id
WHERE connection.id = ANY(%s)
"""
_EXPIRE = """
WITH old AS (
    UPDATE connections_credentialversion SET access_expires_at = now() - interval '1 minute',
           received_at = received_at - interval '2 hours' WHERE connection_id = %s
)
UPDATE connections_connection SET access_expires_at = now() - interval '1 minute', refresh_due_at = now()
WHERE id = %s
"""


def herd(ground: Ground) -> Figure:
    """Measure the provider's load, the vends meanwhile, and how far apart the herd is due again."""
    count = ground.count(10_000, least=100)
    budget, vended = (_A_MINUTE, _EXPIRED) if count >= _FEW else (_A_MINUTE_FOR_FEW, _EXPIRED_FOR_FEW)
    _describe(ground, budget=budget)
    app = ground.make_app(provider=PROVIDER, grace_seconds=0, access_lifetime=3600)
    assert app.tenant is not None
    members = ground.make_members(app, count + _VALID + vended)
    ids = [member.id for member in members]
    end_users = {one: f"user-{number}" for number, one in enumerate(ids)}
    valid, expired, herd_ids = ids[:_VALID], ids[_VALID : _VALID + vended], ids[_VALID + vended :]
    key = make_caller(app.tenant).key
    vends = _Vends(ground.stack.urls["web"], {"Authorization": f"Bearer {key}"}, end_users)
    ground.control.settings(delay_seconds={"token": _PROVIDER_SECONDS})
    after = ground.control.last_id()
    meanwhile: list[float] = []
    inline: list[float] = []
    with ground.running("web", "worker", "beat"), extra_worker(ground.stack):
        idle = [vends.timed(random.choice(valid)) for _ in range(50)]
        ground.rows("UPDATE connections_connection SET refresh_due_at = now() WHERE id = ANY(%s)", herd_ids)
        began = time.monotonic()
        until(lambda: len(ground.provider_log(after=after)) > _CLOSER, "the herd at the provider")
        for connection_id in expired:
            meanwhile += [vends.timed(random.choice(valid)) for _ in range(5)]
            ground.rows(_EXPIRE, connection_id, connection_id)
            inline.append(vends.timed(connection_id))
        left = count - _promoted(ground, herd_ids)
        until(
            lambda: _promoted(ground, herd_ids) == count,
            "a refresh of the whole herd",
            seconds=120 + 2 * count * 60 / budget,
            pause=0.5,
        )
        took = time.monotonic() - began
    ground.control.settings(delay_seconds=0)
    # The worker refreshes what earlier rows left as well.
    grants = {member.grant for member in members}
    entries = [entry for entry in ground.wait_for_provider(after=after) if entry.grant_id in grants]
    over = _over(sorted(entry.started_at for entry in entries), a_second=budget / 60) - burst(budget)
    shares = [share for (share,) in ground.rows(_SHARES, herd_ids)]
    doubled = [grant for grant, times in Counter(entry.grant_id for entry in entries).items() if times > 1]
    is_spread = min(shares) >= 0.70 and max(shares) <= 0.85 and statistics.stdev(shares) > 0.03
    return Figure(
        row="herd",
        measure=f"{count:,} expire together, {budget:,} requests a minute allowed",
        measured=f"refreshed in {took:.0f} s, {max(0, round(over))} over the limit for {vended} vends that could not"
        f" wait; vends meanwhile p50 {1000 * statistics.median(meanwhile):.0f} ms (idle"
        f" {1000 * statistics.median(idle):.0f} ms), with a refresh p95 {percentile(inline, 0.95):.2f} s;"
        f" due again over {min(shares):.2f}-{max(shares):.2f} of the lifetime"
        + (f"; {len(doubled)} REFRESHED TWICE" if doubled else ""),
        target="the limit is kept but for vends that wait; no vend queues behind the sweep; due again apart",
        is_kept=over <= vended + _CLOSER
        and len(entries) == count + vended
        and {entry.outcome for entry in entries} == {"rotated"}
        and left > 0
        and is_spread
        and statistics.median(meanwhile) <= _VEND_SECONDS
        and max(inline) <= _INLINE_SECONDS,
        facts={
            "requests": len(entries),
            "over_the_limit": round(over, 1),
            "left_when_the_vends_were_made": left,
            "most_in_a_minute": _most_within([entry.started_at for entry in entries], 60.0),
            "outcomes": dict(Counter(entry.outcome for entry in entries)),
            "vends_p95_seconds": round(percentile(meanwhile, 0.95), 3),
            "inline_most_seconds": round(max(inline), 2),
            "due_again_deviation": round(statistics.stdev(shares), 4),
        },
    )


@dataclass(frozen=True, slots=True)
class _Vends:
    """Vends over the running web server, as the operator's backend makes them."""

    url: str
    headers: Mapping[str, str]
    end_users: Mapping[uuid.UUID, str]

    def timed(self, connection_id: uuid.UUID) -> float:
        """Vend, and return how many seconds that took."""
        began = time.monotonic()
        answer = requests.post(
            f"{self.url}/api/v1/connections/{connection_id}/credential",
            json={"end_user": self.end_users[connection_id]},
            headers=self.headers,
            timeout=30,
        )
        assert answer.ok, f"the vend is answered {answer.status_code}: {answer.text[:300]}"
        return time.monotonic() - began


def _describe(ground: Ground, *, budget: int) -> None:
    """Put the sandbox's entry into the stack's catalogue once more, under another name and with that budget."""
    text = catalog_files()["sandbox"].read_text()
    folder = ground.stack.state_dir / "catalog"
    folder.mkdir(exist_ok=True)
    limited = re.sub(r"(?m)^requests_per_minute = \d+$", f"requests_per_minute = {budget}", text)
    (folder / f"{PROVIDER}.toml").write_text(limited)
    configure_catalog(folder)  # this process is not to wait until it looks again


def _promoted(ground: Ground, ids: Sequence[uuid.UUID]) -> int:
    ((count,),) = ground.rows(
        "SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted' AND connection_id = ANY(%s)", ids
    )
    return int(count)


def _over(moments: Sequence[float], *, a_second: float) -> float:
    """Return by how many the requests of any span of time exceed ``a_second``; a bucket lets its size through."""
    level, most, last = 0.0, 0.0, moments[0]
    for moment in moments:
        level = max(0.0, level - (moment - last) * a_second) + 1
        most, last = max(most, level), moment
    return most


def _most_within(moments: Sequence[float], seconds: float) -> int:
    """Return how many requests at most came within so many seconds."""
    window: deque[float] = deque()
    most = 0
    for moment in sorted(moments):
        window.append(moment)
        while window[0] < moment - seconds:
            window.popleft()
        most = max(most, len(window))
    return most
