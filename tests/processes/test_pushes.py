"""A person takes everything back at the provider: whoever asks for the events knows, and nothing waits for a beat.

How quickly is measured by the campaign (`make liveness`), where nothing else uses the machine.
"""

import time
from collections.abc import Iterator

import pytest
import requests

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, populate, running_stack
from tests.processes.observed import rows

CONNECTIONS = 20


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with running_stack(tmp_path_factory.mktemp("pushes") / "stack", "web", "worker", "sandbox") as running:
        yield running


def test_what_the_provider_revokes_is_told_without_a_beat(stack: LocalStack) -> None:
    connections: list[str] = populate(stack, CONNECTIONS)["connections"]
    stack.run("listening", "-m", "tests.processes.listening")
    ((app,),) = rows(stack, "SELECT DISTINCT provider_app_id FROM connections_connection")
    forged = requests.post(
        f"{stack.urls['web']}/pushes/{app}",
        b'{"type": "grant.revoked", "account": "person-1001"}',
        headers={"Sandbox-Timestamp": str(int(time.time())), "Sandbox-Signature": "v1=" + "0" * 64},
        timeout=10,
    )
    assert forged.status_code == 401
    assert rows(stack, "SELECT DISTINCT status FROM connections_connection") == [("active",)]

    control(stack).call("POST", "revoke", {"username": "alice"})
    told = "SELECT count(*) FROM connections_outboxevent WHERE type = 'connection.revoked'"
    until(lambda: rows(stack, told) == [(CONNECTIONS,)], "an event of every connection", seconds=60)
    reasons = rows(stack, "SELECT DISTINCT status, reason FROM connections_connection")
    assert reasons == [("revoked", "provider_notified")]
    assert len(connections) == CONNECTIONS
    assert rows(stack, "SELECT state, why, ended FROM connections_receivedpush ORDER BY received_at") == [
        ("refused", "signature", 0),
        ("done", "", CONNECTIONS),
    ]
    # All in one step, however often the provider sent it.
    assert rows(stack, "SELECT count(DISTINCT status_changed_at) FROM connections_connection") == [(1,)]
