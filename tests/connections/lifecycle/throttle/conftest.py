"""A provider app that is new to the throttle, and the way to Redis as a fresh process sees it."""

import uuid
from collections import defaultdict

import pytest

from connections.lifecycle.throttle import shared
from connections.lifecycle.throttle.admission import Server

GENEROUS = 60_000
AS, RS = Server.AUTHORIZATION, Server.RESOURCE


@pytest.fixture
def app() -> uuid.UUID:
    """A provider app of which the throttle knows nothing yet."""
    return uuid.uuid4()


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> shared._Line:
    """The way to Redis, as a fresh process sees it."""
    fresh = shared._Line()
    monkeypatch.setattr(shared, "_lines", defaultdict(lambda: fresh))
    return fresh
