import pytest

from providers.errors import Evidence, FieldInvalid, ProviderError, plain_error_code


@pytest.mark.parametrize(
    "code",
    [
        "invalid_grant",
        "INVALID_CODE",
        "token_expired",
        "bad-verification.code",
        "Error:Denied",
        "20026",
        "-14003",
        "e2",
    ],
)
def test_keeps_what_reads_like_an_error_code(code: str) -> None:
    assert plain_error_code(code) == code


@pytest.mark.parametrize(
    "echo",
    [
        "",
        "a" * 65,
        "two words",
        "invalid_grant\n",
        "https://x.example/?token=1",
        "3f2a9c1e7b5d4f60a1b2c3d4e5f60718",
        "550e8400-e29b-41d4-a716-446655440000",
        "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        "xoxb-123456789012-abcdef",
        "sk_live_51H8x9y0z",
        "1234567890",
        None,
        7,
        ["invalid_grant"],
    ],
)
def test_drops_what_may_be_an_echo_of_a_secret(echo: object) -> None:
    assert plain_error_code(echo) == ""


def test_error_says_our_sentence_and_nothing_else() -> None:
    error = ProviderError(Evidence("A sentence.", status=400, error="invalid_grant"), retry_after_seconds=3)
    assert (str(error), error.sent, error.retry_after_seconds) == ("A sentence.", True, 3)
    assert error.evidence.as_dict() == {
        "detail": "A sentence.",
        "status": 400,
        "error": "invalid_grant",
        "sent": True,
    }


def test_invalid_field_names_itself_and_was_not_sent() -> None:
    error = FieldInvalid("api_key", "API key is required.")
    assert (error.field, str(error), error.sent, error.code) == (
        "api_key",
        "API key is required.",
        False,
        "field_invalid",
    )
