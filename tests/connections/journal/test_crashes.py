"""Who is told of crashes, and that a worker can say so before there are models."""

import subprocess
import sys

import pytest

from config.local.supervisor.environment import inherited, placeholder_settings
from config.local.supervisor.state import PROJECT_ROOT
from connections.journal import crashes


def test_each_reporter_gets_each_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crashes, "_reporters", [])
    crashes.report(ValueError("nobody"))
    told: list[BaseException] = []
    crashes.report_to(told.append)
    crashes.report(error := KeyError("x"))
    assert told == [error]


def test_the_celery_application_is_imported_before_there_are_models() -> None:
    """As ``celery -A config`` does, which sets Django up afterwards."""
    command = [sys.executable, "-c", "import config.celery; from django.apps import apps; print(apps.ready)"]
    environment = inherited() | placeholder_settings()
    ran = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, "False"), ran.stderr[-1000:]
