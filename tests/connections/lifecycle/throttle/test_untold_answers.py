"""An answer of which Redis is told nothing, because it would change nothing, still counts before the next failure."""

import uuid
from typing import Any

import pytest

from connections.lifecycle.throttle import admission, scripts
from connections.lifecycle.throttle.admission import admit, note
from tests.connections.lifecycle.throttle.test_admission import fail


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    """An app of which nothing is known yet, and breakers that stay open for as long as they may."""
    monkeypatch.setattr(admission.random, "random", lambda: 0.999)
    return uuid.uuid4()


def test_a_success_asks_redis_nothing_while_all_is_well(app: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    run = admission._run

    def noting(script: str, *arguments: Any) -> Any:
        ran.append(script)
        return run(script, *arguments)

    monkeypatch.setattr(admission, "_run", noting)
    assert admit(app, budget=600) is None
    note(app, connection_id=uuid.uuid4(), failure=None)
    assert ran == [scripts.ADMIT]
    fail(app, 1)
    assert ran[1:] == [scripts.ANSWERED, scripts.FAILED], (
        "the answer between two failures counts, however late it is told"
    )
    note(app, connection_id=uuid.uuid4(), failure=None)
    assert ran[3:] == [scripts.ANSWERED]
    fail(app, 1)
    assert admit(app, budget=600) is None
    note(app, connection_id=uuid.uuid4(), failure=None)
    assert ran[-2:] == [scripts.ADMIT, scripts.ANSWERED]


def test_answers_that_redis_was_not_told_of_still_interrupt_the_failures(app: uuid.UUID) -> None:
    for _ in range(3):
        assert admit(app, budget=600) is None
        fail(app, admission.DISTINCT_FAILURES - 1)
        note(app, connection_id=uuid.uuid4(), failure=None)
    assert admit(app, budget=600) is None
    for _ in range(admission.DISTINCT_FAILURES):
        note(app, connection_id=uuid.uuid4(), failure=None)
        fail(app, 1)
    assert admit(app, budget=600) is None
    fail(app, admission.DISTINCT_FAILURES - 1)
    assert admit(app, budget=600) is not None
