"""Whose account it is, where only the provider's signature tells: an ID token, or a userinfo that is signed."""

import base64
import hashlib
import hmac
import json
import math
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import to_base64url_uint

from connections.models import AuditEvent, Connection, ConnectSession, OutboxEvent
from providers.oauth import issuer_keys
from tests.field.stage import CLIENT_ID, Stage
from tests.field.test_discovery import DISCOVERED, publish

KEY, OTHER, WEAK = (rsa.generate_private_key(65537, bits) for bits in (2048, 2048, 1024))
CURVE = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
# Of the same key: it verifies what the usual exponent does, in a hundred times as long.
_PRIMES = KEY.private_numbers()
SLOW_EXPONENT = to_base64url_uint(65537 + math.lcm(_PRIMES.p - 1, _PRIMES.q - 1)).decode()
USERINFO = '\n[probe]\naccount_id = "/sub"\naccount_name = "/name"\n'


def described(key: Any, kid: str, **further: Any) -> dict[str, Any]:
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **further}


def keys(stage: Stage, *found: dict[str, Any], status: int = 200) -> None:
    stage.forget_answers("/keys")
    stage.answers("/keys", {"keys": list(found)}, status=status)


def claims(stage: Stage, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {
        "iss": stage.server.url,
        "sub": "u-7",
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 300,
        "name": "Ann",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def signed(stage: Stage, key: Any = KEY, algorithm: str = "RS256", kid: str | None = "k-1", **changes: Any) -> str:
    headers = {"kid": kid} if kid else {}
    return jwt.encode(claims(stage, **changes), key, algorithm=algorithm, headers=headers)


def give(stage: Stage, id_token: Any, **further: Any) -> None:
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, "id_token": id_token, **further})


@pytest.fixture
def openid(stage: Stage) -> Stage:
    """A server that has no userinfo, and publishes its keys."""
    publish(stage, jwks_uri=f"{stage.server.url}/keys")
    stage.write(DISCOVERED)
    stage.register(name="openid")
    keys(
        stage,
        described(KEY, "k-1"),
        described(CURVE, "k-2"),
        described(WEAK, "k-weak"),
        described(OTHER, "k-enc", use="enc"),
        described(KEY, "k-slow") | {"e": SLOW_EXPONENT},
    )
    return stage


def test_the_account_is_the_id_token_s_where_nothing_else_tells_it(openid: Stage) -> None:
    give(openid, signed(openid))
    connection = openid.connect()
    assert (connection.provider_account_id, connection.provider_account_name) == ("u-7", "Ann")
    assert connection.verified_at is None
    assert openid.connect().id == connection.id


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(CURVE, "ES256", "k-2"), (KEY, "PS384", "k-1"), (KEY, "RS512", None)],
)
def test_every_public_algorithm_is_taken(openid: Stage, key: Any, algorithm: str, kid: str | None) -> None:
    give(openid, signed(openid, key, algorithm, kid))
    assert openid.connect().provider_account_id == "u-7"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", CLIENT_ID], "azp": CLIENT_ID},
        {"aud": [CLIENT_ID]},
        {"iat": 60},
        {"exp": -60},
        {"exp": 300.5},
    ],
    ids=str,
)
def test_what_the_specification_allows_is_believed(openid: Stage, changes: dict[str, Any]) -> None:
    now = int(time.time())
    give(openid, signed(openid, **{k: now + v if isinstance(v, int | float) else v for k, v in changes.items()}))
    assert openid.connect().provider_account_id == "u-7"


def unsigned(stage: Stage) -> str:
    return jwt.encode(claims(stage), "", algorithm="none")


def signed_with_the_public_key(stage: Stage) -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "k-1"}).encode())
    body = f"{head}.{part(json.dumps(claims(stage)).encode())}"
    return f"{body}.{part(hmac.digest(PEM, body.encode(), hashlib.sha256))}"


def with_its_own_key(stage: Stage) -> str:
    headers = {"kid": "k-1", "jwk": described(OTHER, "k-1"), "jku": f"{stage.server.url}/evil"}
    return jwt.encode(claims(stage), OTHER, algorithm="RS256", headers=headers)


