"""The throttle without Redis, or with one that is emptied, hangs or fails: nothing but restraint is lost."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as project

from connections.lifecycle.throttle import admission, scripts, shared
from connections.lifecycle.throttle.admission import Server, admit, give_back, note, note_probe, restraints
from providers.values import ProbeResult
from providers.vocabulary import ProbeVerdict
from tests.connections.lifecycle.throttle.outages import AS, GENEROUS, RS, fail, outage


@pytest.mark.parametrize(
    "script", ["return nosuch()", "this is no Lua", "redis.call('set', 'a', 'b') return redis.call('lpush', 'a', '1')"]
)
def test_a_script_that_is_wrong_is_told_each_time_and_is_not_taken_for_an_outage(
    app: uuid.UUID,
    line: shared._Line,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    script: str,
) -> None:
    monkeypatch.setattr(admission.scripts, "ADMIT", script)
    shared._client.cache_clear()
    shared._script.cache_clear()
    assert admit(app, budget=GENEROUS) is None
    assert admit(app, budget=GENEROUS) is None
    told = [record for record in caplog.records if "throttle_script_failed" in record.getMessage()]
    assert [record.levelname for record in told] == ["ERROR", "ERROR"]
    assert not line.is_away
    monkeypatch.undo()


def test_a_flush_loses_nothing_but_restraint(app: uuid.UUID) -> None:
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=60))
    fail(app, 5, server=RS)
    with redis.Redis.from_url(project.REDIS_URL) as server:
        server.flushdb()
        server.script_flush()
    for side in Server:
        assert admit(app, budget=60, server=side) is None
        assert restraints(side) == admission.Restraints()
        note(app, connection_id=uuid.uuid4(), failure=None, server=side)
        give_back(app, server=side)


def test_everything_kept_expires(app: uuid.UUID) -> None:
    admit(app, budget=60)
    fail(app, 4)
    fail(app, 5, server=RS)
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=60))
    with redis.Redis.from_url(project.REDIS_URL) as server:
        kept = list(server.scan_iter(f"{scripts.PREFIX}:*{app}"))
        kept += [f"{scripts.PREFIX}:{of_all}".encode() for of_all in (f"held:{AS}", f"held:{RS}", f"tripped:{RS}")]
        assert len(kept) >= 5
        assert all(0 < server.ttl(key) <= scripts.KEEP_SECONDS for key in kept)


@pytest.fixture
def silent_redis() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that accepts and never answers, and the connections that were made to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                accepted.append(listener.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0", accepted
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for connection in accepted:
        connection.close()


def use_everything(app: uuid.UUID) -> None:
    assert admit(app, budget=1) is None
    assert admit(app, budget=1, server=RS) is None
    give_back(app)
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=60))
    fail(app, 6)
    note(app, connection_id=uuid.uuid4(), failure=None)
    note_probe(app, connection_id=uuid.uuid4(), found=ProbeResult(ProbeVerdict.ALIVE, status=200), server=RS)
    assert restraints(AS) == admission.Restraints()
    assert admit(app, budget=1) is None


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://no-such-host.invalid:6379/0", "nonsense"])
def test_without_redis_everything_is_admitted(
    app: uuid.UUID, url: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = url
    use_everything(app)
    assert caplog.text.count("throttle_off") == 1


def test_a_redis_that_hangs_costs_a_moment_and_is_left_alone_for_a_second(
    app: uuid.UUID, settings: Any, silent_redis: tuple[str, list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "TIMEOUT_SECONDS", 0.25)
    monkeypatch.setattr(shared, "AWAY_SECONDS", 60.0)  # a busy machine may take a second for all of it
    settings.REDIS_URL, accepted = silent_redis
    began = time.monotonic()
    use_everything(app)
    assert time.monotonic() - began < 15
    assert len(accepted) == 1, "no retry, and no other call meanwhile"


def test_an_error_of_redis_itself_reaches_no_caller(app: uuid.UUID) -> None:
    with redis.Redis.from_url(project.REDIS_URL) as server:
        server.set(f"{scripts.PREFIX}:app:{app}", "of another type", ex=60)
    assert admit(app, budget=1) is None


def test_works_again_as_soon_as_redis_does(app: uuid.UUID, settings: Any, line: shared._Line) -> None:
    good = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert admit(app, budget=1) is None
    assert line.is_away
    settings.REDIS_URL = good
    assert [admit(app, budget=1) for _ in range(2)] == [None, None], "not asked within the second"
    line.away_until = 0.0
    assert admit(app, budget=1) is None
    assert admit(app, budget=1) is not None
    assert not line.is_away
