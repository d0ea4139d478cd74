"""Run the sandbox provider as a process of its own, and steer it over its control API.

``start_sandbox`` gives a ``SandboxProcess``; its ``control`` is a ``SandboxControl``, which also works alone against a
server that somebody else started. What the sandbox offers is told in ``providers/sandbox/__init__.py``; people who sign
in and consent are in ``tests/person.py``.
"""

import hashlib
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

_ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


def fingerprint(token: str) -> str:
    """Return ``token`` as the sandbox's log shows it."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]


class SandboxControl:
    """A client of ``/control/…``. Each method raises requests.HTTPError when the sandbox refuses."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, document: object = None, **params: object) -> Any:
        """Return the JSON answer of one control call."""
        given = {name: str(value) for name, value in params.items() if value is not None}
        url = f"{self.base_url}/control/{path}"
        answer = self._session.request(method, url, json=document, params=given, timeout=30)
        if not answer.ok:
            raise requests.HTTPError(f"{answer.status_code} {answer.text}", response=answer)
        return answer.json()

    def register_client(self, client_id: str, **document: Any) -> dict[str, Any]:
        """Register or replace a client; give ``client_secret`` or ``public=True``."""
        registered: dict[str, Any] = self.call("POST", "clients", {"client_id": client_id, **document})
        return registered

    def clients(self) -> list[dict[str, Any]]:
        """Return the registered clients."""
        return list(self.call("GET", "clients")["clients"])

    def api_key(self, username: str, name: str = "") -> str:
        """Return a fresh API key of that person."""
        return str(self.call("POST", "api-keys", {"username": username, "name": name})["api_key"])

    def revoke_api_keys(self, username: str | None = None) -> int:
        """Revoke API keys and return how many."""
        return int(self.call("DELETE", "api-keys", username=username)["revoked"])

    def grants(self, *, username: str | None = None, client_id: str | None = None) -> list[dict[str, Any]]:
        """Return the grants with tokens, newest first; ``refresh_tokens`` are fingerprints of the live ones."""
        return list(self.call("GET", "grants", username=username, client_id=client_id)["grants"])

    def mint(self, client_id: str, *, username: str = "alice", count: int = 1, **document: Any) -> list[dict[str, Any]]:
        """Return the token responses of that many grants, made without a person."""
        body = {"client_id": client_id, "username": username, "count": count, **document}
        return list(self.call("POST", "grants", body)["grants"])

    def revoke(self, *, username: str | None = None, client_id: str | None = None, grant_id: str | None = None) -> int:
        """Revoke the live grants that match and return how many."""
        filters = {"username": username, "client_id": client_id, "grant_id": grant_id}
        document = {name: value for name, value in filters.items() if value is not None}
        return int(self.call("POST", "revoke", document)["revoked"])

    def log(self, *, after: int = 0, **wanted: object) -> list[SimpleNamespace]:
        """Return all entries after that number whose fields have the ``wanted`` values, oldest first."""
        found: list[SimpleNamespace] = []
        while True:
            page = self.call("GET", "log", after=after)
            found += [
                SimpleNamespace(**entry)
                for entry in page["entries"]
                if all(entry[name] == value for name, value in wanted.items())
            ]
            if not page["entries"] or page["entries"][-1]["id"] >= page["last_id"]:
                return found
            after = page["entries"][-1]["id"]

    def clear_log(self) -> int:
        """Forget the entries and return the last number given."""
        return int(self.call("DELETE", "log")["last_id"])

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change the settings named, and return all."""
        answer: dict[str, Any] = self.call("PUT", "settings", changes) if changes else self.call("GET", "settings")
        return answer

    def fault(
        self,
        kind: str,
        *,
        endpoint: str = "token",
        times: int = 1,
        client_id: str | None = None,
        grant_type: str | None = None,
        probability: float = 1,
        **options: Any,
    ) -> dict[str, Any]:
        """Arm a fault; further keywords are its options."""
        document = {
            "endpoint": endpoint,
            "kind": kind,
            "times": times,
            "client_id": client_id,
            "grant_type": grant_type,
            "probability": probability,
            "options": options,
        }
        fault: dict[str, Any] = self.call("POST", "faults", document)
        return fault

    def faults(self) -> list[dict[str, Any]]:
        """Return the armed faults."""
        return list(self.call("GET", "faults")["faults"])

    def clear_faults(self) -> int:
        """Disarm all faults and return how many."""
        return int(self.call("DELETE", "faults")["cleared"])


class SandboxProcess:
    """A running sandbox. ``url`` is its issuer; ``base_url`` is where it listens, on loopback.

    After ``stop``, ``output`` is what it printed since it began to listen.
    """

    def __init__(self, process: "subprocess.Popen[str]", *, url: str, base_url: str, arguments: list[str]) -> None:
        self.process = process
        self.url = url
        self.base_url = base_url
        self.arguments = arguments
        self.output = ""
        self.control = SandboxControl(base_url)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.base_url.rpartition(":")[2])

    def kill(self) -> None:
        """Kill -9 and reap."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and return the exit status; kills a process that does not end."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout=_STOP_SECONDS)
        finally:
            self.kill()
            if self.process.stdout is not None and not self.process.stdout.closed:
                self.output += self.process.stdout.read()
                self.process.stdout.close()

    def restart(self) -> None:
        """Start again on the same port with the same options, after a ``kill``; without a state folder, empty."""
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process, _ = _launch([*self.arguments, "--port", str(self.port)])


@contextmanager
def start_sandbox(
    *,
    state: Path | None = None,
    clients: list[dict[str, Any]] | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    public_url: str | None = None,
    name: str | None = None,
    access_lifetime: int | None = None,
    grace_seconds: float | None = None,
    rotate: bool | None = None,
    access_log: bool = False,
) -> Iterator[SandboxProcess]:
    """Run a sandbox on a free loopback port until the block ends. It is ready when that begins."""
    arguments = ["--host", host]
    for option, value in {
        "--state": state,
        "--public-url": public_url,
        "--name": name,
        "--access-lifetime": access_lifetime,
        "--grace-seconds": grace_seconds,
    }.items():
        if value is not None:
            arguments += [option, str(value)]
    if rotate is not None:
        arguments.append("--rotate" if rotate else "--no-rotate")
    if access_log:
        arguments.append("--access-log")
    process, base_url = _launch([*arguments, "--port", str(port)])
    sandbox = SandboxProcess(process, url=public_url or base_url, base_url=base_url, arguments=arguments)
    try:
        for client in clients or ():
            sandbox.control.register_client(**client)
        yield sandbox
    finally:
        sandbox.stop()


def _launch(arguments: list[str]) -> "tuple[subprocess.Popen[str], str]":
    """Return the process and the address that it printed once it accepted connections."""
    command = [sys.executable, "-m", "providers.sandbox", *arguments]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line.startswith("listening on "):
        process.kill()
        raise RuntimeError(f"the sandbox did not start (exit status {process.wait()})")
    return process, line.removeprefix("listening on ").strip()
