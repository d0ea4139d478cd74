"""Endpoints: only addresses that may be called, secrets that overlap, and a trail of who did what."""

from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.webhooks import endpoints
from connections.lifecycle.webhooks.deliver import deliver
from connections.lifecycle.webhooks.endpoints import (
    Terms,
    add_endpoint,
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from connections.models import AuditEvent, OutboxEvent, Tenant, WebhookDelivery, WebhookEndpoint, WebhookSecret
from connections.refusals import InvalidRequest
from tests.receiver import Receiver, add, emit

OLGA = Actor(operator="olga")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks",
        "ftp://hooks.example/x",
        "http://hooks.example/x",
        "https://user:pass@hooks.example/x",
        "https://169.254.169.254/x",
        "https://10.1.2.3/x",
        "https://[::1]:0/x",
        "https://hooks.example/x#part",
        "https://hooks.example/a b",
        "https://hooks.example/\n",
        "https://höoks.example/x",
        "https://hooks.example/" + "x" * 1000,
    ],
)
def test_an_address_that_may_not_be_called_is_refused(acme: Tenant, url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        add_endpoint(Terms(url), tenant=acme, now=database_now(), actor=SYSTEM)
    assert refused.value.extra == {"field": "url"}
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("types", [[], ["connection.*"], ["connection.refreshed", "nothing.happened"]])
def test_types_that_do_not_exist_are_refused(acme: Tenant, types: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        add_endpoint(Terms("https://hooks.example/", "", types), tenant=acme, now=database_now(), actor=SYSTEM)
    assert refused.value.extra == {"field": "event_types"}


def test_a_tenant_has_a_limited_number_of_endpoints(
    receiver: Receiver, acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 1)
    add(receiver, acme)
    add(receiver, globex)
    add(receiver, None)
    for tenant in (acme, None):
        with pytest.raises(InvalidRequest):
            add(receiver, tenant)


def verified(receiver: Receiver, secret: str) -> bool:
    seen = receiver.seen[-1]
    try:
        Webhook(secret).verify(seen.body, dict(seen.headers))
    except WebhookVerificationError:
        return False
    return True


def test_a_rotation_lets_both_secrets_verify_until_the_earlier_one_ends(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    earlier, now = receiver.secret, database_now()
    fresh = rotate_secret(endpoint.id, now=now, overlap=timedelta(hours=1), actor=OLGA).secret.get_secret_value()
    emit(acme, 1)
    deliver(endpoint.id)
    assert (verified(receiver, earlier), verified(receiver, fresh)) == (True, True)
    WebhookSecret.objects.exclude(ends_at=None).update(ends_at=database_now())
    emit(acme, 2)
    deliver(endpoint.id)
    assert (verified(receiver, earlier), verified(receiver, fresh)) == (False, True)
    detail = AuditEvent.objects.get(action="webhook_endpoint.secret_rotated").detail
    assert detail["earlier_secrets_end_at"] == (now + timedelta(hours=1)).isoformat()


def test_a_rotation_without_an_overlap_ends_every_earlier_secret_at_once(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    second = rotate_secret(endpoint.id, now=database_now(), actor=OLGA).secret.get_secret_value()
    third = rotate_secret(endpoint.id, now=database_now(), overlap=timedelta(0), actor=OLGA).secret.get_secret_value()
    emit(acme, 1)
    deliver(endpoint.id)
    assert [verified(receiver, secret) for secret in (receiver.secret, second, third)] == [False, False, True]


def test_secrets_overlap_for_thirty_days_and_five_at_a_time_at_most(receiver: Receiver, acme: Tenant) -> None:
    endpoint, now = add(receiver, acme), database_now()
    with pytest.raises(InvalidRequest):
        rotate_secret(endpoint.id, now=now, overlap=timedelta(days=31), actor=OLGA)
    for _ in range(4):
        rotate_secret(endpoint.id, now=now, actor=OLGA)
    with pytest.raises(InvalidRequest):
        rotate_secret(endpoint.id, now=now, actor=OLGA)
    rotate_secret(endpoint.id, now=now, overlap=timedelta(0), actor=OLGA)


def test_secrets_are_sealed_and_in_no_trail(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    stored = bytes(endpoint.secrets.get().secret.stored)
    assert receiver.secret.removeprefix("whsec_").encode() not in stored
    kept: list[Any] = [*AuditEvent.objects.values(), *OutboxEvent.objects.values()]
    assert receiver.secret not in repr(kept)


def test_an_endpoint_that_moves_gets_what_waits_for_it(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    receiver.answer = lambda event: None
    emit(acme, 1)
    deliver(endpoint.id)
    receiver.answers("200 OK")
    change_endpoint(endpoint.id, Terms(f"{receiver.server.url}/new", "moved"), actor=OLGA)
    assert deliver(endpoint.id) == 1
    assert receiver.seen[-1].target == "/new"


def test_to_disable_and_to_enable_are_told_once(receiver: Receiver, acme: Tenant) -> None:
    endpoint, now = add(receiver, acme), database_now()
    for _ in range(2):
        disable_endpoint(endpoint.id, now=now, actor=OLGA)
    for _ in range(2):
        enable_endpoint(endpoint.id, now=now, actor=OLGA)
    types = list(OutboxEvent.objects.order_by("id").values_list("type", flat=True))
    assert types == ["webhook_endpoint.disabled", "webhook_endpoint.enabled"]
    assert AuditEvent.objects.filter(operator="olga").count() == 2


def test_with_an_endpoint_go_its_secrets_and_deliveries(receiver: Receiver, acme: Tenant) -> None:
    endpoint, other = add(receiver, acme), add(receiver, acme)
    emit(acme, 1)
    for one in (endpoint, other):
        deliver(one.id)
    remove_endpoint(endpoint.id, actor=OLGA)
    assert list(WebhookEndpoint.objects.all()) == [other]
    assert WebhookSecret.objects.count() == WebhookDelivery.objects.count() == 1
    assert AuditEvent.objects.get(action="webhook_endpoint.removed").operator == "olga"
