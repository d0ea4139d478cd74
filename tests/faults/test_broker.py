"""Valkey that is down, forgets everything, is fed rubbish or says things twice: vends go on, and nothing is doubled."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from providers.sandbox.waiting import until
from tests.campaigns.stacks import extra_worker, own_databases, stack_to_break
from tests.faults.stage import Scene, Stage

ENVELOPE: dict[str, Any] = {
    "body": base64.b64encode(b'[["00000000-0000-0000-0000-000000000000"], {}, {}]').decode(),
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": {"lang": "py", "task": "connections.refresh", "id": "poison", "root_id": "poison", "retries": 0},
    "properties": {
        "body_encoding": "base64",
        "correlation_id": "poison",
        "delivery_info": {"exchange": "", "routing_key": "refresh"},
        "delivery_mode": 2,
        "delivery_tag": "poison",
        "priority": 0,
    },
}


def body(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


POISON: tuple[dict[str, Any], ...] = (
    {},  # well-formed, and about nothing
    {"headers": ENVELOPE["headers"] | {"task": "os.system"}},
    {"headers": {}},
    {"content-type": "application/x-python-serialize", "body": body("cos\nsystem\n(S'true'\ntR.")},
    {"body": body("no JSON")},
    {"body": body("{}")},
    {"body": body('[["no uuid"], {}, {}]')},
    {"body": body("[[], {}, {}]")},
    {"body": body('[[5], {"x": null}, {}]')},
)

RUBBISH = (b"", b"\x00\xff no JSON", b"[]", b"null", b"5", b'{"body": "e30="}', b'{"body": "bm8=", "properties": {}}')


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, processes = tmp_path_factory.mktemp("stack"), ("web", "worker", "beat", "sandbox")
    with (
        own_databases() as databases,
        stack_to_break(folder, *processes, durable=True, DATABASE_URL=databases["DATABASE_URL"]) as running,
    ):
        yield Stage(running, count=20)


@pytest.fixture(autouse=True)
def undisturbed(stage: Stage) -> None:
    stage.reset()


@pytest.fixture
def scene(stage: Stage) -> Scene:
    return stage.take()[0]


@pytest.fixture
def broker(stage: Stage) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(stage.stack.environment["REDIS_URL"]) as client:
        yield client


def test_without_a_broker_vends_go_on_and_the_next_sweep_catches_up(stage: Stage, scene: Scene) -> None:
    assert stage.stack.valkey is not None
    (background,) = stage.take()
    stage.stack.valkey.stop()
    scene.expire()
    began = time.monotonic()
    assert scene.vend().status_code == 200
    took = time.monotonic() - began
    assert took < 20, "the vend waited for the broker"
    background.make_due()
    assert scene.states() == ["promoted"]
    assert background.vend().status_code == 200, "the valid token is vended"
    stage.stack.valkey.start()
    background.reach("promoted")
    assert [entry.outcome for entry in stage.requests()] == ["rotated", "rotated"]
    assert scene.works_at_the_provider()


def test_a_flush_in_the_middle_loses_and_doubles_nothing(stage: Stage, broker: "redis.Redis") -> None:
    scenes = stage.take(10)
    stage.stack.stop_process("worker")
    with extra_worker(stage.stack, queues="celery"):
        for scene in scenes:
            scene.make_due()
        until(lambda: broker.llen("refresh") == len(scenes), "a task for each connection")
    broker.flushall()
    stage.provider.settings(delay_seconds={"token": 2})
    stage.stack.start_process("worker")
    for scene in scenes:
        scene.change("refresh_enqueued_until = NULL")  # as it is a minute later
    until(lambda: len(stage.requests()) == len(scenes), "a refresh of each connection")
    broker.flushall()
    for scene in scenes:
        scene.reach("promoted")
    time.sleep(2)
    assert len(stage.requests()) == len(scenes)
    assert {entry.outcome for entry in stage.requests()} == {"rotated"}
    assert {scene.status() for scene in scenes} == {("active", "connected")}


def test_poison_is_rejected_and_the_worker_goes_on(stage: Stage, scene: Scene, broker: "redis.Redis") -> None:
    before = stage.stack.pid("worker")
    for queue in ("celery", "refresh", "probe"):
        for poison in POISON:
            broker.lpush(queue, json.dumps(ENVELOPE | poison))
    scene.make_due()
    scene.reach("promoted")
    until(lambda: not any(broker.llen(queue) for queue in ("refresh", "probe")), "empty queues")
    assert stage.stack.pid("worker") == before
    assert scene.status() == ("active", "connected")
    assert [entry.outcome for entry in stage.requests()] == ["rotated"]


def test_a_message_that_is_delivered_again_does_nothing_twice(
    stage: Stage, scene: Scene, broker: "redis.Redis"
) -> None:
    scene.send_off()
    unacknowledged = [json.loads(raw) for raw in broker.hgetall("unacked").values()]
    (message,) = [entry[0] for entry in unacknowledged if entry[2] == "refresh"]
    again = json.dumps(message | {"headers": message["headers"] | {"redelivered": True}})

    def deliver_again() -> None:
        for _ in range(5):
            broker.lpush("refresh", again)
        until(lambda: not broker.llen("refresh"), "an empty queue")

    deliver_again()
    assert scene.states() == ["sent"]
    stage.provider.release()
    scene.reach("promoted")
    deliver_again()
    time.sleep(1)
    assert scene.states() == ["promoted"]
    assert scene.stages() == ["previous", "current"]
    assert [entry.outcome for entry in stage.requests()] == ["rotated"]


def test_what_is_no_message_is_dropped_and_the_worker_goes_on(
    stage: Stage, scene: Scene, broker: "redis.Redis"
) -> None:
    before = stage.stack.pid("worker")
    for queue in ("celery", "refresh", "probe"):
        for rubbish in RUBBISH:
            broker.lpush(queue, rubbish)
    scene.make_due()
    scene.reach("promoted")
    until(lambda: not any(broker.llen(queue) for queue in ("refresh", "probe")), "empty queues")
    assert stage.stack.pid("worker") == before
    assert [entry.outcome for entry in stage.requests()] == ["rotated"]
