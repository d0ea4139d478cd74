"""A slow provider slows nobody else, over real processes: the rest of the API, the pages, and the vends.

And a provider that breaks off: the web server tells the caller that the answer is not whole.
"""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from config.local.demo.stack import LocalStack
from providers.sandbox.log import Entry
from providers.sandbox.waiting import until
from tests.campaigns.load import request_bytes
from tests.campaigns.stacks import control, database, populate, running_stack
from tests.campaigns.waiting import Answered, Waiting
from tests.upstream import Upstream, upstream

__all__ = ["upstream"]

_MOST_ROUNDS = 3
# More than all threads of both web processes together, for each of the two ways to wait.
PROVIDER_THREADS, WAITING = 8, 60
_EXPIRE = """
WITH expired AS (
    UPDATE connections_connection SET access_expires_at = now() - interval '1 minute', refresh_due_at = now()
     WHERE id = ANY(%(ids)s))
UPDATE connections_credentialversion
   SET access_expires_at = now() - interval '1 minute', received_at = now() - interval '1 hour'
 WHERE connection_id = ANY(%(ids)s)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder, threads = tmp_path_factory.mktemp("isolation") / "stack", str(PROVIDER_THREADS)
    with running_stack(folder, "web", "sandbox", LATCHKEY_PROVIDER_THREADS=threads) as running:
        yield running


@pytest.fixture(scope="module")
def populated(stack: LocalStack) -> dict[str, Any]:
    return populate(stack, 8)


@pytest.fixture
def slow(stack: LocalStack, populated: dict[str, Any]) -> Iterator[list[str]]:
    """The ids of three expired connections, at a provider that keeps its answers to refreshes back (``stall``)."""
    ids: list[str] = populated["connections"][:3]
    expire(stack, ids)
    yield ids
    control(stack).clear_faults()
    control(stack).release()


def expire(stack: LocalStack, ids: list[str]) -> None:
    with database(stack) as connected:
        connected.execute(_EXPIRE, {"ids": ids})
    control(stack).clear_log()


def stall(stack: LocalStack) -> None:
    """Have the provider keep each answer to a refresh back, until it is released or nearly too late."""
    control(stack).fault("stall", grant_type="refresh_token", times=0, seconds=18)


def refreshes(stack: LocalStack) -> list[Entry]:
    return control(stack).log(grant_type="refresh_token")


def asking(stack: LocalStack, populated: dict[str, Any], path: str, body: dict[str, Any]) -> bytes:
    headers = {"Authorization": f"Bearer {populated['key']}", "Connection": "close", "Content-Type": "application/json"}
    return request_bytes("POST", f"{stack.urls['web']}/api/v1{path}", headers=headers, body=json.dumps(body).encode())


def wait_while_others_are_served(
    stack: LocalStack, populated: dict[str, Any], slow: list[str], calls: list[bytes]
) -> list[Answered]:
    """Make ``calls`` at a provider that stalls, serve the others meanwhile, and return the calls' answers.

    A machine that stands still for seconds may be late once. Threads that are all held would be held each time.
    """
    late: list[dict[str, float]] = []
    for _ in range(_MOST_ROUNDS):
        expire(stack, slow)
        stall(stack)
        with Waiting(stack.urls["web"], calls) as waiting:
            until(lambda: refreshes(stack), "a refresh at the provider")
            took = [others_are_served(stack, populated) for _ in range(2)]
            in_time = not any(entry.ended_at for entry in refreshes(stack))
            control(stack).clear_faults()
            control(stack).release()
            answers = waiting.answers()
        if in_time:
            return answers
        late += took
    raise AssertionError(f"the others were served after the provider's answer, each time: {late}")


def others_are_served(stack: LocalStack, populated: dict[str, Any]) -> dict[str, float]:
    """Ask at the same time for everything that needs nothing of the provider. Return how long each took, in seconds."""
    web, headers = stack.urls["web"], {"Authorization": f"Bearer {populated['key']}"}
    fresh = populated["connections"][5]
    session = {"end_user": "user-5", "provider": "sandbox", "return_url": "http://127.0.0.1:8080/connected"}
    vend = {"end_user": "user-5"}

    def ask(method: str, path: str, body: dict[str, str] | None, expected: tuple[int, ...]) -> float:
        answer = requests.request(method, web + path, json=body, headers=headers, timeout=30)
        assert answer.status_code in expected, (path, answer.text)
        return round(answer.elapsed.total_seconds(), 2)

    others = [
        ("POST", f"/api/v1/connections/{fresh}/credential", vend, (200,)),
        ("POST", "/api/v1/credentials", {**vend, "provider": "sandbox"}, (200,)),
        ("GET", f"/api/v1/connections/{fresh}", None, (200,)),
        ("POST", "/api/v1/connect-sessions", session, (201, 422)),
        ("GET", "/readyz", None, (200,)),
        ("GET", "/admin/login/", None, (200,)),
    ]
    with ThreadPoolExecutor(len(others)) as threads:
        asked = {path: threads.submit(ask, method, path, body, status) for method, path, body, status in others}
        return {path: took.result() for path, took in asked.items()}


def test_callers_who_wait_for_a_refresh_take_nothing_from_the_others(
    stack: LocalStack, populated: dict[str, Any], slow: list[str]
) -> None:
    calls = [
        asking(
            stack, populated, f"/connections/{slow[turn % 3]}/credential", {"end_user": f"user-{turn % 3}", "wait": 60}
        )
        for turn in range(WAITING)
    ]
    answers = wait_while_others_are_served(stack, populated, slow, calls)
    assert [answer.status for answer in answers] == [200] * WAITING
    assert len({answer.json()["credential"]["value"] for answer in answers}) == 3
    assert len(refreshes(stack)) == 3


def test_requests_that_hold_threads_while_they_wait_leave_some_to_the_others(
    stack: LocalStack, populated: dict[str, Any], slow: list[str]
) -> None:
    calls = [asking(stack, populated, f"/connections/{slow[turn % 3]}/refresh", {}) for turn in range(WAITING)]
    answers = wait_while_others_are_served(stack, populated, slow, calls)
    assert {answer.status for answer in answers} <= {200, 503, 429}
    assert len(refreshes(stack)) <= 3


def test_a_caller_who_waits_no_longer_leaves_the_refresh_to_go_on(
    stack: LocalStack, populated: dict[str, Any], slow: list[str]
) -> None:
    stall(stack)
    url = f"{stack.urls['web']}/api/v1/connections/{slow[0]}/credential"
    headers = {"Authorization": f"Bearer {populated['key']}"}
    answer = requests.post(url, json={"end_user": "user-0"}, headers={**headers, "Prefer": "wait=1"}, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (503, "refresh_in_progress")
    assert int(answer.headers["Retry-After"]) >= 1
    control(stack).release()
    until(
        lambda: requests.post(url, json={"end_user": "user-0"}, headers=headers, timeout=60).status_code == 200,
        "the token that the refresh brought",
    )
    assert len(refreshes(stack)) == 1


@pytest.mark.parametrize(
    ("answer", "comes"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"5\r\nhello\r\n"),
    ],
    ids=["of a known length", "in chunks"],
)
def test_an_answer_that_breaks_off_at_the_provider_breaks_off_at_the_caller(
    stack: LocalStack, upstream: Upstream, answer: bytes, comes: bytes
) -> None:
    """Neither the last chunk nor as many bytes as were announced: no client takes it for whole."""
    upstream.answers(answer)
    proxied = populate(stack, 1, "--api", upstream.url)
    url = f"{stack.urls['web']}/api/v1/connections/{proxied['connections'][0]}/proxy/a"
    headers = {"Authorization": f"Bearer {proxied['key']}", "Latchkey-End-User": "user-0"}
    host, port = stack.urls["web"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall(request_bytes("GET", url, headers=headers))
        got = b""
        while part := sock.recv(65_536):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == comes
    assert (b"content-length: 100" in head.lower()) is not (b"transfer-encoding: chunked" in head.lower())
