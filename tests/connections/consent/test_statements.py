"""How many statements the steps of one connect cost, from the invitation to the active connection."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.models import ProviderApp
from tests.factories import Caller
from tests.flows import EndUser, completion_code, provider_link

# Each gets the data key once; ``complete`` has the three transactions that its HTTP calls lie between.
MOST = {"invite": 5, "land": 5, "start": 12, "callback": 9, "complete": 22}


@contextmanager
def counted(counts: dict[str, list[str]], step: str) -> Iterator[None]:
    with CaptureQueriesContext(database) as captured:
        yield
    ends = ("BEGIN", "COMMIT")
    counts[step] = [one["sql"] for one in captured if one["sql"] not in ends]


@pytest.fixture
def statements(alice: EndUser, backend: Caller, app: ProviderApp) -> dict[str, list[str]]:
    """The statements of each step of a first connect, after another end user has connected."""
    alice.connect()
    bob, steps = EndUser("bob", backend), dict[str, list[str]]()
    with counted(steps, "invite"):
        invitation = bob.invite()
    with counted(steps, "land"):
        bob.open(f"/connect/{invitation.id}?")
    with counted(steps, "start"):
        page = bob.start(invitation)
    back = bob.person.authorize(provider_link(page))
    with counted(steps, "callback"):
        answer = bob.open(back)
    with counted(steps, "complete"):
        assert bob.complete(invitation, completion_code(answer)).status_code == 200
    return steps


def test_each_step_of_a_connect_costs_few_statements(statements: dict[str, list[str]]) -> None:
    counts = {step: len(run) for step, run in statements.items()}
    assert all(counts[step] <= most for step, most in MOST.items()), counts
    assert sum(counts.values()) <= sum(MOST.values())


def test_a_step_reads_the_data_key_once_and_writes_the_connection_once(statements: dict[str, list[str]]) -> None:
    for step in ("start", "callback", "complete"):
        assert len([sql for sql in statements[step] if 'FROM "connections_datakey"' in sql]) == 1, step
    written = [sql for sql in statements["complete"] if sql.startswith('UPDATE "connections_connection"')]
    assert len(written) == 1
