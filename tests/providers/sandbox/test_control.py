"""The control API and the request log: the oracle that other tests rely on."""

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess, start_sandbox
from providers.sandbox.control import is_allowed
from providers.sandbox.state import Sandbox
from providers.sandbox.tokens import fingerprint
from providers.sandbox.waiting import until
from tests.person import Person, parameters_of
from tests.providers.sandbox.conftest import SECRET, App, challenge_of


def test_log_names_tokens_by_fingerprint(app: App, alice: Person) -> None:
    code = app.code(alice)
    first = app.exchange(code).json()
    second = app.refresh(first["refresh_token"]).json()
    app.me(second["access_token"])

    exchange, refresh = app.entries()
    [me] = app.entries("me")

    assert exchange.code_presented == fingerprint(code)
    assert exchange.refresh_issued == refresh.refresh_presented == fingerprint(first["refresh_token"])
    assert refresh.refresh_issued == fingerprint(second["refresh_token"])
    assert refresh.access_issued == me.access_presented == fingerprint(second["access_token"])
    assert (refresh.grant_type, refresh.status, refresh.outcome) == ("refresh_token", 200, "rotated")
    assert refresh.grant_id == exchange.grant_id == me.grant_id
    assert (refresh.path, refresh.method, refresh.username) == ("/token", "POST", "alice")


def test_log_names_what_was_presented_although_a_fault_kept_it_from_being_processed(
    app: App, tokens: dict[str, Any]
) -> None:
    app.arm("status", status=503)
    app.refresh(tokens["refresh_token"])

    entry = app.entries("token")[-1]

    assert (entry.fault, entry.outcome) == ("status", "")
    assert entry.refresh_presented == fingerprint(tokens["refresh_token"])


def test_no_secret_is_in_the_log_the_console_or_the_state(tmp_path: Path, alice: Person) -> None:
    verifier = "planted-verifier-" + "v" * 30
    with start_sandbox(state=tmp_path, access_log=True) as server:
        app = App(server)
        challenge: dict[str, Any] = {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
        code = app.code(alice, state="planted-state", **challenge)
        first = app.exchange(code, code_verifier=verifier).json()
        second = app.refresh(first["refresh_token"]).json()
        app.refresh(first["refresh_token"])
        key = server.control.api_key("alice")
        requests.get(f"{server.url}/me", headers={"X-Api-Key": key}, timeout=20)
        app.post("/introspect", token=second["access_token"])
        app.post("/revoke", token=second["refresh_token"])
        requests.post(
            f"{server.url}/token", data={"client_id": "planted-misplaced", "grant_type": "planted-type"}, timeout=20
        )
        requests.get(f"{server.url}/me?access_token=planted-query", timeout=20)
        session = alice.session.cookies["sandbox_session"]
        log = json.dumps(server.control.call("GET", "log"))
        page = requests.get(f"{server.url}/control", timeout=20).text
        assert server.stop() == 0
        console = server.output

    kept = "".join(path.read_bytes().decode("latin-1") for path in tmp_path.iterdir())
    secrets = [code, key, session, verifier, SECRET, "planted-state", "planted-misplaced", "planted-type"]
    secrets += ["planted-query", *[tokens[name] for tokens in (first, second) for name in tokens if "_token" in name]]
    assert "POST /token 200" in console
    for place in (log, page, console, kept):
        assert [secret for secret in secrets if secret in place] == []


def test_overlapping_requests_are_visible_as_such(app: App) -> None:
    app.server.control.fault("stall", client_id=app.client_id, seconds=15)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(app.token, grant_type="client_credentials") for _ in range(2)]
        until(lambda: len(app.entries()) == 2, "both requests", pause=0.01)
        app.server.control.release()
    assert [one.result().status_code for one in both] == [200, 200]

    early, late = app.entries()

    assert max(early.started_at, late.started_at) < min(early.ended_at, late.ended_at)


def test_client_that_waits_for_its_answers_never_overlaps_itself(app: App) -> None:
    for _ in range(30):
        app.token(grant_type="client_credentials")

    entries = app.entries()

    assert all(one.ended_at <= next_one.started_at for one, next_one in itertools.pairwise(entries))


def test_running_request_is_in_the_log_without_an_end(app: App) -> None:
    app.server.control.fault("stall", client_id=app.client_id, seconds=15)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(app.token, grant_type="client_credentials")
        [entry] = until(app.entries, "the request", pause=0.01)
        assert (entry.ended_at, entry.status) == (None, None)
        app.server.control.release()
        assert running.result().status_code == 200
    assert app.entries()[0].status == 200


