"""The pages of webhook endpoints and deliveries: everything that the API does, and a secret that is shown once."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from standardwebhooks import Webhook

from connections.lifecycle.webhooks.deliver import deliver
from connections.models import DisabledReason, WebhookDelivery, WebhookEndpoint
from tests.connections.admin.conftest import PASSWORD, list_url, messages_of, page_url, press_url, prove, unproven
from tests.receiver import Receiver, add, emit, receiver, upstream

__all__ = ["receiver", "upstream"]

pytestmark = pytest.mark.django_db(transaction=True)
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")


def secret_on(html: str) -> str:
    (found,) = set(_SECRET.findall(html))
    return found


def press(browser: Client, endpoint: WebhookEndpoint, verb: str, **data: Any) -> Any:
    return browser.post(press_url(endpoint, verb), data, follow=True)


def test_an_endpoint_is_added_with_a_proof_and_its_secret_is_shown_once(
    olga: Client, receiver: Receiver, acme: Any
) -> None:
    url = reverse("admin:connections_webhookendpoint_add")
    given = {"url": receiver.url, "tenant": acme.pk, "event_types": ["connection.refreshed"]}
    assert unproven(olga).post(url, given)["Location"].startswith("/admin/account/prove/")
    assert not WebhookEndpoint.objects.exists()
    prove(olga, User.objects.get(username="olga"))
    refused = olga.post(url, given | {"url": "https://10.0.0.1/"}).content.decode()
    assert "may not be called from here" in refused
    answer = olga.post(url, given)
    assert "no-store" in answer["Cache-Control"]
    secret = secret_on(answer.content.decode())
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.tenant_id, endpoint.event_types) == (acme.pk, ["connection.refreshed"])
    emit(acme, 1)
    deliver(endpoint.id)
    seen = receiver.seen[-1]
    assert Webhook(secret).verify(seen.body, dict(seen.headers))["data"] == {"number": 1}
    for page in (page_url(endpoint), list_url(WebhookEndpoint), page_url(endpoint.deliveries.get())):
        assert "whsec_" not in olga.get(page).content.decode()


def test_buttons_test_change_rotate_disable_enable_replay_and_remove(
    olga: Client, receiver: Receiver, acme: Any
) -> None:
    endpoint = add(receiver, acme)
    assert messages_of(press(olga, endpoint, "test"))[0].startswith("Taken: status 204 after")
    receiver.answers("404 Not Found")
    assert messages_of(press(olga, endpoint, "test")) == ["Not taken: The receiver answered with status 404."]
    receiver.answers("200 OK")
    press(olga, endpoint, "change", url=f"{receiver.server.url}/new", password=PASSWORD)
    fresh = secret_on(press(olga, endpoint, "rotate", overlap_hours="0", password=PASSWORD).content.decode())
    assert fresh != receiver.secret
    press(olga, endpoint, "disable")
    endpoint.refresh_from_db()
    assert (endpoint.disabled_reason, endpoint.url) == ("operator", f"{receiver.server.url}/new")
    emit(acme, 1)
    assert messages_of(press(olga, endpoint, "enable")) == ["It goes on where it stood."]
    deliver(endpoint.id)
    assert 1 in [event["data"].get("number") for event in receiver.came]
    assert messages_of(press(olga, endpoint, "replay", hours="1"))[0].endswith("events are delivered once more.")
    assert press(olga, endpoint, "remove").status_code == 200
    assert not WebhookEndpoint.objects.exists()


def test_a_delivery_is_made_once_more_by_its_button(olga: Client, receiver: Receiver, acme: Any) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1)
    deliver(endpoint.id)
    delivery = WebhookDelivery.objects.get()
    olga.post(press_url(delivery, "resend"))
    deliver(endpoint.id)
    assert receiver.numbers() == [1, 1]


def test_the_first_page_tells_of_endpoints_that_were_disabled(olga: Client, receiver: Receiver, acme: Any) -> None:
    words = "Webhook endpoints that were disabled because they take nothing"
    endpoint = add(receiver, acme)
    assert words not in olga.get("/admin/").content.decode()
    receiver.answers("410 Gone")
    emit(acme, 1)
    deliver(endpoint.id)
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == DisabledReason.GONE
    assert words in olga.get("/admin/").content.decode()
    assert "It answered 410 Gone" in olga.get(list_url(WebhookEndpoint)).content.decode()
