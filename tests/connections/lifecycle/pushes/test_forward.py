"""What a provider pushes of anything but grants reaches the endpoints that chose it, and is kept nowhere else."""

import json
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.delete_tenant import continue_deletion, order_deletion
from connections.lifecycle.housekeeping import sweep_old
from connections.lifecycle.webhooks import content
from connections.lifecycle.webhooks.deliver import deliver
from connections.models import OutboxEvent, ProviderApp, PushContent, ReceivedPush, Tenant, WebhookEndpoint
from tests.pushing import BY_SLUG, SANDBOX, app_of, connection_at, post, push, sent_to
from tests.receiver import Receiver, add, receiver, upstream
from tests.upstream import ok
from tests.vendor_pushes import VENDORS, Vendor

__all__ = ["receiver", "upstream"]
pytestmark = pytest.mark.django_db(transaction=True)

OTHER = [vendor for vendor in VENDORS if vendor.other is not None]
CHOSEN: dict[str, Any] = {"event_types": ["provider.event"]}


@pytest.fixture
def app(acme: Tenant) -> ProviderApp:
    return app_of(SANDBOX, acme)


def changed(**members: Any) -> dict[str, Any]:
    return {"id": uuid.uuid4().hex, "type": "file.changed", "account": SANDBOX.account, **members}


@pytest.mark.parametrize("vendor", OTHER, ids=str)
def test_what_a_vendor_says_arrives_signed_by_us(vendor: Vendor, acme: Tenant, receiver: Receiver) -> None:
    app = app_of(vendor, acme)
    connection = connection_at(app, vendor, acme)
    endpoint = add(receiver, acme, **CHOSEN)
    assert vendor.other is not None
    said = vendor.other(time.time())
    assert push(app, vendor, said).status_code == vendor.success
    assert deliver(endpoint.id) == 1
    (seen,) = receiver.seen
    told = Webhook(receiver.secret).verify(seen.body, dict(seen.headers))
    assert (told["type"], told["connection"], told["tenant"]) == ("provider.event", str(connection.id), "acme")
    assert told["data"]["provider_event"] == vendor.other_type
    assert told["data"]["provider"] == vendor.slug
    sent = json.loads(sent_to(app, vendor, said).body)
    first = sent.get("value", sent.get("events", [sent]))[0] if isinstance(sent, dict) else sent[0]
    assert told["data"]["content"].keys() == first.keys()
    assert not PushContent.objects.exists()


def test_nothing_is_written_where_nobody_asked_by_name(app: ProviderApp, acme: Tenant, receiver: Receiver) -> None:
    connection_at(app, SANDBOX, acme)
    add(receiver, acme)
    add(receiver, acme, event_types=["connection.revoked"])
    push(app, SANDBOX, changed())
    assert not OutboxEvent.objects.filter(type="provider.event").exists()
    assert not PushContent.objects.exists()
    assert ReceivedPush.objects.get().forwarded == 0


def test_an_endpoint_of_every_type_is_not_told_what_another_asked_for(
    app: ProviderApp, acme: Tenant, receiver: Receiver
) -> None:
    connection_at(app, SANDBOX, acme)
    everything = add(receiver, acme)
    asked = add(receiver, acme, **CHOSEN)
    push(app, SANDBOX, changed())
    assert [deliver(everything.id), deliver(asked.id)] == [0, 1]


