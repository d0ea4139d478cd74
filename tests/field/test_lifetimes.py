"""What answers say of the end of a token and of a grant, and what is made of it."""

import time
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.lifecycle.probe.probe import probe
from connections.models import Connection, CredentialVersion
from tests.connections.lifecycle.clockwork import age
from tests.field.machine import connect_machine, describe_machine
from tests.field.stage import Stage
from tests.flows import call

SENTINELS = [0, "0", -1, "-1", None, "", "never", 1_767_323_045, 10**13]


def lifetime(connection: Connection) -> float | None:
    """Return how long the current credential is taken to live, in seconds, or None where nobody knows."""
    version = CredentialVersion.objects.get(id=connection.current_version_id)
    if version.access_expires_at is None:
        return None
    return (version.access_expires_at - version.received_at).total_seconds()


@pytest.mark.parametrize("said", SENTINELS)
def test_an_expiry_that_says_nothing_ends_nothing_while_probes_prove_it(stage: Stage, said: Any) -> None:
    stage.tokens({"access_token": "mc-1", "expires_in": said, "scope": None})
    connection = stage.connect()
    assert connection.access_expires_at is None
    for _ in range(3):
        age(connection.id, hours=10)
        assert probe(connection.id, trigger="test").verdict == "alive"
        assert stage.vend(connection).status_code == 200
    connection.refresh_from_db()
    assert (connection.status, connection.verified_by) == ("active", "probe")


@pytest.mark.parametrize("said", SENTINELS)
def test_an_expiry_that_says_nothing_leaves_the_catalogue_s_word(stage: Stage, said: Any) -> None:
    stage.describe(method="default_lifetime_seconds = 7200")
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": said})
    stage.tokens({"access_token": "at-2", "refresh_token": "rt-2", "expires_in": said})
    connection = stage.connect()
    assert lifetime(connection) == 7200
    age(connection.id, hours=1)
    assert stage.refresh(connection).outcome == "refreshed"
    assert lifetime(connection) == 7200


@pytest.mark.parametrize("said", [0, "0", -1, None])
def test_an_entry_can_say_that_a_value_means_never(stage: Stage, said: Any) -> None:
    stage.describe(method='default_lifetime_seconds = 60\nexpiry = { never = ["0", "-1", "null"] }')
    stage.tokens({"access_token": "mc-1", "expires_in": said})
    connection = stage.connect()
    assert connection.access_expires_at is None
    age(connection.id, days=300)
    assert stage.vend(connection).json()["credential"]["expires_at"] is None


@pytest.mark.parametrize(
    ("expiry", "members"),
    [
        ('{ format = "milliseconds" }', {"expires_in": 5_400_000}),
        ('{ format = "minutes" }', {"expires_in": "90"}),
        ('{ field = "expires", format = "epoch" }', lambda: {"expires": int(time.time()) + 5400}),
        ('{ field = "/meta/exp", format = "epoch_ms" }', lambda: {"meta": {"exp": int(time.time() + 5400) * 1000}}),
        (
            '{ field = "expires_at", format = "timestamp" }',
            lambda: {"expires_at": (database_now() + timedelta(seconds=5400)).isoformat()},
        ),
        ('{ field = "ttl", format = "duration" }', {"ttl": "1h30m"}),
    ],
)
def test_any_unit_field_and_moment_can_be_said(stage: Stage, expiry: str, members: Any) -> None:
    for style in ("code", "machine"):
        made = members() if callable(members) else members
        stage.forget_answers("/token")
        stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", **made})
        if style == "machine":
            connection = connect_machine(stage, describe_machine(stage, method=f"expiry = {expiry}"))
        else:
            stage.describe(method=f"expiry = {expiry}")
            connection = stage.connect()
        for _ in range(2):
            assert 5380 <= (lifetime(connection) or 0) <= 5410
            stage.refresh(connection)


def test_a_proof_of_life_is_worth_more_than_an_end_that_was_announced(stage: Stage) -> None:
    stage.tokens({"access_token": "at-1", "expires_in": 3600})
    connection = stage.connect()
    assert connection.probe_due_at is not None
    age(connection.id, hours=2)
    assert stage.vend(connection).json()["reason"] == "expired"
    assert probe(connection.id, trigger="test").verdict == "alive"
    assert stage.vend(connection).status_code == 200
    stage.forget_answers("/me")
    stage.me({}, status=401)
    for _ in range(2):
        probe(connection.id, trigger="test")
        age(connection.id, minutes=1)
    connection.refresh_from_db()
    assert (connection.status, connection.reason) == ("needs_reauth", "credential_dead")


