"""Answers that hold tokens and cannot be read yet: kept, told, waited for, and read once the entry is mended."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.reread import reread_changed
from connections.lifecycle.end.disconnect import disconnect
from connections.models import AuditEvent, Connection, ConnectSession, OutboxEvent, RefreshAttempt, UnreadAnswer
from tests.connections.admin.conftest import page_url, press_url, prove
from tests.connections.consent.observed import assert_nothing_left
from tests.connections.lifecycle.clockwork import age
from tests.field.machine import connect_machine, describe_machine
from tests.field.stage import ENTRY, Stage
from tests.field.test_token_answers import tokens
from tests.flows import call, completion_code, failure_of

MENDED = 'token_pointer = "/data/auth"\nrefresh_tokens_rotate = true'
WRAPPED = [
    {"data": {"auth": tokens(2)}},
    [{"data": {"auth": tokens(2)}}],
    {"data": {"auth": {**tokens(2), "access_token": {"at-2": 1}}}},
    b"<answer><access_token>at-2</access_token></answer>",
    b"\x8b\x0b\x80\x00 no coding that anybody here knows \x00\x01",
]


def manage(*words: str) -> Any:
    out = StringIO()
    call_command("connections", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def unread(stage: Stage, body: Any) -> Connection:
    """Connect, and have a refresh answered by ``body``; from then on the provider refuses the token it has replaced."""
    stage.tokens(tokens(1))
    stage.tokens(body)
    stage.tokens({"error": "invalid_grant"}, status=400)
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "answer_unread"
    return connection


def health(stage: Stage, connection: Connection) -> dict[str, Any]:
    shown: dict[str, Any] = call(stage.alice.backend, "GET", f"/connections/{connection.id}").json()["health"]
    return shown


@pytest.mark.parametrize("body", WRAPPED)
def test_an_unread_answer_is_kept_and_the_used_refresh_token_is_not_shown_again(stage: Stage, body: Any) -> None:
    connection = unread(stage, body)
    for _ in range(3):
        age(connection.id, minutes=10)
        assert stage.refresh(connection).outcome == "answer_unread"
        on_demand = call(stage.alice.backend, "POST", f"/connections/{connection.id}/refresh").json()
        assert on_demand["outcome"] == "answer_unread"
    assert len(stage.requests()) == 2
    assert (connection.status, connection.reason) == ("active", "connected")
    assert health(stage, connection)["answer_unread_at"] is not None
    assert OutboxEvent.objects.filter(type="connection.answer_unread").count() == 1
    refused = stage.vend(connection)
    assert (refused.status_code, refused.json()["code"]) == (502, "answer_unreadable")


def test_the_valid_token_is_vended_while_an_answer_waits(stage: Stage) -> None:
    stage.tokens({**tokens(1), "expires_in": 36_000})
    stage.tokens({"data": {"auth": tokens(2)}})
    connection = stage.connect()
    age(connection.id, hours=8)
    assert stage.refresh(connection).outcome == "answer_unread"
    assert stage.vend(connection).json()["credential"]["value"] == "at-1"


@pytest.mark.parametrize("body", WRAPPED[:1])
def test_it_is_read_by_the_command_once_the_entry_is_mended(stage: Stage, body: Any) -> None:
    connection = unread(stage, body)
    with pytest.raises(CommandError):
        manage("reread", "--connection", str(connection.id))
    stage.describe(method=MENDED)
    (row,) = manage("reread", "--provider", "field")
    assert (row["read"], row["status"], row["left"]) == (True, "active", 0)
    assert not UnreadAnswer.objects.exists()
    assert AuditEvent.objects.filter(action="connection.answer_read", connection_id=connection.id).count() == 1
    assert health(stage, connection)["answer_unread_at"] is None
    assert [attempt.state for attempt in RefreshAttempt.objects.all()] == ["promoted"]
    stage.forget_answers("/token")
    stage.tokens({"data": {"auth": tokens(3)}})
    assert stage.refresh(connection).outcome == "refreshed"
    assert [request.form.get("refresh_token") for request in stage.requests()] == [None, "rt-1", "rt-2"]
    assert manage("reread") == []


def test_it_is_read_by_itself_once_the_entry_is_mended(stage: Stage) -> None:
    connection = unread(stage, {"data": {"auth": tokens(2)}})
    assert reread_changed() == 0
    stage.describe(method=MENDED)
    assert reread_changed() == 1
    connection.refresh_from_db()
    assert connection.answer_unread_at is None
    assert len(stage.requests()) == 2


@pytest.mark.parametrize(
    ("said", "scopes"),
    [({}, ["read", "write"]), ({"scope": ""}, ["read", "write"]), ({"scope": "read"}, ["read"])],
    ids=["left out", "empty", "fewer"],
)
def test_what_is_read_has_the_scopes_of_its_parent_unless_it_names_its_own(
    stage: Stage, said: dict[str, str], scopes: list[str]
) -> None:
    """RFC 6749 §6: what is left out on a refresh is as it was, however late that is read."""
    stage.tokens(tokens(1, scope="read write"))
    stage.tokens({"data": {"auth": tokens(2, **said)}})
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "answer_unread"
    stage.describe(method=MENDED)
    assert reread_changed() == 1
    vended = stage.vend(connection).json()["credential"]
    assert (vended["value"], sorted(vended["scopes"])) == ("at-2", scopes)
    assert OutboxEvent.objects.filter(type="connection.scopes_lost").exists() is (len(scopes) == 1)


def test_an_operator_reads_or_discards_it_on_its_page(stage: Stage, admin_client: Client) -> None:
    connection = unread(stage, {"data": {"auth": tokens(2)}})
    shown = admin_client.get(page_url(connection)).content.decode()
    assert "the answer could not be read: it is kept" in shown
    still = admin_client.post(press_url(connection, "reread"), follow=True).content.decode()
    assert "It still cannot be read" in still
    prove(admin_client, User.objects.get())
    discarded = admin_client.post(press_url(connection, "discard-answer"), follow=True).content.decode()
    assert "Destroyed." in discarded
    trail = AuditEvent.objects.filter(connection_id=connection.id, operator="admin").order_by("id")
    assert [row.action for row in trail] == ["connection.answer_discarded"]
    assert not UnreadAnswer.objects.exists()


def test_a_renewal_that_brings_no_refresh_token_keeps_the_answer_that_waits(stage: Stage) -> None:
    stage.tokens(tokens(1))
    stage.tokens({"data": {"auth": tokens(2)}})
    stage.tokens({"access_token": "at-x", "expires_in": 3600})
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "answer_unread"
    assert stage.reconnect(connection).status_code == 200
    assert health(stage, connection)["answer_unread_at"] is not None
    assert stage.vend(connection).json()["credential"]["value"] == "at-x"
    assert stage.refresh(connection).outcome == "answer_unread"
    stage.describe(method=MENDED)
    assert reread_changed() == 1
    stage.forget_answers("/token")
    stage.tokens({"data": {"auth": tokens(3)}})
    assert stage.refresh(connection).outcome == "refreshed"
    sent = [request.form["refresh_token"] for request in stage.requests() if "refresh_token" in request.form]
    assert sent == ["rt-1", "rt-2"]


def test_a_vend_that_needs_it_reads_it_too(stage: Stage) -> None:
    stage.tokens(tokens(1))
    stage.tokens({"data": {"auth": {**tokens(2), "expires_in": 36_000}}})
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "answer_unread"
    stage.describe(method=MENDED)
    assert stage.vend(connection).json()["credential"]["value"] == "at-2"


def test_a_discarded_answer_lets_the_refresh_go_on_and_its_refusal_is_not_called_lost(stage: Stage) -> None:
    connection = unread(stage, {"data": {"auth": tokens(2)}})
    assert manage("discard-answer", str(connection.id))["discarded"] == 1
    assert stage.refresh(connection).outcome == "refused"
    assert (connection.status, connection.reason) == ("needs_reauth", "answer_unread")
    assert connection.answer_unread_at is None
    assert [request.form.get("refresh_token") for request in stage.requests()] == [None, "rt-1", "rt-1"]


def test_a_page_for_people_is_kept_and_holds_nothing_back(stage: Stage) -> None:
    stage.tokens(tokens(1))
    stage.tokens(b"<!doctype html><title>Maintenance</title><p>Come back later.</p>")
    stage.tokens(tokens(2))
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "unavailable"
    assert UnreadAnswer.objects.get().holds_back is False
    assert stage.refresh(connection).outcome == "refreshed"
    assert not UnreadAnswer.objects.exists()
    assert connection.answer_unread_at is None


def test_a_refusal_after_a_page_for_people_is_not_called_lost(stage: Stage) -> None:
    stage.tokens(tokens(1))
    stage.tokens(b"<p>Something went wrong.</p>")
    stage.tokens({"error": "invalid_grant"}, status=400)
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "unavailable"
    assert stage.refresh(connection).outcome == "refused"
    assert (connection.status, connection.reason) == ("needs_reauth", "answer_unread")


def test_a_provider_with_a_grace_is_asked_again_while_it_lasts(stage: Stage) -> None:
    stage.describe(method="refresh_grace_seconds = 7200")
    stage.tokens(tokens(1))
    stage.tokens({"data": {"auth": tokens(2)}})
    stage.tokens(tokens(3))
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "unavailable"
    assert stage.refresh(connection).outcome == "refreshed"
    assert stage.vend(connection).json()["credential"]["value"] == "at-3"
    assert not UnreadAnswer.objects.exists()


def test_a_page_for_people_does_not_take_the_place_of_an_answer_with_tokens(stage: Stage) -> None:
    stage.describe(method="refresh_grace_seconds = 7200")
    stage.tokens(tokens(1))
    stage.tokens({"data": {"auth": tokens(2)}})
    stage.tokens(b"<p>Come back later.</p>")
    connection = stage.connect()
    for _ in range(3):
        assert stage.refresh(connection).outcome == "unavailable"
    kept = UnreadAnswer.objects.order_by("received_at").values_list("holds_back", flat=True)
    assert list(kept) == [True, False], "of the pages the last one alone"


def test_where_nothing_rotates_a_plain_retry_stays_right(stage: Stage) -> None:
    stage.describe(method="refresh_tokens_rotate = false")
    stage.tokens(tokens(1))
    for _ in range(3):
        stage.tokens({"data": {"auth": tokens(2)}})
    stage.tokens(tokens(3))
    connection = stage.connect()
    for _ in range(3):
        assert stage.refresh(connection).outcome == "unavailable"
        assert UnreadAnswer.objects.count() == 1
    assert stage.refresh(connection).outcome == "refreshed"
    assert not UnreadAnswer.objects.exists()


def test_a_machine_simply_asks_again(stage: Stage) -> None:
    app = describe_machine(stage)
    stage.tokens(tokens(1))
    stage.tokens({"data": {"auth": tokens(2)}})
    stage.tokens(tokens(3))
    connection = connect_machine(stage, app)
    assert stage.refresh(connection).outcome == "unavailable"
    assert stage.refresh(connection).outcome == "refreshed"
    assert stage.vend(connection).json()["credential"]["value"] == "at-3"


def test_a_reconnect_and_a_disconnection_destroy_it(stage: Stage) -> None:
    connection = unread(stage, {"data": {"auth": tokens(2)}})
    stage.forget_answers("/token")
    stage.tokens(tokens(4))
    again = stage.connect(connection=str(connection.id))
    assert again.id == connection.id
    assert again.answer_unread_at is None
    assert not UnreadAnswer.objects.exists()
    stage.forget_answers("/token")
    stage.tokens({"data": {"auth": tokens(5)}})
    stage.refresh(again)
    assert UnreadAnswer.objects.exists()
    disconnect(again.id, now=database_now(), actor=SYSTEM)
    assert not UnreadAnswer.objects.exists()


def test_nothing_of_it_is_shown_anywhere(stage: Stage) -> None:
    connection = unread(stage, {"data": {"auth": {"access_token": "unshown-7f3a9c51", "refresh_token": "unshown-rt"}}})
    told = repr([*RefreshAttempt.objects.values(), *OutboxEvent.objects.values(), *AuditEvent.objects.values()])
    told += repr(Connection.objects.values()) + repr(health(stage, connection)) + repr(UnreadAnswer.objects.get())
    assert "unshown" not in told
    with database.cursor() as cursor:
        cursor.execute("SELECT answer FROM connections_unreadanswer")
        assert b"unshown" not in bytes(cursor.fetchone()[0])


# --- The code ---------------------------------------------------------------------------------------------------------
def held(stage: Stage) -> tuple[Any, str]:
    invitation = stage.invite()
    return invitation, completion_code(stage.come_back(invitation))


def test_what_came_for_a_code_is_kept_and_the_same_confirmation_reads_it(stage: Stage) -> None:
    stage.tokens({"data": {"auth": tokens(1)}})
    invitation, code = held(stage)

    def confirm() -> HttpResponse:
        return stage.alice.complete(invitation, code)

    for _ in range(2):
        refused = confirm()
        assert (refused.status_code, refused.json()["code"]) == (502, "answer_unreadable")
    assert ConnectSession.objects.get(id=invitation.id).state == "held"
    stage.describe(method=MENDED)
    answer = confirm()
    assert answer.status_code == 200, answer.content
    connection = Connection.objects.get(id=answer.json()["connection"]["id"])
    assert stage.vend(connection).json()["credential"]["value"] == "at-1"
    assert len(stage.requests()) == 1


def test_what_came_for_a_code_is_read_for_the_party_alone_that_gave_it(stage: Stage) -> None:
    stage.tokens({"data": {"auth": tokens(1)}})
    invitation, code = held(stage)
    assert stage.alice.complete(invitation, code).json()["code"] == "answer_unreadable"
    elsewhere = stage.server.url.replace("127.0.0.1", "localhost")
    stage.write(
        ENTRY.replace("<url>/token", f"{elsewhere}/token").replace("<url>/me", f"{elsewhere}/me"), method=MENDED
    )
    stage.register()
    assert stage.alice.complete(invitation, code).status_code >= 400
    assert stage.requests("/me") == [], "the token goes to nobody else"
    assert not Connection.objects.filter(status="active").exists()
    stage.describe(method=MENDED)
    stage.register()
    assert stage.alice.complete(invitation, code).status_code == 200


def test_where_nobody_confirms_what_came_for_a_code_is_not_kept(stage: Stage) -> None:
    """Nobody would come back for it: the end user's page is closed before any entry is mended."""
    stage.let_mail()
    stage.tokens({"data": {"auth": tokens(1)}})
    invitation = stage.invite(binding="none")
    assert failure_of(stage.come_back(invitation)) == "exchange_failed"
    assert_nothing_left(invitation, "answer_unread")


def test_a_page_for_people_ends_the_session_as_before(stage: Stage) -> None:
    stage.tokens(b"<p>Please try again.</p>")
    answer = stage.confirm()
    assert (answer.status_code, answer.json()["code"]) == (409, "exchange_failed")
