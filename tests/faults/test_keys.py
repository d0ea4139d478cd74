"""Keys that are missing when a process starts. (The drills run in one that has started.)"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("missing", "value"), [("KEK_KEYS", None), ("FERNET_KEYS", ""), ("AUDIT_KEYS", None)])
def test_no_process_starts_without_its_keys(missing: str, value: str | None) -> None:
    environment = {name: kept for name, kept in os.environ.items() if name != missing}
    if value is not None:
        environment[missing] = value
    command = [sys.executable, "-c", "import config.wsgi"]
    started = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert started.returncode != 0
    assert "ImproperlyConfigured" in started.stderr
    assert missing in started.stderr
