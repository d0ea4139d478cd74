"""Odd token responses, by hand and by Hypothesis: named failures only, and no success without a token."""

import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from requests.structures import CaseInsensitiveDict

from providers.catalog.calls import ErrorRule
from providers.catalog.methods import AuthorizationCodeMethod, OAuthMethod
from providers.errors import MalformedResponse, ProviderError
from providers.oauth.token_response import admit, obtained, scopes_in
from providers.response import Response
from providers.values import Credential, Obtained
from providers.vocabulary import Meaning

RULES = (ErrorRule(value="bad_verification_code", means=Meaning.GRANT_REJECTED),)
METHOD = OAuthMethod(extra_response_fields=("instance_url", "bot_id", "flag"), errors=RULES)


def read(body: Any, *, status: int = 200, method: OAuthMethod = METHOD, previous: Credential | None = None) -> Obtained:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    document = admit(Response(status, CaseInsensitiveDict(), raw), method=method)
    return obtained(document, method=method, previous=previous)


def test_reads_a_full_response() -> None:
    found = read(
        {
            "access_token": "at",
            "refresh_token": "rt",
            "token_type": "bearer",
            "expires_in": 3600,
            "scope": "a b",
            "instance_url": "https://eu1.example",
            "bot_id": 42,
            "other": "dropped",
        }
    )
    credential = found.credential
    assert credential.access_token == SecretStr("at")
    assert credential.refresh_token == SecretStr("rt")
    assert credential.token_type == "bearer"
    assert credential.extra == {"instance_url": "https://eu1.example", "bot_id": "42"}
    assert (found.lifetime_seconds, found.scopes) == (3600, ("a", "b"))


def test_keeps_what_a_refresh_leaves_out() -> None:
    previous = Credential(
        access_token=SecretStr("old"),
        refresh_token=SecretStr("kept"),
        fields={"client_id": SecretStr("c")},
        extra={"instance_url": "https://eu1.example", "bot_id": "1"},
    )
    for absent in ({}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": ["x"]}):
        credential = read({"access_token": "new", "bot_id": "2"} | absent, previous=previous).credential
        assert credential.access_token == SecretStr("new")
        assert credential.refresh_token == SecretStr("kept")
        assert credential.fields == previous.fields
        assert credential.extra == {"instance_url": "https://eu1.example", "bot_id": "2"}
    assert read({"access_token": "new", "refresh_token": "rotated"}, previous=previous).credential.refresh_token == (
        SecretStr("rotated")
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'["access_token"]',
        b'"access_token"',
        b"17",
        b"<html><body>Sign in</body></html>",
        b'{"access_token": "at"',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"access_token": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00\x01",
        {},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "   "},
        {"access_token": 17},
        {"access_token": True},
        {"access_token": ["at"]},
        {"access_token": {"value": "at"}},
        {"access_token": "line\nbreak"},
        {"access_token": "tökén"},
        {"access_token": "\ud800"},
        {"access_token": "nul\x00"},
        {"Access_Token": "at"},
    ],
)
def test_success_without_a_usable_token_is_malformed(body: Any) -> None:
    with pytest.raises(MalformedResponse) as caught:
        read(body)
    assert caught.value.sent
    assert caught.value.__context__ is None


def test_other_successful_statuses_are_accepted() -> None:
    assert read({"access_token": "at"}, status=201).credential.access_token == SecretStr("at")


def test_unknown_lifetime_falls_back_to_the_catalogue() -> None:
    method = OAuthMethod(default_lifetime_seconds=7200)
    assert read({"access_token": "at"}, method=method).lifetime_seconds == 7200
    assert read({"access_token": "at", "expires_in": "soon"}, method=method).lifetime_seconds == 7200
    assert read({"access_token": "at", "expires_in": 0}, method=method).lifetime_seconds == 7200
    assert read({"access_token": "at"}).lifetime_seconds is None
    assert not read({"access_token": "at", "expires_in": 0}).is_endless


def test_what_the_catalogue_takes_for_endless_is_no_lifetime_at_all() -> None:
    method = OAuthMethod.model_validate({"default_lifetime_seconds": 7200, "expiry": {"never": ["0"]}})
    found = read({"access_token": "at", "expires_in": 0}, method=method)
    assert (found.lifetime_seconds, found.is_endless) == (None, True)


def test_an_end_in_the_answer_is_measured_from_its_own_date() -> None:
    method = OAuthMethod.model_validate({"expiry": {"field": "expires_at", "format": "epoch"}})
    theirs = int(time.time()) - 600
    headers = CaseInsensitiveDict({"Date": formatdate(theirs, usegmt=True)})
    raw = json.dumps({"access_token": "at", "expires_at": theirs + 3600}).encode()
    document = admit(Response(200, headers, raw), method=method)
    assert obtained(document, method=method).lifetime_seconds == 3600
    later = admit(Response(200, CaseInsensitiveDict(), raw), method=method, clock=theirs + 60)
    assert obtained(later, method=method).lifetime_seconds == 3540


@pytest.mark.parametrize(
    ("value", "separator", "expected"),
    [
        ("a b", " ", ("a", "b")),
        ("a  b a", " ", ("a", "b")),
        ("repo,gist", ",", ("repo", "gist")),
        ("repo, gist", ",", ("repo", "gist")),
        ("repo,gist", " ", ("repo,gist",)),
        (["a", "b", 3, None], " ", ("a", "b")),
        ("", " ", ()),
        ("  ", " ", ()),
        ([], " ", ()),
        (None, " ", None),
        (7, " ", None),
        ("a\x00b c", " ", ("c",)),
        ("ünïcode", " ", None),
        ('quo"te ok', " ", ("ok",)),
    ],
)
def test_reads_scopes(value: object, separator: str, expected: tuple[str, ...] | None) -> None:
    assert scopes_in(value, separator=separator) == expected


