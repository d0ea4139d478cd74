"""The constraints on webhook endpoints, secrets and deliveries: what breaks each, and what comes close."""

from typing import Any

from django.utils import timezone

from connections.models import OutboxEvent, ReceivedPush, WebhookDelivery, WebhookEndpoint, WebhookSecret
from tests.connections.models.issuers import Act


def endpoint(cast: Any, **values: Any) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(**{"tenant": cast.acme, "url": "https://x.example", "position": 0, **values})


def event() -> OutboxEvent:
    return OutboxEvent.objects.create(type="a.b")


def delivery(to: WebhookEndpoint, of: OutboxEvent, **values: Any) -> WebhookDelivery:
    return WebhookDelivery.objects.create(endpoint=to, event=of, lane=to.id, **values)


def secret(of: WebhookEndpoint, **values: Any) -> WebhookSecret:
    return WebhookSecret.objects.create(endpoint=of, secret=b"sealed", **values)


def delivered_twice(cast: Any) -> None:
    one, told = endpoint(cast), event()
    delivery(one, told)
    delivery(one, told)


def two_secrets(cast: Any) -> None:
    one = endpoint(cast)
    secret(one)
    secret(one)


def push(cast: Any, **values: Any) -> ReceivedPush:
    return ReceivedPush.objects.create(
        **{"provider_app": cast.app, "state": "done", "received_at": timezone.now(), **values}
    )


WEBHOOKS: dict[str, tuple[list[Act], list[Act]]] = {
    "push_once_a_delivery": (
        [lambda cast: [push(cast, delivery=b"1"), push(cast, delivery=b"1")]],
        [lambda cast: [push(cast, delivery=b"1"), push(cast, delivery=b"2"), push(cast), push(cast)]],
    ),
    "push_believed_once_a_proof": (
        [lambda cast: [push(cast, delivery=b"1", proof=b"1"), push(cast, delivery=b"2", proof=b"1")]],
        [
            lambda cast: [
                push(cast, delivery=b"1", proof=b"1"),
                push(cast, delivery=b"2", proof=b"1", is_echo=True),
                push(cast, delivery=b"3", proof=b"2"),
            ]
        ],
    ),
    "push_refused_for_a_reason": (
        [lambda cast: push(cast, state="refused"), lambda cast: push(cast, why="signature")],
        [lambda cast: [push(cast), push(cast, state="refused", why="signature")]],
    ),
    "push_orders_only_while_it_waits": (
        [lambda cast: push(cast, orders=[1])],
        [lambda cast: [push(cast, state="waiting", orders=[1]), push(cast, state="waiting")]],
    ),
    "webhook_endpoint_says_why_it_is_disabled": (
        [
            lambda cast: endpoint(cast, disabled_at=timezone.now()),
            lambda cast: endpoint(cast, disabled_reason="gone"),
            lambda cast: endpoint(cast, disabled_at=timezone.now(), disabled_reason="bored"),
        ],
        [lambda cast: endpoint(cast, disabled_at=timezone.now(), disabled_reason="gone")],
    ),
    "webhook_endpoint_fails_since_a_moment": (
        [lambda cast: endpoint(cast, failures=1), lambda cast: endpoint(cast, failing_since=timezone.now())],
        [lambda cast: endpoint(cast, failures=1, failing_since=timezone.now())],
    ),
    "webhook_endpoint_is_told_something": (
        [lambda cast: endpoint(cast, event_types=[])],
        [lambda cast: [endpoint(cast, event_types=types) for types in (None, ["a.b"])]],
    ),
    "webhook_endpoint_has_one_current_secret": (
        [two_secrets],
        [lambda cast: [secret(endpoint(cast)), secret(one := endpoint(cast)), secret(one, ends_at=timezone.now())]],
    ),
    "webhook_delivery_once": (
        [delivered_twice],
        [lambda cast: [delivery(one := endpoint(cast), event()), delivery(one, event())]],
    ),
    "webhook_delivery_ends_at_a_moment": (
        [
            lambda cast: delivery(endpoint(cast), event(), state="delivered"),
            lambda cast: delivery(endpoint(cast), event(), ended_at=timezone.now()),
        ],
        [lambda cast: delivery(endpoint(cast), event(), state="failed", ended_at=timezone.now())],
    ),
}
