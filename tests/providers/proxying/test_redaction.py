"""Redaction: whatever the parts, the secret is gone and everything else is there."""

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.proxying.redaction import SHORTEST_SECRET, Redactor

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
