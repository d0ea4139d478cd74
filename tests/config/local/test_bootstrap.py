import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.local import bootstrap
from config.local.bootstrap import BootstrapError, check_python, explain

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with the script and its locks alone, in a path with a space."""
    folder = tmp_path / "a clone"
    (folder / "config" / "local").mkdir(parents=True)
    shutil.copy(bootstrap.__file__, folder / "config" / "local")
    (folder / "requirements-dev.lock").write_text("nothing==1\n")
    (folder / "requirements-uv.lock").write_text("nothing==1\n")
    return folder


def _run(clone: Path, python: str = sys.executable) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [python, "-I", "-S", str(clone / "config/local/bootstrap.py")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PIP_NO_INDEX": "1"},
    )


def _pretend_installed(clone: Path, *, at: Path, locks: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    # The base Python's pip will do: making an environment with one of its own takes seconds.
    configuration = f"home = {sys.base_prefix}/bin\ninclude-system-site-packages = true\n"
    (clone / ".venv" / "pyvenv.cfg").write_text(configuration)
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import bootstrap as b; "
        "b.ROOT = Path(sys.argv[2]); print(b.stamp(), end='')"
    )
    stamp = subprocess.run(
        [sys.executable, "-c", script, str(locks / "config/local"), str(at)], capture_output=True, text=True, check=True
    )
    (clone / ".venv" / ".latchkey").write_text(stamp.stdout)


def test_an_environment_that_matches_the_locks_is_left_alone(clone: Path) -> None:
    _pretend_installed(clone, at=clone, locks=clone)
    result = _run(clone)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_moved_clone_gets_a_new_environment(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_installed(clone, at=clone.with_name("elsewhere"), locks=clone)
    monkeypatch.setattr(bootstrap, "ROOT", clone)
    assert not bootstrap.is_current(clone / ".venv")
    assert not bootstrap.belongs_here(clone / ".venv")


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_installed(clone, at=clone, locks=clone)
    (clone / ".venv" / "bin" / "python").unlink()
    (clone / ".venv" / "bin" / "python").symlink_to("/nonexistent/python")
    monkeypatch.setattr(bootstrap, "ROOT", clone)
    assert not bootstrap.is_current(clone / ".venv")
    assert not bootstrap.belongs_here(clone / ".venv")


def test_a_folder_that_is_no_environment_is_not_installed_into(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_installed(clone, at=clone, locks=clone)
    (clone / ".venv" / "pyvenv.cfg").unlink()
    monkeypatch.setattr(bootstrap, "ROOT", clone)
    assert not bootstrap.belongs_here(clone / ".venv")


def test_a_changed_lock_calls_for_an_installation_whose_failure_is_one_line(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend_installed(clone, at=clone, locks=clone)
    (clone / "requirements-dev.lock").write_text("nothing==2\n")
    result = _run(clone)
    assert result.returncode == 1
    *progress, last = result.stderr.splitlines()
    assert last.startswith("uv cannot be installed: ERROR")
    assert all(line.startswith("bootstrap: ") for line in progress)
    monkeypatch.setattr(bootstrap, "ROOT", clone)
    assert not bootstrap.is_current(clone / ".venv"), "the next start has to try again"


def test_an_old_python_is_told_what_to_install() -> None:
    with pytest.raises(
        BootstrapError, match=r"needs Python 3\.11 or later.*apt-get install python3\.11 python3\.11-venv"
    ):
        check_python((3, 10))
    check_python((3, 14))


def test_a_python_without_ensurepip_is_told_what_to_install(clone: Path) -> None:
    script = (
        "import sys; sys.modules['ensurepip'] = None; sys.path.insert(0, sys.argv[1]); "
        "import bootstrap; sys.exit(bootstrap.main())"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(clone / "config/local")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"`apt-get install python{VERSION}-venv`" in result.stderr


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("building\nx.c:1: fatal error: Python.h: No such file\nerror: build failed", f"python{VERSION}-dev"),
        ("Building wheel\nerror: command 'gcc' failed: No such file", "build-essential"),
        ("error: Failed to download `a`\n  cause: Hash mismatch for `a`\n\n  Expected:\n", "Hash mismatch for `a`"),
        ("WARNING: Failed to establish a new connection\nERROR: No match", "the package registry cannot be reached"),
        ("", "no reason was given"),
    ],
)
def test_a_failure_is_explained_in_one_line(output: str, said: str) -> None:
    explanation = explain(output)
    assert said in explanation
    assert "\n" not in explanation
