"""``ConnectionAuth``: a credential in requests to the provider that renews itself, over each HTTP library."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import requests
from latchkey_client import AsyncLatchkey, ConnectionAuth, ForeignOrigin, Latchkey, LatchkeyError, NotHandedOut, api

from connections.models import AuditEvent, Connection, Status, Tenant
from providers.sandbox.client import SandboxProcess
from tests.clients.conftest import LIBRARIES
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.upstream import Upstream, Wire, ok, upstream

__all__ = ["upstream"]

of_libraries = pytest.mark.parametrize("library", LIBRARIES)
_REFUSED = ok(b"", status="401 Unauthorized")


def vends() -> int:
    """Return how many credentials were handed out."""
    return AuditEvent.objects.filter(action="credential.vend").count()


def reports() -> int:
    return AuditEvent.objects.filter(action="connection.report").count()


@pytest.fixture
def client(address: str, key: str) -> Latchkey:
    return Latchkey(address, key)


@pytest.fixture
def auth(client: Latchkey, connection: Connection) -> ConnectionAuth:
    return ConnectionAuth(client, str(connection.id), end_user="alice")


@pytest.fixture
def at_upstream(acme: Tenant, upstream: Upstream) -> Connection:
    """alice's connection at a provider that the test plays."""
    return make_connection(
        acme, app=make_app(acme, params={"issuer": upstream.url}), access_token="at-first-" + "x" * 20
    )


