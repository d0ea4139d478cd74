"""Events to deliver: ``python -m tests.campaigns.webhook_events URL CONNECTIONS EVENTS FIRST``, for a stack.

Adds an endpoint at URL unless there is one, writes EVENTS events, numbered from FIRST, of CONNECTIONS connections in
turn, and prints how many.
"""

import sys
import uuid

import django

django.setup()

from django.db import transaction  # noqa: E402 - the apps must be ready

from connections.database.clock import database_now  # noqa: E402 - the apps must be ready
from connections.journal import events  # noqa: E402 - the apps must be ready
from connections.journal.audit import SYSTEM  # noqa: E402 - the apps must be ready
from connections.journal.event_types import EventType  # noqa: E402 - the apps must be ready
from connections.lifecycle.webhooks.endpoints import Terms, add_endpoint  # noqa: E402 - the apps must be ready
from connections.models import WebhookEndpoint  # noqa: E402 - the apps must be ready

_A_TRANSACTION = 500


def write(url: str, *, connections: int, count: int, first: int) -> None:
    """Write the events, some hundred in a transaction."""
    if not WebhookEndpoint.objects.filter(url=url).exists():
        add_endpoint(Terms(url), tenant=None, now=database_now(), actor=SYSTEM)
    for begin in range(first, first + count, _A_TRANSACTION):
        with transaction.atomic():
            for number in range(begin, min(begin + _A_TRANSACTION, first + count)):
                about = uuid.UUID(int=number % connections + 1)
                events.emit_of_tenant(EventType.REFRESHED, None, connection_id=about, payload={"number": number})


if __name__ == "__main__":
    write(sys.argv[1], connections=int(sys.argv[2]), count=int(sys.argv[3]), first=int(sys.argv[4]))
    print(sys.argv[3])
