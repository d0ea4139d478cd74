"""Metrics over real processes: those of the web are added up, outlive one that dies, and a worker has its own.

What else tells how real processes are is asked here as well: the doctor, and a worker's health check.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from config.local.demo.stack import LocalStack
from config.local.services.ports import any_free_port
from config.local.supervisor.state import PROJECT_ROOT
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, database, populate, running_stack
from tests.config.deploy.files import worker_health
from tests.config.deploy.test_prometheus import _SUFFIX, expressions

TOKEN = "a-token-of-the-scraper"
SCRAPES = 12
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
_DUE = "UPDATE connections_connection SET refresh_due_at = now(), access_expires_at = now() + interval '1 minute'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics")


@pytest.fixture(scope="module")
def port() -> int:
    return any_free_port()


@pytest.fixture(scope="module")
def stack(folder: Path, port: int) -> Iterator[LocalStack]:
    told = {
        "LATCHKEY_METRICS_TOKEN": TOKEN,
        "GRANIAN_RESPAWN_FAILED_WORKERS": "true",
        "LATCHKEY_METRICS_DIR": str(folder / "kept"),
        "LATCHKEY_METRICS_PORT": str(port),
        "LATCHKEY_ALIVE_FILE": str(folder / "alive"),
    }
    with running_stack(folder / "stack", "web", "worker", "beat", "sandbox", **told) as running:
        until((folder / "alive").exists, "a worker that takes tasks, and answers at its port")
        yield running


@pytest.fixture(scope="module")
def populated(stack: LocalStack) -> dict[str, Any]:
    return populate(stack, 4)


def sample(url: str, name: str, **labels: str) -> float:
    """Scrape ``url`` and return the sum of the samples that have this name and these labels."""
    answer = requests.get(f"{url}/metrics", headers=AUTHORIZED, timeout=60)
    assert answer.status_code == 200
    return sum(
        found.value
        for family in text_string_to_metric_families(answer.text)
        for found in family.samples
        if found.name == name and labels.items() <= found.labels.items()
    )


def vend(stack: LocalStack, populated: dict[str, Any], times: int) -> None:
    url = f"{stack.urls['web']}/api/v1/connections/{populated['connections'][0]}/credential"
    headers = {"Authorization": f"Bearer {populated['key']}", "Connection": "close"}
    for _ in range(times):
        assert requests.post(url, json={"end_user": "user-0"}, headers=headers, timeout=60).status_code == 200


def children(pid: int | None) -> list[int]:
    listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def vended(stack: LocalStack) -> float:
    return sample(stack.urls["web"], "latchkey_request_seconds_count", kind="vend", status="200")


def test_the_web_processes_are_added_up_and_one_that_dies_goes_on_to_count(
    stack: LocalStack, populated: dict[str, Any]
) -> None:
    before = vended(stack)
    vend(stack, populated, 30)
    assert [vended(stack) - before for _ in range(6)] == [30.0] * 6  # whichever of them is asked
    web = stack.pid("web")
    died = children(web)[0]
    os.kill(died, signal.SIGKILL)
    until(lambda: died not in children(web) and len(children(web)) == 2, "another web process")
    vend(stack, populated, 10)
    assert vended(stack) - before == 40.0


def scraped(url: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Scrape ``url``, as Prometheus' own client reads it: each sample once. Checks what one scrape has to agree on."""
    answer = requests.get(f"{url}/metrics", headers=AUTHORIZED, timeout=60)
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.type in ("histogram", "gauge", "counter", "info", "unknown"), family.name
        for one in family.samples:
            place = (one.name, tuple(sorted(one.labels.items())))
            assert place not in found, f"{place} comes twice"
            found[place] = one.value
    for (name, labels), value in found.items():
        if name.endswith("_bucket") and dict(labels)["le"] == "+Inf":
            others = tuple(label for label in labels if label[0] != "le")
            assert value == found[f"{name.removesuffix('_bucket')}_count", others]
    return found


def only_grows(name: str) -> bool:
    return name.startswith("latchkey_") and name.endswith(("_count", "_sum", "_bucket"))


