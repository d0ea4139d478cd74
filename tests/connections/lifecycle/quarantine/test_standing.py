"""Standing: each tenant's numbers, and what is no quarantine."""

import pytest

from connections.database.clock import database_now
from connections.lifecycle.quarantine.standing import OfTenant, Standing, standing
from connections.models import HeldConnection, Installation, Tenant, TokenVerdict
from tests.connections.api.stored import expire_in, make_connection


def test_counts_by_tenant(acme: Tenant, globex: Tenant) -> None:
    for tenant, name, verdict in ((acme, "a", "used"), (acme, "b", "unknown"), (globex, "c", "unknown")):
        row = make_connection(tenant, end_user=name)
        if name == "a":
            expire_in(row, -1)
        HeldConnection.objects.create(connection=row, verdict=TokenVerdict(verdict), held_at=database_now())
    began = database_now()
    Installation.objects.create(quarantined_at=began, cause="behind")
    found = standing(now=database_now())
    assert (found.quarantined_at, found.cause, found.is_everything_held, found.waits) == (began, "behind", True, 3)
    assert found.tenants == (OfTenant(acme.id, "acme", 2, 1, 1), OfTenant(globex.id, "globex", 1, 0, 1))


@pytest.mark.usefixtures("transactional_db")
def test_without_a_beat_nothing_is_known_and_nothing_held() -> None:
    assert standing(now=database_now()) == Standing()
    Installation.objects.create()
    assert standing(now=database_now()) == Standing()
