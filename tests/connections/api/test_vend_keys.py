"""A key that is not, or no longer, valid learns nothing: whichever way it asks, the answer is the same."""

from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.models import ApiKey, AuditEvent, Connection, Tenant
from tests.connections.api.stored import make_connection
from tests.factories import Caller
from tests.flows import call

SPOILT: dict[str, dict[str, Any]] = {
    "expired": {"expires_at": timedelta(seconds=-1)},
    "revoked": {"revoked_at": timedelta(seconds=-1)},
    "unknown": {"key_hash": b"another"},
}


@pytest.fixture(params=SPOILT.values(), ids=SPOILT)
def spoilt(request: pytest.FixtureRequest, backend: Caller) -> Caller:
    """acme's backend with a key that is over."""
    changes = {
        name: database_now() + value if isinstance(value, timedelta) else value for name, value in request.param.items()
    }
    assert ApiKey.objects.filter(client=backend.client).update(**changes) == 1
    return backend


def refused(caller: Caller, path: str, **body: Any) -> Any:
    """Return the answer to a vend, which is the same whatever there is, and leaves no trace in the client's name."""
    answer = call(caller, "POST", path, body)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert not AuditEvent.objects.filter(api_client_id=caller.client.id, action="credential.vend").exists()
    return answer.json()


def test_by_owner_does_not_say_what_there_is(acme: Tenant, spoilt: Caller) -> None:
    nothing = refused(spoilt, "/credentials", provider="sandbox", end_user="alice")
    make_connection(acme)
    one = refused(spoilt, "/credentials", provider="sandbox", end_user="alice")
    make_connection(acme)
    several = refused(spoilt, "/credentials", provider="sandbox", end_user="alice")
    assert nothing == one == several


def test_by_id_does_not_say_what_there_is(acme: Tenant, spoilt: Caller, connection: Connection) -> None:
    theirs = refused(spoilt, f"/connections/{connection.id}/credential", end_user="alice")
    nobodys = refused(spoilt, f"/connections/{acme.id}/credential", end_user="alice")
    assert theirs == nobodys
    connection.refresh_from_db()
    assert connection.last_vended_at is None
