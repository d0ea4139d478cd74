import importlib.util
import os
import socket
import sys
from pathlib import Path

import pytest
import requests

from providers.sandbox.client import SandboxMissing, command_line, start_sandbox


def test_a_sandbox_ends_with_its_block() -> None:
    with start_sandbox() as server:
        assert requests.get(f"{server.base_url}/me", timeout=20).status_code == 401
    assert server.process.returncode == 0


def test_clients_are_there_from_the_beginning() -> None:
    with start_sandbox(clients=[{"client_id": "demo", "client_secret": "s"}]) as server:
        assert [client["client_id"] for client in server.control.clients()] == ["demo"]


def test_apart_means_a_session_of_its_own() -> None:
    with start_sandbox() as near, start_sandbox(apart=True) as far:
        assert os.getsid(near.process.pid) == os.getsid(0)
        assert os.getsid(far.process.pid) == far.process.pid


def test_clearing_forgets_faults_and_log_and_keeps_the_rest() -> None:
    with start_sandbox(clients=[{"client_id": "demo", "client_secret": "s"}]) as server:
        server.control.settings(grace_seconds=7)
        server.control.fault("html", endpoint="me")
        requests.get(f"{server.base_url}/workspaces", timeout=20)
        assert server.control.last_id() == 1

        server.control.clear(device_interval=9)

        assert server.control.faults() == []
        assert server.control.log() == []
        assert server.control.last_id() == 1
        kept = server.control.settings()
        assert (kept["grace_seconds"], kept["device_interval"]) == (7, 9)
        assert server.control.clients() != []


def test_a_refusal_says_why() -> None:
    with start_sandbox() as server, pytest.raises(requests.HTTPError, match=r"400 .*client_id"):
        server.control.mint("nobody")


def test_a_port_that_is_taken_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(SandboxMissing, match="does not start"),
            start_sandbox(port=taken.getsockname()[1], apart=True),
        ):
            pass
    assert capfd.readouterr().err == ""


def test_without_flask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask", None)
    assert importlib.util.find_spec("flask") is None
    with pytest.raises(SandboxMissing, match="pip install flask"), start_sandbox():
        pass


def test_options_become_those_of_the_command_line() -> None:
    assert command_line(port=1, state=Path("/kept"), rotate=False, access_log=True, grace_seconds=2.5) == [
        *("-m", "providers.sandbox", "--port", "1", "--state", "/kept"),
        *("--no-rotate", "--access-log", "--grace-seconds", "2.5"),
    ]
