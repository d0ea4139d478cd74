"""What incidents come from, by what was counted, and that each cause is told so that somebody can act on it."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.lifecycle.health.causes import Answer, Facts, explain, probable_cause
from connections.models import IncidentCause, IncidentKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def answers(*said: tuple[str, int | None, str, bool, int]) -> tuple[Answer, ...]:
    return tuple(Answer(*one) for one in said)


REFUSED = answers(("grant_rejected", 400, "invalid_grant", True, 9))
CASES = {
    "a secret that never worked": (
        IncidentKind.CLIENT_REJECTED,
        Facts(has_secret=True, secret_since=NOW, last_success_at=NOW - HOUR),
        IncidentCause.WRONG_SECRET,
    ),
    "a secret with which nothing was ever refreshed": (
        IncidentKind.CLIENT_REJECTED,
        Facts(has_secret=True, secret_since=NOW),
        IncidentCause.WRONG_SECRET,
    ),
    "a secret that worked until lately": (
        IncidentKind.CLIENT_REJECTED,
        Facts(has_secret=True, secret_since=NOW - HOUR, last_success_at=NOW),
        IncidentCause.CLIENT_ENDED,
    ),
    "a client without a secret": (IncidentKind.CLIENT_REJECTED, Facts(), IncidentCause.CLIENT_ENDED),
    "all grants at once": (
        IncidentKind.MANY_FAILURES,
        Facts(failing=9, tried=9, live=50, answers=REFUSED),
        IncidentCause.APP_GONE,
    ),
    "nearly all, as one server lags behind": (
        IncidentKind.MANY_FAILURES,
        Facts(failing=19, tried=20, live=50, succeeded=1, answers=REFUSED),
        IncidentCause.APP_GONE,
    ),
    "many grants, while others work": (
        IncidentKind.MANY_FAILURES,
        Facts(failing=9, tried=30, live=50, succeeded=21, answers=REFUSED),
        IncidentCause.GRANTS_ENDED,
    ),
    "requests that blame nobody": (
        IncidentKind.MANY_FAILURES,
        Facts(failing=9, tried=9, answers=answers(("request_rejected", 400, "invalid_request", True, 9))),
        IncidentCause.REQUESTS_REFUSED,
    ),
    "errors of the server": (
        IncidentKind.UNAVAILABLE,
        Facts(answers=answers(("provider_unavailable", 503, "", True, 6), ("provider_unavailable", None, "", True, 2))),
        IncidentCause.OUTAGE,
    ),
    "a host that is not reached": (
        IncidentKind.UNAVAILABLE,
        Facts(unsent_apps=1, answers=answers(("provider_unavailable", None, "", False, 6))),
        IncidentCause.UNREACHABLE,
    ),
    "no host is reached": (
        IncidentKind.UNAVAILABLE,
        Facts(unsent_apps=3, answers=answers(("provider_unavailable", None, "", False, 6))),
        IncidentCause.OUR_EGRESS,
    ),
    "too many calls": (
        IncidentKind.UNAVAILABLE,
        Facts(answers=answers(("provider_unavailable", 429, "", True, 6), ("provider_unavailable", 503, "", True, 1))),
        IncidentCause.RATE_LIMITED,
    ),
    "a refused address": (IncidentKind.ADDRESS_REFUSED, Facts(), IncidentCause.ADDRESS_NOT_LISTED),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_told_by_what_was_counted(case: str) -> None:
    kind, facts, cause = CASES[case]
    assert probable_cause(kind, facts) == cause


def test_every_cause_is_reached_by_some_case() -> None:
    assert {cause for _, _, cause in CASES.values()} == set(IncidentCause)


@pytest.mark.parametrize("cause", [*IncidentCause, ""])
@pytest.mark.parametrize("facts", [{}, Facts(host="auth.hooli.example", failing=6, live=9, answers=REFUSED).as_dict()])
def test_every_cause_names_the_app_and_says_what_to_do(cause: str, facts: dict[str, object]) -> None:
    told = explain(cause, app="Acme CRM", provider="Hooli", at="", facts=facts)
    assert "Acme CRM" in told.what + told.to_do
    whole = f"{told.what} {told.means} {told.to_do}"
    assert ("auth.hooli.example" if facts else "Hooli") in whole
    assert told.means and told.to_do
    assert "None" not in whole


def test_the_host_of_a_party_is_named_before_that_of_the_provider() -> None:
    told = explain(IncidentCause.OUTAGE, app="A", provider="P", at="mcp.acme.example", facts={"host": "x.example"})
    assert told.what.startswith("mcp.acme.example is down")
