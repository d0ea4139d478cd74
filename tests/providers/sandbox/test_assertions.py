"""What the sandbox believes of what others sign: each rule has an assertion that breaks it alone."""

import time
import uuid
from typing import Any

import jwt
import pytest

from providers.sandbox.assertions import Refused, Replays, judge
from providers.signing.key_set import PublishedKey, key_set
from providers.signing.keys import make_key_pair
from providers.vocabulary import SigningAlgorithm

PAIR, OTHER = (make_key_pair(SigningAlgorithm.ES256) for _ in "12")
KEYS = key_set([PublishedKey("k1", PAIR.algorithm, PAIR.public_key)])["keys"]
NOW = time.time()


def claims(**changes: Any) -> dict[str, Any]:
    """Return good claims, changed; None leaves one out."""
    said = {"iss": "c1", "aud": "https://as.example", "iat": NOW - 30, "exp": NOW + 60, "jti": uuid.uuid4().hex}
    said |= changes
    return {name: value for name, value in said.items() if value is not None}


def believed(
    said: dict[str, Any], *, kid: str | None = "k1", pair: Any = PAIR, algorithm: str = "ES256", replays: Any = None
) -> dict[str, Any]:
    header = {} if kid is None else {"kid": kid}
    token = jwt.encode(said, pair.private_key.get_secret_value(), algorithm=algorithm, headers=header)
    return judge(token, keys=KEYS, audiences=("https://as.example",), replays=replays or Replays(), now=NOW)


@pytest.mark.parametrize("kid", ["k1", None])
def test_a_good_one_is_believed_with_or_without_a_kid(kid: str | None) -> None:
    said = claims()
    assert believed(said, kid=kid) == said | {"kid": kid or ""}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"aud": "https://other.example"}, "wrong_audience"),
        ({"aud": ["https://as.example"]}, "wrong_audience"),
        ({"exp": None}, "no_times"),
        ({"iat": None}, "no_times"),
        ({"exp": NOW - 1}, "assertion_expired"),
        ({"iat": NOW + 1}, "issued_in_the_future"),
        ({"exp": NOW + 4000}, "lives_too_long"),
        ({"jti": None}, "no_jti"),
    ],
)
def test_each_rule_refuses_what_breaks_it(changes: dict[str, Any], outcome: str) -> None:
    with pytest.raises(Refused, match=outcome):
        believed(claims(**changes))


def test_a_stranger_s_signature_is_none() -> None:
    with pytest.raises(Refused, match="bad_signature"):
        believed(claims(), pair=OTHER)
    with pytest.raises(Refused, match="unknown_key"):
        believed(claims(), kid="k2")
    with pytest.raises(Refused, match="no_token"):
        judge("not.a.token", keys=KEYS, audiences=("https://as.example",), replays=Replays(), now=NOW)
    public = jwt.encode(claims(), key=None, algorithm="none", headers={"kid": "k1"})
    with pytest.raises(Refused, match="bad_signature"):
        judge(public, keys=KEYS, audiences=("https://as.example",), replays=Replays(), now=NOW)


def test_it_is_shown_once_until_it_ends() -> None:
    said, replays = claims(), Replays()
    believed(said, replays=replays)
    with pytest.raises(Refused, match="replayed"):
        believed(said, replays=replays)
    believed(said | {"iss": "c2"}, replays=replays)
    assert replays.show("c1", said["jti"], until=NOW + 200, now=NOW + 100)
