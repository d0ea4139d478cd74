"""``/webhook-endpoints``: from adding one to having its events delivered once more."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from connections.database.clock import database_now
from connections.lifecycle.webhooks.deliver import deliver
from connections.models import Permission, Tenant, WebhookEndpoint
from tests.factories import Caller, make_caller
from tests.flows import call
from tests.receiver import Receiver, emit, receiver, upstream

__all__ = ["receiver", "upstream"]

pytestmark = pytest.mark.django_db(transaction=True)

ONE = uuid.UUID(int=1)


@pytest.fixture
def keeper(acme: Tenant) -> Caller:
    """A client of acme's that may keep webhook endpoints."""
    return make_caller(acme, "keeper", [Permission.WEBHOOKS])


def added(keeper: Caller, receiver: Receiver, path: str = "", **terms: Any) -> dict[str, Any]:
    answer = call(keeper, "POST", f"/webhook-endpoints{path}", {"url": receiver.url, **terms})
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    made: dict[str, Any] = answer.json()
    receiver.secret = made["secret"]
    return made


def test_an_endpoint_lives_from_being_added_to_being_removed(keeper: Caller, receiver: Receiver, acme: Tenant) -> None:
    made = added(keeper, receiver, description="CRM sync", event_types=["connection.revoked", "connection.refreshed"])
    path = f"/webhook-endpoints/{made['id']}"
    shown = call(keeper, "GET", path).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert (shown["tenant"], shown["enabled"], shown["description"]) == ("acme", True, "CRM sync")
    assert call(keeper, "GET", "/webhook-endpoints").json()["items"] == [shown]
    changed = call(keeper, "PUT", path, {"url": f"{receiver.server.url}/new"}).json()
    assert (changed["url"], changed["event_types"]) == (f"{receiver.server.url}/new", None)
    emit(acme, 1, connection=ONE)
    deliver(uuid.UUID(made["id"]))
    seen = receiver.seen[-1]
    assert Webhook(made["secret"]).verify(seen.body, dict(seen.headers))["data"] == {"number": 1}
    assert call(keeper, "DELETE", path).status_code == 204
    assert call(keeper, "GET", path).status_code == 404


def test_deliveries_are_shown_and_sent_again(keeper: Caller, receiver: Receiver, acme: Tenant) -> None:
    made = added(keeper, receiver)
    path = f"/webhook-endpoints/{made['id']}"
    receiver.answers("500 Oops")
    emit(acme, 1, 2, connection=ONE)
    deliver(uuid.UUID(made["id"]))
    second, first = call(keeper, "GET", f"{path}/deliveries").json()["items"]
    assert (first["state"], first["attempts"], first["status"], first["type"]) == (
        "pending",
        1,
        500,
        "connection.refreshed",
    )
    assert first["error"] == "The receiver answered with status 500."
    assert first["next_attempt_at"] is not None
    assert (second["attempts"], second["attempted_at"]) == (0, None)
    receiver.answers("200 OK")
    again = call(keeper, "POST", f"{path}/deliveries/{first['id']}/resend").json()
    assert (again["state"], again["next_attempt_at"]) == ("pending", None)
    deliver(uuid.UUID(made["id"]))
    assert receiver.numbers() == [1, 1, 2]
    assert call(keeper, "GET", f"{path}/deliveries?state=pending").json()["items"] == []
    since = (database_now() - timedelta(minutes=5)).isoformat()
    assert call(keeper, "POST", f"{path}/replay", {"since": since}).json() == {"events": 2}
    deliver(uuid.UUID(made["id"]))
    assert receiver.numbers() == [1, 1, 2, 1, 2]


def test_a_disabled_endpoint_goes_on_where_it_stood(keeper: Caller, receiver: Receiver, acme: Tenant) -> None:
    made = added(keeper, receiver)
    path = f"/webhook-endpoints/{made['id']}"
    off = call(keeper, "PUT", f"{path}/switches", {"enabled": False}).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "operator")
    emit(acme, 1)
    on = call(keeper, "PUT", f"{path}/switches", {"enabled": True}).json()
    assert (on["enabled"], on["disabled_reason"], on["fell_out"]) == (True, None, 0)
    deliver(uuid.UUID(made["id"]))
    assert {event["type"] for event in receiver.came} == {
        "webhook_endpoint.disabled",
        "connection.refreshed",
        "webhook_endpoint.enabled",
    }


def test_a_secret_is_shown_once_and_rotated(keeper: Caller, receiver: Receiver, acme: Tenant) -> None:
    made = added(keeper, receiver)
    path = f"/webhook-endpoints/{made['id']}"
    fresh = call(keeper, "POST", f"{path}/secrets", {"overlap_seconds": 0}).json()["secret"]
    assert fresh.startswith("whsec_")
    assert fresh != made["secret"]
    told = call(keeper, "POST", f"{path}/test").json()
    assert (told["delivered"], told["status"], told["error"]) == (True, 204, "")
    seen = receiver.seen[-1]
    assert Webhook(fresh).verify(seen.body, dict(seen.headers))["type"] == "webhook.test"
    everything = call(keeper, "GET", path).content + call(keeper, "GET", "/webhook-endpoints").content
    assert b"whsec_" not in everything


def test_a_repeated_call_makes_one_endpoint_and_shows_no_secret(keeper: Caller, receiver: Receiver) -> None:
    key = {"Idempotency-Key": "k-1"}
    body = {"url": receiver.url}
    first, second = (call(keeper, "POST", "/webhook-endpoints", body, headers=key).json() for _ in range(2))
    assert first["id"] == second["id"]
    assert second["secret"] is None
    assert WebhookEndpoint.objects.count() == 1


def test_a_test_event_says_why_it_was_not_taken(keeper: Caller, receiver: Receiver) -> None:
    made = added(keeper, receiver)
    receiver.answers("302 Found", "Location: http://127.0.0.1:1/")
    told = call(keeper, "POST", f"/webhook-endpoints/{made['id']}/test").json()
    assert (told["delivered"], told["status"]) == (False, 302)
    assert told["error"] == "The server answered with a redirect, which is not followed."


def test_an_operator_wide_client_keeps_the_operators_and_any_tenants_endpoints(
    receiver: Receiver, acme: Tenant, globex: Tenant
) -> None:
    operator = make_caller(None, "operator", [Permission.WEBHOOKS])
    own = added(operator, receiver)
    acmes = added(operator, receiver, "?tenant=acme")
    assert (own["tenant"], acmes["tenant"]) == (None, "acme")
    assert [row["id"] for row in call(operator, "GET", "/webhook-endpoints").json()["items"]] == [own["id"]]
    assert call(operator, "GET", f"/webhook-endpoints/{acmes['id']}").status_code == 404
    assert call(operator, "GET", f"/webhook-endpoints/{acmes['id']}?tenant=acme").status_code == 200
    keeper = make_caller(acme, "keeper", [Permission.WEBHOOKS])
    assert call(keeper, "GET", f"/webhook-endpoints/{own['id']}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "https://10.0.0.1/"},
        {"url": "https://hooks.example", "event_types": []},
        {"url": "https://hooks.example", "event_types": ["no.such"]},
        {"url": "https://hooks.example", "secret": "mine"},
    ],
)
def test_what_cannot_be_is_refused(keeper: Caller, body: dict[str, Any]) -> None:
    answer = call(keeper, "POST", "/webhook-endpoints", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
