"""The sandbox tells a client that listens, signed, of whoever takes everything back, and of what a test asks for."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.providers.conftest import Provider

SECRET = "a-push-secret"


@pytest.fixture
def listening(sandbox: SandboxProcess, make_provider: Callable[..., Provider]) -> Provider:
    provider = make_provider()
    provider.answers_with(204)
    sandbox.control.register_client(
        "listener", client_secret="s", push_url=f"{provider.url}/pushes", push_secret=SECRET
    )
    return provider


def told(provider: Provider) -> list[dict[str, Any]]:
    """Return what came, each of it signed."""
    events = []
    for request in provider.requests:
        stamp = request.headers["Sandbox-Timestamp"].encode()
        expected = hmac.new(SECRET.encode(), stamp + b"." + request.body, hashlib.sha256).hexdigest()
        assert request.headers["Sandbox-Signature"] == f"v1={expected}"
        events.append(json.loads(request.body))
    return events


def test_a_client_is_told_of_whoever_has_taken_everything_back(sandbox: SandboxProcess, listening: Provider) -> None:
    first, _ = sandbox.control.mint("listener", username="alice", count=2)
    assert first
    grants = sandbox.control.call("GET", "grants", username="alice", client_id="listener")["grants"]
    sandbox.control.call("POST", "revoke", {"grant_id": grants[0]["id"]})
    assert listening.requests == []
    sandbox.control.call("POST", "revoke", {"username": "alice", "client_id": "listener"})
    until(lambda: bool(listening.requests), "the push")
    (event,) = told(listening)
    assert (event["type"], event["account"]) == ("grant.revoked", "person-1001")


def test_whatever_a_test_asks_for_is_pushed(sandbox: SandboxProcess, listening: Provider) -> None:
    assert sandbox.control.push("listener", "file.changed", username="bob", members={"name": "a.txt"}) == 204
    (event,) = told(listening)
    assert (event["type"], event["account"], event["name"]) == ("file.changed", "person-1002", "a.txt")


def test_an_address_that_does_not_answer_is_said(sandbox: SandboxProcess) -> None:
    sandbox.control.register_client("listener", client_secret="s", push_url="http://127.0.0.1:9/", push_secret="x")
    assert sandbox.control.push("listener", "file.changed", username="bob") is None


@pytest.mark.parametrize("asked", [{"push_url": "http://127.0.0.1/"}, {"push_secret": "x"}])
def test_an_address_and_a_secret_go_together(sandbox: SandboxProcess, asked: dict[str, str]) -> None:
    with pytest.raises(requests.HTTPError):
        sandbox.control.register_client("listener", client_secret="s", **asked)


def test_the_secret_is_never_shown(sandbox: SandboxProcess, listening: Provider) -> None:
    assert SECRET not in json.dumps(sandbox.control.clients())
