"""A provider app that is new to the throttle, and the way to Redis as a fresh process sees it."""

import uuid
from collections import defaultdict
from collections.abc import Iterator

import pytest

from connections.lifecycle.throttle import admission
from connections.lifecycle.throttle.admission import Server

GENEROUS = 60_000
AS, RS = Server.AUTHORIZATION, Server.RESOURCE


@pytest.fixture
def app() -> uuid.UUID:
    """A provider app of which the throttle knows nothing yet."""
    return uuid.uuid4()


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> admission._Line:
    """The way to Redis, as a fresh process sees it."""
    fresh = admission._Line()
    monkeypatch.setattr(admission, "_lines", defaultdict(lambda: fresh))
    return fresh


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a machine that is busy with other tests time to answer."""
    monkeypatch.setattr(admission, "TIMEOUT_SECONDS", 5.0)
    admission._scripts.cache_clear()
    yield
    admission._scripts.cache_clear()
