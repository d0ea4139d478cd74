"""Exactly one refresh in flight, over real processes; the provider's own log is the oracle."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, database, extra_process, extra_worker, populate, running_stack
from tests.processes.observed import overlaps, refreshes

VENDS = 50
WORKERS = 8
HOT_SECONDS = 30
BEAT = "-m celery -q -A config beat -S celery.beat:Scheduler -l WARNING"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    with running_stack(tmp_path / "stack", "web", "sandbox") as running:
        yield running


def test_many_vends_of_one_expired_connection_send_one_request(stack: LocalStack) -> None:
    populated = populate(stack, 1)
    (connection,) = populated["connections"]
    with database(stack) as connected:
        connected.execute(
            "UPDATE connections_connection SET access_expires_at = now() - interval '1 minute', refresh_due_at = now()"
        )
        connected.execute(
            "UPDATE connections_credentialversion SET access_expires_at = now() - interval '1 minute',"
            " received_at = now() - interval '1 hour'"
        )
    control(stack).settings(delay_seconds={"token": 1.0})
    answers: list[requests.Response] = []
    ready = threading.Barrier(VENDS)

    def vend() -> None:
        ready.wait()
        answers.append(
            requests.post(
                f"{stack.urls['web']}/api/v1/connections/{connection}/credential",
                json={"end_user": "user-0"},
                headers={"Authorization": f"Bearer {populated['key']}"},
                timeout=30,
            )
        )

    threads = [threading.Thread(target=vend) for _ in range(VENDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * VENDS, answers[0].text
    assert len(refreshes(stack)) == 1
    tokens = {answer.json()["credential"]["value"] for answer in answers}
    assert len(tokens) == 1
    me = requests.get(f"{stack.urls['sandbox']}/me", headers={"Authorization": f"Bearer {tokens.pop()}"}, timeout=5)
    assert me.status_code == 200


def test_many_workers_and_two_beats_never_overlap_on_hot_connections(stack: LocalStack) -> None:
    populate(stack, 20)
    control(stack).settings(delay_seconds={"token": 0.05})
    with ExitStack() as processes, database(stack) as connected:
        for _ in range(WORKERS):
            processes.enter_context(extra_worker(stack))
        for _ in range(2):
            processes.enter_context(extra_process(stack, *BEAT.split()))
        until(lambda: _heat(connected, stack), "the first refresh", pause=0.2)
        stop_at = time.monotonic() + HOT_SECONDS
        while time.monotonic() < stop_at:
            _heat(connected, stack)
            time.sleep(0.1)
    entries = refreshes(stack)
    assert len(entries) > 60, "the connections were not hot"
    assert overlaps(entries) == 0
    assert [entry.outcome for entry in entries if entry.outcome != "rotated"] == []
    with database(stack) as connected:
        states = dict(
            connected.execute("SELECT state, count(*) FROM connections_refreshattempt GROUP BY state").fetchall()
        )
        statuses = dict(connected.execute("SELECT status, count(*) FROM connections_connection GROUP BY 1").fetchall())
    assert set(states) == {"promoted"}, states
    assert statuses == {"active": 20}
    print(f"{len(entries)} refreshes over {WORKERS} worker processes and 2 beats, 0 overlaps, 0 reused")


def _heat(connected: Any, stack: LocalStack) -> bool:
    """Make every connection due again, whether its task is under way or not; return whether any was refreshed yet."""
    connected.execute("UPDATE connections_connection SET refresh_due_at = now(), refresh_enqueued_until = NULL")
    row = connected.execute("SELECT count(*) FROM connections_refreshattempt").fetchone()
    return bool(row[0])
