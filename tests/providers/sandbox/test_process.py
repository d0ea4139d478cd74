"""The process: start, end, kill -9, and HTTP at its edges."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import trustme

from providers.sandbox.client import SandboxControl, SandboxMissing, SandboxProcess, start_sandbox
from providers.sandbox.waiting import until
from tests.person import Person
from tests.providers.sandbox.conftest import App

ROOT = Path(__file__).resolve().parents[3]


def test_state_outlives_a_kill(tmp_path: Path, alice: Person) -> None:
    with start_sandbox(state=tmp_path) as server:
        app = App(server, access_lifetime=600)
        first = app.connect(alice)
        second = app.refresh(first["refresh_token"]).json()
        key = server.control.api_key("bob")
        server.control.settings(grace_seconds=3)
        before = server.control.log()

        server.kill()
        server.restart()

        assert server.control.settings()["grace_seconds"] == 3
        assert server.control.log()[: len(before)] == before
        assert app.me(second["access_token"]).json()["sub"] == "person-1001"
        assert requests.get(f"{server.url}/me", headers={"X-Api-Key": key}, timeout=20).status_code == 200
        assert app.client_id in alice.get(f"{server.url}/apps").text
        assert app.refresh(second["refresh_token"]).status_code == 200
        assert server.control.log()[-1].id == len(before) + 3


def test_refresh_of_before_the_kill_still_counts_as_reuse_after_it(tmp_path: Path, alice: Person) -> None:
    with start_sandbox(state=tmp_path) as server:
        app = App(server)
        first = app.connect(alice)
        app.refresh(first["refresh_token"])

        server.kill()
        server.restart()

        assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
        assert app.outcomes()[-1] == "refresh_reused"


def test_request_that_the_kill_interrupted_stays_in_the_log_without_an_end(tmp_path: Path) -> None:
    with start_sandbox(state=tmp_path) as server:
        app = App(server)
        server.control.fault("stall", seconds=30)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            until(server.control.log, "the request")
            server.kill()
        server.restart()

        [entry] = server.control.log()
        assert entry.ended_at is None
        app.token(grant_type="client_credentials")
        assert [found.id for found in server.control.log()] == [1, 2]


def test_torn_last_line_of_the_log_is_forgiven(tmp_path: Path) -> None:
    with start_sandbox(state=tmp_path) as server:
        App(server).token(grant_type="client_credentials")
    with (tmp_path / "requests.jsonl").open("ab") as file:
        file.write(b'{"id": 2, "started')

    with start_sandbox(state=tmp_path) as server:
        assert [entry.id for entry in server.control.log()] == [1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process_cleanly(number: signal.Signals) -> None:
    with start_sandbox() as server:
        server.process.send_signal(number)

        assert server.process.wait(timeout=60) == 0


def test_signal_ends_the_process_while_a_request_stalls() -> None:
    with start_sandbox() as server:
        server.control.fault("stall", seconds=60)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            until(server.control.log, "the request")
            assert server.stop() == 0


def test_clients_file_registers_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "clients.json"
    file.write_text(json.dumps([{"client_id": "demo", "client_secret": "s", "scopes": "profile email"}]))
    command = [sys.executable, "-m", "providers.sandbox", "--port", "0", "--clients", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        clients = requests.get(f"{url}/control/clients", timeout=20).json()["clients"]
        process.terminate()

    assert [(client["client_id"], client["scopes"]) for client in clients] == [("demo", ["profile", "email"])]


@pytest.mark.parametrize(
    "arguments",
    [["--public-url", "ftp://x"], ["--public-url", "http://x/path"], ["--clients", "/nowhere.json"], ["--port", "x"]],
)
def test_unusable_option_ends_the_process_with_a_usage_message(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "providers.sandbox", "--port", "0", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 2
    assert "usage:" in ended.stderr


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /token HTTP/1.1\r\nContent-Length: ten\r\n\r\n", b"400"),
        (b"POST /token HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"431"),
        (b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", b"200"),
        (b"HEAD / HTTP/1.0\r\nHost: x\r\n\r\n", b"200"),
        (b"PUT /token HTTP/1.0\r\nHost: x\r\n\r\n", b"405"),
    ],
)
def test_server_answers_odd_http_and_closes(sandbox: SandboxProcess, request_bytes: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close\r\n" in answer


def test_connection_serves_one_request_after_another(sandbox: SandboxProcess) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(b"GET /me HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"GET /me HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk

    assert answer.count(b"HTTP/1.1 401") == 4


def test_many_idle_connections_do_not_keep_others_waiting(sandbox: SandboxProcess) -> None:
    idle = [socket.create_connection(("127.0.0.1", sandbox.port)) for _ in range(200)]
    try:
        assert requests.get(f"{sandbox.url}/me", timeout=60).status_code == 401
    finally:
        for connection in idle:
            connection.close()


def test_with_a_certificate_it_speaks_https_alone(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(trusted := tmp_path / "authority.pem"))
    certificate = tmp_path / "certificate.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with start_sandbox(certificate=certificate) as server:
        assert server.url == f"https://127.0.0.1:{server.port}"
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{server.port}/", timeout=20)
        control = SandboxControl(server.url, ca_file=str(trusted))
        assert control.register_client("over-tls", public=True)["client_id"] == "over-tls"


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(SandboxMissing):
        SandboxProcess(port=0, apart=True, options={"certificate": tmp_path / "empty.pem"})
