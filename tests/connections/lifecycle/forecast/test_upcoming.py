"""Upcoming: every cause in one list, by date, page by page, and read from indexes."""

from datetime import datetime, timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, Cause
from connections.lifecycle.forecast.upcoming import Position
from connections.lifecycle.provision.client_secrets import add_client_secret, set_expiry
from connections.models import Connection, ProviderApp, Tenant
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.connections.lifecycle.forecast.rows import certificate, client_secret, ending, foreseen, paged

pytestmark = pytest.mark.django_db
_ID = "5d0f2f1c-7bd4-42bf-b5a0-e1d9c4f0a3b6"


@pytest.fixture
def soon() -> datetime:
    return database_now() + timedelta(days=3)


@pytest.mark.parametrize("cause", OF_CONNECTIONS)
def test_each_cause_is_found_with_its_date(cause: Cause, acme: Tenant, soon: datetime) -> None:
    row = ending(acme, cause, soon)
    make_connection(acme)
    [found] = foreseen()
    assert (found.connection, found.cause) == (row, cause)
    assert found.ends_at == (None if cause is Cause.CROWDED else soon)
    assert found.means


@pytest.mark.parametrize("cause", OF_CONNECTIONS)
def test_what_ends_later_or_is_over_is_not_listed(cause: Cause, acme: Tenant) -> None:
    ending(acme, cause, database_now() + timedelta(days=31))
    over = ending(acme, cause, database_now() + timedelta(days=1))
    overwrite(over, status="needs_reauth", reason="grant_rejected")
    assert foreseen() == []


def test_what_a_refresh_keeps_alive_is_not_listed(acme: Tenant, soon: datetime) -> None:
    alive = make_connection(acme, refresh_expires_at=soon, refresh_due_at=soon - timedelta(days=1))
    assert foreseen() == []
    overwrite(alive, failures=3)
    assert [found.cause for found in foreseen()] == [Cause.UNUSED], "its refreshes fail"
    overwrite(alive, failures=0, refresh_due_at=database_now() - timedelta(hours=2))
    assert [found.cause for found in foreseen()] == [Cause.UNUSED], "its refresh is overdue"


def test_a_token_without_an_end_that_nobody_typed_is_no_old_key(acme: Tenant) -> None:
    columns = {"refresh_due_at": None, "access_expires_at": None}
    make_connection(acme, authorized_at=database_now() - timedelta(days=400), **columns)
    assert foreseen() == []


def test_a_client_secret_that_was_entered_is_listed_by_the_date_that_was_said(acme: Tenant, soon: datetime) -> None:
    app = ProviderApp.objects.get(id=make_app(acme).id)
    assert foreseen() == []
    assert set_expiry(app, soon, now=database_now(), actor=SYSTEM)
    [found] = foreseen(tenant=acme, provider=app.provider)
    assert (found.cause, found.ends_at, found.app, found.connection) == (Cause.APP_SECRET, soon, app, None)
    assert foreseen(provider="hubspot") == []
    assert add_client_secret(app, "the-next-one", preferred=True, now=database_now(), actor=SYSTEM)
    assert foreseen() == [], "nobody has said when the new one expires"


def test_what_is_ours_is_listed_by_its_app(acme: Tenant, soon: datetime) -> None:
    app = make_app(acme)
    certificate(app, soon)
    client_secret(app, soon, problem="")
    assert [(found.cause, found.app, found.connection) for found in foreseen()] == [(Cause.CERTIFICATE, app, None)]
    client_secret(app, soon, problem="refused")
    assert [found.cause for found in foreseen()] == [Cause.CERTIFICATE, Cause.CLIENT_SECRET]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_any_size_lead_through_everything_once(limit: int, acme: Tenant, soon: datetime) -> None:
    """Also where many end at the same moment, of several causes."""
    rows = [ending(acme, cause, soon) for cause in OF_CONNECTIONS for _ in range(2)]
    rows += [ending(acme, Cause.GRANT, soon + timedelta(hours=number)) for number in (2, 1)]
    both = ending(acme, Cause.GRANT, soon)
    overwrite(both, crowded_at=soon)
    read = paged(limit)
    assert read == foreseen()
    assert len(read) == len(rows) + 2
    assert [found.position for found in read] == sorted({found.position for found in read})


