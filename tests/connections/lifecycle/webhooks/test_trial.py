"""Trial: a test event goes out at once, signed, and changes nothing."""

import pytest
from standardwebhooks import Webhook

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.webhooks.endpoints import disable_endpoint
from connections.lifecycle.webhooks.trial import send_test
from connections.models import AuditEvent, OutboxEvent, Tenant, WebhookEndpoint
from connections.refusals import Suspended
from tests.receiver import Receiver, add


def test_a_test_event_is_signed_and_says_what_came(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    disable_endpoint(endpoint.id, now=database_now(), actor=SYSTEM)
    before = WebhookEndpoint.objects.values().get()
    outcome = send_test(endpoint.id, now=database_now(), actor=SYSTEM)
    assert (outcome.is_taken, outcome.status, outcome.error) == (True, 204, "")
    seen = receiver.seen[-1]
    told = Webhook(receiver.secret).verify(seen.body, dict(seen.headers))
    assert (told["type"], told["tenant"]) == ("webhook.test", "acme")
    assert WebhookEndpoint.objects.values().get() == before
    assert not OutboxEvent.objects.filter(type="webhook.test").exists()


def test_a_test_that_fails_says_why(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    receiver.answers("404 Not Found")
    outcome = send_test(endpoint.id, now=database_now(), actor=SYSTEM)
    assert (outcome.is_taken, outcome.status) == (False, 404)
    assert outcome.error == "The receiver answered with status 404."
    assert AuditEvent.objects.get(action="webhook_endpoint.tested").decision == "failed"


def test_no_test_leaves_for_a_suspended_tenant(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    Tenant.objects.filter(id=acme.id).update(suspended_at=database_now())
    with pytest.raises(Suspended):
        send_test(endpoint.id, now=database_now(), actor=SYSTEM)
    assert not receiver.seen