def test_a_tenant_is_told_of_its_own_connections_alone(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    shared = app_of(SANDBOX, None)
    mine = connection_at(shared, SANDBOX, acme)
    connection_at(shared, SANDBOX, globex)
    connection_at(shared, SANDBOX, acme, account="person-1002")
    endpoint = add(receiver, acme, **CHOSEN)
    push(shared, SANDBOX, changed())
    assert deliver(endpoint.id) == 1
    assert [event["connection"] for event in receiver.came] == [str(mine.id)]
    assert OutboxEvent.objects.filter(type="provider.event").count() == 1


def test_the_operator_s_own_endpoint_is_told_of_every_tenant(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    shared = app_of(SANDBOX, None)
    for tenant in (acme, globex):
        connection_at(shared, SANDBOX, tenant)
    endpoint = add(receiver, None, **CHOSEN)
    push(shared, SANDBOX, changed())
    assert deliver(endpoint.id) == 2
    assert {event["tenant"] for event in receiver.came} == {"acme", "globex"}
    assert not PushContent.objects.exists()


def test_what_waits_is_sealed_and_the_outbox_does_not_have_it(
    app: ProviderApp, acme: Tenant, receiver: Receiver
) -> None:
    connection_at(app, SANDBOX, acme)
    add(receiver, acme, **CHOSEN)
    push(app, SANDBOX, changed(note="a-word-of-theirs"))
    (row,) = PushContent.objects.all()
    assert b"a-word-of-theirs" not in row.content.stored
    event = OutboxEvent.objects.get(type="provider.event")
    assert "a-word-of-theirs" not in json.dumps(event.payload)
    assert content.contents_of([event])[event.id]["note"] == "a-word-of-theirs"


def test_what_was_said_stays_until_the_last_who_asked_has_it(
    app: ProviderApp, acme: Tenant, receiver: Receiver
) -> None:
    connection_at(app, SANDBOX, acme)
    first, second = add(receiver, acme, **CHOSEN), add(receiver, None, **CHOSEN)
    push(app, SANDBOX, changed())
    receiver.answers("503 Service Unavailable")
    deliver(first.id)
    assert PushContent.objects.exists()
    receiver.answer = lambda event: ok(status="204 No Content")
    WebhookEndpoint.objects.update(held_until=None)
    deliver(first.id)
    assert PushContent.objects.exists()
    deliver(second.id)
    assert not PushContent.objects.exists()


def test_what_nobody_fetched_for_days_is_destroyed(app: ProviderApp, acme: Tenant, receiver: Receiver) -> None:
    connection_at(app, SANDBOX, acme)
    endpoint = add(receiver, acme, **CHOSEN)
    push(app, SANDBOX, changed())
    sweep_old(now=database_now() + timedelta(days=2, hours=23))
    assert PushContent.objects.exists()
    sweep_old(now=database_now() + timedelta(days=3, minutes=1))
    assert not PushContent.objects.exists()
    assert deliver(endpoint.id) == 1
    assert receiver.came[0]["data"]["content"] is None


def test_what_is_very_large_is_left_out(app: ProviderApp, acme: Tenant, receiver: Receiver) -> None:
    connection_at(app, SANDBOX, acme)
    endpoint = add(receiver, acme, **CHOSEN)
    push(app, SANDBOX, changed(note="x" * 300_000))
    assert deliver(endpoint.id) == 1
    assert receiver.came[0]["data"]["content"] is None


def test_odd_text_is_passed_on_as_it_can_be(app: ProviderApp, acme: Tenant, receiver: Receiver) -> None:
    connection_at(app, SANDBOX, acme)
    endpoint = add(receiver, acme, **CHOSEN)
    push(app, SANDBOX, changed(note="\x00\ud800é", number=10**300))
    assert deliver(endpoint.id) == 1
    assert receiver.came[0]["data"]["content"]["note"].endswith("é")


def test_a_signature_that_comes_again_is_not_passed_on(acme: Tenant, receiver: Receiver) -> None:
    shopify = BY_SLUG["shopify"]
    app = app_of(shopify, acme)
    connection_at(app, shopify, acme)
    connection_at(app, shopify, acme, account="another")
    endpoint = add(receiver, acme, **CHOSEN)
    assert shopify.other is not None
    sent = sent_to(app, shopify, shopify.other(1.0))
    post(app.id, sent)
    sent.headers.update({"X-Shopify-Webhook-Id": "another", "X-Shopify-Shop-Domain": "another.myshopify.com"})
    post(app.id, sent)
    assert deliver(endpoint.id) == 1


def test_old_pushes_go_and_those_by_which_a_repetition_is_known_stay(app: ProviderApp, acme: Tenant) -> None:
    push(app, SANDBOX, changed())
    push(app_of(BY_SLUG["github"], acme), BY_SLUG["github"], {"_event": "ping", "zen": "Design for failure."})
    post(app.id, sent_to(app, SANDBOX, {}, secret="another-secret-of-8"))
    sweep_old(now=database_now() + timedelta(days=29))
    assert ReceivedPush.objects.count() == 3
    sweep_old(now=database_now() + timedelta(days=31))
    assert [row.is_dated for row in ReceivedPush.objects.all()] == [False]
    sweep_old(now=database_now() + timedelta(days=401))
    assert not ReceivedPush.objects.exists()


def test_a_tenant_that_is_deleted_leaves_neither_words_nor_secrets(
    app: ProviderApp, acme: Tenant, receiver: Receiver
) -> None:
    connection_at(app, SANDBOX, acme)
    add(receiver, acme, **CHOSEN)
    push(app, SANDBOX, changed())
    assert PushContent.objects.exists()
    order_deletion(acme.id, now=database_now(), at_once=True, actor=SYSTEM)
    for _ in range(5):
        if continue_deletion(acme.id, now=database_now() + timedelta(hours=25)).is_done:
            break
    assert not PushContent.objects.exists()
    assert not ProviderApp.objects.filter(id=app.id).exists()
    assert not ReceivedPush.objects.exists()


def test_words_that_were_moved_to_another_tenant_s_event_do_not_open(
    app: ProviderApp, acme: Tenant, globex: Tenant, receiver: Receiver
) -> None:
    """Words that were moved beside the event of another tenant are no words there."""
    theirs = app_of(SANDBOX, globex)
    for tenant, owner in ((acme, app), (globex, theirs)):
        connection_at(owner, SANDBOX, tenant)
        add(receiver, tenant, **CHOSEN)
        push(owner, SANDBOX, changed(note=tenant.slug))
    mine, other = OutboxEvent.objects.filter(type="provider.event").order_by("id")
    stolen = PushContent.objects.get(event=mine).content
    PushContent.objects.filter(event=other).update(content=stolen)
    assert content.contents_of([other]) == {}
    assert content.contents_of([mine])[mine.id]["note"] == "acme"
