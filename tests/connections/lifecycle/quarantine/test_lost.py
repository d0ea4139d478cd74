"""Lost: renewal is asked for when nothing is left to vend, and not before; of a doubt, never by itself."""

import pytest

from connections.database.clock import database_now
from connections.lifecycle.quarantine.lost import end_lost
from connections.models import Connection, CredentialVersion, HeldConnection, OutboxEvent, Tenant, TokenVerdict
from tests.connections.api.stored import expire_in, make_connection
from tests.connections.lifecycle.observed import reload


def hold(connection: Connection, verdict: TokenVerdict) -> Connection:
    HeldConnection.objects.create(connection=connection, verdict=verdict, held_at=database_now())
    return connection


def test_only_a_used_token_without_a_valid_credential_ends(acme: Tenant) -> None:
    gone, doubtful, valid = (
        hold(make_connection(acme, end_user=name), verdict)
        for name, verdict in (
            ("gone", TokenVerdict.USED),
            ("doubtful", TokenVerdict.UNKNOWN),
            ("valid", TokenVerdict.USED),
        )
    )
    expire_in(gone, -1)
    expire_in(doubtful, -1)
    assert end_lost(now=database_now()) == 1
    assert [reload(one).status for one in (gone, doubtful, valid)] == ["needs_reauth", "active", "active"]
    row = reload(gone)
    assert (row.reason, row.refresh_due_at) == ("lost_in_flight", None)
    assert "restored" in OutboxEvent.objects.get(type="connection.needs_reauth").payload["evidence"]["detail"]
    assert end_lost(now=database_now()) == 0


@pytest.mark.parametrize("newer", [True, False])
def test_one_that_was_connected_again_lives_on(acme: Tenant, newer: bool) -> None:
    connection = hold(make_connection(acme), TokenVerdict.USED)
    expire_in(connection, -1)
    if newer:
        CredentialVersion.objects.update(received_at=database_now())
    assert end_lost(now=database_now()) == (0 if newer else 1)
