"""The front: each request reaches who has to answer it, and none holds a thread before it is there."""

import asyncio
import threading
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from config.web.front import may_call_provider
from config.web.lanes import Lane
from connections.models import Tenant
from tests.asgi_client import AsgiClient
from tests.factories import Caller
from tests.flows import call

ID = "6f805d0b-5b38-4576-a2ca-263c0631c1b6"
Message = MutableMapping[str, Any]


@pytest.mark.parametrize(
    "request_line",
    [
        f"POST /api/v1/connect-sessions/{ID}/complete",
        f"POST /api/v1/connections/{ID}/refresh",
        f"POST /api/v1/connections/{ID}/probe",
        f"POST /api/v1/connections/{ID}/report",
        f"POST /api/v1/connections/{ID}/credential",
        "POST /api/v1/credentials",
        f"GET /connect/callback/{ID}",
        f"POST /connect/callback/{ID}",
        f"POST /connect/{ID}/start",
        f"GET /connect/{ID}/device",
        f"GET /connect/{ID}/device/state",
        f"POST /connect/{ID}/method/{ID}",
        f"POST /connect/{ID}/workspace",
        "POST /admin/connections/providerapp/add/",
        "PUT /api/v1/tenants/acme/provider-apps/hubspot",
        "PUT /api/v1/shared-provider-apps/hubspot",
        f"POST /api/v1/provider-apps/{ID}/registered-clients/{ID}/renew",
        f"POST /admin/connections/connection/{ID}/change/",
    ],
)
def test_what_may_wait_for_a_provider_has_a_lane_of_its_own(request_line: str) -> None:
    assert may_call_provider(*request_line.split())


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /api/v1/connections",
        f"GET /api/v1/connections/{ID}",
        f"DELETE /api/v1/connections/{ID}",
        "POST /api/v1/connect-sessions",
        "PUT /api/v1/tenants/acme",
        "GET /api/v1/tenants/acme/provider-apps",
        "GET /api/v1/events",
        f"GET /connect/{ID}",
        "GET /admin/",
        "GET /admin/connections/connection/",
        "GET /healthz",
        "GET /readyz",
        "GET /static/latchkey.css",
    ],
)
def test_all_else_never_waits_for_one(request_line: str) -> None:
    assert not may_call_provider(*request_line.split())


def test_a_full_lane_is_told_in_the_callers_own_form(
    acme: Tenant, backend: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **named: Any) -> Lane:
        return Lane("full", threads=0, most_waiting=0, executor=named["executor"])

    monkeypatch.setattr("config.asgi.Lane", full)
    answer = call(backend, "GET", "/connections")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "2")
    page = AsgiClient().get("/admin/login/")
    assert (page.status_code, page["Retry-After"]) == (503, "2")
    assert "busy" in page.content.decode()


def serve(scope: dict[str, Any], received: list[Message]) -> list[Message]:
    """Answer what a server received piece by piece, and return what was sent."""
    from config.asgi import make_front  # imported by conftest, once the test database is there

    sent: list[Message] = []

    async def main() -> None:
        async def receive() -> Message:
            return received.pop(0) if received else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await make_front()(scope, receive, send)

    asyncio.run(main())
    return sent


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "path": "/llms.txt",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", urlsplit(settings.PUBLIC_URL).netloc.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        **changes,
    }


def test_a_sender_who_goes_away_is_not_answered() -> None:
    pieces: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]
    assert serve(scope(method="POST", path=f"/api/v1/connections/{ID}/credential"), pieces) == []


def test_a_query_of_any_bytes_is_readable() -> None:
    started, *_ = serve(scope(query_string=b"x=\xff\xfe"), [{"type": "http.request", "body": b""}])
    assert started["status"] == 200


def test_a_body_that_is_too_large_is_refused_before_all_of_it_has_come() -> None:
    pieces: list[Message] = [{"type": "http.request", "body": b"x" * 1_000_000, "more_body": True} for _ in range(100)]
    headers = [(b"host", b"127.0.0.1:8000"), (b"content-length", b"100000000"), (b"authorization", b"Bearer lk_x")]
    started, *_ = serve(scope(method="POST", path="/api/v1/credentials", headers=headers), pieces)
    assert started["status"] == 413
    assert len(pieces) > 90


def test_a_name_with_an_underscore_is_not_taken_for_a_proxys_header(acme: Tenant) -> None:
    headers = [*scope()["headers"], (b"x_forwarded_proto", b"https"), (b"authorization_", b"x")]
    started, *_ = serve(scope(headers=headers), [{"type": "http.request", "body": b""}])
    assert started["status"] == 200


def test_the_server_s_life_is_followed() -> None:
    sent = serve({"type": "lifespan"}, [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


class Stuck:
    """A Django of which all but a few addresses wait for something that does not come, such as a database."""

    def __init__(self, *answered: str) -> None:
        self.ended, self.asked, self._answered = threading.Event(), threading.Semaphore(0), answered

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] not in self._answered:
            self.asked.release()
            self.ended.wait()
        start_response("200 OK", [])
        return [b""]


@pytest.mark.parametrize("answered", [("/readyz",), ("/metrics",), ()], ids=" ".join)
def test_who_watches_waits_for_nothing_else(answered: tuple[str, ...]) -> None:
    """Every thread for pages waits, so do more requests than there are threads, and all but one kind of watchers."""
    from config.asgi import make_front  # imported by conftest, once the test database is there

    django: Any = Stuck(*answered)
    front = make_front(handler=django)

    async def ask(path: str) -> int:
        pieces: list[Message] = [{"type": "http.request", "body": b""}]
        sent: list[Message] = []

        async def receive() -> Message:
            return pieces.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        await front(scope(path=path), receive, send)
        return int(sent[0]["status"])

    async def main() -> None:
        others = [path for path in ("/readyz", "/metrics") if path not in answered]
        crowd = [*["/llms.txt"] * 3 * settings.PLAIN_THREADS, *others * 3]
        waiting = [asyncio.create_task(ask(path)) for path in crowd]
        for _ in range(settings.PLAIN_THREADS + len(others)):
            await asyncio.to_thread(django.asked.acquire)
        assert await ask("/healthz") == 200
        assert [await ask(path) for path in answered] == [200] * len(answered)
        assert not any(task.done() for task in waiting)
        django.ended.set()
        await asyncio.gather(*waiting)

    asyncio.run(main())
