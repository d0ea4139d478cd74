"""What each kind of fault answers, and what really happened behind the answer."""

import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.person import Person, parameters_of
from tests.providers.sandbox.conftest import App


def test_status_sends_what_was_asked_and_processes_nothing(app: App, tokens: dict[str, Any]) -> None:
    app.arm("status", status=503, body="down", content_type="text/x-odd", headers={"X-Trace": "t1"})

    answer = app.refresh(tokens["refresh_token"])

    assert (answer.status_code, answer.text) == (503, "down")
    assert (answer.headers["Content-Type"], answer.headers["X-Trace"]) == ("text/x-odd", "t1")
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert app.outcomes() == ["issued", "", "rotated"]
    assert [entry.fault for entry in app.entries()] == ["", "status", ""]


def test_canned_answer_may_hide_a_processed_request(app: App, tokens: dict[str, Any]) -> None:
    app.arm("status", status=502, processed=True)

    assert app.refresh(tokens["refresh_token"]).status_code == 502
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.outcomes()[-2:] == ["rotated", "refresh_reused"]


def test_rate_limit_names_seconds_or_a_date_or_any_text(app: App) -> None:
    app.arm("rate_limited", retry_after=7)
    app.arm("rate_limited", retry_after=90, http_date=True)
    app.arm("rate_limited", retry_after="soon")

    answers = [app.token(grant_type="client_credentials") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 429]
    assert [answers[0].headers["Retry-After"], answers[2].headers["Retry-After"]] == ["7", "soon"]
    until = parsedate_to_datetime(answers[1].headers["Retry-After"]).timestamp() - time.time()
    assert 85 < until <= 91


@pytest.mark.parametrize(
    ("kind", "content_type", "body"),
    [
        ("html", "text/html", b"<!doctype html>"),
        ("empty_body", "application/json", b""),
        ("json_list", "application/json", b'["access_token", "expires_in"]'),
        ("json_null", "application/json", b"null"),
    ],
)
def test_canned_200_holds_no_token(app: App, tokens: dict[str, Any], kind: str, content_type: str, body: bytes) -> None:
    app.arm(kind)

    answer = app.refresh(tokens["refresh_token"])

    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, content_type)
    assert answer.content.startswith(body)
    assert b"sba_" not in answer.content
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_truncated_json_is_the_start_of_the_real_answer(app: App, tokens: dict[str, Any]) -> None:
    app.arm("truncated_json")
    answer = app.refresh(tokens["refresh_token"])

    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    assert answer.text.startswith('{"access_token": "sba_')
    assert app.outcomes()[-1] == "rotated"


def test_access_token_may_be_missing_or_null(app: App, tokens: dict[str, Any]) -> None:
    app.arm("no_access_token")
    app.arm("null_access_token")

    missing = app.refresh(tokens["refresh_token"]).json()
    null = app.refresh(missing["refresh_token"]).json()

    assert "access_token" not in missing
    assert null["access_token"] is None
    assert app.outcomes()[-2:] == ["rotated", "rotated"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"error": "bad_verification_code"}, {"error": "bad_verification_code"}),
        ({"error": "token_revoked", "style": "slack"}, {"ok": False, "error": "token_revoked"}),
    ],
)
def test_error_may_come_in_a_200(app: App, options: dict[str, Any], expected: dict[str, Any]) -> None:
    app.arm("error_in_200", **options)

    answer = app.token(grant_type="client_credentials")

    assert answer.status_code == 200
    assert expected.items() <= answer.json().items()


def test_redirect_points_where_it_was_told(app: App) -> None:
    app.arm("redirect", location="http://127.0.0.1:9/trap?x=1")

    answer = requests.post(
        f"{app.server.url}/token", data={"client_id": app.client_id}, allow_redirects=False, timeout=20
    )

    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:9/trap?x=1")


