"""``manage.py`` as a newcomer types it: it finds packages and settings by itself, or says in one line what to do.

Where a test is about the packages, or how it is found, a Python starts that has none of them. Where it is about
settings alone, a warm one does.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.supervisor.attach import published
from config.local.supervisor.environment import placeholder_settings
from config.local.supervisor.state import PROJECT_ROOT, locked, make_folder
from tests.clone import make_clone, unconfigured
from tests.warm.start import Warm

SYSTEM_PYTHON = f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
CONFIGURED = placeholder_settings()
# Shows which database the command would use, and where the packages come from.
LOOK = (
    "shell",
    "--no-imports",
    "-c",
    "import sys; from django.conf import settings as s; print(s.PUBLIC_URL, sys.prefix)",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing has been made yet."""
    return make_clone(tmp_path / "a clone", with_environment=False)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A clone with the environment of ``make``."""
    return make_clone(tmp_path / "made", with_environment=True)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder, of which nobody has made anything yet."""
    return tmp_path / "state"


@pytest.fixture
def demo(state: Path) -> Iterator[Path]:
    """What a running demo leaves for others: its lock and its settings."""
    make_folder(state)
    with locked(state), published(state, CONFIGURED | {"PUBLIC_URL": "https://demo.example"}):
        yield state