def critical(stage: Stage) -> str:
    return jwt.encode(claims(stage), KEY, algorithm="RS256", headers={"kid": "k-1", "crit": ["exp"]})


def altered(stage: Stage) -> str:
    head, _, signature = signed(stage).split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims(stage, sub="u-8")).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


ATTACKS: dict[str, Any] = {
    "alg none": unsigned,
    "HS256 with the public key": signed_with_the_public_key,
    "HS256 with the client secret": lambda stage: jwt.encode(claims(stage), "z/tZ9+Ap=x:Q$%y" * 3, algorithm="HS256"),
    "a key of its own in the header": with_its_own_key,
    "another key": lambda stage: signed(stage, OTHER),
    "a kid that nobody knows": lambda stage: signed(stage, kid="k-9"),
    "a key that is for encryption": lambda stage: signed(stage, OTHER, kid="k-enc"),
    "a key that is too short": lambda stage: signed(stage, WEAK, kid="k-weak"),
    "a key that takes long to verify with": lambda stage: signed(stage, kid="k-slow"),
    "a header that must be understood": critical,
    "altered claims": altered,
    "another client": lambda stage: signed(stage, aud="other"),
    "no client": lambda stage: signed(stage, aud=None),
    "several clients and no party": lambda stage: signed(stage, aud=["other", CLIENT_ID]),
    "given to another party": lambda stage: signed(stage, azp="other"),
    "another issuer": lambda stage: signed(stage, iss="https://evil.example"),
    "the issuer with a slash": lambda stage: signed(stage, iss=f"{stage.server.url}/"),
    "no issuer": lambda stage: signed(stage, iss=None),
    "ended": lambda stage: signed(stage, exp=int(time.time()) - 3600),
    "no end": lambda stage: signed(stage, exp=None),
    "no beginning": lambda stage: signed(stage, iat=None),
    "of tomorrow": lambda stage: signed(stage, iat=int(time.time()) + 86_400),
    "not before tomorrow": lambda stage: signed(stage, nbf=int(time.time()) + 86_400),
    "no subject": lambda stage: signed(stage, sub=None),
    "an empty subject": lambda stage: signed(stage, sub=""),
    "a long subject": lambda stage: signed(stage, sub="u" * 300),
    "encrypted": lambda stage: "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d",
    "no JWT": lambda stage: "not.a.jwt",
    "no text": lambda stage: {"sub": "u-7"},
    "beyond ASCII": lambda stage: "é.é.é",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_id_token_that_does_not_hold_names_no_account(openid: Stage, attack: Any) -> None:
    give(openid, attack(openid))
    assert openid.connect().provider_account_id == ""


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{}", 200), (b"[]", 200), (b"<html>", 200), (b'{"keys": [1, null, {"kty": []}]}', 200), (b"", 404), (b"", 500)],
)
def test_keys_that_cannot_be_had_cost_the_account_and_not_the_connection(
    openid: Stage, body: bytes, status: int
) -> None:
    openid.forget_answers("/keys")
    openid.answers("/keys", body, status=status)
    give(openid, signed(openid))
    assert openid.connect().provider_account_id == ""