def test_the_list_narrows_to_a_tenant_a_cause_and_a_provider(acme: Tenant, globex: Tenant, soon: datetime) -> None:
    mine = ending(acme, Cause.GRANT, soon)
    theirs = ending(globex, Cause.CREDENTIAL, soon)
    certificate(theirs.provider_app, soon)
    assert [found.connection for found in foreseen(tenant=acme)] == [mine]
    assert [found.connection for found in foreseen(tenant=globex)] == [None, theirs]
    assert [found.connection for found in foreseen(causes=(Cause.CREDENTIAL,))] == [theirs]
    assert len(foreseen(provider="sandbox")) == 3
    assert foreseen(provider="hubspot") == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "||", f"2026-01-01|{Cause.GRANT}|x", f"2026-01-01T00:00:00|{Cause.GRANT}|{_ID}"),
        *(f"0001-01-01T00:00:00+00:00|{Cause.GRANT}|{_ID}", f"9999-12-31T23:59:59-14:00|{Cause.GRANT}|{_ID}"),
        f"2026-01-01T00:00:00+00:00|no_such_cause|{_ID}",
    ],
)
def test_no_position_is_made_of_anything_else(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        Position.read(text)


@pytest.mark.parametrize("cause", Cause)
def test_a_page_is_read_from_an_index_and_not_the_whole_table(cause: Cause, acme: Tenant, soon: datetime) -> None:
    last = Position(database_now(), cause, acme.id)
    with CaptureQueriesContext(database) as queries:
        foreseen(causes=(cause,), after=last, limit=51)
        foreseen(causes=(cause,), limit=51)
    asked = [query["sql"] for query in queries if "LIMIT 51" in query["sql"]]
    assert len(asked) == 2
    if cause not in OF_CONNECTIONS:
        return  # of apps there are few
    with transaction.atomic(), database.cursor() as cursor:
        _copy(cursor, make_connection(acme), 1_000)  # of a few rows every index is as good as another
        cursor.execute("SET LOCAL enable_seqscan = off")  # of the other tables, which are small
        for statement in asked:
            cursor.execute("EXPLAIN " + statement.replace("%", "%%"))
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert f"Seq Scan on {Connection._meta.db_table}" not in plan, plan
            assert "connection_newest" not in plan, plan
            assert any(name in plan for name in _INDEXES[cause]), plan
        transaction.set_rollback(True)


def _copy(cursor: CursorWrapper, row: Connection, times: int) -> None:
    """Store copies of ``row`` in the open transaction, and have PostgreSQL count what is there.

    They are without the credentials that they name, for which only a commit would look.
    """
    table, of_its_own = Connection._meta.db_table, "jsonb_build_object('id', gen_random_uuid(), 'end_user', number,"
    of_its_own += " 'external_account_id', number, 'current_version_id', gen_random_uuid())"
    cursor.execute(
        f"INSERT INTO {table} SELECT (jsonb_populate_record(copied, {of_its_own})).*"
        f" FROM {table} AS copied, generate_series(1, %s) AS number WHERE copied.id = %s",
        [times, row.id],
    )
    cursor.execute(f"ANALYZE {table}")


_INDEXES = {
    Cause.GRANT: ["connection_grant_end"],
    Cause.CREDENTIAL: ["connection_expiry"],
    Cause.UNUSED: ["connection_refresh_due", "connection_failing"],
    Cause.QUARANTINE: ["heldconnection_pkey", "connections_connection_pkey"],
    Cause.CROWDED: ["connection_crowded"],
    Cause.OLD_KEY: ["connection_endless_since"],
}
