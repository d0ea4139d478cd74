"""What a push says: what kind of event it is, about whom, when, and what its vendor wants to see again."""

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.pushes import PushEvent, PushRules
from providers.pushes.arrival import Arrival, Proven, PushRefused
from providers.pushes.read import PushedEvent, answer_to, delivery_id, read_events, unproven_answer
from tests.providers.pushes.arrivals import URL, arrival_of, proven_of, rules_of
from tests.vendor_pushes import VENDORS, Sent, Vendor

BY_SLUG = {vendor.slug: vendor for vendor in VENDORS}


def sent_by(vendor: Vendor, event: Any, *, at: float | None = None) -> tuple[Sent, list[PushedEvent]]:
    sent = vendor.send(vendor.secret, URL, event, time.time() if at is None else at)
    return sent, read_events(rules_of(vendor), arrival_of(sent), proven_of(vendor, sent))


@pytest.mark.parametrize("vendor", VENDORS, ids=str)
def test_each_kind_of_event_names_its_account(vendor: Vendor) -> None:
    for means in ("ended", "doubtful", "other"):
        make = getattr(vendor, means)
        if make is None:
            continue
        _, (event,) = sent_by(vendor, make(time.time()))
        assert event.means == means
        assert vendor.account in event.accounts
        assert (event.type == vendor.other_type) is (means == "other")


@pytest.mark.parametrize("slug", ["slack", "slack-user", "zoom", "stripe-connect", "square", "discord", "sandbox"])
def test_an_event_says_when_it_happened(slug: str) -> None:
    vendor, at = BY_SLUG[slug], float(int(time.time()) - 100)
    assert vendor.ended is not None
    _, (event,) = sent_by(vendor, vendor.ended(at))
    assert event.occurred_at is not None
    assert event.occurred_at.timestamp() == at


def test_whose_tokens_slack_has_revoked_decides_whom_it_is_about() -> None:
    slack, user = BY_SLUG["slack"], BY_SLUG["slack-user"]
    assert slack.ended is not None
    told = slack.ended(time.time())
    told["event"]["tokens"] = {"oauth": ["U1", "U2"], "bot": []}
    assert sent_by(slack, told)[1] == []
    assert [event.accounts for event in sent_by(user, told)[1]] == [("T061EG9R6:U1", "T061EG9R6:U2")]
    told["event"] = {"type": "app_uninstalled"}
    assert [(e.accounts, e.is_beginning) for e in sent_by(slack, told)[1]] == [(("T061EG9R6",), False)]
    assert [(e.accounts, e.is_beginning) for e in sent_by(user, told)[1]] == [(("T061EG9R6",), True)]


def test_slack_sees_its_challenge_again() -> None:
    slack = BY_SLUG["slack"]
    sent, events = sent_by(slack, {"token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV", "type": "url_verification"})
    answer = answer_to(rules_of(slack), arrival_of(sent), proven_of(slack, sent), secret=SecretStr(slack.secret))
    assert (answer is not None and answer.text, events) == ("3eZbrw1aBm2rZgRNFdxV", [])


