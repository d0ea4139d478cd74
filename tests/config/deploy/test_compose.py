"""``compose.yaml``: the same processes as the README starts, locked down, with every setting that has no default."""

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.config.deploy.files import ROOT, compose, required_settings, settings, worker_command, worker_health

_VARIABLE = re.compile(r"\$\{(\w+):[-?]([^${}]*)\}")
OURS = ("migrate", "web", "worker", "beat", "tools")


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


@pytest.mark.parametrize("name", OURS)
def test_each_process_is_locked_down(name: str) -> None:
    told = service(name)
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in told["tmpfs"]
    assert "spool:/var/lib/latchkey" in told["volumes"]
    assert set(told["environment"]) <= settings()


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for name in compose()["services"] for port in service(name).get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_setting_without_a_default_is_given() -> None:
    page = (ROOT / "config/deploy/README.md").read_text()
    example = page.split("cat >latchkey.env <<END\n")[1].split("END\n")[0]
    in_the_file = {line.partition("=")[0] for line in example.splitlines()}
    assert required_settings() == (required_settings() & (in_the_file | set(service("web")["environment"])))
    assert in_the_file <= settings()


def test_all_begin_after_the_tables_are_there() -> None:
    for name in ("web", "worker", "beat"):
        assert service(name)["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert service(name)["depends_on"]["postgres"] == {"condition": "service_healthy"}


def filled(text: str, given: dict[str, str]) -> str:
    """Fill in ``${NAME:-otherwise}`` and ``${NAME:?message}``, the innermost first, as compose does."""
    while found := _VARIABLE.search(text):
        text = text.replace(found[0], given.get(found[1]) or found[2])
    return text


@pytest.mark.parametrize(
    ("given", "migrates_at", "others_at"),
    [
        ({}, "postgresql://latchkey:p@postgres/latchkey", "postgresql://latchkey:p@postgres/latchkey"),
        ({"LATCHKEY_DATABASE_URL": "app"}, "app", "app"),
        ({"LATCHKEY_DATABASE_URL": "app", "LATCHKEY_MIGRATE_DATABASE_URL": "owner"}, "owner", "app"),
        (
            {"LATCHKEY_MIGRATE_DATABASE_URL": "owner"},
            "owner",
            "postgresql://latchkey:p@postgres/latchkey",
        ),
    ],
)
def test_tables_may_be_migrated_at_a_url_of_their_own(given: dict[str, str], migrates_at: str, others_at: str) -> None:
    for name in OURS:
        told = service(name)["environment"]
        url = filled(told["DATABASE_URL"], given | {"POSTGRES_PASSWORD": "p"})
        assert url == (migrates_at if name == "migrate" else others_at)
        assert told["REDIS_URL"] == service("web")["environment"]["REDIS_URL"]


def test_workers_are_started_as_the_readme_says_and_take_every_queue() -> None:
    readme = worker_command((ROOT / "README.md").read_text())
    assert service("worker")["command"][: len(readme)] == readme
    sent_to = set(re.findall(r'Task\.\w+: "(\w+)"', (ROOT / "connections/dispatch.py").read_text()))
    assert set(readme[-1].split(",")) == sent_to | {"celery"}


@pytest.mark.parametrize(
    ("seconds", "is_healthy"),
    [(0, True), (40, True), (200, False), (None, False)],
    ids=["now", "lately", "old", "gone"],
)
def test_a_worker_is_healthy_while_it_touches_its_file(tmp_path: Path, seconds: int | None, is_healthy: bool) -> None:
    """That it does so is shown where a worker runs: ``tests.processes.test_metrics``."""
    alive = tmp_path / "alive"
    if seconds is not None:
        alive.touch()
        os.utime(alive, times=(time.time() - seconds,) * 2)
    assert worker_health(LATCHKEY_ALIVE_FILE=str(alive)) is is_healthy
