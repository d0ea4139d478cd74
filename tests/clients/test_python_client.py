"""The Python client: operations, vend and proxy, over each HTTP library."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace

import httpx
import pytest
import requests
from latchkey_client import AsyncLatchkey, Latchkey, LatchkeyError, Problem, UnexpectedAnswer, Unreachable, api, etag_of
from latchkey_client.calls import Caller

from connections.models import AuditEvent, Connection, ProviderApp, Reason, Status, Tenant
from providers.sandbox.client import SandboxProcess
from tests.clients.conftest import LIBRARIES
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.flows import EndUser, Invitation
from tests.upstream import Upstream, ok, upstream

__all__ = ["upstream"]


def test_a_customer_connects_and_the_credential_works(latchkey: Latchkey, alice: EndUser, app: ProviderApp) -> None:
    session = latchkey.create_connect_session(
        end_user="alice", provider="sandbox", return_url="https://app.acme.example/connected"
    )
    code = alice.finish(Invitation(session.id, session.token, session.connect_url))
    completed = latchkey.complete_connect_session(session.id, completion_code=code, end_user="alice")
    assert isinstance(completed, api.Completed)
    assert completed.connection.status == "active"
    assert isinstance(completed.connection.created_at, datetime)
    vended = latchkey.vend(completed.connection.id, end_user="alice", purpose="a test")
    me = requests.get(f"{vended.credential.base_url}/me", headers=vended.credential.headers, timeout=10)
    assert (me.status_code, me.json()["sub"]) == (200, completed.connection.account.id)
    audited = AuditEvent.objects.filter(action="credential.vend").latest("id")
    assert audited.purpose == "a test"


def test_it_vends_by_owner(latchkey: Latchkey, connection: Connection) -> None:
    vended = latchkey.vend(provider="sandbox", end_user="alice", scopes=["files.read"])
    assert vended.connection == str(connection.id)
    assert vended.credential.value


def test_a_refusal_is_an_exception_of_its_code_with_the_link_that_heals(
    latchkey: Latchkey, connection: Connection, acme: Tenant
) -> None:
    Tenant.objects.update(reconnect_url="https://app.acme.example/reconnect/{connection}")
    overwrite(connection, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    with pytest.raises(api.ReauthorizationRequired) as refused:
        latchkey.vend(str(connection.id), end_user="alice")
    assert refused.value.connect_url == f"https://app.acme.example/reconnect/{connection.id}"
    assert (refused.value.status, refused.value.code) == (409, "reauthorization_required")
    assert refused.value.reason == "grant_rejected"


def test_somebody_else_s_connection_is_denied_by_a_named_rule(latchkey: Latchkey, connection: Connection) -> None:
    with pytest.raises(api.PolicyDenied) as refused:
        latchkey.vend(str(connection.id), end_user="mallory")
    assert refused.value.rule


def test_an_invalid_request_names_the_member(latchkey: Latchkey) -> None:
    with pytest.raises(api.InvalidRequest) as refused:
        latchkey.create_connect_session(end_user="", provider="sandbox", return_url="https://app.acme.example")
    assert refused.value.field == "end_user"


def test_a_wrong_key_is_told_and_not_shown(address: str, acme: Tenant) -> None:
    client = Latchkey(address, "lk_wrong_key_of_nobody")
    with pytest.raises(api.Unauthorized) as refused:
        client.list_connections()
    assert "wrong_key" not in f"{refused.value!r} {client!r} {refused.value.members}"


def test_a_change_passes_only_if_nobody_came_first(latchkey: Latchkey, connection: Connection) -> None:
    read = latchkey.get_connection(str(connection.id))
    etag = etag_of(read)
    assert etag
    assert etag not in repr(read)
    latchkey.patch_connection(read.id, label="first", if_match=etag)
    with pytest.raises(api.PreconditionFailed):
        latchkey.patch_connection(read.id, label="second", if_match=etag)
    assert etag_of(object()) is None


def test_pages_are_turned_by_themselves(latchkey: Latchkey, app: ProviderApp, acme: Tenant) -> None:
    made = {str(make_connection(acme, app=app, end_user=f"user-{number}").id) for number in range(5)}
    found = [one.id for one in latchkey.iter_connections(limit=2)]
    assert (len(found), set(found)) == (5, made)
    assert [one.id for one in latchkey.iter_connections(end_user="user-3", limit=2)] == [
        one.id for one in latchkey.list_connections(end_user="user-3").items
    ]


def test_events_are_read_to_their_end(latchkey: Latchkey, connection: Connection) -> None:
    latchkey.refresh_connection(str(connection.id))
    read = list(latchkey.iter_events(limit=1))
    assert read
    assert {one.tenant for one in read} == {"acme"}


def test_a_503_is_waited_out(latchkey: Latchkey, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def mend(seconds: float) -> None:
        waited.append(seconds)
        overwrite(connection, status=Status.ACTIVE, reason=Reason.RECOVERED)

    answers = iter([("refresh_in_progress", "2")])
    send = Caller._send

    def busy_once(self: Caller, *arguments: object) -> object:
        for code, seconds in answers:
            raise Problem.of({"code": code}, status=503, retry_after=seconds)
        return send(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Caller, "_send", busy_once)
    monkeypatch.setattr("latchkey_client.calls.time", SimpleNamespace(sleep=mend, monotonic=time.monotonic))
    assert latchkey.vend(str(connection.id), end_user="alice").active
    assert waited == [2.0]


def test_a_503_that_takes_too_long_is_raised_at_once(address: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> object:
        raise Problem.of({"code": "provider_unavailable"}, status=503, retry_after="60")

    monkeypatch.setattr(Caller, "_send", busy)
    with pytest.raises(api.ProviderUnavailable) as refused:
        Latchkey(address, key, patience_seconds=30).vend(str(uuid.uuid4()))
    assert refused.value.retry_after_seconds == 60


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_gives_no_answer_is_unreachable_and_shows_no_key(library: str) -> None:
    client = Latchkey("http://127.0.0.1:9", "lk_secret_key", http=LIBRARIES[library]())
    with pytest.raises(Unreachable) as unreachable:
        client.list_connections()
    assert unreachable.value.__context__ is None
    assert "lk_secret_key" not in repr(unreachable.value)


def test_what_is_no_latchkey_is_not_believed(upstream: Upstream) -> None:
    upstream.answers(ok(b"<html>", status="404 Not Found"))
    with pytest.raises(UnexpectedAnswer):
        Latchkey(upstream.url, "lk_x").list_connections()


def test_no_redirect_takes_the_key_elsewhere(upstream: Upstream) -> None:
    upstream.answers(ok(b"", f"Location: {upstream.url}/elsewhere", status="302 Found"))
    for make in LIBRARIES.values():
        with pytest.raises(UnexpectedAnswer):
            Latchkey(upstream.url, "lk_x", http=make()).list_connections()
    assert len(upstream.seen) == len(LIBRARIES)


def test_the_proxy_calls_the_provider_and_streams_both_ways(
    latchkey: Latchkey, upstream: Upstream, acme: Tenant
) -> None:
    app = make_app(acme, params={"issuer": upstream.url})
    connection = make_connection(acme, app=app, access_token="at-0123456789-secret")
    sent = b"0123456789abcdef" * 65_536

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(sent), 100_000):
            yield sent[start : start + 100_000]

    upstream.answers(ok(sent, "Content-Type: application/octet-stream"))
    with latchkey.proxy(
        "POST", str(connection.id), "files/a b", end_user="alice", params={"q": "ü"}, content=pieces()
    ) as answer:
        assert answer.status == 200
        digest = hashlib.sha256()
        for piece in answer.stream():
            digest.update(piece)
    assert digest.digest() == hashlib.sha256(sent).digest()
    assert upstream.last.target == "/files/a%20b?q=%C3%BC"
    assert upstream.last.one("authorization") == "Bearer at-0123456789-secret"
    assert upstream.last.one("latchkey-end-user") is None


def test_a_proxied_call_that_is_refused_raises_the_problem(latchkey: Latchkey, connection: Connection) -> None:
    with pytest.raises(api.PolicyDenied):
        latchkey.proxy("GET", str(connection.id), "me", end_user="mallory")
    with pytest.raises(Problem) as refused:
        latchkey.proxy("HEAD", str(connection.id), "me", end_user="mallory")
    assert refused.value.status == 403
    with latchkey.proxy("HEAD", str(connection.id), "files", end_user="alice") as answer:
        assert (answer.status, answer.read()) == (200, b"")
    with latchkey.proxy("GET", str(connection.id), "nowhere", end_user="alice") as answer:
        assert answer.status == 404  # the provider's own


def test_the_same_works_asynchronously(address: str, key: str, connection: Connection) -> None:
    async def walk() -> None:
        async with httpx.AsyncClient() as http:
            client = AsyncLatchkey(address, key, http=http)
            vended, by_owner = await asyncio.gather(
                client.vend(str(connection.id), end_user="alice"), client.vend(provider="sandbox", end_user="alice")
            )
            assert vended.version == by_owner.version
            assert [one.id async for one in client.iter_connections(limit=1)] == [str(connection.id)]
            async with await client.proxy("GET", str(connection.id), "me", end_user="alice") as answer:
                assert (await answer.json())["sub"]
            with pytest.raises(api.NotFound):
                await client.get_connection(str(uuid.uuid4()))

    asyncio.run(walk())


def test_nothing_secret_is_shown(latchkey: Latchkey, connection: Connection, key: str) -> None:
    vended = latchkey.vend(str(connection.id), end_user="alice")
    session = latchkey.create_connect_session(
        end_user="alice", provider="sandbox", return_url="https://app.acme.example/connected"
    )
    shown = f"{vended!r} {session!r} {latchkey!r} {vended.credential!s}"
    for secret in (vended.credential.value, session.token, key):
        assert secret
        assert secret not in shown


def test_it_closes_what_it_opened(address: str, key: str) -> None:
    with Latchkey(address, key) as client:
        assert client.list_connections().items == []

    async def walk() -> bool:
        async with AsyncLatchkey(address, key) as asynchronous:
            assert (await asynchronous.list_connections()).items == []
        return bool(asynchronous._http.is_closed)

    assert asyncio.run(walk())


def test_a_client_wants_an_address() -> None:
    with pytest.raises(LatchkeyError):
        Latchkey("connect.example.com", "lk_x")
    assert repr(Latchkey("https://connect.example.com/", lambda: "lk_x")) == "Latchkey('https://connect.example.com')"


def test_a_key_may_be_read_anew_for_each_call(address: str, key: str, sandbox: SandboxProcess) -> None:
    given = iter(["lk_out_of_date", key])
    client = Latchkey(address, lambda: next(given))
    with pytest.raises(api.Unauthorized):
        client.list_connections()
    assert client.list_connections().items == []
