"""PostgreSQL that restarts or stays away in the middle of a refresh: the answer is stored when it is back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.services.postgres import PrivatePostgres
from tests.campaigns.stacks import stack_to_break
from tests.faults.stage import Scene, Stage, kill, until


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stack")
    with stack_to_break(folder, "web", "worker", "beat", "sandbox") as running:
        yield Stage(running, count=6)


@pytest.fixture
def postgres(stage: Stage) -> Iterator[PrivatePostgres]:
    """The server, which runs again after the test, as does the worker."""
    server = stage.stack.postgres
    assert server is not None
    yield server
    server.start()
    if stage.stack.pid("worker") is None:
        stage.stack.start_process("worker")


@pytest.fixture
def scene(stage: Stage) -> Scene:
    stage.reset()
    return stage.take()[0]


def spooled(stage: Stage) -> list[Path]:
    return list((stage.stack.state_dir / "spool").glob("*.version"))


def test_a_database_that_restarts_in_the_middle_takes_the_answer_on_a_new_connection(
    stage: Stage, scene: Scene, postgres: PrivatePostgres
) -> None:
    scene.send_off(stall_seconds=1)
    postgres.restart(immediate=True)
    until(lambda: scene.states() == ["promoted"])
    assert scene.stages() == ["previous", "current"]
    assert scene.status() == ("active", "connected")
    assert [entry.outcome for entry in stage.requests()] == ["rotated"]
    assert spooled(stage) == []
    assert until(scene.works_at_the_provider)


def test_a_database_that_stays_away_gets_the_answer_from_the_spool_even_of_a_dead_worker(
    stage: Stage, scene: Scene, postgres: PrivatePostgres
) -> None:
    stage.stack.stop_process("worker")
    # Without a pool it is noticed at once, and not after the pool's patience, that there is no database.
    with stage.worker(DATABASE_POOL_SIZE="0") as worker:
        scene.send_off(stall_seconds=1)
        postgres.stop(immediate=True)
        until(lambda: spooled(stage))
        kill(worker)
    assert len(spooled(stage)) == 1, "all that is left of the answer"
    postgres.start()
    stage.stack.start_process("worker")
    until(lambda: scene.states() == ["promoted"])
    assert scene.stages() == ["previous", "current"]
    assert scene.status() == ("active", "connected")
    assert until(lambda: spooled(stage) == [])
    assert [entry.outcome for entry in stage.requests()] == ["rotated"]
    assert until(scene.works_at_the_provider)
