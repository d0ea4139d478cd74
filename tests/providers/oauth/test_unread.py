"""Answers that cannot be read: kept whole where they have any content, and judged by what looks like a token."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from providers.catalog.methods import OAuthMethod
from providers.errors import GrantRejected, MalformedResponse, ProviderError
from providers.oauth.token_response import admit, obtained
from providers.oauth.unread import AnswerUnread
from providers.response import Response

METHOD = OAuthMethod()


def answer(body: Any, *, status: int = 200) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, CaseInsensitiveDict({"Content-Type": "application/json"}), raw)


def failure(body: Any, *, status: int = 200) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        admit(answer(body, status=status), method=METHOD)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"access_token": "at-2"}},
        {"accessToken": "at-2", "refreshToken": "rt-2"},
        [{"access_token": "at-2"}],
        {"result": {"jwt": "x.y.z"}},
        {"refresh_token": "rt-2", "expires_in": 60},
        {"access_token": None, "refresh_token": "rt-2"},
        {"access_token": "line\nbreak"},
        {"access_token": "tökén"},
        {"d": "a3f9c1e07b5d42688899"},
        {"payload": json.dumps({"access_token": "at-2"})},
        {"error": "what_is_this", "access_token": None, "refresh_token": "rt-2"},
        b"<oauth><access_token>at-2</access_token></oauth>",
        b"Your access token: at-2",
        b'{"access_token": "at-2",}',
        b"eyJhY2Nlc3NfdG9rZW4iOiAiYXQtMiJ9Cg==",
        b"8xLOxBtZp8bQz7Fd21",
        b"\x1b\x2f\x00\xf8\x8d\x9c\x07\xce\x81\x90\x02\x00\x84",
        b"at=at-2&rt=longer-than-sixteen-marks",
    ],
)
def test_what_may_hold_tokens_is_kept_and_waited_for(body: Any) -> None:
    found = failure(body)
    assert isinstance(found, AnswerUnread)
    assert found.may_hold_tokens
    assert found.sent


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><html><body>We are down for maintenance. Sign in again later.</body></html>",
        b"<html><body>Login</body></html>",
        b"https://login.example.com/sign-in",
        {},
        [],
        b"null",
        b"17",
        ["access_token", "expires_in"],
        {"access_token": None, "token_type": "Bearer", "expires_in": 3600, "scope": "a-very-long-scope-name"},
        {"access_token": ""},
        {"status": "maintenance", "message": "Come back later, please."},
        {"docs": "https://provider.example/some/long/path"},
        b'{"access_token": "at-2", "refresh_tok',
        b'{"access_token": "at-2",',
    ],
)
def test_what_shows_no_sign_of_a_token_is_kept_and_not_waited_for(body: Any) -> None:
    found = failure(body)
    assert isinstance(found, AnswerUnread)
    assert not found.may_hold_tokens


@pytest.mark.parametrize("body", [b"", b" \r\n", b"\x00"])
def test_an_empty_answer_is_none(body: bytes) -> None:
    assert type(failure(body)) is MalformedResponse


def test_an_error_is_an_error_and_nothing_to_keep() -> None:
    assert type(failure({"error": "invalid_grant", "refresh_token": "rt-2"})) is GrantRejected
    assert type(failure(b"error=invalid_grant")) is GrantRejected
    assert type(failure({"error": "what_is_this"})) is MalformedResponse
    assert type(failure({"accessToken": "at-2"}, status=400)) is MalformedResponse


def test_it_shows_nothing_of_what_it_keeps() -> None:
    found = failure({"data": {"access_token": "canary-7f3a"}})
    shown = f"{found!r} {found} {found.evidence!r} {found.__dict__!r}"
    assert "canary" not in shown


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)


@settings(deadline=None)
@given(document=DOCUMENTS, charset=st.sampled_from(["utf-8", "utf-16", "utf-32"]), name=st.text(max_size=6))
def test_a_success_with_tokens_inside_is_read_or_kept_and_waited_for(document: Any, charset: str, name: str) -> None:
    whole = {name: [document, {"inner": {"access_token": "at-2", "refresh_token": "rt-2"}}]}
    raw = json.dumps(whole).encode(charset, "surrogatepass")
    kept = failure(raw)
    assert isinstance(kept, AnswerUnread)
    assert kept.may_hold_tokens
    assert kept.answer.body == raw
    method = OAuthMethod(token_pointer=f"/{name.replace('~', '~0').replace('/', '~1')}/1/inner")
    assert obtained(admit(kept.answer, method=method), method=method).credential.refresh_token is not None


@settings(deadline=None)
@given(body=st.binary(max_size=200), status=st.integers(min_value=200, max_value=299))
def test_no_bytes_are_thrown_away(body: bytes, status: int) -> None:
    found = failure(body, status=status)
    if body.strip(b"\x00 \t\r\n"):
        assert isinstance(found, AnswerUnread)
        assert found.answer.body == body
    else:
        assert type(found) is MalformedResponse
