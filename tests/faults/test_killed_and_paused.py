"""Processes that are killed or stopped in the middle of a refresh, at the instants that matter."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from connections.lifecycle.refresh import SEND_WITHIN_SECONDS
from tests.campaigns.stacks import running_stack
from tests.faults.stage import Scene, Stage, kill, until


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_stack(tmp_path_factory.mktemp("stack"), "web", "beat", "sandbox") as running:
        yield Stage(running, count=12)


@pytest.fixture
def scene(stage: Stage) -> Scene:
    stage.reset()
    return stage.take()[0]


def test_killed_with_the_answer_in_hand_at_a_provider_with_grace_retries_the_old_token(
    stage: Stage, scene: Scene
) -> None:
    stage.provider.settings(grace_seconds=120)
    with stage.worker() as first:
        with scene.store_blocked():
            scene.make_due()
            backend = scene.blocked("relation")
            kill(first)
            scene.forget(backend)
        assert (scene.states(), scene.stages()) == (["sent"], ["current"])
    with stage.worker():
        scene.end_lease()
        until(lambda: scene.states() == ["superseded", "promoted"])
    assert scene.attempts("follows_doubt") == [False, True]
    assert scene.status() == ("active", "connected")
    first_sent, second_sent = stage.requests()
    assert (first_sent.outcome, second_sent.outcome) == ("rotated", "refreshed_in_grace")
    assert first_sent.refresh_presented == second_sent.refresh_presented
    assert scene.works_at_the_provider()


def test_killed_with_the_answer_in_hand_at_a_strict_provider_is_told_as_lost_in_flight(
    stage: Stage, scene: Scene
) -> None:
    with stage.worker() as first, scene.store_blocked():
        scene.make_due()
        backend = scene.blocked("relation")
        kill(first)
        scene.forget(backend)
    with stage.worker():
        scene.end_lease()
        until(lambda: scene.status() == ("needs_reauth", "lost_in_flight"))
        sent = len(stage.requests())
        time.sleep(3)
    assert sent == len(stage.requests()) == 2, "one request, one retry, no storm"
    assert scene.states() == ["superseded", "rejected"]
    assert scene.events().count("connection.needs_reauth") == 1
    refused = scene.vend()
    assert (refused.status_code, refused.json()["code"]) == (409, "reauthorization_required")
    assert refused.json()["reason"] == "lost_in_flight"


def test_killed_between_store_and_promotion_is_promoted_without_another_request(stage: Stage, scene: Scene) -> None:
    with stage.worker() as first:
        scene.send_off(stall_seconds=2)
        with scene.promotion_blocked():
            until(lambda: "received" in scene.stages())
            backend = scene.blocked("transactionid")
            kill(first)
            scene.forget(backend)
    assert (scene.states(), scene.stages()) == (["received"], ["current", "received"])
    with stage.worker():
        scene.end_lease()
        until(lambda: scene.states() == ["promoted"])
    assert scene.stages() == ["previous", "current"]
    assert scene.status() == ("active", "connected")
    assert [entry.outcome for entry in stage.requests()] == ["rotated"]
    assert scene.works_at_the_provider()


def test_paused_before_the_send_it_sends_nothing_any_more(stage: Stage, scene: Scene) -> None:
    with stage.worker() as paused:
        with scene.claim_held() as release:
            scene.make_due()
            scene.blocked("advisory")
            os.kill(paused.pid, signal.SIGSTOP)
            stopped_at = time.monotonic()
            release()
            until(lambda: scene.states() == ["sent"])
        assert stage.requests() == []
        with stage.worker():
            scene.end_lease()
            until(lambda: scene.states() == ["superseded", "promoted"])
            time.sleep(max(0.0, SEND_WITHIN_SECONDS + 1 - (time.monotonic() - stopped_at)))
            os.kill(paused.pid, signal.SIGCONT)
            until(lambda: scene.attempts("error") == ["late", ""])
    assert scene.attempts("evidence")[0]["sent"] is False
    assert scene.states() == ["superseded", "promoted"]
    assert [entry.outcome for entry in stage.requests()] == ["rotated"], "the one that was paused sent its own"
    assert scene.status() == ("active", "connected")
    assert scene.works_at_the_provider()


def pause_after_the_send(stage: Stage, scene: Scene, pid: int) -> None:
    """Stop the worker ``pid`` while the provider has its request, until the answer and the lease are there."""
    scene.send_off(stall_seconds=1.5)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: stage.requests()[0].ended_at)
    assert scene.states() == ["sent"]


def test_paused_after_the_send_its_late_answer_is_stored_and_promoted(stage: Stage, scene: Scene) -> None:
    with stage.worker() as paused, stage.worker(queues="celery"):
        pause_after_the_send(stage, scene, paused.pid)
        scene.end_lease()
        until(lambda: scene.states() == ["in_doubt"])
        os.kill(paused.pid, signal.SIGCONT)
        until(lambda: scene.states() == ["promoted"])
    assert scene.stages() == ["previous", "current"]
    assert scene.status() == ("active", "connected")
    assert [entry.outcome for entry in stage.requests()] == ["rotated"]
    assert scene.works_at_the_provider()


def test_paused_and_overtaken_its_late_answer_is_used_when_the_current_one_is_refused(
    stage: Stage, scene: Scene
) -> None:
    stage.provider.settings(grace_seconds=120)
    with stage.worker() as paused:
        pause_after_the_send(stage, scene, paused.pid)
        with stage.worker():
            scene.end_lease()
            until(lambda: scene.states() == ["superseded", "promoted"])
            os.kill(paused.pid, signal.SIGCONT)
            until(lambda: "orphan" in scene.stages())
            assert sorted(scene.stages()) == ["current", "orphan", "previous"]
            assert scene.states() == ["superseded", "promoted"]
            late, current = stage.requests()
            assert late.refresh_presented == current.refresh_presented
            stage.provider.fault("error", grant_type="refresh_token", error="invalid_grant")
            scene.make_due()
            until(lambda: scene.states() == ["superseded", "promoted", "rejected", "promoted"])
    _, _, refused, saved = stage.requests()
    assert refused.refresh_presented == current.refresh_issued
    assert saved.refresh_presented == late.refresh_issued
    assert scene.status()[0] == "active"
    assert "connection.needs_reauth" not in scene.events()
    assert scene.works_at_the_provider()
