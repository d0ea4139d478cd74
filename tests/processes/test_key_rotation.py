"""Both lists of keys rotate while a stack vends and refreshes, with no restart and three kills: nobody notices."""

import base64
import itertools
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from config.key_files import LOOKS_EVERY_SECONDS
from config.local.demo.stack import LocalStack
from config.local.supervisor.state import PROJECT_ROOT
from providers.sandbox.waiting import until
from tests.campaigns.stacks import populate, running_stack
from tests.processes.observed import rows

CONNECTIONS = 300
VENDERS = 3
KILLS = 3
RATE = "100"
# Every process has followed the files by then.
FOLLOWED_SECONDS = LOOKS_EVERY_SECONDS + 2.5


class KeyLists:
    """The files of both lists; each is renamed into its place."""

    def __init__(self, folder: Path) -> None:
        self.paths = {"FERNET_KEYS": folder / "fernet", "KEK_KEYS": folder / "kek"}
        self.keys = {name: [self._fresh(name, "old")] for name in self.paths}
        self.write()

    @staticmethod
    def _fresh(name: str, key_id: str) -> str:
        material = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        return material if name == "FERNET_KEYS" else f"{key_id}:{material}"

    def write(self) -> None:
        for name, path in self.paths.items():
            draft = path.with_suffix(".draft")
            draft.write_text("\n".join(self.keys[name]))
            draft.replace(path)

    def add_last(self) -> None:
        self.keys = {name: [*keys, self._fresh(name, "new")] for name, keys in self.keys.items()}
        self.write()

    def move_first(self) -> None:
        self.keys = {name: keys[::-1] for name, keys in self.keys.items()}
        self.write()

    def remove_old(self) -> None:
        self.keys = {name: keys[:1] for name, keys in self.keys.items()}
        self.write()


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> KeyLists:
    return KeyLists(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, lists: KeyLists) -> Iterator[LocalStack]:
    given = {f"{name}_FILE": str(path) for name, path in lists.paths.items()} | dict.fromkeys(lists.paths, "")
    folder = tmp_path_factory.mktemp("rotation") / "stack"
    with running_stack(folder, "web", "worker", "beat", "sandbox", **given) as running:
        yield running


class Vends:
    """Callers who vend one connection after the other, for ever."""

    def __init__(self, stack: LocalStack, populated: dict[str, Any]) -> None:
        self.answers: Counter[int] = Counter()
        self._stack, self._populated = stack, populated
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._vend, args=(start,)) for start in range(VENDERS)]

    def vend(self, session: requests.Session, number: int) -> int:
        connection = self._populated["connections"][number]
        return session.post(
            f"{self._stack.urls['web']}/api/v1/connections/{connection}/credential",
            json={"end_user": f"user-{number}"},
            headers={"Authorization": f"Bearer {self._populated['key']}"},
            timeout=30,
        ).status_code

    def _vend(self, start: int) -> None:
        with requests.Session() as session:
            for number in itertools.cycle(range(start, CONNECTIONS, VENDERS)):
                if self._stopped.is_set():
                    return
                self.answers[self.vend(session, number)] += 1

    def __enter__(self) -> "Vends":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def keys(stack: LocalStack, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "keys", *words]
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: "subprocess.Popen[str]") -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def wrapped_anew(stack: LocalStack) -> int:
    """Return how many data keys are under the new KEK."""
    ((count,),) = rows(stack, "SELECT count(*) FROM connections_datakey WHERE kek_id = 'new'")
    return int(count)


def test_nobody_notices_a_rotation(stack: LocalStack, lists: KeyLists) -> None:
    populated = populate(stack, CONNECTIONS)
    refreshed = "SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted'"
    due = "UPDATE connections_connection SET refresh_due_at = now() WHERE id IN (SELECT id FROM connections_connection"
    with Vends(stack, populated) as vends:
        lists.add_last()
        time.sleep(FOLLOWED_SECONDS)
        lists.move_first()
        time.sleep(FOLLOWED_SECONDS)
        for kill in range(KILLS):
            rows(stack, f"{due} ORDER BY random() LIMIT {CONNECTIONS // 4})")
            running = keys(stack, "rewrap", "--rate", RATE)
            until(lambda: wrapped_anew(stack) > 0, "the first data keys", seconds=30)
            time.sleep(0.4 + kill * 0.3)
            running.kill()
            running.communicate()
            assert running.returncode != 0, "it ended before it was killed"
        ended(keys(stack, "rewrap"))
        fernet = next(line.split()[1] for line in ended(keys(stack, "status", "--exact")).splitlines() if " 2 " in line)
        ended(keys(stack, "retire", "old"))
        ended(keys(stack, "retire", fernet))
        lists.remove_old()
        time.sleep(FOLLOWED_SECONDS)
        with requests.Session() as session:
            vended = Counter(vends.vend(session, number) for number in range(CONNECTIONS))
    ((refreshes,),) = rows(stack, refreshed)
    print(f"{vends.answers.total()} vends and {refreshes} refreshes beside it")
    assert vended == {200: CONNECTIONS}
    assert set(vends.answers) == {200}
    assert refreshes >= CONNECTIONS // 4
    assert rows(stack, "SELECT 1 FROM connections_connection WHERE undecryptable_at IS NOT NULL") == []
    assert rows(stack, "SELECT DISTINCT status FROM connections_connection") == [("active",)]
    assert " 2 " not in ended(keys(stack, "status", "--exact"))
