"""Outlook: what happens next, told from a snapshot. No database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connections.lifecycle.quarantine.standing import Hold
from connections.lifecycle.steer.outlook import Step, distance, outlook, refresh_at
from connections.models import Connection, Incident, ProviderApp, RefreshAttempt, Tenant, TokenVerdict

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SOON = NOW + timedelta(minutes=20)


def steps(
    *,
    attempt: RefreshAttempt | None = None,
    incidents: tuple[Incident, ...] = (),
    hold: Hold | None = None,
    **columns: Any,
) -> list[Step]:
    """Return the outlook of a healthy connection with ``columns`` changed."""
    tenant = columns.pop("tenant", Tenant(slug="acme"))
    app = columns.pop("app", ProviderApp(name="Sandbox"))
    healthy = {"status": "active", "reason": "connected", "refresh_due_at": SOON, "probe_due_at": SOON}
    connection = Connection(tenant=tenant, provider_app=app, **(healthy | columns))
    return outlook(connection, attempt=attempt, incidents=incidents, hold=hold, now=NOW)


def texts(*args: Any, **columns: Any) -> str:
    return " | ".join(step.text for step in steps(*args, **columns))


def test_a_healthy_connection_is_refreshed_and_probed() -> None:
    assert steps() == [Step("Refresh", SOON), Step("Probe", SOON)]


def test_a_refresh_that_is_due_is_told_as_due() -> None:
    assert texts(refresh_due_at=NOW) == "Refresh, due | Probe"


@pytest.mark.parametrize(
    ("verdict", "says"), [(None, "sorts"), (TokenVerdict.UNKNOWN, "somebody releases it"), (TokenVerdict.USED, "again")]
)
def test_a_quarantine_takes_the_place_of_the_refresh(verdict: TokenVerdict | None, says: str) -> None:
    held = steps(hold=Hold(verdict), access_expires_at=SOON)
    assert held[0].is_held
    assert held[0].text.startswith("Refresh quarantine: ")
    assert says in held[0].text
    assert not any(step.text.startswith("Refresh,") or step.text == "Refresh" for step in held)
    assert (Step("Its access token ends, and with it what is vended", SOON) in held) == (verdict is not None)


def test_a_refresh_that_is_held_back_says_why_and_until_when() -> None:
    held = steps(refresh_due_at=NOW, next_attempt_at=SOON, failures=2)
    assert held[0] == Step("Refresh, held back after 2 failures in a row", SOON)
    assert "after 1 failure |" in texts(next_attempt_at=SOON, failures=1)


def test_what_cannot_be_refreshed_ends() -> None:
    ends = steps(refresh_due_at=None, access_expires_at=SOON)
    assert Step("The credential expires, and the end user has to connect again.", SOON) in ends
    assert "expires" not in texts(refresh_due_at=None)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"suspended_at": NOW}, "The connection is suspended"),
        ({"tenant": Tenant(suspended_at=NOW)}, "The tenant is suspended"),
        ({"app": ProviderApp(suspended_at=NOW)}, "The provider app is suspended"),
        ({"paused_at": NOW}, "The connection is paused"),
        ({"app": ProviderApp(paused_at=NOW)}, "The provider app is paused"),
        ({"refresh_failing_at": NOW}, "No valid token is left and refreshes fail"),
        ({"incidents": (Incident(kind="client_rejected"),)}, "refuses our client registration"),
        ({"incidents": (Incident(kind="many_failures"),)}, "none of them is downgraded"),
    ],
)
def test_what_holds_it_back_comes_first(columns: dict[str, Any], says: str) -> None:
    first = steps(**columns)[0]
    assert first.is_held
    assert says in first.text


def test_an_open_attempt_is_told() -> None:
    under_way = RefreshAttempt(state="sent", deadline_at=SOON)
    assert steps(attempt=under_way)[0].at == SOON
    assert "never answered" in texts(attempt=RefreshAttempt(state="in_doubt", deadline_at=NOW))


def test_refusals_without_end_say_what_ends_them() -> None:
    assert "go on for 10 min end it" in texts(status="suspect", reason="refresh_failing", refresh_failing_at=NOW)


def test_a_suspicion_says_when_it_is_decided() -> None:
    told = steps(status="suspect", reason="refresh_refused", refused_at=NOW)
    assert Step("One more refusal ends it", NOW + timedelta(seconds=30)) in told
    told = steps(status="suspect", reason="refresh_refused", refused_at=NOW - timedelta(minutes=1))
    assert Step("One more refusal ends it", None) in told


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("pending", "to confirm who connected"),
        ("needs_reauth", "until the end user connects again"),
        ("revoked", "can connect it anew"),
        ("disconnected", "it is over"),
    ],
)
def test_a_connection_that_does_not_vend_says_what_it_waits_for(status: str, says: str) -> None:
    assert says in texts(status=status)


def test_a_missing_reconnect_page_is_told_where_it_matters() -> None:
    assert "names no reconnect page" in texts(status="needs_reauth")
    assert "names no" not in texts(status="needs_reauth", tenant=Tenant(reconnect_url="https://a.example"))


def test_a_revocation_says_when_the_secrets_go_at_the_latest() -> None:
    columns = {"revocation": "pending", "revocation_due_at": NOW, "revocation_deadline_at": SOON}
    assert steps(status="disconnected", **columns)[1] == Step("The stored secrets are destroyed at the latest.", SOON)


def test_the_next_refresh_is_the_later_of_due_and_allowed() -> None:
    assert refresh_at(Connection(refresh_due_at=NOW, next_attempt_at=SOON)) == SOON
    assert refresh_at(Connection(refresh_due_at=SOON, next_attempt_at=NOW)) == SOON
    assert refresh_at(Connection(refresh_due_at=None, next_attempt_at=NOW)) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "now"), (45, "in 45 s"), (-45, "45 s ago"), (720, "in 12 min"), (-7200, "2 h ago"), (259_200, "in 3 days")],
)
def test_distances_are_told_in_the_unit_that_reads_best(seconds: int, words: str) -> None:
    assert distance(NOW + timedelta(seconds=seconds), now=NOW) == words
