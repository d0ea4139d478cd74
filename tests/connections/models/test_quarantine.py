"""Whether a connection is held: the row's answer and the statement's are the same, in every state."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.models import Connection, CredentialVersion, HeldConnection, Installation, Tenant, TokenVerdict
from connections.models.quarantine import holds, sql_free
from tests.connections.api.stored import make_connection

STATES = list(
    product(
        ("none", "same", "other", "unknown"),
        ("never", "unsorted", "sorted"),
        ("free", "held", "sent before", "sent since"),
    )
)


def is_free(row: Connection) -> bool:
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql_free()} FROM connections_connection AS connection"
            " JOIN connections_credentialversion AS version ON version.id = connection.current_version_id"
            " WHERE connection.id = %s",
            [row.id],
        )
        (answer,) = cursor.fetchone()
    return bool(answer)


def install(which: str, quarantine: str, at: datetime) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT connections_database_identity()")
        (mine,) = cursor.fetchone()
    if which == "none":
        return
    Installation.objects.create(
        database={"same": mine, "other": "1.00000001.1", "unknown": ""}[which],
        quarantined_at=None if quarantine == "never" else at,
        cause="" if quarantine == "never" else "ordered",
        sorted_at=at if quarantine == "sorted" else None,
    )


@pytest.mark.parametrize("is_newer", [False, True])
@pytest.mark.parametrize(("which", "quarantine", "row"), STATES)
def test_both_agree(acme: Tenant, which: str, quarantine: str, row: str, is_newer: bool) -> None:
    connection = Connection.objects.get(id=make_connection(acme).id)
    at = database_now() - timedelta(hours=1) * is_newer
    install(which, quarantine, at)
    received_at = CredentialVersion.objects.get(connection=connection).received_at
    sent_at = {"sent before": received_at, "sent since": received_at + timedelta(microseconds=1)}.get(row)
    if row != "free":
        HeldConnection.objects.create(connection=connection, verdict=TokenVerdict.USED, held_at=at, sent_at=sent_at)
    everything = which == "other" or (which != "none" and quarantine == "unsorted" and not is_newer)
    expected = everything or (row in ("held", "sent since") and not is_newer)
    assert (holds(connection), is_free(connection)) == (expected, not expected)
