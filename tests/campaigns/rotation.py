"""A rotation of keys from outside: the lists in their files, callers who go on vending, and the commands."""

import base64
import itertools
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import requests

from config.key_files import LOOKS_EVERY_SECONDS
from config.local.demo.stack import LocalStack
from config.local.supervisor.state import PROJECT_ROOT

VENDED = "vended"
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


class Vends:
    """Callers who vend one connection after the other, for ever, ``pause_seconds`` after the answer to the last one."""

    def __init__(
        self, stack: LocalStack, populated: dict[str, Any], *, callers: int = 3, pause_seconds: float = 0.0
    ) -> None:
        self.answers: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._count, self._callers = len(populated["connections"]), callers
        self._stack, self._populated, self._pause_seconds = stack, populated, pause_seconds
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._vend, args=(start,)) for start in range(callers)]

    def vend(self, session: requests.Session, number: int) -> str:
        """Return ``VENDED``, or what the answer says instead."""
        connection = self._populated["connections"][number]
        answer = session.post(
            f"{self._stack.urls['web']}/api/v1/connections/{connection}/credential",
            json={"end_user": f"user-{number}"},
            headers={"Authorization": f"Bearer {self._populated['key']}"},
            timeout=30,
        )
        return VENDED if answer.status_code == 200 else f"{answer.status_code} {answer.json().get('code')}"

    def _vend(self, start: int) -> None:
        with requests.Session() as session:
            for number in itertools.cycle(range(start, self._count, self._callers)):
                if self._stopped.is_set():
                    return
                began = time.monotonic()
                self.answers[self.vend(session, number)] += 1
                self.seconds.append(time.monotonic() - began)
                time.sleep(self._pause_seconds)

    def vend_each(self) -> Counter[str]:
        """Vend every connection once, and return how often each answer came."""
        found: Counter[str] = Counter()

        def vend_from(start: int) -> None:
            with requests.Session() as session:
                answers = Counter(self.vend(session, number) for number in range(start, self._count, self._callers))
            found.update(answers)

        threads = [threading.Thread(target=vend_from, args=(start,)) for start in range(self._callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def __enter__(self) -> "Vends":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def keys(stack: LocalStack, *words: str) -> "subprocess.Popen[str]":
    """Begin ``manage.py keys`` with these words."""
    command = [sys.executable, "manage.py", "keys", *words]
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: "subprocess.Popen[str]", *, seconds: float = 600) -> str:
    """Return what a command has printed, once it has ended well."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return out