def test_what_is_scraped_under_load_can_be_read_and_only_grows(
    stack: LocalStack, populated: dict[str, Any], port: int
) -> None:
    """While vends and refreshes run, from whichever process answers; and rules and dashboard ask for nothing else."""
    urls = (stack.urls["web"], f"http://127.0.0.1:{port}")
    before = {url: scraped(url) for url in urls}
    began, rounds, over = dict(before), 0, threading.Event()
    with ThreadPoolExecutor(3) as pool:
        callers = [pool.submit(vend_until, over, stack, populated) for _ in range(3)]
        try:
            with database(stack) as connected:
                while rounds < SCRAPES:
                    connected.execute(_DUE)
                    for url in urls:
                        now = scraped(url)
                        shrunk = [place for place, value in now.items() if value < before[url].get(place, 0.0)]
                        assert [place for place in shrunk if only_grows(place[0])] == []
                        lost = [place for place in before[url] if place not in now and only_grows(place[0])]
                        assert lost == []
                        before[url] = now
                    rounds += 1
        finally:
            over.set()
        vends = sum(caller.result() for caller in callers)
    assert vends >= SCRAPES
    vended_then = ("latchkey_request_seconds_count", (("kind", "vend"), ("status", "200")))
    assert scraped(urls[0])[vended_then] - began[urls[0]].get(vended_then, 0.0) == vends
    names = {_SUFFIX.sub("", name) for url in urls for name, _ in before[url]}
    asked = {_SUFFIX.sub("", name) for text in expressions() for name in re.findall(r"latchkey_\w+", text)}
    # What has not happened yet is not there: no grant has ended, nothing was probed or refused, perhaps not counted.
    assert asked - names <= {f"latchkey_{name}_seconds" for name in ("noticed", "probe", "figures_age")} | {
        "latchkey_vend_refusals_total"
    }


def vend_until(over: threading.Event, stack: LocalStack, populated: dict[str, Any]) -> int:
    vends = 0
    while not over.is_set():
        vend(stack, populated, 1)
        vends += 1
    return vends


def test_another_start_of_the_server_begins_anew(stack: LocalStack, populated: dict[str, Any], folder: Path) -> None:
    vend(stack, populated, 5)
    before = {kept.name for kept in (folder / "kept").iterdir()}
    assert len(before) == 1
    stack.stop_process("web")
    stack.start_process("web")
    vend(stack, populated, 3)
    assert vended(stack) == 3.0
    assert not before & {kept.name for kept in (folder / "kept").iterdir()}


def test_a_worker_answers_for_itself(stack: LocalStack, populated: dict[str, Any], port: int) -> None:
    worker = f"http://127.0.0.1:{port}"
    assert requests.get(f"{worker}/metrics", timeout=60).status_code == 401
    assert requests.get(f"{worker}/", headers=AUTHORIZED, timeout=60).status_code == 404
    before = sample(worker, "latchkey_refresh_seconds_count", outcome="refreshed")
    control(stack).clear_log()
    with database(stack) as connected:
        connected.execute(_DUE)
    until(
        lambda: sample(worker, "latchkey_refresh_seconds_count", outcome="refreshed") == before + 4,
        "four refreshes that the worker has counted",
    )
    assert len(control(stack).log(grant_type="refresh_token")) == 4
    assert sample(worker, "latchkey_queued_seconds_count", queue="refresh") >= 1
    assert 0 < sample(worker, "latchkey_refresh_seconds_sum", outcome="refreshed") < 60
    assert sample(worker, "latchkey_refresh_seconds_count", provider="sandbox") == 0  # not asked for


def test_a_scraper_who_says_nothing_keeps_no_other_waiting(stack: LocalStack, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as silent, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert requests.get(f"http://127.0.0.1:{port}/metrics", timeout=60).status_code == 401
        for one in (silent, slow):
            one.settimeout(60)
            while one.recv(1024):
                pass  # it is shut out after a few seconds


def seen_workers(stack: LocalStack) -> dict[str, str]:
    """Return what ``manage.py doctor`` finds of the workers."""
    command = [sys.executable, "manage.py", "doctor", "--json", "--no-asks"]
    told, _ = stack.popen(command, env=stack.environment, cwd=PROJECT_ROOT, stdout=subprocess.PIPE).communicate()
    (found,) = [each for each in json.loads(told)["findings"] if each["area"] == "workers"]
    return found


def test_the_doctor_and_the_health_check_see_a_worker_until_it_has_ended(stack: LocalStack, folder: Path) -> None:
    """They ask for no answer from it, since it takes no remote control."""
    alive = folder / "alive"
    until(alive.exists, "the file of a worker that takes tasks")
    assert worker_health(LATCHKEY_ALIVE_FILE=str(alive))
    pid = stack.pid("worker")
    found = seen_workers(stack)
    assert found["level"] == "ok"
    assert f" {pid}@" in found["says"]
    stack.stop_process("worker")
    assert not worker_health(LATCHKEY_ALIVE_FILE=str(alive))
    found = seen_workers(stack)
    assert (found["level"], found["says"]) == ("fault", "None runs: nothing is refreshed before somebody asks.")
    stack.start_process("worker")
    until(alive.exists, "the file of the next worker")
