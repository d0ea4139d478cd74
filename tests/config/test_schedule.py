"""The schedule: everything runs as often as the settings say, and no run waits for long."""

from config.celery import app
from config.schedule import beat_schedule


def test_looks_for_dead_processes_more_often_than_it_sweeps() -> None:
    schedule = beat_schedule(5.0, recover_seconds=2.0, webhook_seconds=1.0)
    assert schedule["recover"]["schedule"] == 2.0
    assert schedule["sweep-refreshes"]["schedule"] == 5.0


def test_names_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in beat_schedule(5.0, recover_seconds=2.0, webhook_seconds=1.0).values()} <= set(
        app.tasks
    )


def test_drops_runs_that_nobody_began_but_not_for_a_clock_that_is_seconds_off() -> None:
    for entry in beat_schedule(0.5, recover_seconds=0.5, webhook_seconds=0.5).values():
        assert 10.0 <= entry["options"]["expires"] <= 300.0