def test_new_keys_are_looked_for_when_one_is_not_known(openid: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.oauth.issuer_keys._NOT_AGAIN_SECONDS", 0.0)
    give(openid, signed(openid))
    assert openid.connect().provider_account_id == "u-7"
    keys(openid, described(OTHER, "k-3"))
    openid.forget_answers("/token")
    give(openid, signed(openid, OTHER, kid="k-3"))
    assert openid.connect().provider_account_id == "u-7"
    assert len(openid.requests("/keys")) == 2


def test_a_reconnect_is_compared_with_the_account_that_was_signed_for(openid: Stage) -> None:
    give(openid, signed(openid))
    before = openid.connect()
    for token, code in ((signed(openid, sub="u-8"), "account_mismatch"), (unsigned(openid), "exchange_failed")):
        openid.forget_answers("/token")
        give(openid, token)
        answer = openid.reconnect(before)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    openid.forget_answers("/token")
    give(openid, signed(openid))
    assert openid.reconnect(before).status_code == 200


def test_a_reconnect_waits_for_keys_that_cannot_be_had(openid: Stage) -> None:
    give(openid, signed(openid))
    before = openid.connect()
    keys(openid, status=503)
    openid.forget_answers("/token")
    give(openid, signed(openid, kid="k-9"))
    issuer_keys._known.clear()
    answer = openid.reconnect(before)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


def test_a_better_source_comes_first(stage: Stage) -> None:
    stage.describe(method='issuer = "<url>"\njwks_url = "<url>/keys"')
    stage.register(name="spelled out")
    keys(stage, described(KEY, "k-1"))
    give(stage, signed(stage))
    assert stage.connect().provider_account_id == "u-1"
    assert not stage.requests("/keys")


def test_a_userinfo_that_cannot_answer_is_stood_in_for_by_the_id_token(openid: Stage) -> None:
    publish_userinfo(openid)
    openid.answers("/userinfo", b"", status=503)
    give(openid, signed(openid))
    assert openid.connect().provider_account_id == "u-7"


def publish_userinfo(stage: Stage) -> None:
    stage.forget_answers("/.well-known/openid-configuration")
    url = stage.server.url
    publish(stage, jwks_uri=f"{url}/keys", userinfo_endpoint=f"{url}/userinfo")
    stage.write(DISCOVERED + USERINFO)
    stage.register(name="openid")


@pytest.mark.parametrize(
    ("changes", "is_connected"), [({}, False), ({"sub": "u-8"}, True), ({"iss": "https://evil.example"}, True)]
)
def test_a_userinfo_about_another_account_than_the_id_token_connects_nothing(
    openid: Stage, changes: dict[str, str], is_connected: bool
) -> None:
    publish_userinfo(openid)
    openid.answers("/userinfo", {"sub": "u-8", "name": "Eve"})
    give(openid, signed(openid, **changes))
    answer = openid.confirm()
    if is_connected:
        assert answer.json()["connection"]["account"]["id"] == "u-8"
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "exchange_failed")
        assert answer.json()["reason"] == "identity_mismatch"
        assert not Connection.objects.filter(status="active").exists()


@pytest.mark.parametrize("label", ["application/jwt", "application/JWT; charset=utf-8"])
def test_a_signed_userinfo_names_the_account(openid: Stage, label: str) -> None:
    publish_userinfo(openid)
    openid.answers("/userinfo", signed(openid, exp=None, iat=None).encode(), headers={"Content-Type": label})
    openid.tokens({"access_token": "at-1", "expires_in": 3600})
    connection = openid.connect()
    assert (connection.provider_account_id, connection.provider_account_name) == ("u-7", "Ann")
    assert connection.verified_at is not None


@pytest.mark.parametrize(
    "attack",
    [
        unsigned,
        altered,
        signed_with_the_public_key,
        ATTACKS["another key"],
        ATTACKS["another client"],
        ATTACKS["ended"],
    ],
)
def test_a_userinfo_whose_signature_does_not_hold_proves_nothing(openid: Stage, attack: Any) -> None:
    publish_userinfo(openid)
    openid.answers("/userinfo", attack(openid).encode(), headers={"Content-Type": "application/jwt"})
    openid.tokens({"access_token": "at-1", "expires_in": 3600})
    connection = openid.connect()
    assert (connection.provider_account_id, connection.verified_at) == ("", None)


def test_the_id_token_is_in_no_row_and_no_log(openid: Stage, caplog: pytest.LogCaptureFixture) -> None:
    token = signed(openid, aud="other")
    give(openid, token)
    connection = openid.connect()
    rows = [*AuditEvent.objects.values(), *OutboxEvent.objects.values(), *ConnectSession.objects.values()]
    rows += Connection.objects.filter(id=connection.id).values()
    for part in token.split("."):
        assert part not in repr(rows) + caplog.text
