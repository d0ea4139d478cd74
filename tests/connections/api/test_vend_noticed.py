"""A vend is noticed on its connection, so that what is in use is probed often; once in a while is enough for that."""

from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.models import Connection
from tests.connections.api.stored import make_connection, overwrite, transaction_now
from tests.factories import Caller
from tests.flows import call


def vend(caller: Caller, connection: Connection, **body: Any) -> Any:
    return call(caller, "POST", f"/connections/{connection.id}/credential", body)


def test_a_vend_is_noticed_once_in_a_while(connection: Connection, backend: Caller) -> None:
    vend(backend, connection, end_user="alice")
    connection.refresh_from_db()
    first = connection.last_vended_at
    assert first is not None
    assert abs((database_now() - first).total_seconds()) < 60
    vend(backend, connection, end_user="alice")
    connection.refresh_from_db()
    assert connection.last_vended_at == first


@pytest.mark.parametrize(("minutes", "is_noticed"), [(4, False), (6, True)])
def test_a_connection_in_use_is_probed_soon_again(
    connection: Connection, backend: Caller, minutes: int, is_noticed: bool
) -> None:
    now = transaction_now()
    before, later = now - timedelta(minutes=minutes), now + timedelta(hours=6)
    other = make_connection(connection.tenant, end_user="bob", last_vended_at=before, probe_due_at=later)
    overwrite(connection, last_vended_at=before, probe_due_at=later)
    assert vend(backend, connection, end_user="alice").status_code == 200
    connection.refresh_from_db()
    assert (connection.last_vended_at, connection.probe_due_at) == (
        (now, now + timedelta(minutes=10)) if is_noticed else (before, later)
    )
    other.refresh_from_db()
    assert (other.last_vended_at, other.probe_due_at) == (before, later)


def test_a_probe_that_is_due_sooner_is_not_put_off_by_a_vend(connection: Connection, backend: Caller) -> None:
    soon = transaction_now() + timedelta(minutes=2)
    overwrite(connection, last_vended_at=None, probe_due_at=soon)
    vend(backend, connection, end_user="alice")
    connection.refresh_from_db()
    assert connection.probe_due_at == soon