def test_scope_too_long_to_store_is_left_out_and_the_token_kept(caplog: pytest.LogCaptureFixture) -> None:
    longest, too_long = "s" * 255, "s" * 256
    found = read({"access_token": "at", "scope": f"a {too_long} {longest} b"})
    assert found.credential.access_token == SecretStr("at")
    assert found.scopes == ("a", longest, "b")
    assert "scopes_left_out" in caplog.text
    assert too_long not in caplog.text
    assert read({"access_token": "at", "scope": too_long}).scopes is None


def test_no_answer_names_more_than_a_thousand_scopes() -> None:
    named = [f"s{number}" for number in range(30_000)]
    assert scopes_in(named) == tuple(named[:1000])


def test_lifetime_of_a_refresh_token_that_there_is_none_of_is_none() -> None:
    assert read({"access_token": "at", "refresh_expires_in": 1800}).refresh_lifetime_seconds is None


def test_odd_side_values_never_cost_the_token() -> None:
    found = read(
        {
            "access_token": "at",
            "token_type": {"x": 1},
            "expires_in": {"x": 1},
            "scope": {"x": 1},
            "refresh_token": 17,
            "instance_url": ["x"],
            "bot_id": "a\x00b",
            "flag": True,
        }
    )
    assert found.credential == Credential(access_token=SecretStr("at"))
    assert (found.lifetime_seconds, found.scopes) == (None, None)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["invalid_grant", "invalid_client", "bad_verification_code", "3600", "NaN", "at", " ", "\ud800"]),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
NAMES = st.sampled_from(
    [
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
        "refresh_expires_in",
        "scope",
        "error",
        "instance_url",
        "bot_id",
    ]
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=8)
BODIES = st.one_of(
    st.binary(max_size=200),
    VALUES.map(lambda value: json.dumps(value).encode()),
    DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    DOCUMENTS.map(lambda document: json.dumps(document).encode()[:-3]),
    DOCUMENTS.map(lambda document: json.dumps(document).encode("utf-16")),
)


@settings(deadline=None)
@given(
    status=st.one_of(st.just(200), st.integers(min_value=100, max_value=599)),
    body=BODIES,
    headers=st.dictionaries(st.sampled_from(["Retry-After", "Date", "Content-Type"]), st.text(max_size=30)),
)
def test_any_answer_is_a_token_or_a_named_failure(status: int, body: bytes, headers: dict[str, str]) -> None:
    failure: ProviderError | None = None
    try:
        document = admit(Response(status, CaseInsensitiveDict(headers), body), method=METHOD)
    except ProviderError as error:
        failure = error
    if failure is not None:
        assert failure.sent
        assert failure.retry_after_seconds is None or 0 <= failure.retry_after_seconds <= 900
        return
    found = obtained(document, method=METHOD)
    token = found.credential.access_token
    assert 200 <= status < 300
    assert token is not None
    assert token.get_secret_value().strip()
    assert token.get_secret_value().isascii()
    assert found.lifetime_seconds is None or 30 <= found.lifetime_seconds <= 31_536_000
    assert found.scopes is None or all(0 < len(scope) <= 255 for scope in found.scopes)
    assert found.refresh_lifetime_seconds is None or found.refresh_lifetime_seconds >= 30
    assert Credential.from_bytes(found.credential.to_bytes()) == found.credential


def test_tokens_may_lie_within_the_response() -> None:
    body = {
        "access_token": "outer",
        "refresh_token": "outer-rt",
        "expires_in": 5,
        "bot_id": "b",
        "user": {"access_token": "inner", "scope": "a"},
    }
    raw = Response(200, CaseInsensitiveDict(), json.dumps(body).encode())
    method = METHOD.model_copy(update={"token_pointer": "/user"})
    found = obtained(admit(raw, method=method), method=method)
    assert found.credential == Credential(access_token=SecretStr("inner"), extra={"bot_id": "b"})
    assert (found.lifetime_seconds, found.scopes) == (None, ("a",))
    for pointer in ("/nobody", "/bot_id", "/user/scope"):
        with pytest.raises(MalformedResponse):
            admit(raw, method=METHOD.model_copy(update={"token_pointer": pointer}))


def test_scopes_are_read_as_the_catalogue_says() -> None:
    method = OAuthMethod(response_scope_separator=",", scope_field="granted")
    assert read({"access_token": "a", "granted": "x,y", "scope": "z"}, method=method).scopes == ("x", "y")
    assert read({"access_token": "a", "granted": ["x", "y"]}, method=method).scopes == ("x", "y")
    assert read({"access_token": "a", "scope": "z"}, method=method).scopes is None
    assert read({"access_token": "a", "scope": "x,y"}, method=OAuthMethod(scope_separator=",")).scopes == ("x", "y")


def test_refresh_token_stands_for_the_scope_that_grants_it() -> None:
    method = AuthorizationCodeMethod(refresh_scope="offline")
    body = {"access_token": "a", "scope": "x"}
    held = Credential(access_token=SecretStr("old"), refresh_token=SecretStr("rt"))
    assert read(body, method=method).scopes == ("x",)
    assert read(body | {"refresh_token": "rt"}, method=method).scopes == ("x", "offline")
    assert read(body, method=method, previous=held).scopes == ("x", "offline")
    assert read(body | {"scope": "offline x"}, method=method, previous=held).scopes == ("offline", "x")
    assert read({"access_token": "a"}, method=method, previous=held).scopes is None
