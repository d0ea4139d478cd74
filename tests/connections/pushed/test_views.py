"""The entrance: what a vendor sends ends what it is about, and whatever anybody else sends changes nothing at all."""

import hashlib
import hmac
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.push_secrets import add_push_secret, push_fingerprints, retire_push_secret
from connections.lifecycle.pushes import allowance
from connections.models import CredentialVersion, OutboxEvent, ProviderApp, ReceivedPush, Tenant
from tests.connections.lifecycle.observed import reload
from tests.pushing import BY_SLUG, SANDBOX, act_on_all, app_of, connection_at, post, push, sent_to, statuses
from tests.vendor_pushes import VENDORS, Sent, Vendor

pytestmark = pytest.mark.django_db(transaction=True)

ENDING = [vendor for vendor in VENDORS if vendor.ended is not None]


@pytest.mark.parametrize("vendor", ENDING, ids=str)
def test_what_a_vendor_says_is_gone_is_revoked(vendor: Vendor, acme: Tenant) -> None:
    app = app_of(vendor, acme)
    connection = connection_at(app, vendor, acme)
    other = connection_at(app, vendor, acme, account=f"{vendor.account}0")
    assert vendor.ended is not None
    assert push(app, vendor, vendor.ended(time.time())).status_code == vendor.success
    ended = reload(connection)
    assert (ended.status, ended.reason) == ("revoked", "provider_notified")
    assert ended.evidence["by"] == "push"
    assert not CredentialVersion.objects.filter(connection=ended).exists()
    assert statuses(other) == ["active"]
    (event,) = OutboxEvent.objects.filter(connection_id=connection.id, type="connection.revoked")
    assert event.payload["reason"] == "provider_notified"


@pytest.mark.parametrize("vendor", VENDORS, ids=str)
def test_what_is_forged_changes_nothing(vendor: Vendor, acme: Tenant) -> None:
    app = app_of(vendor, acme)
    connection = connection_at(app, vendor, acme)
    make: Any = vendor.ended or vendor.doubtful or vendor.other
    sent = sent_to(app, vendor, make(time.time()), secret="another-secret-of-8")
    if vendor.slug == "discord":
        signature = sent.headers["X-Signature-Ed25519"]
        sent = Sent({**sent.headers, "X-Signature-Ed25519": signature[::-1]}, sent.body)
    answer = post(app.id, sent)
    assert (answer.status_code, answer.json()) == (401, {"error": "refused"})
    act_on_all()
    assert statuses(connection) == ["active"]
    (row,) = ReceivedPush.objects.all()
    assert (row.state, row.why, row.event_types, row.orders) == ("refused", "signature", [], [])


@pytest.mark.parametrize("vendor", ENDING, ids=str)
def test_a_push_that_comes_again_does_nothing_more(vendor: Vendor, acme: Tenant) -> None:
    app = app_of(vendor, acme)
    assert vendor.ended is not None
    sent = sent_to(app, vendor, vendor.ended(time.time()))
    assert post(app.id, sent).status_code == vendor.success
    act_on_all()
    late = connection_at(app, vendor, acme)
    assert post(app.id, sent).status_code == vendor.success
    act_on_all()
    assert statuses(late) == ["active"]
    (row,) = ReceivedPush.objects.all()
    assert row.repeats == 1


@pytest.mark.parametrize("vendor", [one for one in ENDING if not one.dated and one.slug != "square"], ids=str)
def test_a_signature_that_comes_again_under_another_delivery_ends_nothing(vendor: Vendor, acme: Tenant) -> None:
    """Neither the id nor the time of such a delivery is signed: so whoever has kept one can send it again."""
    app = app_of(vendor, acme)
    assert vendor.ended is not None
    sent = sent_to(app, vendor, vendor.ended(time.time()))
    post(app.id, sent)
    act_on_all()
    connected_anew = connection_at(app, vendor, acme)
    for name in ("X-GitHub-Delivery", "X-Shopify-Webhook-Id"):
        if name in sent.headers:
            sent.headers[name] = str(uuid.uuid4())
    assert post(app.id, sent).status_code == 200
    act_on_all()
    assert statuses(connected_anew) == ["active"]
    assert reload(connected_anew).probe_due_at is not None
    assert [row.is_echo for row in ReceivedPush.objects.order_by("received_at")] == [False, True]


