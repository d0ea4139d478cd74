"""A consent that brings no refresh token: a healthy connection is none the worse for it, and any other says so."""

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import Q

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.connect.not_refreshable import CODE
from connections.lifecycle.credentials.reread import reread_changed
from connections.lifecycle.quarantine.begin import begin_quarantine
from connections.lifecycle.quarantine.release import release
from connections.lifecycle.quarantine.sort import sort_held
from connections.models import AuditEvent, Connection, OutboxEvent, RefreshAttempt, RewindCause
from tests.connections.lifecycle.clockwork import age
from tests.field.stage import ENTRY, Answer, Stage
from tests.flows import call
from tests.providers.conftest import Received

FIRST = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 900}
SECOND = {"access_token": "at-2", "expires_in": 900}


def sent_refresh_tokens(stage: Stage) -> list[str]:
    return [request.form["refresh_token"] for request in stage.requests() if "refresh_token" in request.form]


def notices(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [notice["code"] for notice in answer.json()["notices"]]


@pytest.mark.parametrize("how", ["reconnected", "connected once more"])
def test_the_same_account_keeps_its_refresh_token(stage: Stage, how: str) -> None:
    stage.tokens(FIRST)
    stage.tokens(SECOND)
    stage.tokens({"access_token": "at-3", "expires_in": 900})
    before = stage.connect()
    answer = stage.reconnect(before) if how == "reconnected" else stage.confirm()
    after = Connection.objects.get()
    assert (after.id, after.status, after.reason, notices(answer)) == (before.id, "active", "reconnected", [])
    assert after.refresh_due_at is not None
    assert stage.vend(after).json()["credential"]["value"] == "at-2"
    assert stage.refresh(after).outcome == "refreshed"
    assert stage.vend(after).json()["credential"]["value"] == "at-3"
    assert sent_refresh_tokens(stage) == ["rt-1"]
    assert AuditEvent.objects.filter(action="connection.connected", detail__kept_refresh_token=True).count() == 1


def test_a_new_refresh_token_takes_the_place_of_the_old_one(stage: Stage) -> None:
    stage.tokens(FIRST)
    stage.tokens({**SECOND, "refresh_token": "rt-2"})
    before = stage.connect()
    assert stage.reconnect(before).status_code == 200
    stage.refresh(before)
    assert sent_refresh_tokens(stage) == ["rt-2"]


def test_what_is_known_of_the_kept_tokens_end_counts_from_when_it_came(stage: Stage) -> None:
    stage.tokens({**FIRST, "refresh_token_expires_in": 10_000})
    stage.tokens(SECOND)
    before = stage.connect()
    age(before.id, seconds=4_000)
    before.refresh_from_db()
    assert before.refresh_expires_at is not None
    assert stage.reconnect(before).status_code == 200
    after = Connection.objects.get()
    assert after.refresh_expires_at is not None
    assert abs((after.refresh_expires_at - before.refresh_expires_at).total_seconds()) < 60


@pytest.mark.parametrize("is_sorted", [True, False])
def test_a_kept_token_that_waits_because_the_database_was_put_back_waits_on(stage: Stage, is_sorted: bool) -> None:
    """Perhaps it was used since, and then the next one who sends it ends the new consent as well."""
    stage.tokens(FIRST)
    stage.tokens(SECOND)
    stage.tokens({"access_token": "at-3", "expires_in": 900})
    before = stage.connect()
    begin_quarantine(RewindCause.ORDERED, rewound_to=None, actor=SYSTEM, now=database_now())
    if is_sorted:
        assert sort_held(now=database_now()) == {"not_rotating": 0, "never_sent": 0, "unknown": 1}
    assert stage.reconnect(before).status_code == 200
    if not is_sorted:
        sort_held(now=database_now())
    assert stage.vend(before).json()["credential"]["value"] == "at-2"
    assert (stage.refresh(before).outcome, sent_refresh_tokens(stage)) == ("quarantined", [])
    assert release(Q(), with_used=False, actor=SYSTEM, now=database_now()) == 1
    assert (stage.refresh(before).outcome, sent_refresh_tokens(stage)) == ("refreshed", ["rt-1"])


def test_tokens_of_two_accounts_are_never_put_together(stage: Stage) -> None:
    stage.tokens(FIRST)
    stage.tokens(SECOND)
    before = stage.connect()
    stage.forget_answers("/me")
    stage.me({"id": "u-2"})
    answer = stage.reconnect(before, allow_account_change=True)
    assert notices(answer) == [CODE]
    after = Connection.objects.get()
    assert (after.provider_account_id, after.refresh_due_at, after.lacks_refresh_token) == ("u-2", None, True)
    assert stage.refresh(after).outcome == "not_refreshable"
    assert sent_refresh_tokens(stage) == []


def test_a_refresh_token_is_not_kept_for_another_party_than_gave_it(stage: Stage) -> None:
    """Whoever moves the app, and answers with the account's id, is not handed the token of the party before."""
    stage.tokens(FIRST)
    stage.tokens(SECOND)
    before = stage.connect()
    stage.write(ENTRY.replace("<url>/token", stage.server.url.replace("127.0.0.1", "localhost") + "/token"))
    stage.register()
    assert notices(stage.reconnect(before)) == [CODE]
    after = Connection.objects.get()
    assert (after.id, after.provider_account_id, after.refresh_due_at) == (before.id, before.provider_account_id, None)
    assert stage.refresh(after).outcome == "not_refreshable"
    assert sent_refresh_tokens(stage) == []


def test_a_healthy_connection_of_an_unknown_account_stays_as_it_was(stage: Stage) -> None:
    stage.write(NAMELESS)
    stage.tokens(FIRST)
    stage.tokens(SECOND)
    stage.tokens(SECOND)
    stage.tokens({"access_token": "at-3", "expires_in": 900})
    before = stage.connect()
    refused = stage.reconnect(before)
    assert (refused.status_code, refused.json()["reason"]) == (409, "no_refresh_token")
    assert stage.vend(before).json()["credential"]["value"] == "at-1"
    replaced = stage.reconnect(before, allow_account_change=True)
    assert notices(replaced) == [CODE]
    assert stage.vend(before).json()["credential"]["value"] == "at-2"


NAMELESS = """
name = "Field"
base_url = "<url>/api"
[authorization_code]
authorization_url = "<url>/authorize"
token_url = "<url>/token"
"""


def test_a_refresh_token_that_was_refused_is_not_kept(stage: Stage) -> None:
    stage.tokens(FIRST)
    stage.tokens({"error": "invalid_grant"}, status=400)
    before = stage.connect()
    stage.refresh(before)
    stage.refresh(before)
    assert before.status == "needs_reauth"
    stage.forget_answers("/token")
    stage.tokens(SECOND)
    assert notices(stage.reconnect(before)) == [CODE]
    assert Connection.objects.get().refresh_due_at is None


class Holding:
    """The provider, which keeps its answer to a refresh back until it is told to give it."""

    def __init__(self, stage: Stage, answer: Answer) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        self._usual, self._answer = stage.server.responder, answer
        stage.server.responder = self.respond

    def respond(self, request: Received) -> Answer:
        assert self._usual is not None
        if request.path == "/token" and request.form.get("refresh_token") == "rt-1" and not self.go.is_set():
            self.reached.set()
            self.go.wait(60)
            return self._answer
        return self._usual(request)


def test_a_refresh_that_is_under_way_meanwhile_loses_no_rotated_token(stage: Stage) -> None:
    stage.tokens(FIRST)
    stage.tokens(SECOND)
    before = stage.connect()
    body = b'{"access_token": "at-r", "refresh_token": "rt-2", "expires_in": 900}'
    holding = Holding(stage, (200, body, {"Content-Type": "application/json"}))

    def refresh() -> None:
        stage.refresh(Connection.objects.get(id=before.id))
        database.close()

    thread = threading.Thread(target=refresh)
    thread.start()
    assert holding.reached.wait(60)
    assert notices(stage.reconnect(before)) == []
    holding.go.set()
    thread.join()

    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-3", "refresh_token": "rt-3", "expires_in": 900})
    assert stage.refresh(before).outcome == "refreshed"
    assert sent_refresh_tokens(stage) == ["rt-1", "rt-2"], "never the one that was rotated away"
    assert stage.vend(before).json()["credential"]["value"] == "at-3"


def test_an_unreadable_answer_that_comes_meanwhile_holds_the_kept_token_back(stage: Stage) -> None:
    stage.tokens(FIRST)
    stage.tokens(SECOND)
    before = stage.connect()
    body = b'{"data": {"access_token": "at-r", "refresh_token": "rt-2", "expires_in": 900}}'
    holding = Holding(stage, (200, body, {"Content-Type": "application/json"}))

    def refresh() -> None:
        stage.refresh(Connection.objects.get(id=before.id))
        database.close()

    thread = threading.Thread(target=refresh)
    thread.start()
    assert holding.reached.wait(60)
    assert notices(stage.reconnect(before)) == []
    holding.go.set()
    thread.join()

    assert stage.refresh(before).outcome == "answer_unread"
    stage.describe(method='token_pointer = "/data"')
    assert reread_changed() == 1
    stage.forget_answers("/token")
    stage.tokens({"data": {"access_token": "at-3", "refresh_token": "rt-3", "expires_in": 900}})
    assert stage.refresh(before).outcome == "refreshed"
    assert sent_refresh_tokens(stage) == ["rt-1", "rt-2"], "never the one that was rotated away"


def test_a_doubt_about_the_kept_token_stays_one(stage: Stage) -> None:
    stage.tokens(FIRST)
    stage.tokens(b"", status=502)
    stage.tokens(SECOND)
    stage.tokens({"error": "invalid_grant"}, status=400)
    before = stage.connect()
    stage.refresh(before)
    assert RefreshAttempt.objects.get().state == "in_doubt"
    assert notices(stage.reconnect(before)) == []
    stage.refresh(before)
    assert (before.status, before.reason) == ("needs_reauth", "lost_in_flight")


def test_a_connection_without_a_refresh_token_says_so_at_once(stage: Stage) -> None:
    stage.tokens(SECOND)
    answer = stage.confirm(scopes=["offline_access"])
    (notice,) = answer.json()["notices"]
    shown = answer.json()["connection"]
    assert (notice["code"], notice["ends_at"]) == ("no_refresh_token", shown["health"]["access_expires_at"])
    assert "connect again" in notice["detail"]
    assert shown["health"]["lacks_refresh_token"] is True
    again = call(stage.alice.backend, "GET", f"/connections/{shown['id']}").json()
    assert again["health"]["lacks_refresh_token"] is True
    event = OutboxEvent.objects.get(type="connection.not_refreshable")
    told = datetime.fromisoformat(event.payload["ends_at"])
    assert told == Connection.objects.get().access_expires_at


@pytest.mark.parametrize(
    ("method", "scopes", "answer", "is_told"),
    [
        ("", [], {"access_token": "at-1"}, False),
        ("", ["offline_access"], {"access_token": "at-1"}, True),
        ('refresh_scope = "stay"', ["stay"], {"access_token": "at-1"}, True),
        ("expects_refresh_token = true", [], {"access_token": "at-1"}, True),
        ("expects_refresh_token = false", [], {"access_token": "at-1", "expires_in": 900}, False),
        ("default_lifetime_seconds = 900", [], {"access_token": "at-1"}, True),
        ("", [], FIRST, False),
    ],
    ids=["never ends", "asked offline", "asked by its own scope", "expected", "not expected", "by the entry", "came"],
)
def test_only_a_refresh_token_that_was_to_be_expected_is_missed(
    stage: Stage, method: str, scopes: list[str], answer: dict[str, Any], is_told: bool
) -> None:
    stage.describe(method=method, rest='[[scopes]]\nname = "stay"\ndescription = "Stay connected"\n')
    stage.tokens(answer)
    assert notices(stage.confirm(scopes=scopes)) == ([CODE] if is_told else [])
    assert OutboxEvent.objects.filter(type="connection.not_refreshable").exists() is is_told


def test_a_later_consent_that_brings_one_ends_the_notice(stage: Stage) -> None:
    stage.tokens(SECOND)
    stage.tokens(FIRST)
    connection = stage.connect()
    assert connection.lacks_refresh_token
    assert notices(stage.reconnect(connection)) == []
    assert not Connection.objects.get().lacks_refresh_token