@of_libraries
def test_one_vend_serves_many_requests(
    library: str, auth: ConnectionAuth, sandbox: SandboxProcess, connection: Connection
) -> None:
    with LIBRARIES[library]() as http:
        answers = [http.get(auth.url("me"), auth=auth) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert vends() == 1


@of_libraries
def test_a_401_is_answered_by_a_report_a_vend_and_one_more_try(
    library: str, auth: ConnectionAuth, client: Latchkey, connection: Connection, sandbox: SandboxProcess
) -> None:
    with LIBRARIES[library]() as http:
        assert http.get(auth.url("me"), auth=auth).status_code == 200
        client.refresh_connection(str(connection.id))
        sandbox.control.fault("error", endpoint="me", status=401, error="invalid_token")
        body: dict[str, Any] = {"data" if library == "requests" else "content": b"body"}
        answer = http.post(auth.url("me"), auth=auth, **body)
    assert answer.status_code == 200
    assert (reports(), vends()) == (1, 2)
    versions = AuditEvent.objects.filter(action="credential.vend").values_list("credential_version_id", flat=True)
    assert len(set(versions)) == 2


@of_libraries
def test_a_401_that_no_newer_credential_mends_is_passed_on(
    library: str, auth: ConnectionAuth, connection: Connection, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("error", endpoint="me", times=0, status=403, error="access_denied")
    with LIBRARIES[library]() as http:
        assert http.get(auth.url("me"), auth=auth).status_code == 403
        assert reports() == 0
        sandbox.control.clear_faults()
        sandbox.control.fault("error", endpoint="files", times=0, status=401, error="invalid_token")
        assert [http.get(auth.url("files"), auth=auth).status_code for _ in range(3)] == [401, 401, 401]
    assert reports() == 1  # Latchkey has looked at it, and found it to work


def test_a_dead_grant_is_raised_with_its_link(
    auth: ConnectionAuth, connection: Connection, sandbox: SandboxProcess, acme: Tenant
) -> None:
    Tenant.objects.update(reconnect_url="https://app.acme.example/reconnect/{connection}")
    overwrite(connection, status=Status.NEEDS_REAUTH, reason="grant_rejected")
    with pytest.raises(api.ReauthorizationRequired) as refused:
        requests.get("https://provider.example", auth=auth, timeout=60)
    assert str(connection.id) in str(refused.value.connect_url)


@of_libraries
def test_the_credential_goes_to_its_provider_alone(library: str, auth: ConnectionAuth, upstream: Upstream) -> None:
    with LIBRARIES[library]() as http, pytest.raises(ForeignOrigin):
        http.get(upstream.url, auth=auth)
    assert upstream.seen == []


def test_a_redirect_elsewhere_goes_without_the_credential(
    client: Latchkey, at_upstream: Connection, upstream: Upstream
) -> None:
    elsewhere = upstream.url.replace("127.0.0.1", "localhost")
    upstream.answers(ok(b"", f"Location: {elsewhere}/away", status="302 Found"), ok(b"there"))
    auth = ConnectionAuth(client, str(at_upstream.id), end_user="alice")
    assert requests.get(f"{upstream.url}/a", auth=auth, timeout=60).text == "there"
    assert [seen.one("authorization") is not None for seen in upstream.seen] == [True, False]


@pytest.mark.parametrize("hops", ["away", "on,away"])
def test_nor_does_one_take_it_along_after_a_401(
    hops: str, client: Latchkey, at_upstream: Connection, upstream: Upstream
) -> None:
    """With the key in a header of its own, which ``requests`` takes along to wherever it is led."""
    elsewhere = upstream.url.replace("127.0.0.1", "localhost")
    places = {"away": f"{elsewhere}/away", "on": f"{upstream.url}/on"}
    led = [ok(b"", f"Location: {places[hop]}", status="302 Found") for hop in hops.split(",")]
    upstream.answers(_REFUSED, *led, ok(b"there"))
    auth = ConnectionAuth(_Renewing(client, "x-own-key"), str(at_upstream.id), end_user="alice")
    assert requests.get(f"{upstream.url}/a", auth=auth, timeout=60).text == "there"
    shown = [seen.one("x-own-key") for seen in upstream.seen]
    assert shown == ["secret-1", *["secret-2"] * len(led), None]


class _Renewing:
    """A ``Latchkey`` whose every vend brings another key, in a header of this name."""

    def __init__(self, latchkey: Latchkey, header: str) -> None:
        self._latchkey, self._header, self._vends = latchkey, header, 0

    def vend(self, *named: str, **wanted: Any) -> api.Vend:
        self._vends += 1
        vended = self._latchkey.vend(*named, **wanted)
        credential = replace(vended.credential, headers={self._header: f"secret-{self._vends}"})
        return replace(vended, credential=credential, version=f"v{self._vends}")

    def report_connection(self, *named: str, **report: Any) -> None:
        """Take a report of a version that the server does not know."""


@of_libraries
def test_a_body_that_cannot_be_sent_twice_is_sent_once(
    library: str, client: Latchkey, at_upstream: Connection, upstream: Upstream
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"once"

    def refuse(wire: Wire) -> None:
        wire.answer(_REFUSED)

    upstream.handle = refuse
    auth = ConnectionAuth(client, str(at_upstream.id), end_user="alice")
    with LIBRARIES[library]() as http:
        named: dict[str, Any] = {"data" if library == "requests" else "content": pieces()}
        assert http.post(f"{upstream.url}/a", auth=auth, **named).status_code == 401
    assert len(upstream.seen) == 1
    assert reports() == 0


def test_many_threads_wait_for_one_vend(auth: ConnectionAuth, sandbox: SandboxProcess) -> None:
    together = threading.Barrier(8)

    def call() -> int:
        together.wait(60)
        return requests.get(auth.url("me"), auth=auth, timeout=20).status_code

    with ThreadPoolExecutor(8) as threads:
        answers = [one.result() for one in [threads.submit(call) for _ in range(8)]]
    assert answers == [200] * 8
    assert vends() == 1


def test_many_tasks_wait_for_one_vend(address: str, key: str, connection: Connection, sandbox: SandboxProcess) -> None:
    async def call() -> list[int]:
        async with httpx.AsyncClient() as http, httpx.AsyncClient() as to_latchkey:
            auth = ConnectionAuth(AsyncLatchkey(address, key, http=to_latchkey), provider="sandbox", end_user="alice")
            url = await auth.url_async("me")
            answers = await asyncio.gather(*(http.get(url, auth=auth) for _ in range(6)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(call()) == [200] * 6
    assert vends() == 1


def test_a_401_is_renewed_asynchronously_as_well(
    address: str, key: str, client: Latchkey, connection: Connection, sandbox: SandboxProcess
) -> None:
    async def call() -> int:
        async with httpx.AsyncClient() as http, httpx.AsyncClient() as to_latchkey:
            auth = ConnectionAuth(AsyncLatchkey(address, key, http=to_latchkey), str(connection.id), end_user="alice")
            url = await auth.url_async("me")
            await asyncio.to_thread(client.refresh_connection, str(connection.id))
            sandbox.control.fault("error", endpoint="me", status=401, error="invalid_token")
            return (await http.get(url, auth=auth)).status_code

    assert asyncio.run(call()) == 200
    assert (reports(), vends()) == (1, 2)


def test_a_credential_is_renewed_before_it_ends(
    client: Latchkey, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = ConnectionAuth(client, str(connection.id), end_user="alice")
    auth.url("me")
    auth.url("me")
    assert vends() == 1
    now = [1e9]
    monkeypatch.setattr("latchkey_client.auth.time", SimpleNamespace(monotonic=lambda: now[0]))
    auth.url("me")  # after the longest time that one is kept, whatever its end
    assert vends() == 2
    now[0] += 2
    auth.url("me")
    assert vends() == 2


def test_what_is_not_handed_out_is_not_tried(
    client: Latchkey, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    vended = client.vend(str(connection.id), end_user="alice")
    object.__setattr__(vended.credential, "value", None)
    monkeypatch.setattr(client, "vend", lambda *_, **__: vended)
    with pytest.raises(NotHandedOut):
        ConnectionAuth(client, str(connection.id), end_user="alice").url("me")


def test_a_connection_is_named_once(client: Latchkey) -> None:
    with pytest.raises(LatchkeyError):
        ConnectionAuth(client)
    with pytest.raises(LatchkeyError):
        ConnectionAuth(client, "id", provider="sandbox")
    assert repr(ConnectionAuth(client, provider="sandbox", end_user="alice")) == "<ConnectionAuth of 'sandbox'>"
