"""The sandbox's client: start the server as a process of its own, and steer it over its control API.

``start_sandbox`` gives a ``SandboxProcess``; its ``control`` is a ``SandboxControl``, which also works alone against a
server that somebody else started. The package's docstring describes what the sandbox offers. The people who sign in
and consent in the tests are in ``tests/person.py``: they need a browser, and this does not.

A tool for drills, tests, campaigns and the demo; no code that serves callers uses it. It talks to the server with
``requests`` and not through ``providers.egress``, because drills and tests break, redirect and measure that module, and
because it refuses loopback in production. This module needs no Flask, so that it can say when Flask is missing.
"""

import importlib.util
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import requests

from providers.sandbox.log import Entry

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_CALL_SECONDS = 30.0
_MINTED_AT_ONCE = 1000


class SandboxMissing(Exception):
    """The sandbox cannot run here; the text says what to do."""


class Options(TypedDict, total=False):
    """The options of a sandbox; a missing one gets the command line's default."""

    state: Path
    public_url: str
    certificate: Path
    name: str
    access_lifetime: int
    grace_seconds: float
    rotate: bool
    access_log: Literal[True]


class SandboxControl:
    """A client of ``/control/…`` at ``base_url``, usable from several threads. ``ca_file`` is whom to trust over https.

    Every method makes HTTP requests, and raises ``requests.HTTPError`` when the sandbox refuses, another
    ``requests.RequestException`` when it does not answer.
    """

    def __init__(self, base_url: str, *, ca_file: str = "") -> None:
        self.base_url = base_url
        self._session = requests.Session()
        self._session.verify = ca_file or True
        self._session.trust_env = False  # a proxy of the machine has no business between two local processes

    def call(self, method: str, path: str, document: object = None, **params: object) -> Any:
        """Return the JSON answer of one control call."""
        given = {name: str(value) for name, value in params.items() if value is not None}
        url = f"{self.base_url}/control/{path}"
        answer = self._session.request(method, url, json=document, params=given, timeout=_CALL_SECONDS)
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

    def access_key(self, username: str, *, temporary: bool = False) -> dict[str, str]:
        """Return a fresh access key of that person, which signs: its id, its secret and maybe a session token."""
        made: dict[str, str] = self.call("POST", "access-keys", {"username": username, "temporary": temporary})
        return made

    def revoke_access_key(self, access_key_id: str) -> None:
        """Forget an access key."""
        self.call("DELETE", f"access-keys/{access_key_id}")

    def certificate(self, username: str, *, days: float = 30) -> dict[str, str]:
        """Return a client certificate of that person in PEM: certificate, private_key, thumbprint, authority, url.

        ``url`` is the address of the sandbox that asks for certificates, ``authority`` whom to trust there.
        """
        made: dict[str, str] = self.call("POST", "certificates", {"username": username, "days": days})
        return made

    def push(self, client_id: str, kind: str, *, username: str, members: dict[str, Any] | None = None) -> int | None:
        """Have a signed event pushed to a client that listens, and return the status of its answer."""
        asked = {"client_id": client_id, "type": kind, "username": username, "members": members or {}}
        status: int | None = self.call("POST", "pushes", asked)["status"]
        return status

    def revoke_certificate(self, thumbprint: str) -> None:
        """Make the certificate nobody's. The handshake still takes it."""
        self.call("DELETE", f"certificates/{thumbprint}")

    def revoke_api_keys(self, username: str | None = None) -> int:
        """Revoke API keys and return how many."""
        return int(self.call("DELETE", "api-keys", username=username)["revoked"])

    def grants(self, *, username: str | None = None, client_id: str | None = None) -> list[dict[str, Any]]:
        """Return the grants with tokens, newest first; ``refresh_tokens`` are fingerprints of the live ones."""
        return list(self.call("GET", "grants", username=username, client_id=client_id)["grants"])

    def mint(self, client_id: str, *, username: str = "alice", count: int = 1, **document: Any) -> list[dict[str, Any]]:
        """Return the token responses of that many grants, made without a person; a thousand by one request."""
        body = {"client_id": client_id, "username": username, **document}
        return [
            grant
            for begin in range(0, count, _MINTED_AT_ONCE)
            for grant in self.call("POST", "grants", body | {"count": min(_MINTED_AT_ONCE, count - begin)})["grants"]
        ]

    def revoke(self, *, username: str | None = None, client_id: str | None = None, grant_id: str | None = None) -> int:
        """Revoke the live grants that match and return how many."""
        filters = {"username": username, "client_id": client_id, "grant_id": grant_id}
        document = {name: value for name, value in filters.items() if value is not None}
        return int(self.call("POST", "revoke", document)["revoked"])

    def log(self, *, after: int = 0, **wanted: object) -> list[Entry]:
        """Return all entries after that number whose fields have the ``wanted`` values, oldest first."""
        found: list[Entry] = []
        while True:
            page = self.call("GET", "log", after=after)
            found += [
                Entry(**entry)
                for entry in page["entries"]
                if all(entry[name] == value for name, value in wanted.items())
            ]
            if not page["entries"] or page["entries"][-1]["id"] >= page["last_id"]:
                return found
            after = page["entries"][-1]["id"]

    def last_id(self) -> int:
        """Return the number of the newest entry, for a later ``log(after=…)``."""
        return int(self.call("GET", "log", limit=1)["last_id"])

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
        """Arm a fault and return it as the control API shows it; further keywords are its options.

        Only requests of that client and grant type meet it; ``times`` 0 means until it is cleared.
        """
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

    def clear_fault(self, number: int) -> int:
        """Disarm the fault of that ``id`` and return how many that was."""
        return int(self.call("DELETE", f"faults/{number}")["cleared"])

    def clear_faults(self) -> int:
        """Disarm all faults and return how many."""
        return int(self.call("DELETE", "faults")["cleared"])

    def release(self) -> None:
        """End each stall that is under way, as if its time were over."""
        self.call("POST", "release")

    def clear(self, **changes: Any) -> None:
        """Disarm all faults, forget the log, and change the settings named. Clients, grants and other settings stay."""
        self.call("POST", "clear", changes)


