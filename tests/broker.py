"""The broker as this process knows it."""

from config.celery import app


def forget_broker() -> None:
    """Have the next task be sent over a new connection, to the broker that the settings name then."""
    app._pool = None
    app.amqp._producer_pool = None