def test_log_pages_by_number_and_keeps_counting_when_cleared() -> None:
    with start_sandbox() as server:
        app = App(server)
        for _ in range(5):
            app.token(grant_type="client_credentials")

        page = server.control.call("GET", "log", after=1, limit=2)
        assert [entry["id"] for entry in page["entries"]] == [2, 3]
        assert page["last_id"] == 5
        assert [entry.id for entry in server.control.log(after=3)] == [4, 5]
        assert server.control.clear_log() == 5
        assert server.control.log() == []
        app.token(grant_type="client_credentials")
        assert [entry.id for entry in server.control.log()] == [6]


def test_settings_change_what_they_name_and_clients_override_them() -> None:
    with start_sandbox(access_lifetime=300, grace_seconds=5, rotate=False) as server:
        before = server.control.settings()
        after = server.control.settings(rotate=True, delay_seconds={"token": 0.1})

        assert (before["access_lifetime"], before["grace_seconds"], before["rotate"]) == (300, 5, False)
        assert after == {**before, "rotate": True, "delay_seconds": {"token": 0.1}}
        plain, own = App(server), App(server, access_lifetime=7)
        started = time.monotonic()
        assert plain.token(grant_type="client_credentials").json()["expires_in"] == 300
        assert time.monotonic() - started >= 0.1
        assert own.token(grant_type="client_credentials").json()["expires_in"] == 7


@pytest.mark.parametrize(
    "document",
    [
        {"access_lifetime": -1},
        {"access_lifetime": "60"},
        {"rotate": 1},
        {"unknown": 1},
        {"delay_seconds": {"x": 1}},
        {"workspaces": {"nobody": {}}},
        {"workspaces": {"alice": ["north"]}},
        [],
    ],
)
def test_unusable_settings_are_refused(sandbox: SandboxProcess, document: object) -> None:
    assert requests.put(f"{sandbox.url}/control/settings", json=document, timeout=20).status_code == 400


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"client_id": "x"},
        {"client_id": "x", "client_secret": "s", "public": True},
        {"client_id": "x", "client_secret": 7},
        {"client_id": "x", "client_secret": "s", "grant_types": ["implicit"]},
        {"client_id": "x", "client_secret": "s", "colour": "red"},
        "x",
    ],
)
def test_unusable_client_is_refused(sandbox: SandboxProcess, document: object) -> None:
    assert requests.post(f"{sandbox.url}/control/clients", json=document, timeout=20).status_code == 400


def test_replacing_a_client_replaces_its_secret(app: App) -> None:
    app.server.control.register_client(app.client_id, **{**app.document, "client_secret": "another"})

    assert app.token(grant_type="client_credentials").json()["error"] == "invalid_client"
    assert app.token(grant_type="client_credentials", secret="another").status_code == 200
    [shown] = [client for client in app.server.control.clients() if client["client_id"] == app.client_id]
    assert shown["secrets"] == 1
    assert "another" not in json.dumps(shown)


def test_control_is_for_loopback_unless_exposed() -> None:
    sandbox, exposed = Sandbox.open(issuer="http://x"), Sandbox.open(issuer="http://x", exposes_control=True)

    assert [is_allowed(sandbox, address) for address in ("127.0.0.1", "::1", "192.0.2.1", None)] == [
        True,
        True,
        False,
        False,
    ]
    assert is_allowed(exposed, "192.0.2.1")


def test_unknown_client_is_not_repeated_in_the_log(sandbox: SandboxProcess, alice: Person) -> None:
    last = sandbox.control.call("GET", "log")["last_id"]
    form = {"grant_type": "client_credentials", "client_id": "not-registered", "client_secret": "x"}
    requests.post(f"{sandbox.url}/token", data=form, timeout=20)

    assert "(unknown)" in [entry.client_id for entry in sandbox.control.log(after=last, endpoint="token")]


def test_authorization_is_logged_without_its_parameters(app: App, alice: Person) -> None:
    answer = parameters_of(alice.authorize(app.authorization_url()))

    entries = app.entries("authorize")

    assert [entry.outcome for entry in entries] == ["sign_in", "asked", "code_issued"]
    assert {entry.path for entry in entries} == {"/authorize"}
    assert answer["code"] not in json.dumps([entry.as_dict() for entry in entries])


def test_minted_grants_are_as_good_as_consented_ones(app: App) -> None:
    minted = app.server.control.mint(app.client_id, username="bob", count=3, scope="profile")

    assert len({tokens["refresh_token"] for tokens in minted}) == 3
    assert app.me(minted[0]["access_token"]).json()["sub"] == "person-1002"
    assert app.refresh(minted[1]["refresh_token"]).json()["scope"] == "profile"
    assert len(app.server.control.grants(client_id=app.client_id, username="bob")) == 3


@pytest.mark.parametrize("document", [{"client_id": "nobody"}, {"username": "mallory"}, {"count": 0}, {"count": "1"}])
def test_unusable_minting_is_refused(app: App, document: dict[str, object]) -> None:
    body = {"client_id": app.client_id, "username": "alice", **document}

    assert requests.post(f"{app.server.url}/control/grants", json=body, timeout=20).status_code == 400
