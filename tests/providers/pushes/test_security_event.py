"""Security event tokens: of Google's issuer, for our client, of these days, and signed by a key that it publishes."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from providers.catalog.loader import entry
from providers.catalog.pushes import PushRules
from providers.pushes.arrival import Arrival, PushRefused
from providers.pushes.read import PushedEvent, read_events
from providers.pushes.security_event import verified_token
from tests.issuing import ODD_CLAIMS, public_jwk, publish, sign, signed_with_the_public_key, unsigned
from tests.providers.conftest import Provider

pytestmark = pytest.mark.usefixtures("egress_policy")

GOOGLE = "https://accounts.google.com/"
REVOKED = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"
DISABLED = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
CLIENT = "123456789-abcedfgh.apps.googleusercontent.com"


@pytest.fixture
def rules(provider: Provider) -> PushRules:
    """Google's rules, with the keys at a server of ours."""
    publish(provider, public_jwk("one"))
    google = entry("google").push
    assert google is not None
    return google.model_copy(update={"jwks_url": f"{provider.url}/keys"})


def claims_of(kind: str = REVOKED, **changes: Any) -> dict[str, Any]:
    """The claims as Google's documentation has them."""
    subject = {"subject_type": "iss-sub", "iss": GOOGLE, "sub": "7375626A656374"}
    made = {
        "iss": GOOGLE,
        "aud": CLIENT,
        "iat": int(time.time()),
        "jti": uuid.uuid4().hex,
        "events": {kind: {"subject": subject}},
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not ...}


def arrival(token: str) -> Arrival:
    return Arrival("POST", "https://latchkey.example/pushes/1", {}, {}, token.encode())


def read(rules: PushRules, token: str, *, now: float | None = None) -> list[PushedEvent]:
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    came = arrival(token)
    return read_events(rules, came, verified_token(rules, came, client_id=CLIENT, now=moment))


def why(attempt: Callable[[], object]) -> str:
    with pytest.raises(PushRefused) as refused:
        attempt()
    return refused.value.why


@pytest.mark.parametrize(("kind", "means"), [(REVOKED, "ended"), (DISABLED, "doubtful"), ("urn:else", "other")])
def test_a_token_of_the_issuer_is_believed(rules: PushRules, kind: str, means: str) -> None:
    (event,) = read(rules, sign(claims_of(kind), "one", header={"typ": "secevent+jwt"}))
    assert (event.type, event.means, event.accounts) == (kind, means, ("7375626A656374",))


def test_our_client_may_be_one_of_several_audiences(rules: PushRules) -> None:
    assert read(rules, sign(claims_of(aud=["another", CLIENT]), "one"))


def test_a_token_may_come_days_late_and_no_later(rules: PushRules) -> None:
    token = sign(claims_of(), "one")
    assert read(rules, token, now=time.time() + 6 * 86_400)
    assert why(lambda: read(rules, token, now=time.time() + 8 * 86_400)) == "stale"
    assert why(lambda: read(rules, token, now=time.time() - 8 * 86_400)) == "stale"


def test_what_the_issuer_has_not_signed_is_refused(rules: PushRules) -> None:
    forged = [
        sign(claims_of(), "two"),
        sign(claims_of(), "two", header={"kid": "one"}),
        unsigned(claims_of(), {"alg": "none"}),
        signed_with_the_public_key(claims_of(), "one"),
    ]
    assert [why(partial(read, rules, token)) for token in forged] == ["signature"] * 4


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"iss": "https://accounts.google.com"}, "issuer"),
        ({"iss": "https://evil.example/"}, "issuer"),
        ({"iss": ...}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": ...}, "audience"),
        ({"aud": [CLIENT] * 101}, "audience"),
        ({"iat": ...}, "timestamp"),
        ({"iat": "1"}, "timestamp"),
        ({"iat": 1e300}, "timestamp"),
        ({"events": {}}, "token"),
        ({"events": []}, "token"),
        ({"events": ...}, "token"),
        ({"events": {str(number): {} for number in range(21)}}, "token"),
        ({"jti": ...}, "token"),
        ({"jti": 5}, "token"),
    ],
)
def test_a_token_that_says_something_else_is_refused(rules: PushRules, changes: dict[str, Any], told: str) -> None:
    assert why(lambda: read(rules, sign(claims_of(**changes), "one"))) == told


def test_a_token_that_is_not_for_us_makes_nobody_fetch_keys(rules: PushRules, provider: Provider) -> None:
    for changes in ({"iss": "https://evil.example/"}, {"aud": "another"}):
        why(partial(read, rules, sign(claims_of(**changes), "one")))
    assert provider.requests == []


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", 5, ["secevent+jwt"]])
def test_a_token_of_another_kind_is_refused(rules: PushRules, kind: Any) -> None:
    assert why(lambda: read(rules, sign(claims_of(), "one", header={"typ": kind}))) == "token"


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "x" * 70_000, "{}", ".."])
def test_what_is_no_token_is_refused(rules: PushRules, token: str) -> None:
    assert why(lambda: read(rules, token)) == "token"


def test_odd_claims_break_nothing(rules: PushRules) -> None:
    for odd in ODD_CLAIMS:
        for name in ("iss", "aud", "iat", "jti", "events"):
            try:
                read(rules, sign(claims_of(**{name: odd}), "one"))
            except PushRefused:
                continue
        for subject in (odd, {"subject": odd}, {"subject": {"sub": odd}}):
            for event in read(rules, sign(claims_of(events={REVOKED: subject}), "one")):
                assert all(account.isprintable() for account in event.accounts)


def test_keys_that_cannot_be_had_are_told_apart(rules: PushRules, provider: Provider) -> None:
    provider.answers_with(503, b"", path="/keys")
    assert why(lambda: read(rules, sign(claims_of(), "one"))) == "keys_unavailable"
