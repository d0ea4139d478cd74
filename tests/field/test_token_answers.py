"""What token endpoints really answer."""

import gzip
import json
import zlib
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.field.machine import connect_machine, describe_machine
from tests.field.stage import Stage

LATIN = {"company": "Café Zürich"}


def tokens(number: int, **further: Any) -> dict[str, Any]:
    """Return the answer of that number of a provider that rotates."""
    return {"access_token": f"at-{number}", "refresh_token": f"rt-{number}", "expires_in": 3600, **further}


def connects_and_refreshes(stage: Stage) -> None:
    """Connect and refresh twice, and expect that each refresh shows the refresh token of the answer before it."""
    connection = stage.connect()
    assert stage.vend(connection).json()["credential"]["value"] == "at-1"
    for number in (2, 3):
        assert stage.refresh(connection).outcome == "refreshed"
        assert stage.vend(connection).json()["credential"]["value"] == f"at-{number}"
    assert [request.form.get("refresh_token") for request in stage.requests()] == [None, "rt-1", "rt-2"]
    assert (connection.status, connection.reason) == ("active", "connected")


def serve(stage: Stage, written: Any, headers: dict[str, str] | None = None) -> None:
    """Have the provider give three answers, each as ``written`` makes bytes of it."""
    for number in (1, 2, 3):
        stage.tokens(written(tokens(number, **LATIN)), headers=headers or {})


def test_a_plain_answer_connects_refreshes_and_vends(stage: Stage) -> None:
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    stage.tokens({"access_token": "at-2", "refresh_token": "rt-2", "expires_in": 3600})
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "refreshed"
    assert stage.vend(connection).json()["credential"]["value"] == "at-2"
    assert [request.form["grant_type"] for request in stage.requests()] == ["authorization_code", "refresh_token"]


