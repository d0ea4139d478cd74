"""Run a foreign authorization server as a process of its own, and look into it: its wire log and its store."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import requests

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


@dataclass
class ForeignServer:
    """A running server. ``name`` and ``version`` are those of the package that it is made of.

    ``kind`` is how it is set up; ``scopes`` are what Latchkey asks it for; ``probed_by`` is the call by which Latchkey
    proves its tokens.
    """

    issuer: str
    name: str
    version: str
    kind: str
    scopes: tuple[str, ...]
    probed_by: str

    @property
    def origin(self) -> str:
        """Where it listens."""
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.issuer))

    @property
    def title(self) -> str:
        """What reports call it."""
        return f"{self.name} {self.version} ({self.kind})"

    def oracle(self, call: str, **arguments: object) -> Any:
        """Return what the oracle of the server's process answers: see ``tests.interop.serving``."""
        answer = _session().post(f"{self.origin}/oracle", json={"call": call, "arguments": arguments}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def log(self, path: str, *, after: int = 0) -> list[SimpleNamespace]:
        """Return the requests to addresses that end with ``path``, oldest first, without the first ``after``."""
        entries = [SimpleNamespace(**entry) for entry in self.oracle("log")]
        return [entry for entry in entries[after:] if entry.path.rstrip("/").endswith(path)]

    def mark(self) -> int:
        """Return how many requests there were so far, for ``log``."""
        return len(self.oracle("log"))

    def grants(self, client_id: str) -> list[SimpleNamespace]:
        """Return the server's own rows about one client: user, fingerprints of the tokens, and whether they live."""
        return [SimpleNamespace(**row) for row in self.oracle("grants", client_id=client_id)]

    def files(self, headers: dict[str, str]) -> requests.Response:
        """Call the protected resource as a holder of a token does."""
        return _session().get(f"{self.origin}/files", headers=headers, timeout=30)

    def post(self, url: str, **form: str) -> requests.Response:
        """Send a form to one of its endpoints, as whoever has stolen something would."""
        return _session().post(url, data=form, timeout=30)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


@contextmanager
def run_foreign(
    module: str, *arguments: str, kind: str, scopes: tuple[str, ...], probed_by: str
) -> Iterator[ForeignServer]:
    """Run ``python -m module`` until the block ends. It shares no setting with Latchkey: its environment is empty."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield ForeignServer(**_introduction(process), kind=kind, scopes=scopes, probed_by=probed_by)
    finally:
        process.terminate()
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _introduction(process: "subprocess.Popen[str]") -> dict[str, str]:
    """Return the line that the server prints once it can be called: issuer, name and version."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line:
        raise RuntimeError("the foreign server did not start")
    introduced: dict[str, str] = json.loads(line)
    return introduced