@pytest.mark.parametrize(("refresh_token", "hours"), [(None, 0), ("rt-1", 0), ("rt-1", 2)])
def test_a_proof_of_life_makes_nothing_endless_that_is_to_end(
    stage: Stage, refresh_token: str | None, hours: float
) -> None:
    """Neither before the announced end, nor where another token can be had."""
    stage.tokens({"access_token": "at-1", "refresh_token": refresh_token, "expires_in": 3600})
    connection = stage.connect()
    age(connection.id, hours=hours)
    connection.refresh_from_db()
    ends_at = connection.access_expires_at
    assert ends_at is not None
    assert probe(connection.id, trigger="test").verdict == "alive"
    connection.refresh_from_db()
    assert (connection.access_expires_at, connection.verified_by) == (ends_at, "probe")
    assert CredentialVersion.objects.get(id=connection.current_version_id).access_expires_at == ends_at


def test_what_cannot_be_refreshed_is_probed_as_soon_as_it_has_ended(stage: Stage) -> None:
    stage.tokens({"access_token": "at-1", "expires_in": 120})
    connection = stage.connect()
    assert connection.probe_due_at == connection.access_expires_at


# --- The end of the grant ---------------------------------------------------------------------------------------------
def days_left(connection: Connection, name: str) -> int | None:
    """Return in how many days the API says that the grant ends."""
    connection.refresh_from_db()
    moment = getattr(connection, name)
    return None if moment is None else round((moment - database_now()).total_seconds() / 86_400)


DAY = 86_400


@pytest.mark.parametrize(
    "announced",
    [
        {"refresh_token_expires_in": 30 * DAY},
        {"refresh_expires_in": str(30 * DAY)},
        {"x_refresh_token_expires_in": 30 * DAY},
        {"refresh_token_timeout": 30 * DAY},
    ],
)
def test_the_announced_end_of_a_refresh_token_is_kept_shown_and_met_in_time(
    stage: Stage, announced: dict[str, Any]
) -> None:
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 365 * DAY, **announced})
    connection = stage.connect()
    assert days_left(connection, "refresh_expires_at") == 30
    assert connection.refresh_due_at is not None
    assert 14 <= (connection.refresh_due_at - database_now()).days < 20
    shown = call(stage.alice.backend, "GET", f"/connections/{connection.id}").json()["health"]
    assert shown["refresh_expires_at"] is not None
    assert shown["grant_expires_at"] is None


def test_an_end_that_later_answers_do_not_repeat_counts_down(stage: Stage) -> None:
    stage.tokens(
        {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, "refresh_token_expires_in": 30 * DAY}
        | {"authorization_expires_in": 90 * DAY}
    )
    for number in (2, 3, 4):
        stage.tokens({"access_token": f"at-{number}", "refresh_token": f"rt-{number}", "expires_in": 3600})
    connection = stage.connect()
    for day in (1, 2, 3):
        age(connection.id, days=1)
        assert stage.refresh(connection).outcome == "refreshed"
        assert days_left(connection, "refresh_expires_at") == 30 - day
        assert days_left(connection, "grant_expires_at") == 90 - day


def test_an_idle_time_begins_anew_with_each_refresh_and_the_grant_s_end_does_not(stage: Stage) -> None:
    stage.tokens(
        {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, "refresh_token_timeout": 7 * DAY}
        | {"authorization_expires_in": 90 * DAY}
    )
    stage.tokens({"access_token": "at-2", "refresh_token": "rt-2", "expires_in": 3600})
    connection = stage.connect()
    age(connection.id, days=3)
    assert stage.refresh(connection).outcome == "refreshed"
    assert days_left(connection, "refresh_expires_at") == 7
    assert days_left(connection, "grant_expires_at") == 87


def test_an_entry_can_say_where_the_end_of_the_refresh_token_is_told(stage: Stage) -> None:
    stage.describe(method='refresh_expiry = { field = "rt_until", format = "epoch" }')
    stage.tokens({"access_token": "a", "refresh_token": "r", "expires_in": 60, "rt_until": int(time.time()) + 30 * DAY})
    assert days_left(stage.connect(), "refresh_expires_at") == 30
