"""The two-step login: a call makes a session token, and another ends it."""

from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint

ALICE = {"user": {"name": "alice", "password": "alice"}}


def log_in(sandbox: SandboxProcess, document: Any = ALICE) -> requests.Response:
    return requests.post(f"{sandbox.url}/session", json=document, timeout=20)


def ask(sandbox: SandboxProcess, token: str, path: str = "/me") -> requests.Response:
    return requests.get(f"{sandbox.url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=20)


def test_a_session_opens_the_resource_api_until_it_is_ended(sandbox: SandboxProcess) -> None:
    answer = log_in(sandbox)
    session = answer.json()["session"]
    token = session["token"]
    assert (answer.status_code, session["expires_in"], answer.headers["X-Session"]) == (201, 60, token)
    assert ask(sandbox, token).json()["sub"] == "person-1001"
    assert ask(sandbox, token, "/files").status_code == 200
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.delete(f"{sandbox.url}/session", headers=headers, timeout=20).status_code == 204
    assert ask(sandbox, token).status_code == 401
    first, last = sandbox.control.log(endpoint="session")[-2:]
    assert (first.outcome, first.access_issued, first.username) == ("issued", fingerprint(token), "alice")
    assert (last.outcome, last.method) == ("revoked", "DELETE")


def test_a_form_is_taken_as_well(sandbox: SandboxProcess) -> None:
    form = {"name": "bob", "password": "bob"}
    assert requests.post(f"{sandbox.url}/session", data=form, timeout=20).status_code == 201


@pytest.mark.parametrize(
    "document",
    [
        {"user": {"name": "alice", "password": "wrong"}},
        {"user": {"name": "nobody", "password": "nobody"}},
        {"user": {"name": ["alice"], "password": "alice"}},
        {"user": "alice"},
        [],
        None,
    ],
)
def test_anything_else_is_refused(sandbox: SandboxProcess, document: Any) -> None:
    assert log_in(sandbox, document).status_code == 401
    assert sandbox.control.log(endpoint="session")[-1].outcome == "wrong_password"


def test_a_person_who_is_locked_out_gets_no_session_and_keeps_the_one_of_before(sandbox: SandboxProcess) -> None:
    token = log_in(sandbox).json()["session"]["token"]
    sandbox.control.settings(locked=["alice"])
    try:
        assert log_in(sandbox).status_code == 401
        assert sandbox.control.log(endpoint="session")[-1].outcome == "locked"
        assert ask(sandbox, token).status_code == 200
    finally:
        sandbox.control.settings(locked=[])
    assert log_in(sandbox).status_code == 201


def test_its_faults_are_those_of_any_endpoint(sandbox: SandboxProcess) -> None:
    sandbox.control.fault("rate_limited", endpoint="session", retry_after=7)
    assert log_in(sandbox).headers["Retry-After"] == "7"
    assert log_in(sandbox).status_code == 201
