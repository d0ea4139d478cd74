"""Redaction: whatever the parts, the secret is gone and everything else is there."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.proxying.redaction import SHORTEST_PIECE, SHORTEST_SECRET, Redactor

SECRET = 'ab/c+d"e=<f>&gh%1'


def fed(redactor: Redactor, parts: list[bytes]) -> bytes:
    return b"".join(redactor.feed(part) for part in parts) + redactor.flush()


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        re.sub("%..", lambda escape: escape[0].lower(), quote(SECRET, safe="")),
        quote(quote(SECRET, safe=""), safe=""),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        html.escape(SECRET),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        SECRET.encode().hex().upper(),
        SECRET.upper(),
        SECRET.lower(),
        json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
        "".join(f"\\u{ord(mark):04x}" if mark in "<>&" else json.dumps(mark)[1:-1] for mark in SECRET),
        "".join(f"\\u{ord(mark):04x}" if mark in "<>&='" else json.dumps(mark)[1:-1] for mark in SECRET),
        "".join(f"\\u{ord(mark):04X}" if mark in "<>&'\"+`" else mark for mark in SECRET),
        "".join(f"\\u{ord(mark):04x}" if mark in "<>&" else json.dumps(mark)[1:-1] for mark in SECRET).replace(
            "/", "\\/"
        ),
        html.escape(SECRET).replace("&quot;", "&#34;").replace("+", "&#43;"),
        html.escape(SECRET).replace("/", "&#x2F;").replace("=", "&#x3D;"),
    ],
)
def test_a_secret_is_found_in_every_form_in_which_a_server_repeats_it(form: str) -> None:
    redactor = Redactor([SECRET])
    assert form not in fed(redactor, [f"x{form}y".encode()]).decode()
    assert redactor.found
    assert form not in redactor.of_text(f"a {form}")


@given(st.lists(st.sampled_from([b"s", b"se", b"secret", b"secret-1", b"-12", b"x", b"", b"34567"]), max_size=30))
def test_parts_make_no_difference(parts: list[bytes]) -> None:
    secrets = ["secret-123", "secret-1234567", "34567secret"]
    whole = fed(Redactor(secrets), [b"".join(parts)])
    assert fed(Redactor(secrets), parts) == whole
    assert len(whole) == len(b"".join(parts))
    assert not any(secret.encode() in whole for secret in secrets)


def test_no_more_is_held_back_than_may_be_the_start_of_a_secret() -> None:
    redactor = Redactor(["secret-123"])
    assert redactor.feed(b"data: one\n\n") == b"data: one\n\n"
    assert redactor.feed(b"data: secr") == b"data: "
    assert redactor.feed(b"ets\n\n") == b"secrets\n\n"
    assert not redactor.found


def test_what_is_too_short_to_be_told_from_other_words_stays() -> None:
    assert fed(Redactor(["x" * (SHORTEST_SECRET - 1), ""]), [b"xxxxxxxxxx"]) == b"xxxxxxxxxx"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", 'Bearer "'])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_wherever_it_stands_in_what_is_encoded(before: str, encode: Callable[[bytes], bytes]) -> None:
    clean = fed(Redactor([SECRET]), [encode(f"{before}{SECRET}, and more".encode())])
    assert len(set(clean) - set(b"*=")) < len(clean) / 2
    decoded = base64.b64decode(clean.translate(bytes.maketrans(b"*-_", b"A+/")))
    assert not any(SECRET[at : at + 3].encode() in decoded for at in range(len(SECRET) - 2))


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_secret_is_found_in_wide_characters(coding: str) -> None:
    clean = fed(Redactor([SECRET]), [f"<a>{SECRET}</a>".encode(coding)])
    assert SECRET[:3].encode(coding)[-4:] not in clean
    assert clean.decode(coding).startswith("<a>")


def test_nobody_puts_a_secret_together_from_parts_of_an_answer() -> None:
    answer = f"before {SECRET} behind".encode()
    seen = set()
    for start in range(len(answer)):
        for stop in range(start + SHORTEST_PIECE, len(answer) + 1):
            part = answer[start:stop]
            clean = fed(Redactor([SECRET], is_part=True), [part[:3], part[3:]])
            assert len(clean) == len(part)
            at = answer.find(SECRET.encode())
            seen |= {place for place in range(start, stop) if clean[place - start] != ord("*")} & {
                *range(at, at + len(SECRET))
            }
    at = answer.find(SECRET.encode())
    assert seen <= {*range(at, at + 3), *range(at + len(SECRET) - 3, at + len(SECRET))}


def test_a_part_of_an_answer_without_a_secret_stays_as_it_is() -> None:
    part = f"{SECRET[-3:]} some words {SECRET[:3]}".encode()
    assert fed(Redactor([SECRET], is_part=True), [part[:10], part[10:]]) == part
