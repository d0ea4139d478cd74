"""A code that the provider never saw, or turned away unread, is still good."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.lifecycle.connect.hold import discard_expired
from connections.models import Connection, ConnectSession, Incident, ProviderApp
from tests.connections.consent.observed import assert_nothing_left, pass_time
from tests.field.stage import ENTRY, Stage
from tests.flows import SAME_ORIGIN, Invitation, call, completion_code, failure_of, return_link
from tests.person import parameters_of
from tests.providers.conftest import Provider, Received

GOOD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600}


@pytest.fixture
def serve_at() -> Iterator[Callable[[int, Provider], None]]:
    """Return a function that lets a port answer what a provider answers."""
    servers: list[ThreadingHTTPServer] = []

    def start(port: int, provider: Provider) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received = Received(self.command, self.path, dict(self.headers.items()), body)
                provider.requests.append(received)
                status, answer, headers = provider.answer_to(received)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def held(stage: Stage, **changes: Any) -> tuple[Invitation, str]:
    invitation = stage.invite(**changes)
    return invitation, completion_code(stage.come_back(invitation))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def with_tokens_at(stage: Stage, token_url: str) -> None:
    """Describe the provider with its token endpoint elsewhere, and register there."""
    stage.write(ENTRY.replace("<url>/token", token_url))
    ProviderApp.objects.all().delete()
    stage.register()


def test_a_code_that_was_never_sent_is_exchanged_later(stage: Stage, serve_at: Callable[[int, Provider], None]) -> None:
    port = closed_port()
    with_tokens_at(stage, f"http://127.0.0.1:{port}/token")
    stage.tokens(GOOD)
    invitation, code = held(stage)
    before = ConnectSession.objects.get().completion_expires_at
    answer = stage.alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert int(answer["Retry-After"]) >= 1
    assert datetime.fromisoformat(answer.json()["held_until"]) == before, "nothing extends it"
    assert not stage.requests()
    serve_at(port, stage.server)
    again = stage.alice.complete(invitation, code)
    assert (again.status_code, again.json()["connection"]["status"]) == (200, "active")
    (sent,) = stage.requests()
    assert sent.form["code"] == "code-1"
    assert len(sent.form["code_verifier"]) >= 43, "the verifier is kept with the code"


@pytest.mark.parametrize(
    "token_url", ["https://nowhere.invalid/token", "https://127.0.0.1:{provider}/token"], ids=["no such name", "no TLS"]
)
def test_nothing_that_fails_before_the_request_spends_a_code(stage: Stage, token_url: str) -> None:
    with_tokens_at(stage, token_url.format(provider=stage.server.url.rpartition(":")[2]))
    invitation, code = held(stage)
    for _ in range(2):
        answer = stage.alice.complete(invitation, code)
        assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert ConnectSession.objects.get().state == "held"


@pytest.mark.parametrize(
    ("status", "headers", "body", "waits"),
    [
        (429, {"Retry-After": "7"}, b"slow down", 7),
        (429, {}, {"error": "slow_down"}, 2),
        (429, {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}, b"", 900),
        (503, {"Retry-After": "30"}, b"<html>", 30),
        (503, {}, b"", 2),
        (408, {}, b"", 2),
        (400, {}, {"error": "temporarily_unavailable"}, 2),
    ],
    ids=["429", "429 bare", "429 with a date", "503", "503 bare", "408", "temporarily unavailable"],
)
def test_a_code_that_was_turned_away_unread_is_exchanged_later(
    stage: Stage, status: int, headers: dict[str, str], body: Any, waits: int
) -> None:
    stage.tokens(body, status=status, headers=headers)
    stage.tokens(GOOD)
    invitation, code = held(stage)
    answer = stage.alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (
        503,
        "provider_unavailable",
        str(waits),
    )
    assert ConnectSession.objects.get().state == "held"
    assert stage.alice.complete(invitation, code).status_code == 200
    assert [request.form["code"] for request in stage.requests()] == ["code-1", "code-1"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (502, b"<html>"),
        (504, b""),
        (400, {"error": "invalid_grant"}),
        (500, {"error": "invalid_client"}),
        (500, {"error": "temporarily_unavailable"}),
    ],
    ids=["500", "502", "504", "refused", "a failing server blames us", "a failing server says later"],
)
def test_a_code_that_may_be_spent_is_never_sent_twice(stage: Stage, status: int, body: Any) -> None:
    stage.tokens(body, status=status)
    stage.tokens(GOOD)
    invitation, code = held(stage)
    answer = stage.alice.complete(invitation, code)
    assert answer.status_code == 409
    assert "is spent" not in answer.json()["detail"]
    assert stage.alice.complete(invitation, code).status_code == 410
    assert len(stage.requests()) == 1
    assert not Connection.objects.exists()


@pytest.mark.parametrize(("status", "again"), [(400, 200), (500, 410)], ids=["a refusal", "a failing server"])
def test_a_rule_of_the_entry_that_blames_us_spends_no_code_unless_the_server_fails(
    stage: Stage, status: int, again: int
) -> None:
    stage.describe(method='[[authorization_code.errors]]\nvalue = "unknown_app"\nmeans = "client_rejected"\n')
    stage.tokens({"error": "unknown_app"}, status=status)
    stage.tokens(GOOD)
    invitation, code = held(stage)
    answer = stage.alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (502, "app_misconfigured")
    assert stage.alice.complete(invitation, code).status_code == again
    assert len(stage.requests()) == (2 if again == 200 else 1), "a server that fails may have done half the work"


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_registration_spends_no_code(stage: Stage, status: int) -> None:
    stage.tokens({"error": "invalid_client"}, status=status)
    stage.tokens(GOOD)
    invitation, code = held(stage)
    answer = stage.alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (502, "app_misconfigured")
    assert "held_until" in answer.json()
    assert Incident.objects.filter(provider_app=stage.app, closed_at=None).count() == 1
    assert stage.alice.complete(invitation, code).status_code == 200
    assert not Incident.objects.filter(closed_at=None).exists()


def test_an_app_that_lost_its_client_id_spends_no_code(stage: Stage) -> None:
    stage.tokens(GOOD)
    invitation, code = held(stage)
    type(stage.app).objects.filter(id=stage.app.id).update(client_id="")
    assert stage.alice.complete(invitation, code).status_code == 502
    type(stage.app).objects.filter(id=stage.app.id).update(client_id="client-1")
    assert stage.alice.complete(invitation, code).status_code == 200


def test_what_is_put_back_ends_with_the_hold(stage: Stage) -> None:
    stage.tokens(b"", status=429)
    invitation, code = held(stage)
    assert stage.alice.complete(invitation, code).status_code == 503
    pass_time(invitation, minutes=5)
    assert discard_expired(now=database_now()) == 1
    assert_nothing_left(invitation, "expired")
    assert stage.alice.complete(invitation, code).json()["failure"] == "expired"


def test_what_is_put_back_answers_to_its_own_user_alone(stage: Stage) -> None:
    stage.tokens(b"", status=429)
    invitation, code = held(stage)
    stage.alice.complete(invitation, code)
    assert stage.alice.complete(invitation, code, end_user="mallory").status_code == 403
    assert_nothing_left(invitation, "completion_mismatch")


def test_where_nobody_confirms_the_same_browser_may_try_again(stage: Stage) -> None:
    stage.let_mail()
    stage.tokens(b"", status=429)
    stage.tokens(GOOD)
    invitation = stage.invite(binding="none")
    page = stage.come_back(invitation)
    assert failure_of(page) == "provider_unavailable"
    found = re.search(r'<form method="post" action="([^"]+)" id="retry">', page.content.decode())
    assert found, page.content.decode()
    stranger = type(stage.alice.browser)()
    refused = stranger.post(unescape(found[1]), headers=SAME_ORIGIN)
    assert failure_of(refused) == "browser"
    foreign = stage.alice.browser.post(unescape(found[1]), headers={"sec-fetch-site": "cross-site"})
    assert failure_of(foreign) == "foreign_form"
    end = stage.alice.browser.post(unescape(found[1]), headers=SAME_ORIGIN)
    connection_id = parameters_of(return_link(end))["connection"]
    shown = call(stage.alice.backend, "GET", f"/connections/{connection_id}").json()
    assert (shown["status"], shown["binding"]) == ("active", "none")


def test_a_session_that_needs_a_confirmation_is_not_finished_by_the_browser(stage: Stage) -> None:
    stage.tokens(GOOD)
    invitation, _ = held(stage)
    page = stage.alice.browser.post(f"/connect/{invitation.id}/finish", headers=SAME_ORIGIN)
    assert (page.status_code, failure_of(page)) == (404, "unknown")
    assert not stage.requests()
