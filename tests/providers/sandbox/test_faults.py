"""Which request meets a fault, and which faults can be armed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess, start_sandbox
from tests.providers.sandbox.conftest import App


def test_faults_strike_every_endpoint() -> None:
    endpoints = {
        "me": ("GET", "/userinfo"),
        "files": ("GET", "/files"),
        "revoke": ("POST", "/revoke"),
        "introspect": ("POST", "/introspect"),
        "metadata": ("GET", "/.well-known/oauth-authorization-server"),
        "authorize": ("GET", "/authorize"),
    }
    with start_sandbox() as server:
        for endpoint, (method, path) in endpoints.items():
            server.control.fault("status", endpoint=endpoint, status=502)
            answers = [requests.request(method, f"{server.url}{path}", timeout=20).status_code for _ in range(2)]
            assert answers[0] == 502
            assert answers[1] != 502


def test_fault_strikes_only_the_client_and_grant_type_it_names(app: App, tokens: dict[str, Any]) -> None:
    other = App(app.server)
    app.arm("status", grant_type="refresh_token", times=2)

    assert other.token(grant_type="client_credentials").status_code == 200
    assert app.token(grant_type="client_credentials").status_code == 200
    assert [app.refresh(tokens["refresh_token"]).status_code for _ in range(3)] == [500, 500, 200]


def test_fault_on_the_resource_api_knows_the_tokens_client(app: App, tokens: dict[str, Any]) -> None:
    app.arm("status", endpoint="me", status=503)

    assert [app.me(tokens["access_token"]).status_code for _ in range(2)] == [503, 200]


def test_fault_with_times_zero_lasts_until_it_is_cleared() -> None:
    with start_sandbox() as server:
        app = App(server)
        fault = server.control.fault("status", times=0)
        assert [app.token(grant_type="client_credentials").status_code for _ in range(3)] == [500] * 3
        assert [found["applied"] for found in server.control.faults()] == [3]

        server.control.clear_fault(fault["id"])

        assert app.token(grant_type="client_credentials").status_code == 200
        server.control.fault("status")
        assert server.control.clear_faults() == 1


def test_improbable_fault_strikes_sometimes(app: App) -> None:
    app.arm("status", times=0, probability=0.5)

    statuses = {app.token(grant_type="client_credentials").status_code for _ in range(60)}

    assert statuses == {200, 500}


def test_fault_with_one_time_strikes_one_of_many_at_once(app: App) -> None:
    app.arm("status")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: app.token(grant_type="client_credentials").status_code, range(16)))

    assert sorted(answers) == [200] * 15 + [500]


@pytest.mark.parametrize(
    "document",
    [
        {"endpoint": "token", "kind": "unheard_of"},
        {"endpoint": "nowhere", "kind": "status"},
        {"endpoint": "me", "kind": "expires_in"},
        {"endpoint": "token", "kind": "status", "times": -1},
        {"endpoint": "token", "kind": "status", "times": True},
        {"endpoint": "token", "kind": "status", "probability": 0},
        {"endpoint": "token", "kind": "status", "grant_type": "implicit"},
        {"endpoint": "token", "kind": "status", "options": {"state": 500}},
        {"endpoint": "token", "kind": "status", "options": {"status": "500"}},
        {"endpoint": "token", "kind": "status", "options": {"status": True}},
        {"endpoint": "token", "kind": "status", "options": []},
        {"endpoint": "token", "kind": "redirect"},
        {"endpoint": "token", "kind": "status", "extra": 1},
        [],
    ],
)
def test_unusable_fault_is_refused_with_a_reason(sandbox: SandboxProcess, document: object) -> None:
    answer = requests.post(f"{sandbox.url}/control/faults", json=document, timeout=20)

    assert answer.status_code == 400
    assert answer.json()["error"]
