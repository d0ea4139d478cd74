import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from providers.catalog.calls import ErrorRule
from providers.errors import (
    ClientRejected,
    GrantRejected,
    MalformedResponse,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
)
from providers.oauth.classify import failure_of, retry_after_seconds
from providers.response import Response
from providers.vocabulary import Meaning


def answer(status: int, body: Any = b"", **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, CaseInsensitiveDict({k.replace("_", "-"): v for k, v in headers.items()}), raw)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, GrantRejected),
        (401, {"error": "invalid_grant"}, GrantRejected),
        (200, {"error": "invalid_grant"}, GrantRejected),
        (400, {"error": "invalid_client"}, ClientRejected),
        (401, {"error": "invalid_client"}, ClientRejected),
        (403, {"error": "unauthorized_client"}, ClientRejected),
        (400, {"error": "unsupported_grant_type"}, ClientRejected),
        (401, b"", ClientRejected),
        (401, b"<html>no</html>", ClientRejected),
        (401, {}, ClientRejected),
        (401, {"error": "teapot"}, RequestRejected),
        (400, {"error": "temporarily_unavailable"}, ProviderUnavailable),
        (429, b"", ProviderUnavailable),
        (408, b"", ProviderUnavailable),
        (500, {"error": "invalid_grant"}, ProviderUnavailable),
        (502, b"<html>", ProviderUnavailable),
        (503, b"", ProviderUnavailable),
        (599, b"", ProviderUnavailable),
        (400, b"", MalformedResponse),
        (400, {"error": "invalid_request"}, RequestRejected),
        (400, {"error": "invalid_scope"}, RequestRejected),
        (200, {"error": "invalid_scope"}, RequestRejected),
        (400, {"error": "teapot"}, RequestRejected),
        (403, {"error": "access_denied"}, RequestRejected),
        (400, {"error": "Session not found"}, MalformedResponse),
        (403, b"<html>blocked</html>", MalformedResponse),
        (404, b"not here", MalformedResponse),
        (200, {"error": "teapot", "access_token": "a"}, MalformedResponse),
        (200, {"error": {"code": 5}}, MalformedResponse),
        (103, b"", MalformedResponse),
    ],
)
def test_standard_answers_mean_what_the_rfc_says(status: int, body: Any, expected: type[ProviderError]) -> None:
    failure = failure_of(answer(status, body), rules=())
    assert type(failure) is expected
    assert failure.evidence.status == status


@pytest.mark.parametrize("error", [None, "", False, 0, [], {}])
def test_success_with_an_empty_error_is_a_success(error: object) -> None:
    assert failure_of(answer(200, {"access_token": "a", "error": error}), rules=()) is None


def test_rules_of_the_catalogue_come_first_and_in_order() -> None:
    rules = (
        ErrorRule(value="bad_verification_code", means=Meaning.GRANT_REJECTED),
        ErrorRule(status=400, field="ok", value="false", means=Meaning.CLIENT_REJECTED),
        ErrorRule(status=400, field="code", value="20026", means=Meaning.UNAVAILABLE),
        ErrorRule(status=500, value="invalid_grant", means=Meaning.GRANT_REJECTED),
        ErrorRule(status=418, means=Meaning.UNAVAILABLE),
        ErrorRule(value="invalid_client", means=Meaning.GRANT_REJECTED),
    )
    cases: list[tuple[int, dict[str, Any], type[ProviderError]]] = [
        (200, {"error": "bad_verification_code"}, GrantRejected),
        (400, {"ok": False, "error": "invalid_grant"}, ClientRejected),
        (400, {"ok": True, "code": 20026}, ProviderUnavailable),
        (500, {"error": "invalid_grant"}, GrantRejected),
        (418, {}, ProviderUnavailable),
        (401, {"error": "invalid_client"}, GrantRejected),
        (400, {"error": "invalid_grant"}, GrantRejected),
    ]
    for status, body, expected in cases:
        assert type(failure_of(answer(status, body), rules=rules)) is expected


def test_evidence_keeps_the_code_and_drops_the_prose() -> None:
    body = {"error": "invalid_grant", "error_description": "canary", "error_uri": "https://x.example/canary"}
    failure = failure_of(answer(400, body), rules=())
    assert failure is not None
    assert failure.evidence.error == "invalid_grant"
    assert "canary" not in repr(failure.evidence) + str(failure)
    echoed = failure_of(answer(400, {"error": "rt-3f2a9c1e7b5d"}), rules=())
    assert echoed is not None
    assert echoed.evidence.error == ""


def test_outage_carries_its_retry_after_and_a_refusal_does_not() -> None:
    busy = failure_of(answer(429, b"", Retry_After="17"), rules=())
    refused = failure_of(answer(400, {"error": "invalid_grant"}, Retry_After="17"), rules=())
    assert busy is not None
    assert refused is not None
    assert (busy.retry_after_seconds, refused.retry_after_seconds) == (17, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("120", 120),
        ("900", 900),
        ("86400", 900),
        ("9" * 400, 900),
        (" 5 ", 5),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Thu, 99 Foo 2020", None),
        ("Fri, 31 Dec 999999 23:59:59 GMT", None),
    ],
)
def test_reads_retry_after_in_seconds(value: str, expected: float | None) -> None:
    assert retry_after_seconds(CaseInsensitiveDict({"Retry-After": value})) == expected


def test_reads_retry_after_as_a_date_by_the_clock_of_the_answer() -> None:
    theirs = datetime(2020, 1, 1, tzinfo=UTC)
    headers = CaseInsensitiveDict(
        {"retry-after": format_datetime(theirs + timedelta(seconds=90), usegmt=True)}
        | {"date": format_datetime(theirs, usegmt=True)}
    )
    assert retry_after_seconds(headers) == 90
    del headers["date"]
    assert retry_after_seconds(headers) == 0
    headers["retry-after"] = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (retry_after_seconds(headers) or 0) <= 60
    headers["retry-after"] = format_datetime(datetime.now(UTC) + timedelta(days=9), usegmt=True)
    assert retry_after_seconds(headers) == 900


def test_absent_retry_after_is_none() -> None:
    assert retry_after_seconds(CaseInsensitiveDict()) is None


def test_rules_may_point_into_the_body_and_read_plain_text() -> None:
    rules = (
        ErrorRule(field="/error/code", value="account_invalid", means=Meaning.GRANT_REJECTED),
        ErrorRule(field="/codes/0", value="7", means=Meaning.CLIENT_REJECTED),
        ErrorRule(status=403, contains="Bad_Token", means=Meaning.GRANT_REJECTED),
        ErrorRule(contains="busy", field="state", value="wait", means=Meaning.UNAVAILABLE),
    )
    cases: list[tuple[int, Any, type[ProviderError]]] = [
        (400, {"error": {"code": "account_invalid"}}, GrantRejected),
        (400, {"error": {"code": "other"}}, MalformedResponse),
        (400, {"error": "x", "codes": [7, 8]}, ClientRejected),
        (400, {"error": "x", "codes": [8, 7]}, RequestRejected),
        (403, b"Bad_Token", GrantRejected),
        (400, b"Bad_Token", MalformedResponse),
        (400, {"state": "wait", "why": "busy"}, ProviderUnavailable),
        (400, {"state": "wait"}, MalformedResponse),
    ]
    for status, body, expected in cases:
        assert type(failure_of(answer(status, body), rules=rules)) is expected, body
