"""The broker as this process knows it."""

from celery import current_app


def forget_broker() -> None:
    """Have the next task be sent over a new connection, to the broker that the settings name then."""
    current_app._pool = None
    current_app.amqp._producer_pool = None
