"""Keys that are refused leave a trace, and whoever has none cannot fill the audit trail with it."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal import flood
from connections.models import ApiClient, ApiKey, AuditEvent, Tenant
from tests.asgi_client import AsgiClient
from tests.factories import Caller
from tests.flows import call


def rows() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="api_key.refused"))


PATHS = [
    ("GET", "/connections", None),
    ("POST", "/connections/00000000-0000-4000-8000-000000000000/credential", {"end_user": "alice"}),
    ("POST", "/credentials", {"provider": "sandbox", "end_user": "alice"}),
]


@pytest.mark.parametrize(("method", "path", "body"), PATHS)
@pytest.mark.parametrize("why", ["unknown", "revoked", "expired"])
def test_a_refused_key_is_recorded(
    acme: Tenant, backend: Caller, why: str, method: str, path: str, body: dict[str, str] | None
) -> None:
    caller = backend
    if why == "unknown":
        caller = Caller(backend.client, "lk_nobody-has-ever-made-this")
    elif why == "revoked":
        ApiKey.objects.update(revoked_at=database_now())
    else:
        ApiKey.objects.update(expires_at=database_now() - timedelta(seconds=1))
    assert call(caller, method, path, body).status_code == 401
    (row,) = rows()
    assert (row.decision, row.address) == (why, "127.0.0.1")
    assert row.api_client_id == (None if why == "unknown" else backend.client.id)
    assert row.tenant_id == (None if why == "unknown" else acme.id)
    assert caller.key not in str(AuditEvent.objects.values().get(id=row.id))


def test_a_key_of_a_suspended_client_is_recorded(backend: Caller) -> None:
    ApiClient.objects.update(suspended_at=database_now())
    assert call(backend, "GET", "/connections").status_code == 423
    assert rows()[0].decision == "suspended"


def test_many_calls_make_one_row_a_minute(backend: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Caller(backend.client, "lk_x")
    for _ in range(20):
        call(stranger, "GET", "/connections")
    assert len(rows()) == 1
    monkeypatch.setattr(flood, "PER_SECONDS", 0.0)
    call(stranger, "GET", "/connections")
    assert rows()[0].detail == {"left_out": 19}


def test_many_addresses_do_not_make_many_rows(backend: Caller, settings: object) -> None:
    for number in range(flood.MOST_ROWS + 40):
        AsgiClient().get(
            "/api/v1/connections",
            headers={"Authorization": "Bearer lk_x"},
            REMOTE_ADDR=f"2001:db8::{number:x}",
        )
    assert len(rows()) == flood.MOST_ROWS