# --- A letter beyond ASCII, and whatever the labels say ---------------------------------------------------------------
def utf8(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def latin(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("latin-1")


def utf16(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode("utf-16")


CHARSETS = [
    (latin, {"Content-Type": "application/json; charset=iso-8859-1"}),
    (latin, {"Content-Type": "application/json"}),
    (latin, {"Content-Type": "application/json; charset=no-such-charset"}),
    (utf8, {"Content-Type": "text/html; charset=windows-1252"}),
    (utf16, {"Content-Type": "application/json; charset=utf-16"}),
    (lambda document: b"\xef\xbb\xbf" + utf8(document), {"Content-Type": "application/json"}),
    (lambda document: gzip.compress(latin(document)), {"Content-Encoding": "gzip"}),
    (lambda document: gzip.compress(utf8(document)), {}),
    (lambda document: zlib.compress(utf8(document)), {"Content-Encoding": "deflate"}),
    (utf8, {"Content-Encoding": "utf-8"}),
    (utf8, {"Content-Encoding": "gzip"}),
    (utf8, {"Content-Encoding": "br"}),
    (lambda document: zlib.compress(utf8(document)), {}),
]


@pytest.mark.parametrize(("written", "headers"), CHARSETS)
def test_no_charset_and_no_coding_costs_a_token(stage: Stage, written: Any, headers: dict[str, str]) -> None:
    serve(stage, written, headers)
    connects_and_refreshes(stage)


# --- Answers that are not JSON, or not quite --------------------------------------------------------------------------
def form(document: dict[str, Any]) -> bytes:
    return urlencode(document).encode()


FORMS = [
    (form, {"Content-Type": "application/x-www-form-urlencoded"}),
    (form, {"Content-Type": "text/plain; charset=utf-8"}),
    (form, {"Content-Type": "text/html"}),
    (form, {"Content-Type": "application/json"}),
    (utf8, {"Content-Type": "application/x-www-form-urlencoded"}),
    (utf8, {"Content-Type": "text/javascript"}),
    (lambda document: b")]}'\n" + utf8(document), {}),
    (lambda document: json.dumps(utf8(document).decode()).encode(), {}),
    (lambda document: b"callback(" + utf8(document) + b");", {}),
    (lambda document: utf8(document) + b"\n<!-- made in 3 ms -->", {}),
    (lambda document: b"<b>Warning</b>: undefined in <b>/t.php</b> on line 3<br />\n" + utf8(document), {}),
    (lambda document: utf8(document)[:-1] + b', "serial": ' + b"9" * 5000 + b"}", {}),
    (lambda document: "\u00a0".encode() + utf8(document), {}),
    (lambda document: form(document).replace(b"&", b"&amp;"), {"Content-Type": "text/html"}),
    (lambda document: form(document).replace(b"&", b";"), {"Content-Type": "application/x-www-form-urlencoded"}),
    (lambda document: b"ok&" + form(document) + b"&", {"Content-Type": "application/x-www-form-urlencoded"}),
    (lambda document: form(document) + b"&scope=read write", {"Content-Type": "application/x-www-form-urlencoded"}),
]


@pytest.mark.parametrize(("written", "headers"), FORMS)
def test_a_form_or_a_wrapper_is_read_as_every_client_reads_it(
    stage: Stage, written: Any, headers: dict[str, str]
) -> None:
    serve(stage, written, headers)
    connects_and_refreshes(stage)


@pytest.mark.parametrize("error", [0, "0", "", "OK", "success", None, False, {"code": "ok", "message": ""}, {}, []])
def test_an_error_that_says_there_is_none_is_none(stage: Stage, error: Any) -> None:
    serve(stage, lambda document: utf8(document | {"error": error}))
    connects_and_refreshes(stage)


def test_tokens_within_a_page_are_not_taken_from_beside_an_error(stage: Stage) -> None:
    stage.tokens(tokens(1))
    stage.tokens(b"Warning: x\n" + utf8({"error": "invalid_grant", "access_token": "at-2"}))
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "answer_unread"
    assert (connection.status, connection.reason) == ("active", "connected")


def test_a_form_encoded_refusal_is_a_refusal(stage: Stage) -> None:
    stage.tokens(tokens(1))
    stage.tokens(b"error=invalid_grant&error_description=expired", status=400, headers={"Content-Type": "text/plain"})
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "refused"
    assert (connection.status, connection.reason) == ("suspect", "refresh_refused")


# --- Envelopes --------------------------------------------------------------------------------------------------------
ENVELOPES = [
    ('token_pointer = "/body"', lambda document: {"status": 0, "body": document}),
    ('token_pointer = "/data/token"', lambda document: {"ok": True, "data": {"token": document}}),
    ('token_pointer = "/0"', lambda document: [document]),
    (
        'token_fields = { access_token = "accessToken", refresh_token = "/refresh/value", token_type = "kind" }',
        lambda document: {
            "accessToken": document["access_token"],
            "refresh": {"value": document["refresh_token"]},
            "kind": "bearer",
        },
    ),
]


@pytest.mark.parametrize(("method", "wrap"), ENVELOPES)
def test_tokens_in_an_envelope_are_found_on_refresh_as_on_exchange(stage: Stage, method: str, wrap: Any) -> None:
    stage.describe(method=method)
    serve(stage, lambda document: utf8(wrap(document)))
    connects_and_refreshes(stage)


def test_tokens_at_the_top_of_a_refresh_are_found_although_the_code_brought_them_within(stage: Stage) -> None:
    stage.describe(method='token_pointer = "/authed_user"')
    stage.tokens({"access_token": "a-bot-s", "authed_user": tokens(1)})
    stage.tokens(tokens(2))
    stage.tokens(tokens(3))
    connects_and_refreshes(stage)


# --- Client credentials -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "written", "headers"),
    [
        *(("", written, headers) for written, headers in (CHARSETS[0], CHARSETS[4], FORMS[0], FORMS[6])),
        *((method, lambda document, wrap=wrap: utf8(wrap(document)), {}) for method, wrap in ENVELOPES),
    ],
)
def test_a_machine_s_token_is_read_the_same_way(
    stage: Stage, method: str, written: Any, headers: dict[str, str]
) -> None:
    app = describe_machine(stage, method=method)
    serve(stage, written, headers)
    connection = connect_machine(stage, app)
    assert stage.refresh(connection).outcome == "refreshed"
    assert stage.vend(connection).json()["credential"]["value"] == "at-2"
