"""Actions and buttons of connections: each calls the lifecycle in the operator's name, and says what happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config.celery import app
from connections import dispatch
from connections.admin.connection import ConnectionAdmin
from connections.database.clock import database_now
from connections.models import REASONS_OF, AuditEvent, Connection, RefreshAttempt, Status
from providers.sandbox.client import SandboxProcess
from tests.connections.admin.conftest import (
    World,
    list_url,
    make_connection,
    messages_of,
    operator_with,
    page_url,
    press_url,
)
from tests.connections.api.stored import overwrite


@contextmanager
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """Collect what goes to the broker."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(app, "send_task", lambda task, args, **_: sent.append((task, args[0])), raising=False)
    yield sent


def act(browser: Client, action: str, *rows: Connection, **more: str) -> list[str]:
    """Run an action on the list and return what the admin says of it."""
    data = {"action": action, "_selected_action": [str(row.id) for row in rows], **more}
    return messages_of(browser.post(list_url(Connection), data, follow=True))


def press(browser: Client, row: Connection, verb: str) -> list[str]:
    """Press a button and return what the admin says of it."""
    answer = browser.post(press_url(row, verb), follow=True)
    assert answer.redirect_chain == [(page_url(row), 302)]
    return messages_of(answer)


def test_refresh_replaces_the_credential_and_says_so(olga: Client, connection: Connection) -> None:
    assert press(olga, connection, "refresh") == ["Refreshed: a fresh credential is in use."]
    before = connection.current_version_id
    connection.refresh_from_db()
    assert connection.current_version_id != before
    assert RefreshAttempt.objects.get().trigger == "operator"
    event = AuditEvent.objects.get(action="connection.refresh")
    assert (event.operator, event.decision, event.address) == ("olga", "allowed", "127.0.0.1")


def test_refresh_overrides_the_backoff(olga: Client, connection: Connection) -> None:
    overwrite(connection, next_attempt_at=database_now() + timedelta(hours=1), failures=7)
    assert act(olga, "refresh", connection)[0].endswith("Refreshed: a fresh credential is in use.")


