"""Clients of the sandbox: each test registers its own, so that tests share one server and nothing else."""

import base64
import hashlib
import itertools
import secrets
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from providers.sandbox.client import SandboxProcess, start_sandbox
from providers.sandbox.log import Entry
from providers.sandbox.waiting import until
from tests.person import Person, parameters_of

REDIRECT_URI = "http://127.0.0.1:9/callback"
SECRET = "planted-client-secret"
SCOPES = ["profile", "files.read", "files.write"]

_numbers = itertools.count(1)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class App:
    """A client of a running sandbox, with the requests that clients make."""

    def __init__(self, server: SandboxProcess, **document: Any) -> None:
        self.server = server
        self.client_id = f"app-{next(_numbers)}"
        self.public = bool(document.get("public"))
        self.document = {"redirect_uris": [REDIRECT_URI], "scopes": SCOPES, **document}
        if not self.public and "client_secrets" not in document:
            self.document.setdefault("client_secret", SECRET)
        server.control.register_client(self.client_id, **self.document)

    def authorization_url(self, **parameters: Any) -> str:
        """Return the address of an authorization request; None leaves a parameter out."""
        values = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "state": "state-1",
            **parameters,
        }
        given = {name: value for name, value in values.items() if value is not None}
        return str(requests.Request("GET", f"{self.server.url}/authorize", params=given).prepare().url)

    def code(self, person: Person, *, scopes: list[str] | None = None, **parameters: Any) -> str:
        """Return a fresh code that ``person`` consented to."""
        return parameters_of(person.authorize(self.authorization_url(**parameters), scopes=scopes))["code"]

    def token(self, *, secret: str | None = SECRET, **form: str) -> requests.Response:
        """Return the answer to one token request, with HTTP Basic unless public or without a secret."""
        return self.post("/token", secret=secret, **form)

    def post(self, path: str, *, secret: str | None = SECRET, **form: str) -> requests.Response:
        """Return the answer to one authenticated POST."""
        basic = None if self.public or secret is None else (self.client_id, secret)
        identity = {"client_id": self.client_id} if self.public else {}
        return requests.post(f"{self.server.url}{path}", data=identity | form, auth=basic, timeout=20)

    def exchange(self, code: str, **form: str) -> requests.Response:
        """Return the answer to an exchange of ``code``."""
        return self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, **form)

    def refresh(self, refresh_token: str, **form: str) -> requests.Response:
        """Return the answer to a refresh."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)

    def connect(self, person: Person, **parameters: Any) -> dict[str, Any]:
        """Return the token response of a whole code flow."""
        if not self.public:
            answer = self.exchange(self.code(person, **parameters))
        else:
            verifier = secrets.token_urlsafe(48)
            challenge: dict[str, Any] = {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
            answer = self.exchange(self.code(person, **parameters, **challenge), code_verifier=verifier)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def me(self, access_token: str, path: str = "/me") -> requests.Response:
        """Return the resource API's answer."""
        header = {"Authorization": f"Bearer {access_token}"}
        return requests.get(f"{self.server.url}{path}", headers=header, timeout=20)

    def arm(self, kind: str, **settings: Any) -> None:
        """Arm a fault that only this client meets."""
        self.server.control.fault(kind, client_id=self.client_id, **settings)

    def refresh_bytes(self, refresh_token: str) -> bytes:
        """Return a refresh as it goes over the wire."""
        body = urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token})
        lines = [
            "POST /token HTTP/1.1",
            "Host: sandbox",
            f"Authorization: Basic {base64.b64encode(f'{self.client_id}:{SECRET}'.encode()).decode()}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        return "\r\n".join([*lines, "", body]).encode()

    def raw_refresh(self, refresh_token: str) -> bytes:
        """Return every byte that comes back for a refresh, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(self.refresh_bytes(refresh_token))
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        return received

    def wait_for(self, *, fault: str, ended: bool = False) -> Entry:
        """Return the entry of the request that met ``fault``, once it is there (and complete)."""

        def met() -> Entry | None:
            wanted = (one for one in self.entries() if one.fault == fault and (one.ended_at is not None or not ended))
            return next(wanted, None)

        found = until(met, f"a request that meets {fault}", pause=0.01)
        assert found is not None
        return found

    def outcomes(self, endpoint: str = "token") -> list[str]:
        """Return what became of this client's requests, oldest first."""
        return [entry.outcome for entry in self.entries(endpoint)]

    def entries(self, endpoint: str = "token") -> list[Entry]:
        """Return this client's log entries, oldest first."""
        return self.server.control.log(client_id=self.client_id, endpoint=endpoint)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    """One server for all tests of a worker, never cleared: this needs nothing of the product, not even a database."""
    with start_sandbox() as process:
        yield process


@pytest.fixture
def make_app(sandbox: SandboxProcess) -> Callable[..., App]:
    """Register a client; keywords go into its registration."""

    def make(**document: Any) -> App:
        return App(sandbox, **document)

    return make


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    """A confidential client."""
    return make_app()


@pytest.fixture
def alice() -> Person:
    """Alice at a fresh browser."""
    return Person("alice")


@pytest.fixture
def tokens(app: App, alice: Person) -> dict[str, Any]:
    """The token response of a fresh grant of alice's to the app."""
    return app.connect(alice)
