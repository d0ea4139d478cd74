"""The file by which health checks know a worker. One that runs writes it in ``tests.processes.test_metrics``."""

import os
from pathlib import Path

import pytest
from celery.signals import heartbeat_sent, worker_shutdown
from pytest_django import Settings

from config import alive

SIGNALS = (heartbeat_sent, worker_shutdown)


def test_each_heartbeat_makes_it_young_again_and_an_orderly_end_takes_it_away(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "alive"
    settings.ALIVE_FILE = str(file)
    heartbeat_sent.send(sender=alive)
    os.utime(file, (0, 0))
    heartbeat_sent.send(sender=alive)
    assert file.stat().st_mtime > 0
    worker_shutdown.send(sender=alive)
    assert not file.exists()
    worker_shutdown.send(sender=alive)


def test_without_the_setting_nothing_is_written(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALIVE_FILE = ""
    monkeypatch.chdir(tmp_path)
    outcomes = [answer for signal in SIGNALS for _, answer in signal.send(sender=alive)]
    assert list(tmp_path.iterdir()) == []
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
