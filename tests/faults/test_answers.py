"""Answers that are none: the provider answers a refresh, and what it says is not what it should be."""

import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connections.lifecycle.claim import Outcome
from connections.lifecycle.clock import database_now
from connections.lifecycle.sweep import sweep_refreshes
from connections.models import Connection, CredentialVersion, RefreshAttempt
from providers.catalog import loader
from providers.sandbox.client import start_sandbox
from tests.faults.observed import Subject

CANARY = "canary-7f3a9c51d2"
MALFORMED: dict[str, dict[str, Any]] = {
    "html": {},
    "truncated_json": {},
    "empty_body": {},
    "json_list": {},
    "json_null": {},
    "no_access_token": {},
    "null_access_token": {},
    "status": {"status": 200, "content_type": "application/json", "body": json.dumps({"token": CANARY})},
}


# --- No well-formed success -------------------------------------------------------------------------------------------
def test_a_malformed_success_keeps_the_current_token_and_evidence_without_its_text(subject: Subject) -> None:
    before, shown = subject.current().id, subject.refresh_token()
    subject.sandbox.control.settings(grace_seconds=60)
    for kind, options in MALFORMED.items():
        subject.begin_again()
        subject.meet(kind, **options)
        assert subject.refresh().outcome is Outcome.UNAVAILABLE, kind
        (attempt,) = subject.attempts()
        error = "malformed_response" if kind == "empty_body" else "answer_unread"  # anything else is kept
        assert (attempt.state, attempt.error) == ("in_doubt", error), kind
        assert set(attempt.evidence) == {"detail", "status", "error", "sent"}
        assert attempt.evidence["status"] == 200
        row = subject.row()
        assert (row.status, row.current_version_id, row.failures) == ("active", before, 1), kind
        assert subject.shown() == [shown]
        assert subject.vend().status_code == 200, kind
        assert CANARY not in everything_recorded(subject)


def everything_recorded(subject: Subject) -> str:
    rows = [*RefreshAttempt.objects.values(), *Connection.objects.values(), *CredentialVersion.objects.values()]
    return repr(rows) + repr(subject.events("refreshed"))


BODIES = st.one_of(
    st.binary(max_size=80),
    st.dictionaries(st.sampled_from(["access_token", "error", "ok"]), st.none() | st.integers() | st.booleans()).map(
        lambda document: json.dumps(document).encode()
    ),
    st.recursive(st.none() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)).map(
        lambda value: json.dumps(value).encode()
    ),
)


