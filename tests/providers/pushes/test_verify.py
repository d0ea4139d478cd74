"""A push is believed if its vendor's own rule says so, and if nothing of it was changed, kept back or made up."""

import dataclasses
import json
import time
from collections.abc import Callable
from functools import partial

import pytest

from providers.pushes.arrival import PushRefused
from tests.providers.pushes.arrivals import URL, an_event, proven_of, rules_of
from tests.vendor_pushes import VENDORS, Sent, Vendor, signed_request

SIGNING = [vendor for vendor in VENDORS if rules_of(vendor).scheme in ("hmac", "ed25519")]
DATED = [vendor for vendor in VENDORS if vendor.dated]


def push_of(vendor: Vendor, *, secret: str = "", at: float | None = None, url: str = URL) -> Sent:
    moment = time.time() if at is None else at
    return vendor.send(secret or vendor.secret, url, an_event(vendor, moment), moment)


def why(attempt: Callable[[], object]) -> str:
    with pytest.raises(PushRefused) as refused:
        attempt()
    return refused.value.why


@pytest.mark.parametrize("vendor", VENDORS, ids=str)
def test_what_the_vendor_sends_is_believed(vendor: Vendor) -> None:
    proven = proven_of(vendor, push_of(vendor))
    assert (proven.signed_at is not None) is vendor.dated


@pytest.mark.parametrize("vendor", [one for one in VENDORS if one.slug != "discord"], ids=str)
def test_what_is_signed_with_another_secret_is_refused(vendor: Vendor) -> None:
    assert why(lambda: proven_of(vendor, push_of(vendor, secret="a-secret-of-somebody-else"))) == "signature"


def test_what_another_key_pair_has_signed_is_refused() -> None:
    (discord,) = [one for one in VENDORS if one.slug == "discord"]
    assert why(lambda: proven_of(discord, push_of(discord), secrets=("00" * 31 + "01",))) == "signature"
    assert why(lambda: proven_of(discord, push_of(discord), secrets=("no key",))) == "signature"


@pytest.mark.parametrize("vendor", SIGNING, ids=str)
def test_a_body_that_was_changed_is_refused(vendor: Vendor) -> None:
    sent = push_of(vendor)
    for changed in (sent.body + b" ", sent.body[:-1], sent.body.replace(b'"', b"'", 1), b""):
        assert changed != sent.body
        assert why(partial(proven_of, vendor, dataclasses.replace(sent, body=changed))) == "signature"


@pytest.mark.parametrize("vendor", SIGNING, ids=str)
def test_each_flipped_character_of_a_signature_is_noticed(vendor: Vendor) -> None:
    sent, header = push_of(vendor), rules_of(vendor).signature or ""
    signature = sent.headers[header]
    begins = len(rules_of(vendor).signature_prefix)
    if member := rules_of(vendor).signature_member:
        begins = signature.index(f"{member}=") + len(member) + 1
    for place in (begins, begins + 5, begins + 30):
        other = "0" if signature[place] != "0" else "1"
        forged = signature[:place] + other + signature[place + 1 :]
        headers = {**sent.headers, header: forged}
        assert why(partial(proven_of, vendor, Sent(headers, sent.body))) == "signature"


@pytest.mark.parametrize("vendor", SIGNING, ids=str)
@pytest.mark.parametrize("signature", ["", " ", "v0=", "sha256=", "t=1,v1=", "é", "x" * 5000, "v1=" * 500, "\x00"])
def test_what_is_no_signature_is_refused(vendor: Vendor, signature: str) -> None:
    sent = push_of(vendor)
    headers = {**sent.headers, rules_of(vendor).signature or "": signature}
    assert why(lambda: proven_of(vendor, Sent(headers, sent.body))) in ("signature", "signature_missing", "timestamp")


@pytest.mark.parametrize("vendor", SIGNING, ids=str)
def test_a_push_without_its_headers_is_refused(vendor: Vendor) -> None:
    assert why(lambda: proven_of(vendor, Sent({}, push_of(vendor).body))) == "signature_missing"


@pytest.mark.parametrize("vendor", DATED, ids=str)
@pytest.mark.parametrize("apart", [1, 3600])
def test_a_push_that_was_kept_back_is_refused(vendor: Vendor, apart: int) -> None:
    now = time.time()
    for at in (now - rules_of(vendor).max_age_seconds - apart, now + rules_of(vendor).max_age_seconds + apart + 1):
        assert why(partial(proven_of, vendor, push_of(vendor, at=at), now=now)) == "stale"


@pytest.mark.parametrize("vendor", DATED, ids=str)
def test_a_push_of_a_few_minutes_is_believed(vendor: Vendor) -> None:
    now = float(int(time.time()))
    assert proven_of(vendor, push_of(vendor, at=now - 299), now=now).signed_at is not None