def test_a_refused_refresh_is_told_as_what_it_is(olga: Client, connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.revoke(username="alice")
    assert "refused the grant" in press(olga, connection, "refresh")[0]
    page = olga.get(page_url(connection)).content.decode()
    assert "One refresh was refused; a second one decides" in page
    assert "invalid_grant" in page
    assert AuditEvent.objects.get(action="connection.refresh").decision == "refused"


def test_probe_says_what_it_found(olga: Client, connection: Connection, sandbox: SandboxProcess) -> None:
    assert press(olga, connection, "probe") == ["Alive: the provider accepted the credential."]
    connection.refresh_from_db()
    assert connection.verified_by == "probe"
    sandbox.control.revoke(username="alice")
    told = act(olga, "probe", connection)[0]
    assert "Refused: the provider did not accept the credential. The connection is suspect now" in told


def test_pause_and_suspend_turn_and_turn_back(olga: Client, connection: Connection) -> None:
    for verb, column in (("pause", "paused_at"), ("suspend", "suspended_at")):
        press(olga, connection, verb)
        connection.refresh_from_db()
        assert getattr(connection, column) is not None
        assert "nothing is sent to the provider until" in press(olga, connection, "refresh")[0]
        press(olga, connection, {"pause": "unpause", "suspend": "resume"}[verb])
        connection.refresh_from_db()
        assert getattr(connection, column) is None
    turned = AuditEvent.objects.filter(operator="olga", connection_id=connection.id).exclude(
        action="connection.refresh"
    )
    assert list(turned.order_by("id").values_list("action", flat=True)) == [
        *("connection.paused", "connection.unpaused", "connection.suspended", "connection.resumed")
    ]


def test_revoke_asks_first_and_keeps_the_connection_for_a_reconnect(olga: Client, connection: Connection) -> None:
    assert "Leave it as it is" in olga.get(press_url(connection, "revoke")).content.decode()
    connection.refresh_from_db()
    assert connection.status == "active"
    assert press(olga, connection, "revoke")[0].startswith("Revoked: it no longer vends, and can be connected anew.")
    connection.refresh_from_db()
    assert (connection.status, connection.reason) == ("revoked", "revoked_by_operator")
    assert AuditEvent.objects.get(action="connection.disconnect").operator == "olga"


def test_disconnect_ends_it_for_good(olga: Client, connection: Connection) -> None:
    press(olga, connection, "disconnect")
    connection.refresh_from_db()
    assert connection.status == "disconnected"
    assert press(olga, connection, "refresh") == ["That is not possible any more: nothing was done."]


def test_a_harmless_button_does_nothing_on_get(olga: Client, connection: Connection) -> None:
    assert olga.get(press_url(connection, "refresh")).status_code == 405
    assert not RefreshAttempt.objects.exists()


@pytest.mark.parametrize(("action", "status"), [("revoke", "revoked"), ("disconnect", "disconnected")])
def test_ending_many_asks_first(olga: Client, world: World, action: str, status: str) -> None:
    rows = [world.connection, make_connection(world.app, world.tenant, "bob")]
    data = {"action": action, "_selected_action": [str(row.id) for row in rows]}
    question = olga.post(list_url(Connection), data).content.decode()
    assert "2 connections?" in question
    assert all(str(row.id) in question for row in rows)
    assert not Connection.objects.filter(status=status).exists()
    told = act(olga, action, *rows, confirmed="1")
    assert len(told) == 2
    assert Connection.objects.filter(status=status).count() == 2


@pytest.mark.parametrize("action", [one for one in ConnectionAdmin.actions if one != "export"])
def test_an_action_on_connections_in_every_status_tells_of_each(
    transactional_db: None, olga: Client, world: World, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    rows = []
    for status in Status:
        row = make_connection(world.app, world.tenant, status)
        overwrite(row, status=status, reason=REASONS_OF[status][0])
        rows.append(row)
    with sent_tasks(monkeypatch):
        told = act(olga, action, *rows, confirmed="1")
    assert sum(int(line.split(" of ")[0]) for line in told) == len(rows)


def test_suspending_many_asks_first(olga: Client, world: World) -> None:
    data = {"action": "suspend", "_selected_action": [str(world.connection.id)]}
    assert "1 connection?" in olga.post(list_url(Connection), data).content.decode()
    assert "Suspended." in act(olga, "suspend", world.connection, confirmed="1")[0]
    assert "It was so already." in act(olga, "suspend", world.connection, confirmed="1")[0]
    assert "Resumed." in act(olga, "resume", world.connection)[0]
    assert "Paused." in act(olga, "pause", world.connection)[0]
    assert "Unpaused." in act(olga, "unpause", world.connection)[0]


def test_each_of_a_few_rows_is_told_of(transactional_db: None, olga: Client, world: World) -> None:
    done = make_connection(world.app, world.tenant, "bob")
    overwrite(done, refresh_due_at=None)
    told = act(olga, "refresh", done)
    why = "It cannot be refreshed: the provider gave nothing to refresh it with."
    assert told == [f"sandbox for bob, acme ({str(done.id)[:8]}): {why}"]


@pytest.mark.parametrize(("action", "task"), [("refresh", dispatch.Task.REFRESH), ("probe", dispatch.Task.PROBE)])
def test_many_rows_are_ordered_from_the_workers(
    transactional_db: None, olga: Client, world: World, monkeypatch: pytest.MonkeyPatch, action: str, task: str
) -> None:
    rows = [make_connection(world.app, world.tenant, f"user-{number}") for number in range(6)]
    overwrite(rows[0], status="needs_reauth", reason="grant_rejected")
    with sent_tasks(monkeypatch) as sent:
        told = act(olga, action, *rows)
    assert sorted(sent) == sorted((task, str(row.id)) for row in rows[1:])
    assert any(line.startswith("5 of 6: Ordered") for line in told)
    assert any(line.startswith("1 of 6: There is nothing to") for line in told)
    assert AuditEvent.objects.filter(action=f"connection.{action}_ordered", operator="olga").count() == 5
    if action == "refresh":
        rows[1].refresh_from_db()
        assert rows[1].refresh_due_at is not None
        assert rows[1].refresh_due_at <= database_now()


def test_the_page_tells_why_and_what_happens_next(olga: Client, world: World) -> None:
    page = olga.get(page_url(world.connection)).content.decode()
    assert "What happens next" in page
    assert "The provider refuses our client registration" in page
    assert "1 missing" in page
    assert "grant_rejected" in page
    for row in (world.app, world.tenant):
        assert f'href="{page_url(row)}"' in page
    for model in ("auditevent", "refreshattempt"):
        assert f"/admin/connections/{model}/?connection={world.connection.id}" in page


def test_vends_in_a_row_are_one_line_of_the_history(olga: Client, world: World) -> None:
    for _ in range(30):
        AuditEvent.objects.create(
            action="credential.vend",
            decision="allowed",
            connection_id=world.connection.id,
            api_client_id=world.client.id,
            subject="alice",
        )
    page = olga.get(page_url(world.connection)).content.decode()
    assert "30 times" in page
    assert "backend for alice" in page
    assert "Connected" in page


def test_the_page_tells_of_other_tables_only_to_those_who_may_read_them(connection: Connection) -> None:
    panels = {
        "Who used it lately": "auditevent",
        "panel history": "auditevent",
        "its grants": "accessgrant",
        "Refresh attempts": "refreshattempt",
        "Credential versions": "credentialversion",
    }
    for table in ("connection", *set(panels.values())):
        browser = operator_with(table, "view_connection", f"view_{table}")
        page = browser.get(page_url(connection)).content.decode().partition('id="content"')[2]
        shown = {words for words in panels if words in page}
        assert shown == {words for words, needed in panels.items() if needed == table}
