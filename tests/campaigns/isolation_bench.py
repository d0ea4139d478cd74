"""Whether a slow provider slows anybody else: ``isolation``, and how soon those who wait are answered: ``waiters``.

The provider takes 11 s for a refresh. While 50 callers wait for one connection, and then 500 for ten, others vend valid
tokens. Each caller allows 15 s, and all of them shall get the token that one refresh brings. How soon they get it after
its end varies from time to time, so that is judged over several times; there the provider takes 1 s.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from config.local.demo.stack import LocalStack
from tests.campaigns.cpu import Meter
from tests.campaigns.load import Load, request_bytes, run_load
from tests.campaigns.stacks import control, database, populate
from tests.campaigns.vending import vend_requests
from tests.campaigns.waiting import Answered, Waiting

PROVIDER_SECONDS = 11.0
ALLOWED_SECONDS = 15
FRESH_CALLERS = 4
MOST_TIMES_IDLE = 2.0
QUICK_PROVIDER_SECONDS = 1.0
ROUNDS = 12
SOON_MS = 20.0
_EXPIRED = """
UPDATE connections_connection SET access_expires_at = now() - interval '1 minute', refresh_due_at = now()
 WHERE id = ANY(%(ids)s);
"""
_EXPIRED_VERSIONS = """
UPDATE connections_credentialversion
   SET access_expires_at = now() - interval '1 minute', received_at = now() - interval '1 hour'
 WHERE connection_id = ANY(%(ids)s)
"""
_ENDED = """
SELECT extract(epoch FROM max(ended_at)) FROM connections_refreshattempt WHERE connection_id = ANY(%(ids)s)
"""


def isolation(folder: Path, *, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure fresh vends while nobody, 50 and 500 callers wait, each time for ``seconds``, and the callers' waits."""
    with (
        LocalStack(state_dir=folder, processes=("web", "sandbox"), seed=False) as stack,
        database(stack) as connected,
    ):
        populated = populate(stack, 61)
        ids = populated["connections"]
        fresh = vend_requests(stack.urls["web"], {**populated, "connections": ids[:50]})
        _warm_up(stack, connected, populated, ids[50:])
        control(stack).settings(delay_seconds={"token": PROVIDER_SECONDS})
        run_load(stack.urls["web"], fresh, connections=FRESH_CALLERS, seconds=2.0)
        waits: list[dict[str, Any]] = []
        idle, figures = _fresh(stack, fresh, seconds), {}
        for count, slow in ((50, ids[50:51]), (500, ids[51:61])):
            control(stack).clear_log()
            with _wait(stack, connected, populated, slow, count) as waiting:
                time.sleep(0.5)  # until all of them wait
                figures[count] = _fresh(stack, fresh, min(seconds, PROVIDER_SECONDS - 2))
                answers = waiting.answers()
            sent = len(control(stack).log(grant_type="refresh_token"))
            after_ms = _after_ms(connected, slow, answers)
            waits.append(_waiters(answers, after_ms, times=1, connections=len(slow), refreshes_sent=sent))
        control(stack).settings(delay_seconds={"token": QUICK_PROVIDER_SECONDS})
        control(stack).clear_log()
        answers, after_ms = [], []
        for slow in [ids[50:51]] * ROUNDS:
            with _wait(stack, connected, populated, slow, 50) as waiting:
                came = waiting.answers()
            answers += came
            after_ms += _after_ms(connected, slow, came)
        sent = len(control(stack).log(grant_type="refresh_token"))
        waits.append(_waiters(answers, after_ms, times=ROUNDS, connections=1, refreshes_sent=sent, is_judged=True))
        yield _isolation(idle, figures)
        yield from waits


def _wait(
    stack: LocalStack, connected: "psycopg.Connection[Any]", populated: dict[str, Any], ids: list[str], count: int
) -> Waiting:
    """Expire the connections, and return what has ``count`` callers wait for them."""
    _expire(connected, ids)
    return Waiting(stack.urls["web"], _waiting_requests(stack, populated, ids, count))


