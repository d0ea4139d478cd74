"""The method that a body asks for: found however a form or an object writes it, and never in what is data."""

import re
import time
from typing import Any

import pytest

from providers.proxying.body_methods import BodyRefused, check_body_method, may_hold_method

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MULTIPART = "multipart/form-data; boundary=b"


def part(header: str, value: str = "DELETE") -> bytes:
    return f"--b\r\n{header}\r\n\r\n{value}\r\n--b--\r\n".encode()


def check(kind: str | None, body: bytes, **changes: Any) -> None:
    given: dict[str, Any] = {"is_whole": True, "is_coded": False, "method": "POST", **changes}
    assert may_hold_method(kind)
    check_body_method(kind, body, **given)


ASKING = [
    (FORM, b"_method=DELETE"),
    (f"{FORM}; charset=UTF-8", b"a=1&_METHOD=delete"),
    (FORM, b"a=1;%5Fmethod=PUT"),
    (FORM, b"_method[]=DELETE"),
    (FORM, b"_method=POST&_method=DELETE"),
    (FORM, b"X-HTTP-Method-Override=DELETE"),
    (None, b"_method=DELETE"),
    ("", b"_method=DELETE"),
    (MULTIPART, part('Content-Disposition: form-data; name="_method"')),
    (MULTIPART, part("content-disposition:form-data;name=_METHOD")),
    (MULTIPART, part('Content-Disposition: form-data;\r\n name="_method"')),
    (MULTIPART, part('Content-Disposition: form-data; filename="a"; name="_met\\hod"')),
    (MULTIPART, part("Content-Disposition: form-data; name*=utf-8''%5Fmethod")),
    (MULTIPART, part('Content-Type: text/plain\r\nContent-Disposition: form-data; name="_method"\r\nX-A: b')),
    (MULTIPART, part('Content-Disposition: form-data; name="_method"').replace(b"\r\n", b"\n")),
    ("multipart/mixed", part('Content-Disposition: form-data; name="_method"', "PATCH ")),
    (JSON, b'{"a": 1, "_method": "DELETE"}'),
    (JSON, b'{"\\u005fmethod": "delete"}'),
    ("application/vnd.api+json", b'{"_method": "POST", "_method": "DELETE"}'),
    (JSON, '{"_method": "DELETE"}'.encode("utf-16")),
]


@pytest.mark.parametrize(("kind", "body"), ASKING)
def test_a_body_that_asks_for_another_method_is_refused(kind: str | None, body: bytes) -> None:
    with pytest.raises(BodyRefused):
        check(kind, body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"_method=post&method=DELETE&http_method=DELETE"),
        (FORM, b"note=_method%3DDELETE&a_method=DELETE"),
        (FORM, b"\xff\x00"),
        (MULTIPART, part('Content-Disposition: form-data; name="_method"', "POST")),
        (MULTIPART, part('Content-Disposition: form-data; name="note"', "_method=DELETE")),
        (MULTIPART, part('Content-Disposition: form-data; name="f"; filename="_method"')),
        (JSON, b'{"http_method": "DELETE", "url": "https://example.com", "data": {"_method": "DELETE"}}'),
        (JSON, b'[{"_method": "DELETE"}]'),
        (JSON, b'{"_method": "DELETE"'),
        (JSON, b"[" * 100_000),
        (JSON, b""),
    ],
)
def test_what_asks_for_none_passes(kind: str, body: bytes) -> None:
    check(kind, body)


@pytest.mark.parametrize(
    ("kind", "body"), [(FORM, b"method=delete"), (MULTIPART, part('Content-Disposition: form-data; name="method"'))]
)
def test_a_field_that_this_provider_takes_for_the_method_is_one_too(kind: str, body: bytes) -> None:
    check(kind, body)
    with pytest.raises(BodyRefused):
        check(kind, body, further=["Method"])
    for rest in ({"is_whole": False}, {"is_coded": True}):
        with pytest.raises(BodyRefused):
            check(kind, b"a=1", further=["method"], **rest)
    with pytest.raises(BodyRefused):
        check(JSON, b"{'method': 'DELETE'}", further=["method"])


def test_of_a_large_body_the_beginning_counts_and_of_a_coded_form_nothing() -> None:
    check(MULTIPART, b"--b\r\nContent-Disposition: form-data; name", is_whole=False)
    check(JSON, b'{"a": ', is_whole=False)
    check(JSON, b"\x1f\x8b", is_coded=True)
    with pytest.raises(BodyRefused):
        check(FORM, b"\x1f\x8b", is_coded=True)


def test_another_type_is_left_alone() -> None:
    assert not any(map(may_hold_method, ("application/octet-stream", "text/csv", "image/png")))


@pytest.mark.parametrize(
    "piece", [b"content-disposition:", b"content-disposition: ;", b'content-disposition: ;name="', b"\n \n\n"]
)
def test_a_body_made_to_take_long_does_not(piece: bytes) -> None:
    body = (piece * 65_536)[:65_536] + b'content-disposition: form-data; name="x'
    began = time.process_time()
    check(MULTIPART, body)
    assert time.process_time() - began < 5, re.escape(repr(piece))