class SandboxProcess:
    """A running sandbox. ``url`` is its issuer; ``base_url`` is where it listens, on loopback.

    After ``stop``, ``output`` is what it printed since it began to listen.
    """

    def __init__(self, *, port: int, apart: bool, options: Options) -> None:
        """Start it as ``start_sandbox`` says, and return when it accepts connections. Raises ``SandboxMissing``."""
        self.output = ""
        self._apart = apart
        self._options = options
        self.process, self.base_url = self._launch(port)
        self.url = options.get("public_url", self.base_url)
        self.control = SandboxControl(self.base_url)

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
        self.process, _ = self._launch(self.port)

    def _launch(self, port: int) -> "tuple[subprocess.Popen[str], str]":
        """Return the process and the address that it printed once it accepted connections."""
        if importlib.util.find_spec("flask") is None:
            raise SandboxMissing(
                "The sandbox provider needs Flask, which is no part of a production install: "
                "`pip install flask` (or the extra `local`) into an environment for drills."
            )
        process = subprocess.Popen(
            [sys.executable, *command_line(port=port, **self._options)],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if self._apart else None,
            text=True,
            start_new_session=self._apart,
        )
        assert process.stdout is not None
        line = ""
        try:
            if select.select([process.stdout], [], [], _START_SECONDS)[0]:
                line = process.stdout.readline()
        finally:
            if not line.startswith("listening on "):
                process.kill()
                process.wait()
                process.stdout.close()
        if process.returncode is not None:
            raise SandboxMissing(
                f"The sandbox does not start (exit status {process.returncode}): "
                "try `python -m providers.sandbox --port 0`."
            )
        return process, line.removeprefix("listening on ").strip()


def command_line(*, port: int, **options: Unpack[Options]) -> list[str]:
    """Return what Python is to be given to run a sandbox on that port; 0 is any free one."""
    arguments = ["-m", "providers.sandbox", "--port", str(port)]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            arguments.append(option if value else option.replace("--", "--no-", 1))
        else:
            arguments += [option, str(value)]
    return arguments


@contextmanager
def start_sandbox(
    *, clients: Sequence[dict[str, Any]] = (), port: int = 0, apart: bool = False, **options: Unpack[Options]
) -> Iterator[SandboxProcess]:
    """Run a sandbox on a (free) loopback port until the block ends. It is ready when that begins.

    ``clients`` are registered first (see ``register_client``). With ``apart`` the process has a session of its own, so
    that a Ctrl-C is its starter's to handle, and writes no error anywhere. Raises ``SandboxMissing``.
    """
    sandbox = SandboxProcess(port=port, apart=apart, options=options)
    try:
        for client in clients:
            sandbox.control.register_client(**client)
        yield sandbox
    finally:
        sandbox.stop()
