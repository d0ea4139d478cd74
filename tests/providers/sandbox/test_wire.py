"""What faults do to the connection, as the bytes that a client gets and as what really happened behind them."""

import gzip
import http.client
import io
import json
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from providers.sandbox import filler
from providers.sandbox.tokens import fingerprint
from tests.person import Person
from tests.providers.sandbox.conftest import App


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("reset", [False, True])
def test_lost_response_rotates_and_closes_without_a_byte(app: App, tokens: dict[str, Any], reset: bool) -> None:
    app.arm("lost_response", reset=reset)

    if reset:
        with pytest.raises(ConnectionResetError):
            app.raw_refresh(tokens["refresh_token"])
    else:
        assert app.raw_refresh(tokens["refresh_token"]) == b""

    lost = app.entries()[-1]
    assert (lost.outcome, lost.fault, lost.status) == ("rotated", "lost_response", None)
    assert lost.ended_at is not None
    [grant] = app.server.control.grants(client_id=app.client_id)
    assert grant["refresh_tokens"] == [lost.refresh_issued]


def test_reset_before_leaves_the_refresh_token_good(app: App, tokens: dict[str, Any]) -> None:
    app.arm("reset_before")

    with pytest.raises(ConnectionResetError):
        app.raw_refresh(tokens["refresh_token"])
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_stall_answers_late(app: App, tokens: dict[str, Any]) -> None:
    app.arm("stall", seconds=0.3)

    started = time.monotonic()
    answer = app.refresh(tokens["refresh_token"])

    assert time.monotonic() - started >= 0.3
    assert answer.status_code == 200


def test_stall_answers_once_it_is_released(app: App, tokens: dict[str, Any]) -> None:
    app.arm("stall", seconds=600)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(app.refresh, tokens["refresh_token"])
        app.wait_for(fault="stall")
        assert not answer.done()
        app.server.control.release()

    assert answer.result().status_code == 200
    app.arm("stall", seconds=0.1)
    app.refresh(answer.result().json()["refresh_token"])
    _, later = [entry for entry in app.entries() if entry.fault == "stall"]
    assert later.ended_at is not None
    assert later.ended_at - later.started_at >= 0.1, "a release is for what is under way"


@pytest.mark.parametrize("processed", [True, False])
def test_stall_processes_before_or_after_as_told_even_if_the_client_leaves(
    app: App, tokens: dict[str, Any], processed: bool
) -> None:
    app.arm("stall", seconds=30, processed=processed)
    with socket.create_connection(("127.0.0.1", app.server.port)) as connection:
        connection.sendall(app.refresh_bytes(tokens["refresh_token"]))
        app.wait_for(fault="stall")

    stalled = app.wait_for(fault="stall", ended=True)

    assert stalled.client_closed
    assert stalled.status is None
    assert stalled.outcome == ("rotated" if processed else "")
    assert stalled.ended_at - stalled.started_at < 10


def test_unprocessed_stall_processes_for_a_client_that_waits(app: App, tokens: dict[str, Any]) -> None:
    app.arm("stall", seconds=0.2, processed=False)

    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert app.outcomes()[-1] == "rotated"


@pytest.mark.parametrize("headers", [False, True])
def test_trickle_sends_the_real_answer_byte_by_byte(app: App, tokens: dict[str, Any], headers: bool) -> None:
    app.arm("trickle", interval=0.001, headers=headers)
    pieces: list[bytes] = []
    with socket.create_connection(("127.0.0.1", app.server.port), timeout=20) as connection:
        connection.sendall(app.refresh_bytes(tokens["refresh_token"]))
        while chunk := connection.recv(65536):
            pieces.append(chunk)

    answer = b"".join(pieces)
    slow = len(answer if headers else body_of(answer))
    assert len(pieces) > slow / 4
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert app.refresh(json.loads(body_of(answer))["refresh_token"]).status_code == 200
    trickled = next(entry for entry in app.entries() if entry.fault == "trickle")
    assert trickled.ended_at - trickled.started_at > slow * 0.001


def test_trickle_ends_when_the_client_leaves(app: App, tokens: dict[str, Any]) -> None:
    app.arm("trickle", interval=5)
    with socket.create_connection(("127.0.0.1", app.server.port)) as connection:
        connection.sendall(app.refresh_bytes(tokens["refresh_token"]))
        app.wait_for(fault="trickle")

    trickled = app.wait_for(fault="trickle", ended=True)

    assert trickled.client_closed
    assert trickled.outcome == "rotated"


def test_cut_off_json_breaks_its_promised_length(app: App, tokens: dict[str, Any]) -> None:
    app.arm("truncated_json", bytes=40, cut_off=True)
    connection = http.client.HTTPConnection("127.0.0.1", app.server.port, timeout=20)
    connection.connect()
    connection.sock.sendall(app.refresh_bytes(tokens["refresh_token"]))
    answer = http.client.HTTPResponse(connection.sock)
    answer.begin()

    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()

    assert len(caught.value.partial) == 40
    connection.close()


def test_huge_body_is_valid_json_of_that_size(app: App, tokens: dict[str, Any]) -> None:
    app.arm("huge_body", bytes=3_000_000)
    app.arm("huge_body", bytes=3_000_000, content_length=True)

    unannounced, announced = (app.raw_refresh(tokens["refresh_token"]) for _ in range(2))

    assert [len(body_of(unannounced)), len(body_of(announced))] == [3_000_000, 3_000_000]
    assert b"Content-Length" not in unannounced.partition(b"\r\n\r\n")[0]
    assert b"Content-Length: 3000000\r\n" in announced
    assert set(json.loads(body_of(announced))) == {"access_token"}


def test_gzip_bomb_is_small_on_the_wire_and_huge_when_unpacked(app: App, tokens: dict[str, Any]) -> None:
    app.arm("gzip_bomb", bytes=64 << 20)

    answer = app.raw_refresh(tokens["refresh_token"])

    assert b"Content-Encoding: gzip\r\n" in answer
    assert len(answer) < 200_000
    unpacked = gzip.decompress(body_of(answer))
    assert len(unpacked) >= 64 << 20
    assert (unpacked[:20], unpacked[-2:]) == (b'{"access_token":"aaa', b'"}')


def test_gibibyte_is_streamed_without_being_held() -> None:
    unpacker = zlib.decompressobj(31)
    packed = sum(map(len, filler.gzipped(1 << 30)))
    first = unpacker.decompress(next(filler.gzipped(1 << 30)))

    assert packed < 2 << 20
    assert first == b'{"access_token":"'
    assert io.BytesIO(next(filler.plain(1 << 30))).read() == first


def test_fault_does_not_break_the_connection_that_others_keep_alive(app: App, tokens: dict[str, Any]) -> None:
    with requests.Session() as session:
        session.get(f"{app.server.url}/me", timeout=20)
        app.arm("lost_response", endpoint="me")
        with pytest.raises(requests.ConnectionError):
            session.get(
                f"{app.server.url}/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=20
            )
        assert session.get(f"{app.server.url}/me", timeout=20).status_code == 401


def test_code_that_is_lost_on_the_way_back_cannot_be_used_again(app: App, alice: Person) -> None:
    app.arm("lost_response", grant_type="authorization_code")
    code = app.code(alice)

    with pytest.raises(requests.ConnectionError):
        app.exchange(code)

    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.outcomes() == ["issued", "code_reused"]
    assert app.entries()[0].code_presented == fingerprint(code)
