"""Exactly one refresh in flight, over real processes; the provider's own log is the oracle."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, database, extra_process, extra_worker, populate, running_stack
from tests.processes.observed import overlaps, refreshes

VENDS = 24
WORKERS = 8
HOT = 20
# So many refreshes are raced for, and by every worker, however long this machine takes for them.
REFRESHES = 60
RACED_WITHIN_SECONDS = 300
BEAT = "-m celery -q -A config beat -S celery.beat:Scheduler -l WARNING"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with running_stack(tmp_path_factory.mktemp("one_in_flight") / "stack", "web", "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def populated(stack: LocalStack) -> dict[str, Any]:
    """The key, and the connections: the first, of user-0, for the vends, and the others to be kept hot."""
    return populate(stack, 1 + HOT)


def test_many_vends_of_one_expired_connection_send_one_request(stack: LocalStack, populated: dict[str, Any]) -> None:
    connection = populated["connections"][0]
    with database(stack) as connected:
        connected.execute(
            "UPDATE connections_connection SET access_expires_at = now() - interval '1 minute', refresh_due_at = now()"
            " WHERE id = %s",
            [connection],
        )
        connected.execute(
            "UPDATE connections_credentialversion SET access_expires_at = now() - interval '1 minute',"
            " received_at = now() - interval '1 hour' WHERE connection_id = %s",
            [connection],
        )
    control(stack).clear_log()
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
    me = requests.get(f"{stack.urls['sandbox']}/me", headers={"Authorization": f"Bearer {tokens.pop()}"}, timeout=60)
    assert me.status_code == 200


def test_many_workers_and_two_beats_never_overlap_on_hot_connections(
    stack: LocalStack, populated: dict[str, Any]
) -> None:
    hot = populated["connections"][1:]
    control(stack).clear_log()
    control(stack).settings(delay_seconds={"token": 0.05})
    with ExitStack() as processes, database(stack) as connected:
        for _ in range(WORKERS):
            processes.enter_context(extra_worker(stack))
        for _ in range(2):
            processes.enter_context(extra_process(stack, *BEAT.split()))
        until(lambda: _heat(connected, hot), "enough refreshes", seconds=RACED_WITHIN_SECONDS, pause=0.1)
    entries = refreshes(stack)
    assert len(entries) >= REFRESHES
    assert overlaps(entries) == 0
    assert [entry.outcome for entry in entries if entry.outcome != "rotated"] == []
    with database(stack) as connected:
        ran = "FROM connections_refreshattempt WHERE connection_id = ANY(%s)"
        states = dict(connected.execute(f"SELECT state, count(*) {ran} GROUP BY state", [hot]).fetchall())
        of_hot = "FROM connections_connection WHERE id = ANY(%s)"
        statuses = dict(connected.execute(f"SELECT status, count(*) {of_hot} GROUP BY 1", [hot]).fetchall())
    # One whose turn came late on a busy machine was given up unsent.
    assert set(states) <= {"promoted", "aborted"}, states
    assert states["promoted"] == len(entries)
    assert statuses == {"active": HOT}
    print(f"{len(entries)} refreshes over {WORKERS} worker processes and 2 beats, 0 overlaps, 0 reused")


def _heat(connected: Any, hot: list[str]) -> bool:
    """Make the connections due again, whether their tasks are under way or not; return whether enough were refreshed.

    They are made due in the past, so that a sweep which read the clock a while ago finds them too; and their tokens are
    made older, because a new one is not replaced for 10 s.
    """
    connected.execute(
        "UPDATE connections_credentialversion SET received_at = now() - interval '1 minute'"
        " WHERE stage = 'current' AND connection_id = ANY(%s)",
        [hot],
    )
    connected.execute(
        "UPDATE connections_connection SET refresh_due_at = now() - interval '1 minute', refresh_enqueued_until = NULL"
        " WHERE id = ANY(%s)",
        [hot],
    )
    refreshed, workers = connected.execute(
        "SELECT count(*), count(DISTINCT split_part(claimed_by, ':', 2)) FROM connections_refreshattempt"
        " WHERE state = 'promoted' AND connection_id = ANY(%s)",
        [hot],
    ).fetchone()
    return bool(refreshed >= REFRESHES and workers == WORKERS)