def test_no_body_whatever_damages_the_state(subject: Subject) -> None:
    before = subject.current().id

    @hypothesis_settings(
        max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(body=BODIES, status=st.sampled_from([200, 201, 204, 400, 404, 500]))
    def trial(body: bytes, status: int) -> None:
        subject.begin_again()
        subject.meet("status", status=status, body=body.decode("latin-1"), content_type="application/json")
        assert subject.refresh().outcome is Outcome.UNAVAILABLE
        row = subject.row()
        assert (row.status, row.current_version_id) == ("active", before)
        assert subject.states() == ["in_doubt"]
        assert len(subject.requests()) == 1

    trial()
    assert subject.vend().status_code == 200


def test_a_body_that_trickles_is_left_at_the_deadline_and_in_doubt(subject: Subject, short_deadline: float) -> None:
    before = subject.current().id
    subject.meet("trickle", interval=0.2)
    began = time.monotonic()
    assert subject.refresh().outcome is Outcome.UNAVAILABLE
    assert time.monotonic() - began < short_deadline + 1
    assert subject.states() == ["in_doubt"]
    assert subject.row().current_version_id == before
    (sent,) = subject.requests()
    assert (sent.fault, sent.outcome) == ("trickle", "rotated")


@pytest.mark.parametrize("kind", ["huge_body", "gzip_bomb"])
def test_a_gibibyte_is_left_at_the_cap(subject: Subject, kind: str) -> None:
    before = subject.current().id
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    subject.meet(kind)
    began = time.monotonic()
    assert subject.refresh().outcome is Outcome.UNAVAILABLE
    assert time.monotonic() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 32 * 1024, "more than 32 MiB were held"
    (attempt,) = subject.attempts()
    assert (attempt.state, attempt.error) == ("in_doubt", "malformed_response")
    assert subject.row().current_version_id == before
    assert [entry.fault for entry in subject.requests()] == [kind]


def test_a_redirect_is_refused_and_its_target_sees_nothing(subject: Subject) -> None:
    with start_sandbox() as trap:
        subject.meet("redirect", location=f"{trap.url}/token")
        before = subject.current().id
        assert subject.refresh().outcome is Outcome.UNAVAILABLE
        assert trap.control.log() == []
    (attempt,) = subject.attempts()
    assert (attempt.error, attempt.evidence["status"]) == ("target_refused", 307)
    row = subject.row()
    assert (row.status, row.current_version_id) == ("active", before)
    assert [entry.status for entry in subject.requests()] == [307]


# --- An error, or a bad day -------------------------------------------------------------------------------------------
@pytest.fixture
def errors_of(subject: Subject, tmp_path: Path) -> Iterator[Any]:
    """Give the subject's provider the error rules of another entry."""
    sandbox_entry = (Path(loader.__file__).parent / "sandbox.toml").read_text()

    def change(slug: str) -> None:
        lines = [sandbox_entry]
        method = loader.entry(slug).authorization_code
        assert method is not None
        for rule in method.errors:
            stated = {name: value for name, value in rule.model_dump(mode="json").items() if value not in (None, "")}
            lines += ["[[authorization_code.errors]]"]
            lines += [f"{name} = {json.dumps(value)}" for name, value in stated.items()]
        (tmp_path / "catalog").mkdir()
        (tmp_path / "catalog" / "sandbox.toml").write_text("\n".join(lines) + "\n")
        loader.configure_catalog(tmp_path / "catalog")

    yield change
    loader.configure_catalog(project.CATALOG_DIR)


ERRORS: list[tuple[str, dict[str, str], Outcome, str, str]] = [
    ("github", {"error": "bad_refresh_token"}, Outcome.REFUSED, "rejected", "suspect"),
    ("github", {"error": "what_is_this"}, Outcome.UNAVAILABLE, "in_doubt", "active"),
    ("github", {"error": "incorrect_client_credentials"}, Outcome.CLIENT_REJECTED, "rejected", "active"),
    ("slack", {"style": "slack", "error": "invalid_refresh_token"}, Outcome.REFUSED, "rejected", "suspect"),
    ("slack", {"style": "slack", "error": "what_is_this"}, Outcome.UNAVAILABLE, "in_doubt", "active"),
]


@pytest.mark.parametrize("slug", ["github", "slack"])
def test_an_error_in_a_200_means_what_the_catalogue_says(subject: Subject, errors_of: Any, slug: str) -> None:
    errors_of(slug)
    before = subject.current().id
    for entry, options, outcome, state, status in ERRORS:
        if entry != slug:
            continue
        subject.begin_again()
        subject.meet("error_in_200", **options)
        assert subject.refresh().outcome is outcome, options
        (attempt,) = subject.attempts()
        assert (attempt.state, attempt.evidence["status"], attempt.evidence["error"]) == (state, 200, options["error"])
        row = subject.row()
        assert (row.status, row.current_version_id) == (status, before)
        assert [entry.fault for entry in subject.requests()] == ["error_in_200"]
        assert subject.vend().status_code == 200


def test_a_provider_that_is_down_is_asked_less_and_less_and_the_valid_token_is_vended(subject: Subject) -> None:
    before = subject.current().id
    subject.sandbox.control.settings(grace_seconds=60)
    subject.meet("status", times=0, status=503)
    waits = []
    for failures in range(1, 6):
        report = subject.refresh()
        assert report.outcome is Outcome.UNAVAILABLE
        assert report.retry_after_seconds is not None
        waits.append(report.retry_after_seconds)
        row = subject.row()
        assert (row.status, row.failures, row.current_version_id) == ("active", failures, before)
        assert subject.refresh().outcome is Outcome.BACKING_OFF
        assert subject.vend().status_code == 200
        subject.wait(seconds=report.retry_after_seconds + 0.1)
    assert len(set(waits)) > 1, "there is no jitter"
    assert len(subject.requests()) == 5
    subject.sandbox.control.clear_faults()
    assert subject.refresh().outcome is Outcome.REFRESHED
    row = subject.row()
    assert (row.status, row.failures) == ("active", 0)
    assert subject.states() == ["superseded"] * 5 + ["promoted"]


def test_a_429_is_obeyed_in_both_forms_and_capped(subject: Subject) -> None:
    before = subject.current().id
    for asked, (least, most) in (
        ({"retry_after": 120}, (118, 121)),
        ({"retry_after": 120, "http_date": True}, (118, 121)),
        ({"retry_after": 86_400}, (300, 3601)),
        ({"retry_after": "soon"}, (0, 10)),
    ):
        subject.begin_again()
        subject.meet("rate_limited", **asked)
        assert subject.refresh().outcome is Outcome.UNAVAILABLE
        row = subject.row()
        assert row.next_attempt_at is not None
        assert least <= (row.next_attempt_at - database_now()).total_seconds() <= most, asked
        assert subject.refresh().outcome not in (Outcome.REFRESHED, Outcome.FRESH)
        assert (row.status, row.current_version_id) == ("active", before)
        assert subject.states() == ["aborted"], "nothing was processed, so nothing is in doubt"
        assert [entry.status for entry in subject.requests()] == [429]
        assert subject.vend().status_code == 200


# --- A success with odd values ----------------------------------------------------------------------------------------
ODD_VALUES: tuple[Any, ...] = (0, -1, -(10**9), "", "0", "abc", [], {}, False, 1e-9, 10**15)
ODD: list[dict[str, Any]] = [
    {},
    *({"value": value} for value in ODD_VALUES),
    *({"raw": raw} for raw in ("NaN", "Infinity", "-Infinity", "1e999", "-0.0", '"\\u0000"')),
]


def test_an_odd_expiry_is_clamped_and_never_makes_a_hot_loop(subject: Subject) -> None:
    for options in ODD:
        subject.begin_again()
        subject.meet("expires_in", **options)
        assert subject.refresh().outcome is Outcome.REFRESHED, options
        version, due = subject.current(), subject.row().refresh_due_at
        assert version.access_expires_at is not None and due is not None
        assert 30 <= (version.access_expires_at - version.received_at).total_seconds() <= 366 * 86_400, options
        assert (due - database_now()).total_seconds() > 15, options
        for _ in range(3):
            assert sweep_refreshes(now=database_now()) == 0
            assert subject.refresh().outcome is Outcome.FRESH
            assert subject.vend().status_code == 200
        assert len(subject.requests()) == 1, options


def test_a_caller_that_wants_more_time_than_the_provider_gives_makes_no_hot_loop(subject: Subject) -> None:
    subject.meet("expires_in", times=0, value=1)
    assert subject.refresh().outcome is Outcome.REFRESHED
    for _ in range(5):
        for seconds in (29.999, 600):
            assert subject.vend(min_ttl=seconds).status_code == 422
    assert len(subject.requests()) == 1
    assert subject.states() == ["promoted"]


def test_a_narrowed_scope_is_stored_and_told_and_refuses_the_vends_that_need_it(subject: Subject) -> None:
    assert subject.vend(scopes=["files.read"]).status_code == 200
    subject.meet("narrow_scope", scope="profile.read")
    assert subject.refresh().outcome is Outcome.REFRESHED
    assert subject.current().scopes == ["profile.read"]
    assert [event["lost_scopes"] for event in subject.events("scopes_lost")] == [["files.read"]]
    refused = subject.vend(scopes=["files.read"])
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["missing_scopes"] == ["files.read"]
    assert subject.vend(scopes=["profile.read"]).status_code == 200
    assert subject.row().status == "active"
    assert [entry.fault for entry in subject.requests()] == ["narrow_scope"]


def test_an_odd_token_type_costs_nothing(subject: Subject) -> None:
    for token_type in ("mac", "", None, 7, "Bearer\r\nX-Evil: 1"):
        subject.begin_again()
        subject.meet("wrong_token_type", token_type=token_type)
        assert subject.refresh().outcome is Outcome.REFRESHED, token_type
        assert subject.vend().json()["credential"]["headers"].keys() == {"Authorization"}
        assert subject.row().status == "active"
        assert [entry.outcome for entry in subject.requests()] == ["rotated"]
