"""The broker's channel: it keeps its client, and no longer than what that client stands on; rubbish ends no worker."""

import base64
import inspect
import json
import uuid
from typing import Any

import pytest
from kombu import Queue
from kombu.transport import redis

from config.broker import Channel, Transport, is_message
from config.celery import app

ENVELOPE: dict[str, Any] = {
    "body": base64.b64encode(b"[[], {}, {}]").decode(),
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": {"task": "nothing"},
    "properties": {
        "body_encoding": "base64",
        "delivery_info": {"exchange": "", "routing_key": "x"},
        "delivery_tag": "tag-1",
    },
}
RUBBISH = {
    "empty": b"",
    "no text": b"\x00\xff no JSON",
    "a list": b"[]",
    "null": b"null",
    "a number": b"5",
    "no properties": b'{"body": "e30="}',
    "no delivery tag": b'{"body": "bm8=", "properties": {}}',
    "a typed value of the wrong type": b'{"__type__": "bytes", "__value__": 5}',
    "a typed value of no meaning": b'{"__type__": "decimal", "__value__": "x"}',
    "nested without end": b"[" * 100_000,
    "a body that is no base64": json.dumps(ENVELOPE | {"body": "x"}).encode(),
    "a body that is a number": json.dumps(ENVELOPE | {"body": 5}).encode(),
    "headers that are a list": json.dumps(ENVELOPE | {"headers": []}).encode(),
    "an unknown body encoding": json.dumps(
        ENVELOPE | {"properties": ENVELOPE["properties"] | {"body_encoding": "rot13"}}
    ).encode(),
}


@pytest.mark.parametrize("item", RUBBISH.values(), ids=RUBBISH)
def test_what_is_no_message_is_dropped_and_the_next_one_comes(item: bytes, caplog: pytest.LogCaptureFixture) -> None:
    came: list[Any] = []
    name = f"test-{uuid.uuid4()}"
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        queue = Queue(name, channel=channel, durable=False, auto_delete=True)
        with connection.Consumer([queue], callbacks=[lambda body, message: came.append(body)], no_ack=True):
            for pushed in (item, json.dumps(ENVELOPE).encode()):
                channel._create_client().lpush(name, pushed)
            while not came:
                connection.drain_events(timeout=60)
    assert came == [[[], {}, {}]]
    assert sum("message_dropped" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize("bug", [AttributeError, TypeError, KeyError, ValueError])
def test_a_bug_behind_a_good_message_is_no_fault_of_the_message(bug: type[Exception]) -> None:
    def fail(*_: object) -> None:
        raise bug("of our own")

    name = f"test-{uuid.uuid4()}"
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        queue = Queue(name, channel=channel, durable=False, auto_delete=True)
        with connection.Consumer([queue], callbacks=[fail], no_ack=True):
            channel._create_client().lpush(name, json.dumps(ENVELOPE).encode())
            with pytest.raises(bug, match="of our own"):
                connection.drain_events(timeout=60)


def test_kombu_still_has_what_the_channel_and_the_transport_override() -> None:
    """A new release of kombu is tried against this, and then its bound in pyproject.toml is moved."""
    overridden = {
        redis.Channel: [name for name in vars(Channel) if callable(vars(Channel)[name])],
        redis.Transport: ["_deliver"],
    }
    assert overridden[redis.Channel]
    for base, names in overridden.items():
        ours = Channel if base is redis.Channel else Transport
        for name in names:
            theirs = inspect.signature(getattr(base, name)).parameters
            assert list(inspect.signature(getattr(ours, name)).parameters) == list(theirs)
    reading = inspect.getsource(redis.Channel._brpop_read)
    assert "self.client.parse_response" in reading and "self.connection._deliver(loads(bytes_to_str(item))" in reading


def test_the_envelope_of_a_task_is_a_message() -> None:
    assert is_message(json.dumps(ENVELOPE).encode())


def test_a_channel_keeps_its_client_as_long_as_its_pool() -> None:
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        assert isinstance(channel, Channel)
        first = channel._create_client()
        assert channel._create_client() is first
        assert first.ping()
        channel._disconnect_pools()  # as kombu does after a fork, and when a connection breaks
        second = channel._create_client()
        assert second is not first
        assert second.ping()
