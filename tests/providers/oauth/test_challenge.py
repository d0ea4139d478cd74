import time

import pytest

from providers.oauth.challenge import challenge_in, problem_in


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Bearer resource_metadata="https://x/m", scope="a b"', {"resource_metadata": "https://x/m", "scope": "a b"}),
        ("bearer scope=a", {"scope": "a"}),
        ('Bearer error="invalid_token", Scope="a"', {"error": "invalid_token", "scope": "a"}),
        (
            r'Bearer realm="say \"hi\", Basic scope=evil", scope="a"',
            {"realm": 'say "hi", Basic scope=evil', "scope": "a"},
        ),
        ('Basic realm="x", Bearer scope="a"', {"scope": "a"}),
        ('Bearer scope="a", Basic scope="b", realm="x"', {"scope": "a"}),
        ('DPoP algs="ES256", resource_metadata="https://x/m"', {"algs": "ES256", "resource_metadata": "https://x/m"}),
        ('Bearer scope="first", scope="second"', {"scope": "first"}),
        ("Bearer", {}),
        ('Basic resource_metadata="https://x/m"', {}),
        ('resource_metadata="https://x/m"', {}),
        ("", {}),
        ('Bearer scope="never ended', {}),
    ],
)
def test_reads_the_first_challenge_that_is_ours(header: str, found: dict[str, str]) -> None:
    assert challenge_in(header) == found


def test_reads_no_more_of_a_header_than_a_server_would_send() -> None:
    assert challenge_in(f'Bearer realm="{"x" * 10_000}", scope="a"') == {}


@pytest.mark.parametrize(
    "piece", ["a", 'a="', "a = ", 'a="\\', '"', " ", "a ", "a,", "=", 'Bearer a="b', "a\t\t", 'a="\\"']
)
@pytest.mark.parametrize("ending", ["", '"', "=", "\\"])
def test_no_header_takes_long_to_read(piece: str, ending: str) -> None:
    began = time.process_time()
    challenge_in(piece * (8191 // len(piece)) + ending)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('OAuth realm="x", oauth_problem="token_rejected"', {"oauth_problem": "token_rejected"}),
        ("OAuth oauth_problem=nonce_used", {"oauth_problem": "nonce_used"}),
        ('OAuth realm="1", error="token_rejected", error_description="x"', {"oauth_problem": "token_rejected"}),
        ('Basic realm="oauth_problem", OAuth oauth_problem="a"', {"oauth_problem": "a"}),
        ('Bearer error="invalid_token"', {"error": "invalid_token"}),
        ('Bearer realm="x"', {}),
        ('OAuth realm="x"', {}),
        ('Basic oauth_problem="a"', {}),
        ("", {}),
    ],
)
def test_tells_what_a_challenge_says_is_wrong(header: str, found: dict[str, str]) -> None:
    assert problem_in(header) == found
