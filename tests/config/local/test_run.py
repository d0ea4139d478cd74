import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.local.supervisor.state import PROJECT_ROOT

_SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
_QUERY = "import os, psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT 1').fetchone()[0])"


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "config.local.run", *arguments]
    return subprocess.run(argv, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)


def test_a_command_finds_throwaway_production_settings() -> None:
    seen: dict[str, Any] = json.loads(_run("--", sys.executable, "-c", _SHOW).stdout)
    assert seen["LATCHKEY_ENV"] == "production"
    assert seen["PUBLIC_URL"].startswith("https://")
    assert seen["DATABASE_URL"] == "postgresql://nobody:none@127.0.0.1:1/none"


def test_a_script_is_run_by_this_python_with_its_options(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys; print(sys.executable, sys.argv[1:]); sys.exit(3)")
    result = _run("--", str(script), "--check", "--", "-x")
    assert result.stdout == f"{sys.executable} ['--check', '--', '-x']\n"
    assert result.returncode == 3


def test_a_database_is_there_for_the_command_alone() -> None:
    result = _run("--database", "--", sys.executable, "-c", _QUERY + "; print(os.environ['DATABASE_URL'])")
    answer, url = result.stdout.split()
    assert answer == "1"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_call_without_a_command_says_how_it_is_used() -> None:
    result = _run()
    assert result.returncode == 2
    assert result.stderr.startswith("usage: python -m config.local.run")
