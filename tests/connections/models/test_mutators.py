"""Several mutators, saved by one UPDATE."""

from contextlib import suppress

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.database.clock import database_now
from connections.models import Connection
from tests.connections.api.stored import make_connection
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


def test_what_a_block_changes_is_saved_once_at_its_end() -> None:
    connection = make_connection(make_tenant())
    before, now = connection.updated_at, database_now()
    with CaptureQueriesContext(database) as statements, connection.saved_once():
        connection.belong_to("account-7", "Seven")
        connection.verify(now, by="probe")
        assert Connection.objects.get().provider_account_id != "account-7"
    assert [one["sql"].split()[0] for one in statements] == ["SELECT", "UPDATE"]
    stored = Connection.objects.get()
    assert (stored.provider_account_id, stored.verified_at, stored.verified_by) == ("account-7", now, "probe")
    assert stored.updated_at > before


def test_after_the_block_each_change_is_saved_by_itself_again() -> None:
    connection = make_connection(make_tenant())
    with connection.saved_once():
        pass
    connection.name("work")
    assert Connection.objects.get().label == "work"


def test_a_block_that_raises_saves_nothing() -> None:
    connection = make_connection(make_tenant())
    with suppress(RuntimeError), connection.saved_once():
        connection.name("work")
        raise RuntimeError
    assert Connection.objects.get().label == ""
    connection.verify(None, by="")
    assert Connection.objects.get().label == ""