@pytest.mark.parametrize("vendor", [one for one in ENDING if one.dated], ids=str)
def test_a_push_that_was_kept_back_changes_nothing(vendor: Vendor, acme: Tenant) -> None:
    app = app_of(vendor, acme)
    connection = connection_at(app, vendor, acme)
    assert vendor.ended is not None
    long_ago = time.time() - 8 * 86_400
    assert push(app, vendor, vendor.ended(long_ago), at=long_ago).status_code == 401
    assert statuses(connection) == ["active"]
    assert [row.why for row in ReceivedPush.objects.all()] == ["stale"]


@pytest.mark.parametrize("vendor", ENDING, ids=str)
def test_a_push_reaches_no_connection_of_another_app_or_tenant(vendor: Vendor, acme: Tenant, globex: Tenant) -> None:
    another = "ab" * 32 if vendor.slug == "discord" else "a-secret-of-globex"
    ours, theirs = app_of(vendor, acme), app_of(vendor, globex, secret=another)
    mine, other = connection_at(ours, vendor, acme), connection_at(theirs, vendor, globex)
    assert vendor.ended is not None
    sent = sent_to(ours, vendor, vendor.ended(time.time()))
    assert post(theirs.id, sent).status_code == 401
    assert post(ours.id, sent).status_code == vendor.success
    act_on_all()
    assert statuses(mine, other) == ["revoked", "active"]


def test_a_shared_app_s_push_ends_each_tenant_s_connection_of_the_account_once(acme: Tenant, globex: Tenant) -> None:
    app = app_of(SANDBOX, None)
    ended = [connection_at(app, SANDBOX, tenant) for tenant in (acme, globex, acme)]
    spared = [connection_at(app, SANDBOX, tenant, account="person-1002") for tenant in (acme, globex)]
    assert SANDBOX.ended is not None
    for _ in range(2):
        assert push(app, SANDBOX, SANDBOX.ended(time.time())).status_code == 200
    assert statuses(*ended, *spared) == ["revoked"] * 3 + ["active"] * 2
    told = OutboxEvent.objects.filter(type="connection.revoked")
    assert sorted(event.connection_id for event in told) == sorted(connection.id for connection in ended)
    assert sorted(ReceivedPush.objects.values_list("ended", flat=True)) == [0, 3]


NO_EVENTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"x",
    "latin-1": '{"type": "é"}'.encode("latin-1"),
    "a name twice": b'{"type": "grant.revoked", "account": "person-1001", "account": "person-1002"}',
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "a list of lists": b"[[1]]",
    "a number": b"5",
    "a text": b'"grant.revoked"',
    "not a number": b'{"account": NaN}',
    "a huge number": b'{"account": ' + b"9" * 9000 + b"}",
    "NUL": b"\x00",
}
ODD_EVENTS: list[Any] = [
    None,
    {},
    [],
    {"type": None},
    {"type": []},
    {"type": {"a": 1}, "account": "person-1001"},
    {"type": "grant.revoked"},
    {"type": "grant.revoked", "account": None},
    {"type": "grant.revoked", "account": {}},
    {"type": "grant.revoked", "account": "person-1001\x00"},
    {"type": "grant.revoked", "account": "\ud800"},
    {"type": "grant.revoked", "account": "%"},
    {"type": "grant.revoked", "account": ["x"] * 5000},
    {"type": "grant.revoked\x00", "account": "person-1001"},
    {"type": "x" * 5000, "account": "y" * 5000},
    {"type": "\ud800", "id": "\ud800", "account": "a"},
    {"type": "grant.revoked", "account": "nobody", "occurred_at": 1e300, "id": "\x00"},
    {"type": "grant.revoked", "account": "nobody", "occurred_at": "soon", "id": 10**400},
    {"type": "file.changed", "account": ["person-1001"], "content": {"deep": [[[[{}]]]]}},
]


