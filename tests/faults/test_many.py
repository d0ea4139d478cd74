"""What happens to one connection is one thing, what happens to all of a provider app at once is another."""

import itertools
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.local.demo.stack import LocalStack
from tests.campaigns.stacks import own_databases
from tests.faults.stage import QUICK, Scene, Stage, until

HERD = 120
WORKER_THREADS = 4


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        own_databases() as databases,
        LocalStack(
            state_dir=tmp_path_factory.mktemp("stack"),
            processes=("web", "beat", "sandbox"),
            seed=False,
            overrides=QUICK | databases,
        ) as running,
    ):
        yield Stage(running, count=HERD + 30)


@pytest.fixture(autouse=True)
def undisturbed(stage: Stage) -> None:
    stage.reset()


def test_a_lost_answer_at_a_strict_provider_ends_in_one_honest_state_without_a_storm(stage: Stage) -> None:
    (scene,) = stage.take()
    stage.provider.fault("lost_response", grant_type="refresh_token")
    with stage.worker():
        scene.make_due()
        until(lambda: scene.status() == ("needs_reauth", "lost_in_flight"))
        lost, refused = stage.requests()
        time.sleep(3)
    assert len(stage.requests()) == 2
    assert (lost.outcome, refused.error) == ("rotated", "invalid_grant")
    assert lost.refresh_presented == refused.refresh_presented
    assert scene.states() == ["superseded", "rejected"]
    assert scene.attempts("follows_doubt") == [False, True]
    assert scene.events() == ["connection.connected", "connection.needs_reauth"]
    assert scene.column("refresh_due_at") is None
    vended = scene.vend()
    assert (vended.status_code, vended.json()["reason"]) == (409, "lost_in_flight")
    assert len(stage.requests()) == 2


def test_a_wrong_client_secret_is_one_incident_and_downgrades_nobody(stage: Stage, tmp_path: Path) -> None:
    scenes = stage.take(20)
    before = [scene.column("updated_at") for scene in scenes]
    ((client_id,),) = stage.sql("SELECT client_id FROM connections_providerapp")
    stage.provider.register_client(client_id, client_secret="new", scopes=["profile.read", "files.read", "files.write"])
    with stage.worker():
        for scene in scenes:
            scene.make_due()
        until(stage.requests)
        time.sleep(3)
        refused = stage.requests()
        assert {entry.error for entry in refused} == {"invalid_client"}
        assert len(refused) <= WORKER_THREADS, "after the incident is open nothing more is sent"
        assert stage.sql("SELECT kind, count(*) FROM connections_incident WHERE closed_at IS NULL GROUP BY 1") == [
            ("client_rejected", 1)
        ]
        assert {scene.status() for scene in scenes} == {("active", "connected")}
        assert [scene.column("updated_at") for scene in scenes] == before
        assert {event for scene in scenes for event in scene.events()} == {"connection.connected"}
        assert scenes[0].vend().status_code == 200

        (tmp_path / "secret").write_text("new")
        stage.stack.run(
            "mend",
            *("manage.py", "provider_apps", "add", "sandbox", "--tenant", "acme"),
            *("--client-secret-file", str(tmp_path / "secret")),
        )
        stage.sql("UPDATE connections_incident SET last_seen_at = last_seen_at - interval '61 seconds'")
        for scene in scenes:
            scene.change("refresh_enqueued_until = NULL")
        until(lambda: all(scene.states()[-1:] == ["promoted"] for scene in scenes))
    assert stage.sql("SELECT count(*) FROM connections_incident WHERE closed_at IS NULL") == [(0,)]
    assert {scene.status() for scene in scenes} == {("active", "connected")}
    assert Counter(entry.outcome for entry in stage.requests())["rotated"] == len(scenes)


def test_many_that_expire_together_are_spread_and_no_vend_queues_behind_them(stage: Stage) -> None:
    herd = stage.take(HERD)
    valid, *expired = stage.take(4)
    stage.provider.settings(delay_seconds={"token": 0.3})
    ids = [scene.id for scene in herd]
    with stage.worker():
        warm_up(stage)
        stage.sql("UPDATE connections_connection SET refresh_due_at = now() WHERE id = ANY(%s::uuid[])", ids)
        until(lambda: len(stage.requests()) > 2 * WORKER_THREADS)
        waits = [timed(valid) for _ in range(20)]
        for scene in expired:
            scene.expire()
            waits.append(timed(scene))
        in_the_middle = promoted(stage, ids)
        assert in_the_middle < HERD // 2, "the herd was gone before the vends were made"
        until(lambda: promoted(stage, ids) == HERD)
    print(f"vends meanwhile: median {statistics.median(waits[:20]):.3f} s; refreshed first: {max(waits[20:]):.3f} s")
    assert statistics.median(waits[:20]) < 0.5
    assert max(waits[20:]) < 5
    entries = stage.requests()
    assert {entry.outcome for entry in entries} == {"rotated"}
    assert len(entries) == HERD + len(expired)
    assert at_once(entries) <= WORKER_THREADS + 1, "more requests at once than there are threads, and the vend"
    shares = [
        float(share)
        for (share,) in stage.sql(
            "SELECT extract(epoch FROM connection.refresh_due_at - version.received_at) / version.lifetime_seconds"
            " FROM connections_connection AS connection JOIN connections_credentialversion AS version"
            " ON version.id = connection.current_version_id WHERE connection.id = ANY(%s::uuid[])",
            ids,
        )
    ]
    assert min(shares) >= 0.70
    assert max(shares) <= 0.85
    assert statistics.stdev(shares) > 0.03, "they will all be due together again"


def warm_up(stage: Stage) -> None:
    """Wait until the worker works, with a connection that is not counted."""
    (scene,) = stage.take()
    scene.make_due()
    until(lambda: scene.states() == ["promoted"])
    stage.provider.clear_log()


def timed(scene: Scene) -> float:
    began = time.monotonic()
    assert scene.vend().status_code == 200
    return time.monotonic() - began


def promoted(stage: Stage, ids: list[str]) -> int:
    ((count,),) = stage.sql(
        "SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted' AND connection_id = ANY(%s::uuid[])",
        ids,
    )
    return int(count)


def at_once(entries: list[Any]) -> int:
    """Return how many requests were at most in flight together."""
    moments = [(entry.started_at, 1) for entry in entries] + [(entry.ended_at, -1) for entry in entries]
    return max(itertools.accumulate(change for _, change in sorted(moments)))