def manage(
    clone: Path,
    *words: str,
    state: Path,
    warmed: Warm | None = None,
    cwd: Path | None = None,
    **settings: str,
) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` with nothing in its environment but ``settings``, by the system's Python or by a warm one."""
    if warmed is not None:
        return warmed.run("manage.py", *words, cwd=clone, env=unconfigured(LATCHKEY_STATE=str(state), **settings))
    return subprocess.run(
        [SYSTEM_PYTHON, "manage.py" if cwd is None else str(clone / "manage.py"), *words],
        cwd=cwd or clone,
        env=unconfigured(LATCHKEY_STATE=str(state), **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_line(ran: subprocess.CompletedProcess[str]) -> str:
    """Return the only thing that a command has said, having failed."""
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    (line,) = ran.stderr.splitlines()
    assert line.startswith("manage.py: ")
    return line


def test_it_uses_the_environment_and_the_settings_of_the_running_demo(made: Path, demo: Path) -> None:
    ran = manage(made, *LOOK, state=demo)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"https://demo.example {made / '.venv'}\n"
    assert ran.stderr == f"manage.py: with the settings of the demo that runs from {demo}\n"


@pytest.mark.parametrize("way", ["absolute", "symlink", "executable"])
def test_it_is_found_from_anywhere(way: str, made: Path, demo: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "manage.py").symlink_to(made / "manage.py")
    if way == "executable":
        python, target = str(made / "manage.py"), made
        ran = subprocess.run(
            [python, *LOOK],
            cwd=elsewhere,
            env=unconfigured(LATCHKEY_STATE=str(demo)),
            capture_output=True,
            text=True,
            check=False,
        )
    else:
        target = elsewhere if way == "symlink" else made
        ran = manage(target, *LOOK, state=demo, cwd=elsewhere)
    assert ran.stdout == f"https://demo.example {made / '.venv'}\n", ran.stderr


def test_what_is_configured_wins_over_the_demo(made: Path, demo: Path, warmed: Warm) -> None:
    ran = manage(made, *LOOK, state=demo, warmed=warmed, **CONFIGURED)
    assert (ran.stdout.split()[0], ran.stderr) == (CONFIGURED["PUBLIC_URL"], "")


def test_a_single_setting_wins_over_the_demo(made: Path, demo: Path, warmed: Warm) -> None:
    look = ("shell", "--no-imports", "-c", "from django.conf import settings as s; print(s.TRUSTED_PROXY_COUNT)")
    assert manage(made, *look, state=demo, warmed=warmed, TRUSTED_PROXY_COUNT="7").stdout == "7\n"


def test_the_demos_own_database_may_be_named(made: Path, demo: Path, warmed: Warm) -> None:
    ran = manage(made, *LOOK, state=demo, warmed=warmed, DATABASE_URL=CONFIGURED["DATABASE_URL"])
    assert ran.stdout.startswith("https://demo.example")


def test_half_a_configuration_is_not_filled_up_from_the_demo(made: Path, demo: Path, warmed: Warm) -> None:
    line = one_line(manage(made, "check", state=demo, warmed=warmed, DATABASE_URL="postgresql://elsewhere/production"))
    assert "Not set in the environment: SECRET_KEY, FERNET_KEYS, KEK_KEYS, AUDIT_KEYS, REDIS_URL, PUBLIC_URL" in line
    assert "elsewhere" not in line
    assert "DATABASE_URL, which is set, is not that of the running demo" in line


def test_half_a_configuration_is_told_as_such(made: Path, state: Path, warmed: Warm) -> None:
    half = {name: value for name, value in CONFIGURED.items() if name != "KEK_KEYS"}
    assert "Not set in the environment: KEK_KEYS (" in one_line(
        manage(made, "check", state=state, warmed=warmed, **half)
    )


def test_settings_may_be_in_files(made: Path, state: Path, tmp_path: Path, warmed: Warm) -> None:
    files = {}
    for name in ("SECRET_KEY", "FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS", "DATABASE_URL", "REDIS_URL"):
        (tmp_path / name).write_text(CONFIGURED[name] + "\n")
        files[f"{name}_FILE"] = str(tmp_path / name)
    rest = {name: value for name, value in CONFIGURED.items() if f"{name}_FILE" not in files}
    ran = manage(made, *LOOK, state=state, warmed=warmed, **rest, **files)
    assert (ran.stdout.split()[0], ran.stderr) == (CONFIGURED["PUBLIC_URL"], "")
    (tmp_path / "KEK_KEYS").unlink()
    assert "KEK_KEYS_FILE cannot be read" in one_line(manage(made, *LOOK, state=state, warmed=warmed, **rest, **files))


@pytest.mark.parametrize(
    "wrong",
    [
        {"PUBLIC_URL": "nonsense"},
        {"PUBLIC_URL": "http://127.0.0.1"},
        {"DATABASE_POOL_SIZE": "many"},
        {"FERNET_KEYS": "short"},
        {"KEK_KEYS": "nonsense"},
        {"AUDIT_KEYS": "nonsense"},
        {"EGRESS_ALLOWED_TARGETS": "10.1"},
        {"EGRESS_PROXY_URL": "http://user:s3cret@proxy.example:99999"},
        {"EGRESS_ECHO_URL": "s3cret.example"},
    ],
    ids=str,
)
def test_a_wrong_setting_is_told_without_a_traceback(
    wrong: dict[str, str], made: Path, state: Path, warmed: Warm
) -> None:
    line = one_line(manage(made, "check", state=state, warmed=warmed, **CONFIGURED | wrong))
    assert "A setting is wrong" in line
    assert "s3cret" not in line


def test_without_a_demo_it_says_how_to_start_one(made: Path, state: Path, warmed: Warm) -> None:
    line = one_line(manage(made, "providers", "list", state=state, warmed=warmed))
    assert "`make demo` does not run from" in line
    assert str(state) in line


def test_a_demo_that_is_starting_is_waited_for(made: Path, state: Path, warmed: Warm) -> None:
    make_folder(state)
    with locked(state):
        assert "still starting" in one_line(manage(made, "check", state=state, warmed=warmed))


def test_what_a_killed_demo_has_left_is_not_used(made: Path, state: Path, warmed: Warm) -> None:
    make_folder(state)
    with locked(state):
        left = published(state, CONFIGURED)
        left.__enter__()
    assert (state / "settings.json").exists()
    assert "does not run" in one_line(manage(made, "check", state=state, warmed=warmed))


@pytest.mark.parametrize("name", ["", "settings.json"])
def test_settings_that_somebody_else_could_have_written_are_not_used(
    name: str, made: Path, demo: Path, warmed: Warm
) -> None:
    """A folder of a known name in /tmp, say, which another user made first and keeps locked."""
    path = demo / name
    path.chmod(path.stat().st_mode | 0o002)
    assert "not yours alone to write" in one_line(manage(made, "check", state=demo, warmed=warmed))
    path.chmod(path.stat().st_mode & ~0o022)
    assert manage(made, *LOOK, state=demo, warmed=warmed).returncode == 0
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        assert "not yours alone to write" in one_line(manage(made, "check", state=demo, warmed=warmed))


def test_a_damaged_record_is_told(made: Path, demo: Path, warmed: Warm) -> None:
    (demo / "settings.json").write_text("{")
    assert "is damaged" in one_line(manage(made, "check", state=demo, warmed=warmed))


@pytest.mark.parametrize("words", [(), ("--help",), ("help",), ("providers", "add", "--help"), ("--version",)], ids=str)
def test_help_needs_no_settings(words: tuple[str, ...], made: Path, state: Path, warmed: Warm) -> None:
    ran = manage(made, *words, state=state, warmed=warmed)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout
    if words in ((), ("--help",), ("help",)):
        assert "provider_apps" in ran.stdout, "Latchkey's own commands are shown"


def test_without_an_environment_it_says_how_to_make_one(clone: Path, state: Path) -> None:
    for words in (("check",), ("--help",)):
        assert f"run `make environment` in {clone}" in one_line(manage(clone, *words, state=state))


def test_an_empty_environment_is_told(clone: Path, state: Path) -> None:
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    line = one_line(manage(clone, "check", state=state))
    assert "lacks django" in line
    assert "run `make environment`" in line


@pytest.mark.parametrize("broken", ["dangling", "not a program", "not executable", "no interpreter"])
def test_a_broken_environment_is_told(broken: str, clone: Path, state: Path) -> None:
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    if broken == "dangling":
        python.symlink_to("/nowhere/python3")
    elif broken != "no interpreter":
        python.write_text("nonsense")
        python.chmod(0o644 if broken == "not executable" else 0o755)
    line = one_line(manage(clone, "check", state=state))
    assert "cannot be run" in line
    assert "run `make environment`" in line


def test_a_damaged_package_is_told(clone: Path, state: Path) -> None:
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    (packages,) = (clone / ".venv" / "lib").glob("python*/site-packages")
    for name in ("django", "environ", "csp", "celery", "psycopg"):
        (packages / name).mkdir()
        (packages / name / "__init__.py").touch()
    line = one_line(manage(clone, "check", state=state))
    assert "is damaged" in line


def test_it_is_read_by_older_pythons_up_to_the_line_that_says_what_they_lack() -> None:
    """Names and syntax that came later would end in a traceback before that."""
    ast.parse((PROJECT_ROOT / "manage.py").read_text(), feature_version=(3, 7))


def test_a_clone_that_cannot_be_written_will_do(made: Path, demo: Path) -> None:
    made.chmod(0o555)
    demo.chmod(0o555)
    try:
        assert manage(made, *LOOK, state=demo).returncode == 0
    finally:
        made.chmod(0o755)
        demo.chmod(0o755)