def test_narrow_scope_binds_the_token_and_spares_the_grant(app: App, tokens: dict[str, Any]) -> None:
    app.arm("narrow_scope")
    app.arm("narrow_scope", scope="profile")

    default = app.refresh(tokens["refresh_token"]).json()
    chosen = app.refresh(default["refresh_token"]).json()
    restored = app.refresh(chosen["refresh_token"]).json()

    assert [default["scope"], chosen["scope"]] == ["profile files.read", "profile"]
    assert app.me(chosen["access_token"], "/files").status_code == 403
    assert restored["scope"] == tokens["scope"]


def test_narrow_scope_reaches_codes_and_client_credentials(app: App, alice: Person) -> None:
    app.arm("narrow_scope", scope="profile", times=2)

    assert app.connect(alice)["scope"] == "profile"
    assert app.token(grant_type="client_credentials").json()["scope"] == "profile"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"value": 0}, '"expires_in": 0}'),
        ({"value": "3600"}, '"expires_in": "3600"}'),
        ({"value": None}, '"expires_in": null}'),
        ({"value": {"s": [1]}}, '"expires_in": {"s": [1]}}'),
        ({"value": True}, '"expires_in": true}'),
        ({"raw": "NaN"}, '"expires_in": NaN}'),
        ({"raw": "1e999"}, '"expires_in": 1e999}'),
    ],
)
def test_expires_in_may_be_anything(app: App, options: dict[str, Any], text: str) -> None:
    app.arm("expires_in", **options)

    assert app.token(grant_type="client_credentials").text.endswith(text)


def test_expires_in_may_be_missing(app: App) -> None:
    app.arm("expires_in")
    answer = app.token(grant_type="client_credentials").json()

    assert "expires_in" not in answer
    assert answer["access_token"]


def test_missing_refresh_token_keeps_the_old_one_good(app: App, tokens: dict[str, Any]) -> None:
    app.arm("missing_refresh_token")
    without = app.refresh(tokens["refresh_token"]).json()

    assert "refresh_token" not in without
    assert app.me(without["access_token"]).status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert app.outcomes() == ["issued", "refreshed", "rotated"]


def test_wrong_token_type_is_the_only_difference(app: App) -> None:
    app.arm("wrong_token_type")
    app.arm("wrong_token_type", token_type=7)

    answers = [app.token(grant_type="client_credentials").json() for _ in range(2)]

    assert [answer["token_type"] for answer in answers] == ["mac", 7]
    assert app.me(answers[0]["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [("invalid_grant", 400), ("invalid_client", 401), ("temporarily_unavailable", 503), ("server_error", 500)],
)
def test_error_is_well_formed_and_has_the_status_of_the_rfc(app: App, error: str, status: int) -> None:
    app.arm("error", error=error)

    answer = app.token(grant_type="client_credentials")

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert [entry.error for entry in app.entries()] == [error]


def test_error_at_authorize_goes_to_the_client(app: App, alice: Person) -> None:
    app.arm("error", endpoint="authorize", error="temporarily_unavailable")

    answer = parameters_of(alice.authorize(app.authorization_url()))

    assert answer == {"error": "temporarily_unavailable", "state": "state-1", "iss": app.server.url}


def test_error_at_authorize_never_goes_to_a_stranger(app: App, alice: Person) -> None:
    app.arm("error", endpoint="authorize")

    assert alice.get(app.authorization_url(redirect_uri="http://evil.example/")).status_code == 400


@pytest.mark.parametrize(
    ("options", "expected"), [({"iss": "https://evil.example"}, "https://evil.example"), ({}, None)]
)
def test_iss_may_be_wrong_or_missing_on_the_response_alone(
    app: App, alice: Person, options: dict[str, str], expected: str | None
) -> None:
    app.arm("wrong_iss", endpoint="authorize", **options)

    answer = parameters_of(alice.authorize(app.authorization_url()))

    assert answer.get("iss") == expected
    assert answer["code"]
