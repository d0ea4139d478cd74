"""The text of an answer and the document in it: labels that lie, marks, codings, wrappers, forms."""

import codecs
import gzip
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from providers.answer_text import UNREADABLE, document_of, form_of, text_of
from providers.response import Response

TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "company": "Café Zürich"}
JSON = json.dumps(TOKENS, ensure_ascii=False)


def answer(body: bytes, content_type: str | None = None) -> Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Response(200, CaseInsensitiveDict(headers), body)


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (JSON.encode("latin-1"), "application/json; charset=iso-8859-1"),
        (JSON.encode("latin-1"), 'application/json; charset="ISO-8859-1"'),
        (JSON.encode("latin-1"), "application/json;charset=windows-1252"),
        (JSON.encode("latin-1"), "application/json"),
        (JSON.encode("latin-1"), "application/json; charset=utf-8"),
        (JSON.encode("latin-1"), "application/json; charset=klingon"),
        (JSON.encode("latin-1"), "application/json; charset=idna"),
        (JSON.encode("latin-1"), "application/json; charset=rot13"),
        (JSON.encode("latin-1"), "application/json; charset="),
        (JSON.encode("latin-1"), "\x00;;;=\udcff charset=*"),
        (JSON.encode("cp1252"), "text/html; charset=cp1252"),
        (JSON.encode("mac-roman"), "application/json; charset=macintosh"),
        (JSON.encode(), "application/json; charset=iso-8859-1"),
        (JSON.encode(), "application/json; charset=utf-16"),
        (JSON.encode(), None),
        (codecs.BOM_UTF8 + JSON.encode(), "application/json"),
        (codecs.BOM_UTF8 + JSON.encode(), "application/json; charset=us-ascii"),
        (JSON.encode("utf-16"), "application/json; charset=utf-16"),
        (JSON.encode("utf-16"), "application/json"),
        (codecs.BOM_UTF16_BE + JSON.encode("utf-16-be"), "application/json"),
        (JSON.encode("utf-16-le"), "application/json; charset=utf-16le"),
        (JSON.encode("utf-16-be"), "application/json"),
        (JSON.encode("utf-32"), "application/json"),
        (gzip.compress(JSON.encode(), mtime=0), "application/json"),
        (gzip.compress(gzip.compress(JSON.encode(), mtime=0), mtime=0), "application/json"),
        (b"\r\n\t " + JSON.encode() + b"\n\n", "text/plain"),
    ],
)
def test_no_label_costs_the_tokens(body: bytes, label: str | None) -> None:
    found = document_of(text_of(answer(body, label)))
    assert {name: found[name] for name in ("access_token", "refresh_token")} == {
        "access_token": "at-1",
        "refresh_token": "rt-1",
    }


@pytest.mark.parametrize(
    "label", ["application/json; charset=iso-8859-1", "application/json", "application/json; charset=utf-8"]
)
def test_a_letter_beyond_ascii_is_read_where_the_bytes_allow_it(label: str) -> None:
    assert document_of(text_of(answer(JSON.encode("latin-1"), label)))["company"] == "Café Zürich"
    assert document_of(text_of(answer(JSON.encode(), label)))["company"] == "Café Zürich"


@pytest.mark.parametrize(
    "text",
    [
        ")]}'\n" + JSON,
        ")]}',\n" + JSON,
        "for(;;);" + JSON,
        "for (;;); " + JSON,
        "while(1);" + JSON,
        "throw 1; " + JSON,
        "&&&START&&&" + JSON,
        f"callback({JSON});",
        f"/**/ jQuery.cb_1 ( {JSON} )",
        json.dumps(JSON),
        "\ufeff" + JSON,
        JSON.replace("Café", "Ca\nfé"),
        '{"access_token": "old", ' + JSON[1:],
    ],
)
def test_wrappers_are_undone(text: str) -> None:
    assert document_of(text)["access_token"] == "at-1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", UNREADABLE),
        ("<html></html>", UNREADABLE),
        ('{"a": 1', UNREADABLE),
        ('{"a": 1}trailing', UNREADABLE),
        ("alert(1", UNREADABLE),
        ("[" * 60_000, UNREADABLE),
        (json.dumps(json.dumps(json.dumps({"a": 1}))), json.dumps(json.dumps({"a": 1}))),
        ("null", None),
        ('"text"', "text"),
        ("[1]", [1]),
    ],
)
def test_what_is_no_document_is_none(text: str, expected: Any) -> None:
    assert document_of(text) == expected if expected is not UNREADABLE else document_of(text) is UNREADABLE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("access_token=at&scope=a+b", {"access_token": "at", "scope": "a b"}),
        ("?access_token=at&scope=a%20b\n", {"access_token": "at", "scope": "a b"}),
        ("access_token=a+b%2Fc%3D&token_type=bearer", {"access_token": "a+b/c=", "token_type": "bearer"}),
        ("access_token=at&access_token=at-2", {"access_token": "at-2"}),
        (
            "error=bad_refresh_token&error_description=no%2Egood",
            {"error": "bad_refresh_token", "error_description": "no.good"},
        ),
        ("expires=5183999&access_token=at", {"expires": "5183999", "access_token": "at"}),
        ("a=%ff&b=", {"a": "\ufffd", "b": ""}),
        ("", {}),
        ("access_token", {}),
        ("<a href=x>", {}),
        ("two words=1", {}),
        ('{"a": "b=c"}', {}),
        ("a=1&" * 600, {}),
    ],
)
def test_reads_a_form(text: str, expected: dict[str, str]) -> None:
    assert form_of(text) == expected


def test_a_gzip_that_unpacks_to_very_much_is_left_packed() -> None:
    packed = gzip.compress(b" " * 2_000_000)
    assert len(text_of(answer(packed))) == len(packed)
    assert text_of(answer(gzip.compress(b"{}")[:-3])) != "{}"


@settings(deadline=None)
@given(body=st.binary(max_size=300), label=st.text(max_size=40))
def test_any_bytes_are_read_without_an_exception(body: bytes, label: str) -> None:
    text = text_of(answer(body, label))
    document_of(text)
    assert isinstance(form_of(text), dict)


@pytest.mark.parametrize("piece", [';"', '"\\";', ";a=", '"', "\\", ";charset*0=x"])
def test_no_label_takes_long_to_read(piece: str) -> None:
    labelled = answer(b"\xe9", piece * (65_000 // len(piece)))
    began = time.process_time()
    assert text_of(labelled) == "é"
    assert time.process_time() - began < 3