def test_zoom_sees_that_we_know_the_secret() -> None:
    zoom = BY_SLUG["zoom"]
    sent, events = sent_by(
        zoom, {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
    )
    answer = answer_to(rules_of(zoom), arrival_of(sent), proven_of(zoom, sent), secret=SecretStr(zoom.secret))
    signed = hmac.new(zoom.secret.encode(), b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert answer is not None
    assert answer.members == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": signed}
    assert events == []


def test_microsoft_sees_its_token_again_and_nobody_else_is_answered_unproven() -> None:
    asked = Arrival("POST", "https://latchkey.example/pushes/1", {}, {"validationToken": "Validation: <b>1</b>"}, b"")
    answer = unproven_answer(rules_of(BY_SLUG["microsoft-graph"]), asked)
    assert answer is not None
    assert answer.text == "Validation: <b>1</b>"
    assert [unproven_answer(rules_of(vendor), asked) for vendor in VENDORS if vendor.slug != "microsoft-graph"] == [
        None
    ] * (len(VENDORS) - 1)


def test_several_events_are_read_apart() -> None:
    hubspot = BY_SLUG["hubspot"]
    told = [{"portalId": number, "subscriptionType": f"contact.{number}", "occurredAt": 1} for number in range(3)]
    _, events = sent_by(hubspot, told)
    assert [(event.type, event.accounts) for event in events] == [(f"contact.{n}", (str(n),)) for n in range(3)]


def plain(document: Any, **rules: Any) -> list[PushedEvent]:
    described = PushRules(**{"scheme": "hmac", "account": "/account", "events": (PushEvent(type="gone"),), **rules})
    return read_events(described, Arrival("POST", "", {}, {}, b""), Proven(document, None, b""))


@pytest.mark.parametrize("document", ["a", 1, True, [1], [[]], [{}, None], [{}] * 1001])
def test_what_is_no_event_is_refused(document: Any) -> None:
    with pytest.raises(PushRefused) as refused:
        plain(document)
    assert refused.value.why == "malformed"


@pytest.mark.parametrize("kind", [None, 5.5, True, [], {}, "", "\x00gone", "gone\n", "\ud800", "GONE", " gone"])
def test_a_type_that_is_not_the_entry_s_ends_nothing(kind: Any) -> None:
    assert [event.means for event in plain({"type": kind, "account": "a"})] in ([], ["other"])


@pytest.mark.parametrize(
    "account", [None, "", True, 1.5, {}, [], [None], "a\x00", "\ud800", "a\nb", "x" * 256, 10**300]
)
def test_an_account_that_is_none_names_nobody(account: Any) -> None:
    assert [event.accounts for event in plain({"type": "gone", "account": account})] == [()]


def test_an_account_is_taken_as_it_is_written() -> None:
    assert [event.accounts for event in plain({"type": "gone", "account": [7, "A", " a", "a", "a"]})] == [
        ("7", "A", " a", "a")
    ]


@pytest.mark.parametrize("names", [[""], ["x" * 200], [None, {}, "\x00"]], ids=["empty", "long", "none"])
def test_two_long_lists_are_not_combined_without_end(names: list[Any]) -> None:
    several = [*names, *(f"{name}{number}" for name in names for number in range(50_000))]
    begun_at = time.process_time()
    (event,) = plain({"type": "gone", "account": several, "user": several}, account="/account /user")
    assert time.process_time() - begun_at < 15
    assert len(event.accounts) <= 1000


def test_a_push_that_names_more_accounts_than_any_provider_does_is_refused() -> None:
    one = {"type": "gone", "account": [*range(700)]}
    assert sum(len(event.accounts) for event in plain([one, one])) == 1400
    with pytest.raises(PushRefused):
        plain([one, one, one])


@pytest.mark.parametrize("when", [None, "", "soon", True, [], 1e300, -1e300, 10**400, "9999-12-31T23:59:59-01:00"])
@pytest.mark.parametrize("unit", ["s", "ms", "text"])
def test_a_moment_that_is_none_is_left_out(when: Any, unit: str) -> None:
    (event,) = plain({"type": "gone", "account": "a", "at": when}, occurred_at="/at", occurred_unit=unit)
    assert event.occurred_at is None


def test_the_id_of_a_delivery_is_where_the_entry_says() -> None:
    github, stripe = BY_SLUG["github"], BY_SLUG["stripe-connect"]
    for vendor in (github, stripe):
        assert vendor.ended is not None
        sent, _ = sent_by(vendor, vendor.ended(time.time()))
        told = sent.headers["X-GitHub-Delivery"] if vendor is github else json.loads(sent.body)["id"]
        assert delivery_id(rules_of(vendor), arrival_of(sent), proven_of(vendor, sent)) == told
