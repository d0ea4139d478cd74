"""Deliver: everything arrives, in the order of its connection, whatever a receiver does."""

import json
import threading
import uuid
from typing import Any

import pytest
from django.db import connection as database
from standardwebhooks import Webhook

from connections.database.clock import database_now
from connections.lifecycle.webhooks import deliver as run
from connections.lifecycle.webhooks import post as posting
from connections.lifecycle.webhooks.deliver import deliver
from connections.models import DeliveryState, OutboxEvent, Tenant, WebhookDelivery, WebhookEndpoint
from tests.connections.lifecycle.webhooks.later import later
from tests.deadlines import cut_short
from tests.factories import make_tenant
from tests.receiver import Receiver, add, emit
from tests.upstream import Wire, ok

ONE, TWO, THREE = (uuid.UUID(int=number) for number in (1, 2, 3))


def states(endpoint: WebhookEndpoint) -> list[str]:
    return list(endpoint.deliveries.order_by("event_id").values_list("state", flat=True))


def test_an_event_arrives_as_the_library_of_the_standard_verifies_it(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    (event,) = emit(acme, 1, connection=ONE)
    assert deliver(endpoint.id) == 1
    (seen,) = receiver.seen
    told = Webhook(receiver.secret).verify(seen.body, dict(seen.headers))
    assert told == {
        "id": str(event.event_id),
        "type": "connection.refreshed",
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "tenant": "acme",
        "connection": str(ONE),
        "data": {"number": 1},
        "created_at": event.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert seen.line.startswith("POST /hooks ")
    assert seen.one("webhook-id") == str(event.event_id)
    delivery = endpoint.deliveries.get()
    assert (delivery.state, delivery.attempts, delivery.answer_status, delivery.error) == ("delivered", 1, 204, "")


def test_an_endpoint_is_told_what_it_asks_for_of_its_own_tenant(
    receiver: Receiver, acme: Tenant, globex: Tenant
) -> None:
    endpoint = add(receiver, acme, event_types=["connection.revoked"])
    emit(acme, 1)
    emit(globex, 2, type_="connection.revoked")
    emit(None, 3, type_="connection.revoked")
    emit(acme, 4, type_="connection.revoked")
    assert deliver(endpoint.id) == 1
    assert receiver.numbers() == [4]
    endpoint.refresh_from_db()
    assert endpoint.position == OutboxEvent.objects.latest("id").id


def test_an_endpoint_of_the_operator_is_told_of_every_tenant_and_of_the_operator(
    receiver: Receiver, acme: Tenant, globex: Tenant
) -> None:
    endpoint = add(receiver, None)
    for number, tenant in enumerate((acme, globex, None)):
        emit(tenant, number)
    deliver(endpoint.id)
    assert {event["data"]["number"]: event["tenant"] for event in receiver.came} == {0: "acme", 1: "globex", 2: None}


def test_events_of_before_are_not_told(receiver: Receiver, acme: Tenant) -> None:
    emit(acme, 1)
    endpoint = add(receiver, acme)
    emit(acme, 2)
    deliver(endpoint.id)
    assert receiver.numbers() == [2]


def test_each_connection_keeps_its_order_while_many_go_at_once(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    lanes = [uuid.uuid4() for _ in range(20)]
    for number in range(10):
        for lane in lanes:
            emit(acme, number, connection=lane)
    assert deliver(endpoint.id) == 200
    assert all(receiver.numbers(lane) == list(range(10)) for lane in lanes)


def test_a_lane_waits_for_what_is_not_taken_and_no_other_lane_does(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1, 2, 3, connection=ONE)
    emit(acme, 11, 12, connection=TWO)
    receiver.answer = lambda event: ok(status="500 Oops" if event["data"]["number"] == 2 else "200 OK")
    deliver(endpoint.id)
    assert sorted(receiver.numbers()) == [1, 2, 11, 12]
    assert states(endpoint) == ["delivered", "pending", "pending", "delivered", "delivered"]
    emit(acme, 4, connection=ONE)
    emit(acme, 13, connection=TWO)
    deliver(endpoint.id)
    assert receiver.numbers(ONE) == [1, 2]
    assert receiver.numbers(TWO) == [11, 12, 13]
    receiver.answers("200 OK")
    later(endpoint, seconds=10)
    deliver(endpoint.id)
    assert receiver.numbers(ONE) == [1, 2, 2, 3, 4]
    assert set(states(endpoint)) == {"delivered"}


def test_a_receiver_that_is_away_is_asked_once_a_turn_and_then_gets_all_in_order(
    receiver: Receiver, acme: Tenant
) -> None:
    endpoint = add(receiver, acme)
    receiver.answer = lambda event: None
    emit(acme, 1, 2, connection=ONE)
    emit(acme, 3, connection=TWO)
    deliver(endpoint.id)
    tried = len(receiver.came)
    assert tried <= 2  # a lane each
    endpoint.refresh_from_db()
    assert endpoint.held_until is not None and endpoint.failing_since is not None
    assert deliver(endpoint.id) == 0
    assert len(receiver.came) == tried
    for _ in range(3):
        later(endpoint, hours=6)
        assert deliver(endpoint.id) == 0
    assert len(receiver.came) == tried + 3
    receiver.answers("200 OK")
    receiver.came.clear()
    later(endpoint, hours=6)
    assert deliver(endpoint.id) == 3
    assert receiver.numbers(ONE) == [1, 2]
    assert receiver.numbers(TWO) == [3]
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.held_until) == (0, None, None)


def test_a_receiver_that_stalls_costs_no_longer_than_the_deadline(
    receiver: Receiver, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = add(receiver, acme)
    goes_on = threading.Event()

    def stall(wire: Wire) -> None:
        wire.read_body()
        while not goes_on.wait(0.05):  # a byte now and then would keep a time limit of the socket from ending it
            wire.answer(b"H")

    receiver.server.handle = stall
    late = "The server did not answer completely in time."

    def try_it(seconds: float) -> WebhookDelivery:
        monkeypatch.setattr(posting, "TOTAL_SECONDS", seconds)
        later(endpoint, hours=1)
        assert deliver(endpoint.id) == 0
        return endpoint.deliveries.get()

    emit(acme, 1)
    try:
        delivery = cut_short(try_it, has_begun=lambda delivery: delivery.error == late, seconds=0.3)
    finally:
        goes_on.set()
    assert (delivery.state, delivery.answer_status) == ("pending", None)
    assert delivery.error == late


def test_the_head_of_an_answer_says_it_whatever_its_body_does(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    bodies = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz",
        ok(b"x" * 1_000_000),
    ]
    emit(acme, 0, 1, 2, 3)
    receiver.answer = lambda event: bodies[event["data"]["number"]]
    deliver(endpoint.id)
    later(endpoint, hours=1)
    deliver(endpoint.id)
    assert receiver.numbers() == [0, 1, 2, 3]
    assert set(states(endpoint)) == {"delivered"}


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_not_followed(receiver: Receiver, acme: Tenant, status: str) -> None:
    endpoint = add(receiver, acme)
    receiver.answers(status, f"Location: {receiver.server.url}/elsewhere")
    emit(acme, 1)
    deliver(endpoint.id)
    assert [seen.target for seen in receiver.seen] == ["/hooks"]
    delivery = endpoint.deliveries.get()
    assert (delivery.state, delivery.answer_status) == ("pending", int(status[:3]))


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/hooks",
        "https://[fd00:ec2::254]/hooks",
        "https://[::ffff:10.0.0.1]/hooks",
        "http://93.184.215.14/hooks",
    ],
)
def test_nothing_is_sent_to_an_address_that_came_to_be_forbidden(receiver: Receiver, acme: Tenant, url: str) -> None:
    endpoint = add(receiver, acme)
    WebhookEndpoint.objects.filter(id=endpoint.id).update(url=url)
    emit(acme, 1)
    assert deliver(endpoint.id) == 0
    delivery = endpoint.deliveries.get()
    assert (delivery.state, delivery.answer_status) == ("pending", None)
    assert delivery.error in ("The server's address is not one that may be called.", "Only https is called.")
    assert not receiver.seen


def test_nothing_leaves_for_a_suspended_tenant_and_nothing_is_lost(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1)
    Tenant.objects.filter(id=acme.id).update(suspended_at=database_now())
    assert deliver(endpoint.id) == 0
    assert not receiver.seen
    Tenant.objects.filter(id=acme.id).update(suspended_at=None)
    assert deliver(endpoint.id) == 1


def test_a_tenant_that_is_suspended_during_a_run_is_told_no_more(
    receiver: Receiver, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 7)  # what has been read may all be sent before this process looks
    endpoint = add(receiver, acme)
    emit(acme, *range(50), connection=ONE)

    def suspend(event: dict[str, Any]) -> bytes:
        if event["data"]["number"] == 0:
            Tenant.objects.filter(id=acme.id).update(suspended_at=database_now())
            database.close()
        return ok()

    receiver.answer = suspend
    assert 0 < deliver(endpoint.id) < 50


def test_a_second_run_leaves_at_once_while_the_first_holds_the_lease(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1, 2, connection=ONE)
    inner: list[int] = []

    def meanwhile(event: dict[str, Any]) -> bytes:
        inner.append(deliver(endpoint.id))
        database.close()
        return ok()

    receiver.answer = meanwhile
    assert deliver(endpoint.id) == 2
    assert inner == [0, 0]
    assert receiver.numbers() == [1, 2]


def test_a_run_whose_lease_was_taken_stores_nothing_and_goes_no_further(
    receiver: Receiver, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 7)
    endpoint = add(receiver, acme)
    emit(acme, *range(50), connection=ONE)

    def steal(event: dict[str, Any]) -> bytes:
        WebhookEndpoint.objects.filter(id=endpoint.id).update(lease_id=uuid.uuid4())
        database.close()
        return ok()

    receiver.answer = steal
    deliver(endpoint.id)
    assert set(states(endpoint)) == {"pending"}
    assert len(receiver.came) < 50
    endpoint.refresh_from_db()
    assert endpoint.lease_id is not None


def test_a_request_leaves_only_while_it_ends_within_the_lease(
    receiver: Receiver, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LEASE_SECONDS", run.TOTAL_SECONDS + run._SPARE_SECONDS - 1)
    endpoint = add(receiver, acme)
    emit(acme, 1)
    monkeypatch.setattr(run, "RUN_SECONDS", 0.2)
    assert deliver(endpoint.id) == 0
    assert not receiver.came
    assert endpoint.deliveries.get().attempts == 0


def test_a_run_that_died_is_followed_by_one_that_sends_the_same_again_in_order(
    receiver: Receiver, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1, 2, 3, connection=ONE)

    class Died(BaseException):
        pass

    def die(*_: Any, **__: Any) -> bool:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(run, "settle", die)
        patch.setattr(run, "_release", lambda _: None)
        with pytest.raises(Died):
            deliver(endpoint.id)
    sent = receiver.numbers()
    assert sent == [1, 2, 3][: len(sent)] and sent
    assert deliver(endpoint.id) == 0  # the lease stands
    later(endpoint, seconds=31)
    receiver.came.clear()
    assert deliver(endpoint.id) == 3
    assert receiver.numbers() == [1, 2, 3]


def test_a_large_backlog_is_taken_up_where_a_run_has_left_it(
    receiver: Receiver, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "RUN_SECONDS", 0.15)
    monkeypatch.setattr(run, "BATCH", 7)
    endpoint = add(receiver, acme)
    emit(acme, *range(60), connection=ONE)
    runs = 0
    while len(receiver.came) < 60:
        deliver(endpoint.id)
        runs += 1
        assert runs < 1000
    assert receiver.numbers() == list(range(60))
    assert WebhookDelivery.objects.filter(state=DeliveryState.PENDING).count() == 0


def test_an_endpoint_whose_secret_does_not_open_sends_nothing(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    other = add(receiver, make_tenant("initech"))
    stolen = other.secrets.get().secret
    secret = endpoint.secrets.get()
    secret.secret = stolen
    secret.save()
    emit(acme, 1)
    assert deliver(endpoint.id) == 0
    assert not receiver.seen


def test_nothing_secret_is_in_what_is_sent_or_kept(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1)
    receiver.answers("500 Oops", "X-Echo: hush-hush")
    deliver(endpoint.id)
    assert receiver.secret not in repr(receiver.seen)
    kept = json.dumps([*WebhookDelivery.objects.values()], default=str)
    assert "hush-hush" not in kept
