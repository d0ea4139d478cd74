"""The provider of the drills: the sandbox as a process of its own on loopback, steered over its control API."""

import importlib.util
import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from django.conf import settings

from providers import egress

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_MOST_BYTES = 64 * 1024 * 1024
_HTTP_ERROR = 400


class SandboxMissing(Exception):
    """The sandbox cannot run here; the text says what to do."""


class Sandbox:
    """The running sandbox; ``url`` is its issuer."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, document: Any = None, **params: str) -> Any:
        """Return the JSON answer of one control call."""
        answer = egress.request(
            method, f"{self.url}/control/{path}", json=document, params=params, max_body_bytes=_MOST_BYTES
        )
        if answer.status >= _HTTP_ERROR:
            raise RuntimeError(f"The sandbox answers {answer.status} to {method} {path}.")
        return json.loads(answer.body)

    def fault(self, kind: str, *, client_id: str, endpoint: str = "token", times: int = 1, **options: Any) -> None:
        """Arm a fault for one client: at its token endpoint, for refreshes."""
        grant_type = "refresh_token" if endpoint == "token" else None
        document = {"kind": kind, "endpoint": endpoint, "times": times, "options": options}
        self.call("POST", "faults", document | {"client_id": client_id, "grant_type": grant_type})

    def refreshes(self, *, client_id: str) -> list[Any]:
        """Return the log's refresh requests of one client, oldest first."""
        entries = [SimpleNamespace(**entry) for entry in self.call("GET", "log", limit="5000")["entries"]]
        return [one for one in entries if (one.client_id, one.grant_type) == (client_id, "refresh_token")]

    def requests(self, endpoint: str) -> int:
        """Return how many requests an endpoint has had."""
        return sum(entry["endpoint"] == endpoint for entry in self.call("GET", "log", limit="5000")["entries"])

    def clear(self) -> None:
        """Disarm all faults and forget the log."""
        self.call("DELETE", "faults")
        self.call("DELETE", "log")


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    """Run a sandbox on a free port of loopback until the block ends. Raises ``SandboxMissing``."""
    if importlib.util.find_spec("flask") is None:
        raise SandboxMissing(
            "The drills need the sandbox provider, and that needs Flask, which is no part of a production install: "
            "`pip install flask` (or the extra `local`) into an environment for drills."
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "providers.sandbox", "--port", "0"],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # a Ctrl-C is ours to handle: the database goes first
    )
    try:
        line = ""
        if process.stdout is not None and select.select([process.stdout], [], [], _START_SECONDS)[0]:
            line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise SandboxMissing("The sandbox does not start: try `python -m providers.sandbox --port 0`.")
        yield Sandbox(line.removeprefix("listening on ").strip())
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
