"""Vend: what the catalogue says now is how a credential is presented, and no order suffers for another one."""

from typing import Any

import pytest
from django.db import DatabaseError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.access.secrets import digest
from connections.lifecycle.refresh.claim import Outcome, RefreshReport
from connections.lifecycle.vend.opening import Vended
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.vend import Answer, Asked, RefreshNeeded, vend_all
from connections.models import AuditEvent, Connection, CredentialVersion, Tenant
from connections.refusals import RefreshInProgress
from providers.sandbox.waiting import until
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.sessions import session
from tests.factories import Caller, make_caller
from tests.field.conftest import make_provider, stage  # noqa: F401 - fixtures
from tests.field.stage import Stage

PRESENTATION = '[presentation.oauth2_authorization_code.headers]\nX-Token = "{access_token}"\n'


def test_an_edited_entry_is_in_force_a_second_later(stage: Stage) -> None:  # noqa: F811 - that fixture
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    connection = stage.connect()
    before = stage.vend(connection).json()["credential"]
    assert before["headers"] == {"Authorization": "Bearer at-1"}
    path = stage.folder / "field.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("/api", "/api/v2") + PRESENTATION, encoding="utf-8")
    after = until(lambda: _changed(before, stage.vend(connection).json()["credential"]), "the edited entry", pause=0.1)
    assert after["headers"] == {"X-Token": "at-1"}
    assert after["base_url"] == f"{stage.server.url}/api/v2"


def _changed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any] | None:
    return None if now["headers"] == before["headers"] else now


# --- Many orders at once ----------------------------------------------------------------------------------------------
@pytest.fixture
def backend(acme: Tenant) -> Caller:
    return make_caller(acme)


@pytest.fixture
def connections(acme: Tenant) -> list[Connection]:
    return [make_connection(acme, end_user=f"user-{number}", access_token=f"token-{number}") for number in range(4)]


def expire(connection: Connection) -> Connection:
    age(connection.id, hours=2)
    return connection


def order(caller: Caller, connection: Connection, **changes: Any) -> VendOrder:
    return VendOrder(digest(caller.key), connection.id, **{"end_user": connection.end_user, **changes})


def answers(*orders: VendOrder) -> list[Answer]:
    return vend_all([Asked(one) for one in orders])


def value_of(answer: Answer) -> str:
    assert isinstance(answer, Vended), answer
    return answer.presentation.value.get_secret_value()


def test_orders_that_come_together_get_their_own_credentials_and_audit_rows(
    backend: Caller, connections: list[Connection]
) -> None:
    asked = [order(backend, one, purpose=f"for {one.end_user}") for one in reversed(connections)]
    with CaptureQueriesContext(database) as queries:
        got = answers(*asked, asked[0])
    assert len(queries) == 0  # none by the ORM
    assert [value_of(one) for one in got] == ["token-3", "token-2", "token-1", "token-0", "token-3"]
    rows = AuditEvent.objects.filter(action="credential.vend", decision="allowed").order_by("id")
    assert [(row.connection_id, row.subject, row.purpose) for row in rows] == [
        (one.connection_id, one.end_user, one.purpose) for one in [*asked, asked[0]]
    ]


def test_a_version_is_opened_once_for_all_who_ask_for_it_together(
    backend: Caller, connections: list[Connection]
) -> None:
    popular, other = connections[:2]
    first, lone, second = answers(order(backend, popular), order(backend, other), order(backend, popular, agent="bot"))
    assert isinstance(first, Vended)
    assert isinstance(second, Vended)
    assert first.presentation is second.presentation
    assert (value_of(first), value_of(lone)) == ("token-0", "token-1")
    assert [row.agent for row in AuditEvent.objects.filter(connection_id=popular.id).order_by("id")] == ["", "bot"]


def test_a_version_that_does_not_open_is_recorded_for_each_who_asks(
    backend: Caller, connections: list[Connection]
) -> None:
    CredentialVersion.objects.filter(connection=connections[0]).update(secrets=b"no ciphertext")
    got = answers(*[order(backend, one) for one in (connections[0], connections[1], connections[0])])
    assert [type(one).__name__ for one in got] == ["CredentialUnreadable", "Vended", "CredentialUnreadable"]
    assert AuditEvent.objects.filter(action="credential.open", decision="credential_unreadable").count() == 2


def test_one_order_s_refusal_is_nobody_else_s(
    backend: Caller, connections: list[Connection], globex: Tenant, acme: Tenant
) -> None:
    foreign, first, second, third = make_connection(globex), *connections[:3]
    expired = expire(make_connection(acme, end_user="late"))
    got = answers(
        order(backend, first),
        order(backend, foreign),
        order(backend, second, end_user="mallory"),
        VendOrder(b"\0" * 32, third.id, end_user=third.end_user),
        order(backend, third, scopes=["admin"]),
        order(backend, expired),
        order(backend, second),
    )
    kinds = [type(one).__name__ for one in got]
    assert kinds == [
        "Vended",
        "NotFound",
        "PolicyDenied",
        "Unauthorized",
        "InsufficientScope",
        "RefreshNeeded",
        "Vended",
    ]
    assert (value_of(got[0]), value_of(got[-1])) == ("token-0", "token-1")


def test_an_order_that_the_database_cannot_read_fails_alone(backend: Caller, connections: list[Connection]) -> None:
    bad = order(backend, connections[1], purpose="\0")
    good, failed, other = answers(order(backend, connections[0]), bad, order(backend, connections[2]))
    assert (value_of(good), value_of(other)) == ("token-0", "token-2")
    assert isinstance(failed, DatabaseError)
    assert AuditEvent.objects.filter(action="credential.vend", decision="allowed").count() == 2


def test_a_row_that_somebody_has_locked_keeps_no_vend_waiting(backend: Caller, connections: list[Connection]) -> None:
    Connection.objects.update(last_vended_at=None)
    with session("") as other, other.transaction():
        other.execute("SELECT FROM connections_connection WHERE id = %s FOR UPDATE", [connections[0].id])
        with database.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        try:
            got = answers(*(order(backend, one) for one in connections))
        finally:
            with database.cursor() as cursor:
                cursor.execute("SET lock_timeout = 0")
    assert [value_of(one) for one in got] == ["token-0", "token-1", "token-2", "token-3"]
    noticed = Connection.objects.exclude(last_vended_at=None).values_list("id", flat=True)
    assert set(noticed) == {one.id for one in connections[1:]}


def test_a_report_makes_the_answer_final(backend: Caller, acme: Tenant) -> None:
    expired = expire(make_connection(acme, end_user="late"))
    (first,) = answers(order(backend, expired))
    assert isinstance(first, RefreshNeeded)
    (final,) = vend_all([Asked(order(backend, expired), RefreshReport(Outcome.IN_FLIGHT))])
    assert isinstance(final, RefreshInProgress)
