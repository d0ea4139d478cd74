"""Pushed authorization requests at the sandbox (RFC 9126): who may push, and what a reference is good for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from tests.person import Person, parameters_of
from tests.providers.sandbox.conftest import REDIRECT_URI, App


@pytest.fixture(autouse=True)
def _settings(sandbox: SandboxProcess) -> Iterator[None]:
    yield
    sandbox.control.settings(require_pushed=False, pushed_lifetime=60)


def push(app: App, *, secret: str | None = "planted-client-secret", **parameters: str) -> requests.Response:
    asked = {"response_type": "code", "client_id": app.client_id, "redirect_uri": REDIRECT_URI, "state": "state-1"}
    return app.post("/par", secret=secret, **(asked | parameters))


def link_to(app: App, answer: requests.Response, **changes: Any) -> str:
    values = {"client_id": app.client_id, "request_uri": answer.json()["request_uri"]} | changes
    return str(requests.Request("GET", f"{app.server.url}/authorize", params=values).prepare().url)


def test_a_reference_stands_for_what_was_pushed(app: App, alice: Person) -> None:
    pushed = push(app, scope="profile")
    assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 60)
    answer = parameters_of(alice.authorize(link_to(app, pushed)))
    assert answer["state"] == "state-1"
    assert app.exchange(answer["code"]).json()["scope"] == "profile"
    assert app.outcomes("par") == ["pushed"]


def test_a_reference_is_of_no_use_twice_or_to_another_client_or_too_late(
    app: App, make_app: Callable[..., App], alice: Person, sandbox: SandboxProcess
) -> None:
    pushed = push(app)
    other = make_app()
    assert alice.decide(link_to(other, pushed)).status_code == 400
    alice.authorize(link_to(app, pushed))
    assert alice.decide(link_to(app, pushed)).status_code == 400
    assert alice.decide(link_to(app, pushed, request_uri="urn:unheard:of")).status_code == 400
    sandbox.control.settings(pushed_lifetime=0)
    assert alice.decide(link_to(app, push(app))).status_code == 400


def test_a_request_that_could_not_be_asked_is_refused_at_once(app: App) -> None:
    assert push(app, secret="wrong").json()["error"] == "invalid_client"
    assert push(app, redirect_uri="https://evil.example").status_code == 400
    assert push(app, scope="unheard-of").json()["error"] == "invalid_scope"
    assert push(app, response_type="token").json()["error"] == "unsupported_response_type"
    assert push(app, request_uri="urn:x").json()["error"] == "invalid_request"


def test_where_it_is_required_the_browser_cannot_carry_a_request(
    make_app: Callable[..., App], app: App, alice: Person, sandbox: SandboxProcess
) -> None:
    pushing = make_app(pushes=True)
    assert parameters_of(alice.authorize(pushing.authorization_url()))["error"] == "invalid_request"
    sandbox.control.settings(require_pushed=True)
    assert parameters_of(alice.authorize(app.authorization_url()))["error"] == "invalid_request"
    assert "code" in parameters_of(alice.authorize(link_to(app, push(app))))
    document = requests.get(f"{sandbox.url}/.well-known/oauth-authorization-server", timeout=20).json()
    assert document["require_pushed_authorization_requests"] is True
    assert document["pushed_authorization_request_endpoint"] == f"{sandbox.url}/par"
