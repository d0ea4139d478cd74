"""The broker's channel: it keeps its client, and no longer than what that client stands on."""

from typing import Any

from config.broker import Channel
from config.celery import app


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