def _after_ms(connected: "psycopg.Connection[Any]", ids: list[str], answers: list[Answered]) -> list[float]:
    """Return how long after the end of the last refresh each answer had come, in milliseconds."""
    (ended_at,) = connected.execute(_ENDED, {"ids": ids}).fetchone() or (0.0,)
    return [round(1000 * (answer.at - float(ended_at)), 1) for answer in answers]


def _fresh(stack: LocalStack, requests: list[bytes], seconds: float) -> tuple[Load, dict[str, float]]:
    groups = {name: [pid] for name in ("web", "postgres", "valkey") if (pid := stack.pid(name)) is not None}
    meter = Meter(groups)
    load = run_load(stack.urls["web"], requests, connections=FRESH_CALLERS, seconds=seconds)
    return load, meter.milliseconds_each(max(1, load.count))


def _warm_up(
    stack: LocalStack, connected: "psycopg.Connection[Any]", populated: dict[str, Any], ids: list[str]
) -> None:
    """Have both web processes refresh once at a quick provider: the first of all opens connections and reads files."""
    _expire(connected, ids)
    with Waiting(stack.urls["web"], _waiting_requests(stack, populated, ids, 5 * len(ids))) as waiting:
        if unserved := [answer for answer in waiting.answers() if answer.status != 200]:
            raise SystemExit(f"unexpected answer {unserved[0].body!r}")


def _expire(connected: "psycopg.Connection[Any]", ids: list[str]) -> None:
    for statement in (_EXPIRED, _EXPIRED_VERSIONS):
        connected.execute(statement, {"ids": ids})


def _waiting_requests(stack: LocalStack, populated: dict[str, Any], ids: list[str], count: int) -> list[bytes]:
    numbers = {connection: number for number, connection in enumerate(populated["connections"])}
    return [
        request_bytes(
            "POST",
            f"{stack.urls['web']}/api/v1/connections/{connection}/credential",
            headers={"Authorization": f"Bearer {populated['key']}", "Connection": "close"},
            body=json.dumps({"end_user": f"user-{numbers[connection]}", "wait": ALLOWED_SECONDS}).encode(),
        )
        for connection in (ids[turn % len(ids)] for turn in range(count))
    ]


def _isolation(
    idle: tuple[Load, dict[str, float]], while_waiting: dict[int, tuple[Load, dict[str, float]]]
) -> dict[str, Any]:
    lines = {"idle": idle, **{f"while_{count}_wait": measured for count, measured in while_waiting.items()}}
    figures: dict[str, Any] = {"bench": "isolation", "fresh_callers": FRESH_CALLERS}
    for name, (load, cpu_ms) in lines.items():
        figures[name] = {
            "per_second": load.per_second,
            "p50_ms": load.p50_ms,
            "p99_ms": load.p99_ms,
            "errors": len(load.unexpected),
            "cpu_ms": cpu_ms,
        }
    figures["ok"] = all(
        not load.unexpected and load.count and load.p99_ms <= MOST_TIMES_IDLE * idle[0].p99_ms
        for load, _ in lines.values()
    )
    return figures


def _waiters(
    answers: list[Answered],
    after_ms: list[float],
    *,
    times: int,
    connections: int,
    refreshes_sent: int,
    is_judged: bool = False,
) -> dict[str, Any]:
    """Return the line about callers that waited ``times`` times; how soon they were answered is judged on demand."""
    served = [answer for answer in answers if answer.status == 200]
    refreshes = times * connections
    is_soon = not is_judged or median(after_ms) <= SOON_MS
    return {
        "bench": "waiters",
        "times": times,
        "waiting": len(answers) // times,
        "connections": connections,
        "served": len(served),
        "tokens": len({answer.json()["credential"]["value"] for answer in served}),
        "refreshes_sent": refreshes_sent,
        "after_the_end_p50_ms": median(after_ms) if after_ms else None,
        "after_the_end_max_ms": max(after_ms, default=None),
        "ok": len(served) == len(answers) > 0 and refreshes_sent == refreshes and is_soon,
    }
