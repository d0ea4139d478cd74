"""Release: by connection, by tenant, or all; never a token that is known to be used, unless somebody insists."""

import pytest
from django.db import transaction
from django.db.models import Q

from connections.database.clock import database_now
from connections.database.locks import lock_connections
from connections.journal.audit import Actor
from connections.lifecycle.quarantine import release as module
from connections.lifecycle.quarantine.release import Unsorted, release
from connections.models import (
    AuditEvent,
    Connection,
    HeldConnection,
    Installation,
    RewindCause,
    Tenant,
    TokenVerdict,
)
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.quarantine.conftest import Beside

ANNA = Actor(operator="anna")


@pytest.fixture
def held(acme: Tenant, globex: Tenant) -> dict[str, Connection]:
    """Three of acme's that wait, one of them with a used token, and one of globex's."""
    rows = {
        "a": make_connection(acme, end_user="a"),
        "b": make_connection(acme, end_user="b"),
        "used": make_connection(acme, end_user="used"),
        "other": make_connection(globex, end_user="other"),
    }
    for name, row in rows.items():
        verdict = TokenVerdict.USED if name == "used" else TokenVerdict.UNKNOWN
        HeldConnection.objects.create(connection=row, verdict=verdict, held_at=database_now())
    return rows


def waiting() -> set[str]:
    return set(HeldConnection.objects.values_list("connection__end_user", flat=True))


def test_one_connection(held: dict[str, Connection]) -> None:
    assert release(Q(connection=held["a"]), with_used=False, actor=ANNA, now=database_now()) == 1
    assert waiting() == {"b", "used", "other"}
    row = AuditEvent.objects.get(action="quarantine.release")
    assert (row.connection_id, row.operator, row.detail["verdict"]) == (held["a"].id, "anna", "unknown")


def test_a_tenant_in_batches(held: dict[str, Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    acme = Q(connection__tenant=held["a"].tenant_id)
    assert release(acme, with_used=False, actor=ANNA, now=database_now()) == 2
    assert waiting() == {"used", "other"}
    assert release(acme, with_used=False, actor=ANNA, now=database_now()) == 0
    assert release(acme, with_used=True, actor=ANNA, now=database_now()) == 1
    assert waiting() == {"other"}


def test_one_that_a_sorting_finds_used_meanwhile_is_left_alone(held: dict[str, Connection]) -> None:
    with transaction.atomic():
        lock_connections([held["a"].id])
        beside = Beside(lambda: release(Q(), with_used=False, actor=ANNA, now=database_now()))
        HeldConnection.objects.filter(connection=held["a"]).update(verdict=TokenVerdict.USED)
    assert beside.result == 2
    assert waiting() == {"a", "used"}
    assert not AuditEvent.objects.filter(action="quarantine.release", connection_id=held["a"].id).exists()


@pytest.mark.parametrize("changes", [{"sorted_at": None}, {"database": "another"}], ids=["not sorted", "elsewhere"])
def test_nothing_is_released_while_everything_is_held(held: dict[str, Connection], changes: dict[str, str]) -> None:
    now = database_now()
    begun = {"quarantined_at": now, "cause": RewindCause.ORDERED, "sorted_at": now}
    Installation.objects.update_or_create(only=True, defaults=begun | changes)
    with pytest.raises(Unsorted):
        release(Q(), with_used=True, actor=ANNA, now=now)
    assert len(waiting()) == 4
