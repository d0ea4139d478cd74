"""The broker as this process knows it, and what waits there."""

import base64
import json

import redis
from django.conf import settings

from config.celery import app


def forget_broker() -> None:
    """Have the next task be sent over a new connection, to the broker that the settings name then."""
    app._pool = None
    app.amqp._producer_pool = None


def taken_messages() -> list[tuple[str, list[str]]]:
    """Take the messages off the queues, as a worker would, and return of each its task and its arguments."""
    found = []
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        for queue in ("refresh", "probe", "celery"):
            for raw in broker.lrange(queue, 0, -1):
                message = json.loads(raw)
                arguments, *_ = json.loads(base64.b64decode(message["body"]))
                found.append((message["headers"]["task"], arguments))
            broker.delete(queue)
    return found