@pytest.mark.parametrize("vendor", [vendor for vendor in DATED if vendor in SIGNING], ids=str)
@pytest.mark.parametrize("stamp", ["", "soon", "-1", "1e9", "9" * 17, "١٢٣", "1.5", "0x10"])
def test_a_moment_that_is_none_is_refused(vendor: Vendor, stamp: str) -> None:
    sent, rules = push_of(vendor), rules_of(vendor)
    headers = dict(sent.headers)
    if rules.timestamp is not None:
        headers[rules.timestamp] = stamp
    else:
        signature = headers[rules.signature or ""]
        headers[rules.signature or ""] = f"t={stamp}," + signature.partition(",")[2]
    assert why(lambda: proven_of(vendor, Sent(headers, sent.body))) in ("timestamp", "signature")


@pytest.mark.parametrize("vendor", [one for one in VENDORS if one.slug in ("hubspot", "square")], ids=str)
def test_what_was_signed_for_another_address_is_refused(vendor: Vendor) -> None:
    sent = push_of(vendor, url="https://latchkey.example/pushes/another")
    assert why(lambda: proven_of(vendor, sent)) == "signature"


@pytest.mark.parametrize("vendor", [one for one in VENDORS if one.slug != "discord"], ids=str)
def test_both_secrets_are_known_while_one_takes_over(vendor: Vendor) -> None:
    for secret in ("the-new-secret", "the-old-secret"):
        assert proven_of(vendor, push_of(vendor, secret=secret), secrets=("the-new-secret", "the-old-secret"))


@pytest.mark.parametrize("vendor", VENDORS, ids=str)
def test_nothing_is_believed_without_a_secret(vendor: Vendor) -> None:
    sent = push_of(vendor, secret=" ")
    assert why(lambda: proven_of(dataclasses.replace(vendor, secret=""), sent, secrets=("",))) == "signature"


@pytest.mark.parametrize("place", [16, 40, 60, 80, -1])
def test_each_flipped_character_of_a_signed_request_is_noticed(place: int) -> None:
    (meta,) = [one for one in VENDORS if one.slug == "facebook-ads"]
    body = bytearray(push_of(meta).body)
    body[place] = ord("A") if body[place] != ord("A") else ord("B")
    assert why(lambda: proven_of(meta, Sent({}, bytes(body)))) == "signature"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "signature_missing"),
        (b"{}", "malformed"),
        (b"signed_request", "malformed"),
        ("signed_request=é".encode(), "malformed"),
        (b"signed_request=", "signature_missing"),
        (b"another=a.b", "signature_missing"),
        (b"signed_request=a", "signature_missing"),
        (b"signed_request=a.b.c", "signature_missing"),
        (b"signed_request=a.b&signed_request=a.b", "signature_missing"),
        (b"signed_request=.", "signature"),
        (b"signed_request=%ed%a0%80.%00", "signature"),
        (b"&".join(b"a%d=1" % number for number in range(50)), "malformed"),
    ],
)
def test_what_is_no_signed_request_is_refused(body: bytes, expected: str) -> None:
    (meta,) = [one for one in VENDORS if one.slug == "facebook-ads"]
    assert why(lambda: proven_of(meta, Sent({}, body))) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"algorithm": "none", "issued_at": 1}, "signature"),
        ({"issued_at": 1}, "signature"),
        ({"algorithm": "HMAC-SHA256"}, "timestamp"),
        ({"algorithm": "HMAC-SHA256", "issued_at": True}, "timestamp"),
        ({"algorithm": "HMAC-SHA256", "issued_at": "1"}, "timestamp"),
        ({"algorithm": "HMAC-SHA256", "issued_at": 10**30}, "timestamp"),
        ({"algorithm": "HMAC-SHA256", "issued_at": 1}, "stale"),
        ({"algorithm": "HMAC-SHA256", "issued_at": 1, "code": "AQB", "user_id": "218471"}, "signature"),
        ({"algorithm": "HMAC-SHA256", "issued_at": 1, "oauth_token": "EAA", "user_id": "218471"}, "signature"),
        ([], "signature"),
        ("no JSON", "malformed"),
    ],
)
def test_what_a_signed_request_says_of_itself_has_to_be_so(said: object, expected: str) -> None:
    (meta,) = [one for one in VENDORS if one.slug == "facebook-ads"]
    sent = signed_request(meta.secret, b"{" if said == "no JSON" else json.dumps(said).encode())
    assert why(lambda: proven_of(meta, sent)) == expected


def test_each_event_has_to_bring_the_shared_secret() -> None:
    (graph,) = [one for one in VENDORS if one.slug == "microsoft-graph"]
    told = b'{"value": [{"clientState": "a-push-secret-of-theirs"}, {"clientState": %s}]}'
    for other in (b'"x"', b"null", b"5", b'"\\ud800"', b"{}"):
        assert why(partial(proven_of, graph, Sent({}, told % other))) in ("signature", "signature_missing")
    assert why(lambda: proven_of(graph, Sent({}, b'{"value": []}'))) == "signature_missing"