def test_no_body_makes_us_fail(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    connection = connection_at(app, SANDBOX, acme)
    for body in NO_EVENTS.values():
        made = sent_to(app, SANDBOX, {})
        stamp = made.headers["Sandbox-Timestamp"]
        signature = hmac.new(SANDBOX.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        answer = post(app.id, Sent({"Sandbox-Timestamp": stamp, "Sandbox-Signature": f"v1={signature}"}, body))
        assert (answer.status_code, answer.json()) == (400, {"error": "refused"})
    for event in ODD_EVENTS:
        assert push(app, SANDBOX, event).status_code in (200, 400)
    assert statuses(connection) == ["active"]


def test_a_body_that_is_too_long_is_not_read(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    assert post(app.id, Sent({}, b" " * 1_048_577)).status_code == 413
    assert not ReceivedPush.objects.exists()


def test_an_address_of_nobody_s_answers_like_one_that_gets_no_pushes(acme: Tenant) -> None:
    silent = app_of(SANDBOX, acme)
    ProviderApp.objects.filter(id=silent.id).update(provider="notion")
    sent = sent_to(silent, SANDBOX, {})
    answers = [post(app_id, sent) for app_id in (silent.id, uuid.uuid4())]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, {"error": "not_found"})] * 2
    assert Client().get(f"/pushes/{silent.id}").status_code == 405


def test_a_flood_is_stopped_before_any_work(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    forged = sent_to(app, SANDBOX, {}, secret="another-secret-of-8")
    answers = [post(app.id, forged).status_code for _ in range(40)]
    assert answers[:30] == [401] * 30
    assert answers[-5:] == [429] * 5
    assert post(app.id, forged).headers["Retry-After"] == "5"
    assert ReceivedPush.objects.count() == 1
    assert SANDBOX.ended is not None
    sent = sent_to(app, SANDBOX, SANDBOX.ended(time.time()))
    assert post(app.id, sent, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_stranger_s_flood_leaves_the_provider_s_pushes_their_room(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    forged = sent_to(app, SANDBOX, {}, secret="another-secret-of-8")
    for _ in range(int(allowance.AT_ONCE) + 50):
        post(app.id, forged)
    assert SANDBOX.ended is not None
    sent = sent_to(app, SANDBOX, SANDBOX.ended(time.time()))
    assert post(app.id, sent, REMOTE_ADDR="192.0.2.7").status_code == 200


@pytest.mark.parametrize("length", ["9" * 13, "9" * 5000])
def test_a_length_that_is_no_sensible_number_is_too_large(acme: Tenant, length: str) -> None:
    app = app_of(SANDBOX, acme)
    answer = post(app.id, sent_to(app, SANDBOX, {}), CONTENT_LENGTH=length)
    assert (answer.status_code, answer.json()) == (413, {"error": "too_large"})


def test_an_answer_is_no_page_and_is_not_kept(acme: Tenant) -> None:
    app = app_of(BY_SLUG["microsoft-graph"], acme)
    answer = Client().post(f"/pushes/{app.id}?validationToken=%3Cscript%3E1%3C/script%3E", content_type="text/plain")
    assert answer.content == b"<script>1</script>"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_zoom_is_answered_what_it_asks(acme: Tenant) -> None:
    zoom = BY_SLUG["zoom"]
    app = app_of(zoom, acme)
    answer = push(app, zoom, {"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}})
    assert answer.json()["plainToken"] == "abc"
    assert not ReceivedPush.objects.exists()


def test_a_security_event_token_is_refused_as_its_rfc_says(acme: Tenant) -> None:
    app = ProviderApp.objects.create(
        tenant=acme, provider="google", auth_style="oauth2_authorization_code", name="Google", client_id="client"
    )
    answer = Client().post(f"/pushes/{app.id}", b"a.b.c", content_type="application/secevent+jwt")
    assert answer.status_code == 400
    assert answer.json()["err"] == "invalid_request"


def test_nothing_of_a_push_is_kept_but_its_kind(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    connection_at(app, SANDBOX, acme)
    assert SANDBOX.ended is not None
    push(app, SANDBOX, {**SANDBOX.ended(time.time()), "note": "a-word-of-theirs"})
    (row,) = ReceivedPush.objects.values()
    assert "a-word-of-theirs" not in json.dumps(row, default=str)
    assert (row["event_types"], row["orders"]) == (["grant.revoked"], [])


def test_one_delivery_that_comes_many_times_at_once_is_taken_once(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    connection = connection_at(app, SANDBOX, acme)
    assert SANDBOX.ended is not None
    sent = sent_to(app, SANDBOX, SANDBOX.ended(time.time()))

    def send(_: int) -> int:
        try:
            return int(post(app.id, sent).status_code)
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(16))) == {200}
    act_on_all()
    (row,) = ReceivedPush.objects.all()
    assert (row.repeats, row.ended) == (15, 1)
    assert OutboxEvent.objects.filter(connection_id=connection.id, type="connection.revoked").count() == 1


@pytest.mark.parametrize("name", ["X-GitHub-Delivery", "X-Shopify-Webhook-Id"])
def test_of_copies_that_come_at_once_under_different_deliveries_one_is_believed(acme: Tenant, name: str) -> None:
    vendor = BY_SLUG["github" if "GitHub" in name else "shopify"]
    app = app_of(vendor, acme)
    assert vendor.ended is not None
    sent = sent_to(app, vendor, vendor.ended(time.time()))

    def send(_: int) -> int:
        try:
            copy = Sent({**sent.headers, name: str(uuid.uuid4())}, sent.body)
            return int(post(app.id, copy).status_code)
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(16))) == {200}
    taken = ReceivedPush.objects.all()
    assert sorted(order["means"] for row in taken for order in row.orders) == ["doubtful"] * 15 + ["ended"]
    assert [row.is_echo for row in taken].count(False) == 1


@pytest.mark.parametrize(
    ("broken", "status"),
    [("push_once_a_delivery", 503), ("push_believed_once_a_proof", 503), ("another_constraint", 500)],
)
def test_what_could_not_be_kept_is_not_said_to_be_taken(acme: Tenant, broken: str, status: int) -> None:
    """As where the row of a delivery is deleted when its second copy comes, or where a constraint is added later."""
    vendor = BY_SLUG["github"]
    app = app_of(vendor, acme)
    assert vendor.ended is not None
    sent = sent_to(app, vendor, vendor.ended(time.time()))
    refuse = f"RAISE unique_violation USING MESSAGE = 'It breaks \"{broken}\".'"
    with database.cursor() as cursor:
        cursor.execute(f"CREATE FUNCTION no_push() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse}; END $$")
        cursor.execute("CREATE TRIGGER no_push BEFORE INSERT ON connections_receivedpush EXECUTE FUNCTION no_push()")
    try:
        answer = Client(raise_request_exception=False).post(
            f"/pushes/{app.id}", sent.body, content_type="application/json", headers=sent.headers
        )
        assert answer.status_code == status
        if status == 503:
            assert int(answer["Retry-After"]) > 0
    finally:
        with database.cursor() as cursor:
            cursor.execute("DROP FUNCTION no_push CASCADE")
    assert not ReceivedPush.objects.exists()
    assert post(app.id, sent).status_code == vendor.success
    assert ReceivedPush.objects.count() == 1


def test_no_push_is_lost_while_its_secret_is_replaced(acme: Tenant) -> None:
    """What was taken by the secret of before is acted on; once that is retired, nothing more comes by it."""
    app = app_of(SANDBOX, acme)
    accounts = [f"person-{number}" for number in range(12)]
    connections = [connection_at(app, SANDBOX, acme, account=account) for account in accounts]
    (before,) = push_fingerprints(app)

    def send(account: str) -> int:
        try:
            event = {"id": account, "type": "grant.revoked", "account": account}
            return int(post(app.id, sent_to(app, SANDBOX, event)).status_code)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(send, accounts)
        add_push_secret(app, "the-secret-of-from-now-on", actor=SYSTEM)
        assert set(answers) == {200}
    retire_push_secret(app, before, actor=SYSTEM)
    assert send("person-0") == 401
    act_on_all()
    assert set(statuses(*connections)) == {"revoked"}


def test_a_body_of_unknown_length_is_refused(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    for headers in ({"Transfer-Encoding": "chunked"}, {"Content-Length": "-1"}, {"Content-Length": "many"}):
        answer = Client().generic("POST", f"/pushes/{app.id}", b"{}", headers=headers)
        assert answer.status_code == 411
